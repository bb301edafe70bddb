//! Which calls enter and leave code that must not sleep: spinlocks, RCU read sides, disabled interrupts.

use super::Node;
use super::flow::EventKind;
use super::text::{call_argument, call_name, squeeze};

/// Locks that forbid sleep, with how they are given back; the lock is the first argument.
/// Sources: `include/linux/{spinlock,rwlock,bit_spinlock}.h`.
const LOCKS: &[(&str, &str)] = &[
    ("spin_lock", "spin_unlock"),
    ("read_lock", "read_unlock"),
    ("write_lock", "write_unlock"),
    ("bit_spin_lock", "bit_spin_unlock"),
];

/// Sections that forbid sleep. Sources: `include/linux/{rcupdate,preempt,irqflags,bottom_half}.h`.
const SECTIONS: &[(&str, &str)] = &[
    ("rcu_read_lock", "rcu_read_unlock"),
    ("preempt_disable", "preempt_enable"),
    ("local_irq_disable", "local_irq_enable"),
    ("local_irq_save", "local_irq_restore"),
    ("local_bh_disable", "local_bh_enable"),
];

const SUFFIXES: &[&str] = &[
    "",
    "_irq",
    "_irqsave",
    "_irqrestore",
    "_bh",
    "_nested",
    "_sched",
];

/// What a call means for whether its function may sleep.
pub(super) fn event(call: Node<'_>, text: &[u8]) -> Option<EventKind> {
    let name = call_name(call, text)?;
    let bare = name.strip_prefix("raw_").unwrap_or(&name);
    let is = |word: &str| {
        bare.strip_prefix(word)
            .is_some_and(|it| SUFFIXES.contains(&it))
    };
    for (enter, leave) in LOCKS {
        if is(enter) || is(leave) {
            let lock = squeeze(call_argument(call, 0)?, text);
            let held = format!("{enter}({lock})");
            return Some(if is(enter) {
                EventKind::Enter(held)
            } else {
                EventKind::Leave(held)
            });
        }
    }
    SECTIONS.iter().find_map(|(enter, leave)| {
        let held = format!("{enter}()");
        if is(enter) {
            Some(EventKind::Enter(held))
        } else if is(leave) {
            Some(EventKind::Leave(held))
        } else {
            None
        }
    })
}

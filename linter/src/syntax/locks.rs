//! Which calls enter and leave code that must not sleep: spinlocks, RCU read sides, disabled interrupts.

use std::collections::BTreeSet;

use super::Node;
use super::counts::CountAccess;
use super::flow::{self, Event, EventKind, Observer};
use super::nodes::{Field, Kind};
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

/// One call that runs where nothing may sleep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldCall {
    /// Where the name of what is called stands.
    pub(crate) offset: usize,
    /// Why nothing may sleep, such as `spin_lock(&object->lock)`.
    pub(crate) reason: String,
}

/// The calls of a function that run with a lock held, or in another section that forbids sleep, on every way there.
///
/// `gives_back` says of the name at an offset whether what is called gives back what its caller took.
pub(crate) fn calls_under_locks(
    root: Node<'_>,
    text: &[u8],
    gives_back: &dyn Fn(usize) -> bool,
) -> Vec<HeldCall> {
    let mut events = flow::events(root, text);
    let has_lock = |it: &Event| {
        matches!(
            it.kind,
            EventKind::Enter(_) | EventKind::Leave(_) | EventKind::Lock(_) | EventKind::Unlock(_)
        )
    };
    if !events.iter().any(has_lock) {
        return Vec::new();
    }
    let mut calls = Vec::new();
    for node in root.preorder() {
        if node.kind() == Kind::CallExpression
            && let Some(callee) = node.field(Field::Function)
        {
            let named = match callee.kind() {
                Kind::FieldExpression => callee.field(Field::Member).unwrap_or(callee),
                _ => callee,
            };
            events.push(Event {
                offset: node.start_byte(),
                kind: EventKind::Release(calls.len()),
            });
            calls.push(named.start_byte());
            if gives_back(named.start_byte()) {
                events.push(Event {
                    offset: node.start_byte(),
                    kind: EventKind::LeaveAll,
                });
            }
        }
    }
    let mut held = Held {
        calls,
        found: Vec::new(),
    };
    flow::run(root, text, events, &mut held);
    held.found
}

/// Whether a function gives back a lock that its caller took.
pub(crate) fn gives_back(root: Node<'_>, text: &[u8]) -> bool {
    flow::is_entered_locked(&flow::events(root, text))
}

struct Held {
    calls: Vec<usize>,
    found: Vec<HeldCall>,
}

impl Observer for Held {
    fn release(&mut self, index: usize, locked: &BTreeSet<String>, atomic: &BTreeSet<String>) {
        let of_inode = || {
            let inode = locked.first()?;
            Some(format!("spin_lock(&{inode}->i_lock)"))
        };
        if let Some(reason) = atomic.first().cloned().or_else(of_inode) {
            let offset = self.calls[index];
            self.found.push(HeldCall { offset, reason });
        }
    }

    fn accesses(&mut self) -> &mut [CountAccess] {
        &mut []
    }
}

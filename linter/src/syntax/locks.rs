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
        let held = || format!("{enter}()");
        if is(enter) {
            Some(EventKind::Enter(held()))
        } else if is(leave) {
            Some(EventKind::Leave(held()))
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

/// What a function does about locks that are held where it is called, and with those that it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LockEffect {
    /// It gives back a lock that its caller took.
    pub(crate) gives: bool,
    /// It returns with a lock that it took, or took again.
    pub(crate) takes: bool,
}

impl LockEffect {
    /// Whether its caller holds nothing any more once it has returned.
    pub(crate) fn is_away(self) -> bool {
        self.gives && !self.takes
    }
}

/// The calls of a function that run with a lock held, or in another section that forbids sleep, on every way there.
///
/// `effect` says what the function of a name does with the locks of its caller.
pub(crate) fn calls_under_locks(
    root: Node<'_>,
    text: &[u8],
    effect: &dyn Fn(&str) -> LockEffect,
) -> Vec<HeldCall> {
    let mut events = flow::events(root, text);
    let has_lock = |it: &Event| {
        matches!(
            it.kind,
            EventKind::Enter(_)
                | EventKind::Leave(_)
                | EventKind::Lock(_)
                | EventKind::Unlock(_)
                | EventKind::Guard(_)
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
            let is_away = || call_name(node, text).is_some_and(|it| effect(&it).is_away());
            if event(node, text).is_none() && is_away() {
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

/// What a function does with the locks of its caller, by itself and by what it calls while it holds none of its own.
pub(crate) fn effect(
    root: Node<'_>,
    text: &[u8],
    of_callee: &dyn Fn(&str) -> LockEffect,
) -> LockEffect {
    let events = flow::events(root, text);
    let mut callers = flow::atomic_by_caller(&events);
    let inodes = flow::locked_by_caller(&events);
    callers.extend(inodes.into_iter().map(|it| i_lock(&it)));
    // What is done to locks, in the order of the text: the name of a lock and whether it is taken, or a callee.
    let mut steps: Vec<(usize, Step)> = Vec::new();
    for it in events {
        let step = match it.kind {
            EventKind::Enter(lock) => Step::Own(lock, true),
            EventKind::Leave(lock) => Step::Own(lock, false),
            EventKind::Lock(inode) => Step::Own(i_lock(&inode), true),
            EventKind::Unlock(inode) => Step::Own(i_lock(&inode), false),
            _ => continue,
        };
        steps.push((it.offset, step));
    }
    let own: BTreeSet<usize> = steps.iter().map(|it| it.0).collect();
    for node in root.preorder() {
        if node.kind() == Kind::CallExpression
            && !own.contains(&node.start_byte())
            && let Some(name) = call_name(node, text)
        {
            steps.push((node.start_byte(), Step::Callee(of_callee(&name))));
        }
    }
    steps.sort_by_key(|it| it.0);
    let mut held: BTreeSet<String> = BTreeSet::new();
    let mut effect = LockEffect::default();
    // Locks that callees took and nobody has given back yet.
    let mut taken = 0_u32;
    for (_, step) in steps {
        match step {
            Step::Own(lock, true) => drop(held.insert(lock)),
            Step::Own(lock, false) if held.remove(&lock) => {}
            Step::Own(lock, false) if taken == 0 && callers.contains(&lock) => effect.gives = true,
            Step::Callee(it) if it.is_away() && taken == 0 && held.is_empty() => {
                effect.gives = true;
            }
            Step::Callee(it) if it.is_away() && taken == 0 => held.clear(),
            Step::Own(_, false) => taken = taken.saturating_sub(1),
            Step::Callee(it) if it.is_away() => taken -= 1,
            // It gives the lock of its caller back around what it does.
            Step::Callee(it) if it.gives => effect.gives |= taken == 0 && held.is_empty(),
            Step::Callee(it) => taken += u32::from(it.takes),
        }
    }
    effect.takes = taken > 0 || !held.is_empty();
    effect
}

enum Step {
    /// Takes a lock, or gives it back.
    Own(String, bool),
    Callee(LockEffect),
}

fn i_lock(inode: &str) -> String {
    format!("spin_lock(&{inode}->i_lock)")
}

struct Held {
    calls: Vec<usize>,
    found: Vec<HeldCall>,
}

impl Observer for Held {
    fn release(&mut self, index: usize, locked: &BTreeSet<String>, atomic: &BTreeSet<String>) {
        let of_inode = || {
            let inode = locked.first()?;
            Some(i_lock(inode))
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

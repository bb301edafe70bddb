//! Interrupts, softirqs, timers and RCU callbacks: nothing may sleep.

use super::{Context, Root, RootKind, Sink};
use crate::finding::Severity;
use crate::kernel::Runner;

pub(super) static CONTEXT: Context = Context {
    name: "atomic",
    default_on: false,
    severity: Severity::Error,
    sink: Sink::FinalIput,
    place: "in atomic context",
    hazard: "evict() sleeps, and nothing may sleep here",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        Root::new(RootKind::NoSleep),
        Root::new(RootKind::Deferred(Runner::Rcu)),
        Root::new(RootKind::Deferred(Runner::Timer)),
        Root::new(RootKind::Deferred(Runner::Tasklet)),
        Root::new(RootKind::Deferred(Runner::Irq)),
        // include/linux/fs.h: called under page table and page locks
        Root::member("address_space_operations", "dirty_folio").one_of("dirty"),
        Root::member("address_space_operations", "set_page_dirty").one_of("dirty"),
    ],
    docs: include_str!("atomic.md"),
};

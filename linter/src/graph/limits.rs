//! Where a search stops, and why.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::domains::Domain;
use super::explore::{Caller, State};
use super::focused::Focused;
use super::index::{Index, ItemId};
use super::resolve::{Edge, EdgeKind, Target, Through};
use super::sieve::{Closures, Sieve};
use super::typing::directory;
use super::values::Entry;
use crate::facts::TypeRef;
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::Sym;

/// Where every search stops, whatever the context.
pub(crate) struct Limits {
    /// Names that are not entered.
    names: FxHashSet<Sym>,
    /// Tables that are not followed.
    doors: FxHashSet<Sym>,
    /// Calls that are taken only where there is no better way.
    vain: FxHashSet<(Sym, Sym)>,
    /// The implementations that matter, besides generic code; `None` for all.
    pub(super) focus: Option<Focused>,
}

impl Limits {
    pub(crate) fn of(focus: Option<Focused>) -> Self {
        Self {
            names: names().collect(),
            doors: kernel::FRONT_DOORS.iter().map(Sym::of).collect(),
            vain: kernel::VAIN_CALLS
                .iter()
                .map(|it| (Sym::of(it.0), Sym::of(it.1)))
                .collect(),
            focus,
        }
    }

    /// How sure the hops from a function are.
    pub(super) fn confidence(
        &self,
        index: &Index<'_>,
        from: ItemId,
    ) -> impl Fn(&Edge) -> Confidence {
        let name = index.item(from).name;
        let has_vain = self.vain.iter().any(|it| it.0 == name);
        move |edge| {
            let is_vain = has_vain
                && match edge.target {
                    Target::Function(to) => self.vain.contains(&(name, index.item(to).name)),
                    Target::External(_) => false,
                };
            if is_vain {
                Confidence::Low
            } else {
                edge.confidence
            }
        }
    }

    pub(super) fn is_in_focus(&self, state: State) -> bool {
        self.focus.as_ref().is_none_or(|it| match state.domain {
            Domain::GENERIC => true,
            Domain::PRIVATE => it.is_approached_by(state.function),
            domain => it.holds(domain),
        })
    }

    /// Whether a state may lead to a sink; where only some implementations matter, through one of them.
    pub(super) fn may_matter(&self, sieve: &Sieve<'_, '_>, state: State) -> bool {
        if state.home != u32::MAX {
            return true;
        }
        match &self.focus {
            Some(focus) if state.domain == Domain::GENERIC => focus
                .domains()
                .any(|it| sieve.passes_within(state.function, it)),
            _ => sieve.passes_within(state.function, state.domain),
        }
    }
}

/// What may lead to `iput()` without a function that is never entered.
pub(crate) fn sieve<'i, 't>(index: &'i Index<'t>, before: Option<Arc<Closures>>) -> Sieve<'i, 't> {
    let iput = Sym::of(kernel::IPUT);
    let stop = names().filter(|it| *it != iput).map(Sym::short);
    Sieve::build(index, &[iput], stop.collect(), before)
}

/// Names that are not entered.
fn names() -> impl Iterator<Item = Sym> {
    kernel::NOT_ENTERED
        .iter()
        .map(|it| it.0)
        .chain(kernel::QUEUEING.iter().copied())
        .chain(kernel::SYSTEM_CALL_HELPERS.iter().copied())
        .map(Sym::of)
}

/// Why the search does not take a hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The callee runs later, elsewhere.
    Deferred,
    /// The callee's name is among those that are never entered, with the reason.
    NotEntered(&'static str),
    /// The table by which system calls enter a filesystem.
    FrontDoor,
    /// The callee belongs to another implementation than the chain.
    OtherImplementation,
    /// The callee is machinery below the filesystems: allocator, scheduler, block layer, drivers.
    Machinery,
    /// The callee belongs to another program, such as one under tools.
    OtherProgram,
    /// What the callers pass or have tested excludes the branch.
    Excluded,
    /// What would be dropped is nothing, by what the callers pass or have tested.
    NoObject,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Deferred => "runs later, elsewhere",
            Self::NotEntered(reason) => reason,
            Self::FrontDoor => "the table by which system calls enter a filesystem",
            Self::OtherImplementation => "belongs to another implementation than the chain",
            Self::Machinery => "machinery below the filesystems is not entered",
            Self::OtherProgram => "belongs to another program",
            Self::Excluded => "what the callers pass excludes this branch",
            Self::NoObject => "there is nothing to drop, by what the callers pass",
        })
    }
}

pub(super) fn cut(
    caller: &Caller<'_, '_, '_>,
    edge: &Edge,
    (target, entered): (ItemId, Domain),
    limits: &Limits,
) -> Option<Cut> {
    let (resolver, from) = (caller.resolver, caller.state);
    let index = resolver.index;
    if matches!(edge.kind, EdgeKind::Deferred(_)) {
        return Some(Cut::Deferred);
    }
    let name = index.item(target).name;
    if limits.names.contains(&name) {
        return Some(Cut::NotEntered(not_entered_because(name)));
    }
    let is_asked = from.entry != Entry::ANY || edge.hangs_on_constant;
    if is_asked && resolver.is_excluded((from.function, edge.offset), caller.facts(), from.entry) {
        return Some(Cut::Excluded);
    }
    let there = index.file_of(target);
    if there.is_foreign || there.is_test {
        return Some(Cut::OtherProgram);
    }
    let path = there.path.as_str();
    let in_home = from.home != u32::MAX
        && directory(path).starts_with(directory(index.file(from.home as usize).path.as_str()));
    if !there.at_home || (!in_home && !kernel::is_filesystem_side(path)) {
        return Some(Cut::Machinery);
    }
    if entered != Domain::GENERIC
        && from.domain != Domain::GENERIC
        && entered != from.domain
        && edge.kind != EdgeKind::Direct
    {
        return Some(Cut::OtherImplementation);
    }
    match edge.through {
        Through::Member(TypeRef::Tag(tag), _) if limits.doors.contains(&tag) => {
            Some(Cut::FrontDoor)
        }
        _ => None,
    }
}

fn not_entered_because(name: Sym) -> &'static str {
    if let Some(it) = kernel::NOT_ENTERED.iter().find(|it| Sym::of(it.0) == name) {
        return it.1;
    }
    if kernel::QUEUEING.iter().any(|it| Sym::of(it) == name) {
        "only queues: what it queues runs elsewhere"
    } else {
        "enters the VFS as a system call does"
    }
}

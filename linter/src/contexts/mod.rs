//! Contexts: where a final `iput()` is fatal, as data. One file each and one line in [`CONTEXTS`].
//!
//! Rules do not know contexts by name: `unsafe-iput` asks for every context whose [`Sink`] it reports.

mod atomic;
mod cifs_demultiplex;
mod cluster_lock;
mod completion;
mod drop_inode;
mod fs_thread;
mod fuse_reply;
mod messenger;
mod reclaim;
mod rpciod;
mod writeback;

use std::fmt;

use crate::finding::Severity;

/// A kind of task or interrupt in which some work must not be done.
#[derive(Debug)]
pub struct Context {
    /// As `lorelint contexts` lists it.
    pub name: &'static str,
    /// Whether it is looked at without `--context` or configuration.
    pub default_on: bool,
    /// What a finding in this context alone weighs, before modifiers.
    pub severity: Severity,
    /// The rule that reports what this context reaches.
    pub sink: Sink,
    /// Where we are, for a sentence: `iput() may drop the last reference {place}`.
    pub place: &'static str,
    /// What the eviction waits for, the rest of that sentence.
    pub hazard: &'static str,
    /// The same of an inode that is not the one which the entry point is about, behind `evict() of another inode`;
    /// `None` where it makes no difference.
    pub hazard_of_other: Option<&'static str>,
    /// Whether the hazard is that this task waits for its own `I_SYNC`: a `->drop_inode` that keeps the inodes under
    /// writeback excuses it.
    pub waits_for_itself: bool,
    /// Chains beyond this many calls are not looked for; `None` for the search's own limit.
    pub max_hops: Option<u32>,
    /// Entry points. A tree has most of them, never all: see [`Presence`].
    pub roots: &'static [Root],
    /// Markdown for `lorelint explain`.
    pub docs: &'static str,
}

/// Which rule a context belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// `unsafe-iput`: the eviction below a final `iput()` deadlocks or sleeps.
    FinalIput,
    /// `iput-in-drop-inode`: `iput()` calls back into where it is called from.
    DropInode,
}

/// One entry point of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// What to look for.
    pub kind: RootKind,
    /// What it means when the tree does not have it.
    pub presence: Presence,
    /// Whether it also runs outside this context: a chain from another root is better evidence.
    pub is_shared: bool,
    /// A member of a table runs elsewhere where each function that names the table names this as well.
    pub elsewhere: Option<&'static str>,
}

/// How an entry point is found in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// Every function that an initialiser or an assignment puts into `structure.member`.
    Member {
        /// The struct's tag.
        structure: &'static str,
        /// The function pointer.
        member: &'static str,
    },
    /// The function of this name, where it is defined below `under`.
    Function {
        /// Its name.
        name: &'static str,
        /// A path prefix that tells equal names of static functions apart; empty for any file.
        under: &'static str,
    },
    /// The work function of this name, below `under`: queued, never called.
    Work {
        /// Its name.
        name: &'static str,
        /// As in `Function`.
        under: &'static str,
    },
    /// Every work function whose item is queued on a workqueue by code below `under`.
    Queued {
        /// What the code that queues calls the workqueue: a variable, a member, or the function that chooses it.
        queue: &'static str,
        /// As in `Function`.
        under: &'static str,
    },
    /// Every function that is passed as this argument of `function`.
    Argument {
        /// The function that calls or registers its argument.
        function: &'static str,
        /// From 0.
        index: usize,
    },
    /// Every function that [`crate::kernel::DEFERRALS`] hand to this runner.
    Deferred(crate::kernel::Runner),
    /// Code of any function between a spinlock's call, or another that forbids sleep, and its counterpart.
    NoSleep,
}

/// What a tree without the entry point means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The tree renamed it: `context-root-missing` warns.
    Required,
    /// One of the roots of this group is there; their names changed over the versions.
    OneOf(&'static str),
    /// Some versions have it.
    Optional,
}

impl Root {
    const fn new(kind: RootKind) -> Self {
        Self {
            kind,
            presence: Presence::Required,
            is_shared: false,
            elsewhere: None,
        }
    }

    const fn member(structure: &'static str, member: &'static str) -> Self {
        Self::new(RootKind::Member { structure, member })
    }

    const fn function(name: &'static str, under: &'static str) -> Self {
        Self::new(RootKind::Function { name, under })
    }

    const fn work(name: &'static str, under: &'static str) -> Self {
        Self::new(RootKind::Work { name, under })
    }

    /// Trees name their workqueues as they like: never required.
    const fn queued(queue: &'static str, under: &'static str) -> Self {
        Self::new(RootKind::Queued { queue, under }).optional()
    }

    const fn argument(function: &'static str, index: usize) -> Self {
        Self::new(RootKind::Argument { function, index })
    }

    const fn optional(self) -> Self {
        Self {
            presence: Presence::Optional,
            ..self
        }
    }

    const fn one_of(self, group: &'static str) -> Self {
        Self {
            presence: Presence::OneOf(group),
            ..self
        }
    }

    const fn shared(self) -> Self {
        Self {
            is_shared: true,
            ..self
        }
    }

    const fn elsewhere(self, name: &'static str) -> Self {
        Self {
            elsewhere: Some(name),
            ..self
        }
    }
}

impl fmt::Display for RootKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { structure, member } => write!(formatter, "{structure}.{member}"),
            Self::Function { name, under: "" } => write!(formatter, "{name}()"),
            Self::Function { name, under } => write!(formatter, "{name}() in {under}"),
            Self::Work { name, under: "" } => write!(formatter, "work function {name}()"),
            Self::Work { name, under } => write!(formatter, "work function {name}() in {under}"),
            Self::Queued { queue, under } => write!(formatter, "work on {queue} in {under}"),
            Self::Argument { function, index } => {
                write!(formatter, "argument {} of {function}()", index + 1)
            }
            Self::NoSleep => formatter.write_str("code under a spinlock or an RCU read lock"),
            Self::Deferred(runner) => write!(formatter, "{runner:?} callbacks"),
        }
    }
}

/// Eviction of an inode whose writeback and I/O others may end: what it needs is what may be held.
const OF_OTHER: Option<&str> = Some(
    "waits for that inode's writeback and I/O, and may need the transaction or the locks that are held here",
);

/// All contexts, in the order of the documentation.
pub static CONTEXTS: &[&Context] = &[
    &writeback::CONTEXT,
    &messenger::CONTEXT,
    &completion::CONTEXT,
    &reclaim::CONTEXT,
    &atomic::CONTEXT,
    &rpciod::CONTEXT,
    &fuse_reply::CONTEXT,
    &cifs_demultiplex::CONTEXT,
    &cluster_lock::CONTEXT,
    &fs_thread::CONTEXT,
    &drop_inode::CONTEXT,
];

/// The context of this name.
pub fn context(name: &str) -> Option<&'static Context> {
    CONTEXTS.iter().copied().find(|it| it.name == name)
}

//! Questions to the call graph of one tree: who calls whom, by which chain, and why a line is
//! reported or not.
//!
//! Nothing is sieved by what leads to an `iput()`; only what a question asks for is parsed.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

mod open_ends;
mod tables;
mod why;

use std::collections::{BTreeSet, VecDeque};

use memchr::memmem::Finder;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

pub use open_ends::{OpenEnd, Taken};
pub use tables::TableEntry;
pub(crate) use why::why;
pub use why::{ContextWhy, Cut, Verdict, Why};

use crate::Options;
use crate::contexts::CONTEXTS;
use crate::finding::{Confidence, Hop};
use crate::graph::hops;
use crate::graph::reading::{self, Listing, Plan, Reading};
use crate::graph::sieve::Sieve;
use crate::graph::{Edge, EdgeKind, Index, ItemId, Resolver, Target, Through};
use crate::lex::{ItemKind, Ref, RefKind, Sym, flags, variable};
use crate::tree::{TreeError, TreePath, TreeSource};
use crate::warm::Warm;

/// A chain through more functions than this is not looked for.
const MAX_VISITED: usize = 400_000;

/// How a function may be named from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Linkage {
    /// Seen in its file only.
    Static,
    /// Seen everywhere.
    Global,
    /// Compiled where it is used.
    Inline,
}

impl Linkage {
    /// The name used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Global => "global",
            Self::Inline => "inline",
        }
    }
}

/// A function definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// Where it is defined; a function that a macro makes stands where the macro is used.
    pub file: TreePath,
    /// Its name as the compiler knows it: a macro may give it another than its text.
    pub name: String,
    /// 1-based line of the name.
    pub line: u32,
    /// From the words before its name.
    pub linkage: Linkage,
}

/// How a call comes about, as `lorelint graph edges` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallKind {
    /// The callee's name stands at the call.
    Direct,
    /// Through a function pointer member.
    Ops,
    /// Passed to a function that calls it.
    Callback,
    /// The call stands in the body of a macro.
    Macro,
    /// Runs later, elsewhere.
    Deferred,
}

impl CallKind {
    /// The name used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Ops => "ops",
            Self::Callback => "callback",
            Self::Macro => "macro",
            Self::Deferred => "deferred",
        }
    }

    fn of(kind: EdgeKind) -> Self {
        match kind {
            EdgeKind::Direct => Self::Direct,
            EdgeKind::Ops => Self::Ops,
            EdgeKind::Callback => Self::Callback,
            EdgeKind::Macro => Self::Macro,
            EdgeKind::Deferred(_) => Self::Deferred,
        }
    }
}

/// One edge of the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallEdge {
    /// The caller's file.
    pub caller_file: TreePath,
    /// Its name.
    pub caller: String,
    /// 1-based line of the call in `caller_file`.
    pub line: u32,
    /// The callee's file; `None` where the tree does not define it.
    pub callee_file: Option<TreePath>,
    /// Its name.
    pub callee: String,
    /// How it comes about.
    pub kind: CallKind,
    /// The `struct.member`, the macro or the function that it goes through; empty where there is none.
    pub through: String,
    /// How sure it is.
    pub confidence: Confidence,
}

impl CallEdge {
    /// What a macro's body pastes together has no spelling there; the names that it makes have edges of their own.
    fn has_callee(&self) -> bool {
        !self.callee.is_empty()
    }
}

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Nothing has this name.
    #[error(
        "no function or macro of this tree is named {0}; `lorelint graph functions` lists them"
    )]
    NoFunction(String),
    /// The file is not in the tree.
    #[error("{0} is no C source of this tree")]
    NoFile(String),
    /// The file is in the tree, but not among what was to be read.
    #[error("{file} lies outside of the scope, which is {}: it was not read, and no chain that enters it is seen; ask without --scope", scope.join(" and "))]
    OutOfScope {
        /// The file.
        file: String,
        /// The directories that are read.
        scope: Vec<String>,
    },
}

/// The call graph of one tree.
pub struct Graph<'t> {
    warm: &'t Warm,
    options: &'t Options,
    index: Index<'t>,
}

impl<'t> Graph<'t> {
    pub(crate) fn open(
        tree: &'t dyn TreeSource,
        warm: &'t Warm,
        options: &'t Options,
    ) -> Result<Self, TreeError> {
        let plan = Plan {
            scope: &options.scope,
            reading: Reading::Unlimited,
            contexts: CONTEXTS,
            under: &options.under,
        };
        let listing = Listing::of(tree, &plan)?;
        let index = reading::read(tree, warm, &plan, (listing, None)).index;
        Ok(Self {
            warm,
            options,
            index,
        })
    }

    fn functions_under(&self, under: &str) -> Vec<ItemId> {
        self.index
            .live()
            .filter(|it| self.index.file(*it).path.is_under(under))
            .flat_map(|it| {
                self.index
                    .items(it)
                    .filter(|it| it.1.kind == ItemKind::Function)
                    .map(|it| it.0)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// The functions below a directory, sorted; an empty path is the whole tree.
    pub fn functions(&self, under: &str) -> Vec<Function> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm);
        let mut found: Vec<Function> = self
            .functions_under(under)
            .into_par_iter()
            .map(|it| self.function(it, resolver.compiled_name(it)))
            .collect();
        found.par_sort_unstable();
        found.dedup();
        found
    }

    fn function(&self, id: ItemId, name: String) -> Function {
        let bits = self.index.item(id).flags;
        let linkage = if bits & flags::INLINE != 0 {
            Linkage::Inline
        } else if bits & flags::STATIC != 0 {
            Linkage::Static
        } else {
            Linkage::Global
        };
        Function {
            file: self.index.file_of(id).path.clone(),
            name,
            line: self.index.position(id, self.index.name_offset(id)).0,
            linkage,
        }
    }

    /// The edges of all functions below a directory, sorted.
    pub fn edges(&self, under: &str) -> Vec<CallEdge> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm).with_every_bare_macro();
        let mut found: Vec<CallEdge> = self
            .functions_under(under)
            .par_iter()
            .flat_map_iter(|it| {
                let edges = resolver.edges(*it);
                edges
                    .iter()
                    .map(|edge| Self::row(&resolver, *it, edge))
                    .filter(CallEdge::has_callee)
                    .collect::<Vec<_>>()
            })
            .collect();
        found.par_sort_unstable();
        found.dedup();
        found
    }

    fn row(resolver: &Resolver<'_, '_>, caller: ItemId, edge: &Edge) -> CallEdge {
        let index = resolver.index;
        let (callee_file, callee) = match edge.target {
            Target::Function(it) => (
                Some(index.file_of(it).path.clone()),
                resolver.compiled_name(it),
            ),
            Target::External(name) => (
                None,
                hops::spell_called(resolver, caller, edge.through, name),
            ),
        };
        CallEdge {
            caller_file: index.file_of(caller).path.clone(),
            caller: resolver.compiled_name(caller),
            line: index.position(caller, edge.offset).0,
            callee_file,
            callee,
            kind: CallKind::of(edge.kind),
            through: hops::spell(resolver, caller, edge.through),
            confidence: edge.confidence,
        }
    }

    /// The functions and macros that `name` or `file:name` means, be it that of the text or the compiler's.
    fn named(&self, resolver: &Resolver<'_, '_>, name: &str) -> Result<Vec<ItemId>, QueryError> {
        let (file, plain) = name
            .rsplit_once(':')
            .map_or((None, name), |it| (Some(it.0), it.1));
        let sym = Sym::of(plain);
        let found: Vec<ItemId> = self
            .index
            .functions(sym)
            .chain(resolver.functions_compiled_as(sym))
            .chain(self.index.macros(sym))
            .filter(|it| file.is_none_or(|file| self.index.file_of(*it).path.is_under(file)))
            .collect();
        if found.is_empty() {
            Err(QueryError::NoFunction(name.to_owned()))
        } else {
            Ok(found)
        }
    }

    /// Who calls a function or uses a macro, sorted.
    ///
    /// # Errors
    ///
    /// When the tree has none of this name.
    pub fn callers(&self, name: &str) -> Result<Vec<CallEdge>, QueryError> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm).with_every_bare_macro();
        let targets: FxHashSet<ItemId> = self.named(&resolver, name)?.into_iter().collect();
        let mut found: Vec<CallEdge> = self
            .may_call(&targets)
            .par_iter()
            .flat_map_iter(|caller| {
                let edges = resolver.edges(*caller);
                let mut rows: Vec<CallEdge> = edges
                    .iter()
                    .filter(|it| self.leads_to(it, &targets))
                    .map(|it| Self::row(&resolver, *caller, it))
                    .collect();
                // All that a macro's body calls is one use of the macro.
                let used = targets
                    .iter()
                    .find(|it| self.index.item(**it).kind == ItemKind::Macro);
                if let Some(used) = used {
                    for row in rows.iter_mut().filter(|it| it.kind == CallKind::Macro) {
                        row.callee = self.index.name_of(*used);
                        row.callee_file = Some(self.index.file_of(*used).path.clone());
                        row.through = String::new();
                    }
                }
                rows
            })
            .collect();
        found.par_sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn leads_to(&self, edge: &Edge, targets: &FxHashSet<ItemId>) -> bool {
        let through_macro = |name: Sym| {
            targets.iter().any(|it| {
                self.index.item(*it).name == name && self.index.item(*it).kind == ItemKind::Macro
            })
        };
        match (edge.target, edge.through) {
            (Target::Function(it), _) if targets.contains(&it) => true,
            (_, Through::Name(name)) => edge.kind == EdgeKind::Macro && through_macro(name),
            _ => false,
        }
    }

    /// The members that hold what a function passes to others, of what it mentions.
    fn given<'r>(
        &self,
        id: ItemId,
        mentioned: impl Iterator<Item = &'r Ref>,
    ) -> impl Iterator<Item = u32> {
        let is_function = self.index.item(id).kind == ItemKind::Function;
        let mentioned = mentioned.filter(move |_| is_function);
        let given = mentioned.flat_map(move |it| self.index.members_given(id, (it.name(), false)));
        given.map(|it| it.1)
    }

    /// The functions whose text names the targets, a macro that does, or a member that holds them.
    fn may_call(&self, targets: &FxHashSet<ItemId>) -> Vec<ItemId> {
        let index = &self.index;
        let names = self.with_macros(targets.iter().map(|it| index.item(*it).name.short()));
        let mut members: FxHashSet<u32> = FxHashSet::default();
        for file in index.live() {
            for (id, item) in index.items(file) {
                members.extend(
                    index
                        .pairs_of(id)
                        .iter()
                        .filter(|it| names.contains(&it[1]))
                        .map(|it| it[0]),
                );
                let mentions =
                    |it: &&Ref| it.kind() == RefKind::Mention && names.contains(&it.name());
                if item.kind == ItemKind::Object
                    && item.is_called_by_name()
                    && index.refs(id).iter().any(|it| mentions(&it))
                {
                    members.insert(variable(item.name.short()));
                }
                let mentioned = index.refs(id).iter().filter(mentions);
                members.extend(self.given(id, mentioned));
                let positional = item.kind == ItemKind::Object
                    && item.tag != Sym::NONE
                    && index
                        .refs(id)
                        .iter()
                        .any(|it| it.kind() == RefKind::Mention && names.contains(&it.name()));
                if positional {
                    members.extend(
                        index
                            .types(item.tag)
                            .flat_map(|it| index.refs(it))
                            .filter(|it| it.kind() == RefKind::Declares)
                            .map(|it| it.name()),
                    );
                }
            }
        }
        let wanted = |id: ItemId| {
            index.refs(id).iter().any(|it| match it.kind() {
                RefKind::Call | RefKind::Mention => {
                    names.contains(&it.name()) || members.contains(&variable(it.name()))
                }
                RefKind::Member => members.contains(&it.name()),
                RefKind::Declares => false,
            })
        };
        let operands = self.operands(&names);
        let speaks = |text: &[u8]| operands.iter().any(|it| it.find(text).is_some());
        index
            .slots()
            .flat_map_iter(|file| {
                let is_spoken = !operands.is_empty() && index.with_text(file, speaks);
                let spoken = |id: ItemId| is_spoken && speaks(index.item_text(id));
                index
                    .items(file)
                    .filter(|it| it.1.kind == ItemKind::Function && (wanted(it.0) || spoken(it.0)))
                    .map(|it| it.0)
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Some names with those of the macros that name them, and so on.
    fn with_macros(&self, names: impl Iterator<Item = u32>) -> FxHashSet<u32> {
        let index = &self.index;
        let mut names: FxHashSet<u32> = names.collect();
        loop {
            let macros: Vec<u32> = index
                .macro_ids()
                .filter(|it| {
                    index
                        .refs(*it)
                        .iter()
                        .any(|it| it.kind() != RefKind::Declares && names.contains(&it.name()))
                })
                .map(|it| index.item(it).name.short())
                .filter(|it| !names.contains(it))
                .collect();
            if macros.is_empty() {
                return names;
            }
            names.extend(macros);
        }
    }

    /// The macros without arguments among some names: the lexical reading keeps none that is an operand, `OWN->flags`.
    fn operands(&self, names: &FxHashSet<u32>) -> Vec<Finder<'static>> {
        let is_bare = |it: &ItemId| {
            let item = self.index.item(*it);
            item.flags & flags::FUNCTION_LIKE == 0 && names.contains(&item.name.short())
        };
        let found = self.index.macro_ids().filter(is_bare);
        let mut found: Vec<String> = found.map(|it| self.index.name_of(it)).collect();
        found.sort_unstable();
        found.dedup();
        let finders = found.iter().map(|it| Finder::new(it).into_owned());
        finders.collect()
    }

    /// Whom a function or a macro's body calls, in order of the calls.
    ///
    /// # Errors
    ///
    /// When the tree has none of this name.
    pub fn callees(&self, name: &str) -> Result<Vec<CallEdge>, QueryError> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm).with_every_bare_macro();
        let mut found = Vec::new();
        for caller in self.named(&resolver, name)? {
            let edges = resolver.edges(caller);
            let rows: BTreeSet<CallEdge> = edges
                .iter()
                .map(|it| Self::row(&resolver, caller, it))
                .filter(CallEdge::has_callee)
                .collect();
            found.extend(rows);
        }
        found.sort_by(|a, b| {
            (&a.caller_file, a.line, &a.callee).cmp(&(&b.caller_file, b.line, &b.callee))
        });
        Ok(found)
    }

    /// A shortest chain of calls, the first function included; `None` where no chain exists.
    ///
    /// # Errors
    ///
    /// When the tree has no function of one of the names.
    pub fn path(&self, from: &str, to: &str) -> Result<Option<Vec<Hop>>, QueryError> {
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm).with_every_bare_macro();
        let starts = self.named(&resolver, from)?;
        let ends: FxHashSet<ItemId> = self.named(&resolver, to)?.into_iter().collect();
        let sinks: FxHashSet<Sym> = ends.iter().map(|it| self.index.item(*it).name).collect();
        let sinks: Vec<Sym> = sinks.into_iter().collect();
        let sieve = Sieve::leading_to(&self.index, &sinks);
        let mut seen: FxHashMap<ItemId, Option<(ItemId, Edge)>> =
            starts.iter().map(|it| (*it, None)).collect();
        let mut queue: VecDeque<ItemId> = starts.into();
        while let Some(at) = queue.pop_front() {
            if ends.contains(&at) && seen[&at].is_some() || seen.len() > MAX_VISITED {
                return Ok(ends
                    .contains(&at)
                    .then(|| Self::chain(&resolver, &seen, at)));
            }
            for edge in resolver
                .edges(at)
                .iter()
                .filter(|it| !matches!(it.kind, EdgeKind::Deferred(_)))
            {
                if let Target::Function(to) = edge.target
                    && (sieve.passes(to) || ends.contains(&to))
                    && let std::collections::hash_map::Entry::Vacant(slot) = seen.entry(to)
                {
                    slot.insert(Some((at, *edge)));
                    queue.push_back(to);
                }
            }
        }
        Ok(None)
    }

    fn chain(
        resolver: &Resolver<'_, '_>,
        seen: &FxHashMap<ItemId, Option<(ItemId, Edge)>>,
        end: ItemId,
    ) -> Vec<Hop> {
        let (mut at, mut path) = (end, Vec::new());
        while let Some((from, edge)) = seen[&at] {
            path.push(hops::hop(resolver, from, &edge, at));
            at = from;
        }
        path.push(hops::start_hop(resolver, at));
        path.reverse();
        path
    }
}

//! Why a line is reported, or is not: which roots reach its function, and where the others are cut.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::{CallEdge, Function, Graph, OpenEnd, QueryError};
use crate::check::last_call::LastCall;
use crate::check::{self, Checked};
use crate::contexts::{CONTEXTS, Context};
use crate::finding::{Confidence, Finding, Hop, Via};
use crate::graph::explore::{self, State};
use crate::graph::hops;
use crate::graph::limits::Limits;
use crate::graph::sieve::Sieve;
use crate::graph::{Edge, Index, ItemId, Resolver, Target};
use crate::lex::{ItemKind, Sym};
use crate::report::CheckReport;
use crate::syntax::idioms::{self, Release, Wrapper};
use crate::tree::{TreePath, TreeSource};
use crate::warm::Warm;
use crate::{Options, kernel};

pub use crate::graph::limits::Cut;

/// The rule that asks for chains.
const UNSAFE_IPUT: &str = "unsafe-iput";
/// A search with cuts looks at this many states at most.
const MAX_STATES: usize = 300_000;
/// What a hop that is not taken counts: people want the short chain with two cuts, not the endless one with one.
const CUT_COST: u32 = 4;
/// Chains that cost more are far-fetched.
const MAX_COST: u32 = 16;

/// What is known of one line.
#[derive(Clone, Debug)]
pub struct Why {
    /// The function that holds the line; `None` outside of functions.
    pub function: Option<Function>,
    /// The calls on the line.
    pub calls: Vec<CallEdge>,
    /// What a check reports on the line.
    pub findings: Vec<Finding>,
    /// What keeps the rules from reporting a call on the line that a context reaches.
    pub notes: Vec<String>,
    /// Every context that is on, those that reach the function first.
    pub contexts: Vec<ContextWhy>,
    /// Where no context comes near the function: the places through which a chain may come that is not seen.
    pub open_ends: Vec<OpenEnd>,
}

/// What one context has to do with a function.
#[derive(Clone, Debug)]
pub struct ContextWhy {
    /// The context's name.
    pub context: &'static str,
    /// Whether it reaches the function.
    pub verdict: Verdict,
}

impl ContextWhy {
    /// A finding on the line may be less sure than the chain to its function.
    fn lower_to(&mut self, findings: &[Finding]) {
        let named = findings
            .iter()
            .filter(|it| it.contexts.contains(&self.context));
        if let (Verdict::Reached { confidence, .. }, Some(least)) =
            (&mut self.verdict, named.map(|it| it.confidence).min())
        {
            *confidence = least.min(*confidence);
        }
    }
}

/// Whether a context reaches a function.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// By this chain, root first.
    Reached {
        /// From a root to the function.
        path: Vec<Hop>,
        /// That of the weakest hop, or of the finding on the line where that is lower.
        confidence: Confidence,
    },
    /// Only through hops that the search does not take: the chain with the fewest of them.
    Cut {
        /// From a root to the function.
        path: Vec<Hop>,
        /// Index of a hop in `path` and why it is not taken.
        cuts: Vec<(usize, Cut)>,
    },
    /// By no chain at all.
    Unreached,
}

/// Explains a line of a tree that was checked.
///
/// The answer is that of the check's own index; a file that no check reads is asked in a graph of everything.
pub(crate) fn why(
    (tree, warm, options): (&dyn TreeSource, &Warm, &Options),
    checked: &Checked,
    file: &TreePath,
    line: u32,
) -> Result<Why, QueryError> {
    let index = check::index_of(tree, warm, options, checked)?;
    let holds = |index: &Index<'_>| {
        let slot = index.slot_of(file);
        slot.is_some_and(|it| index.file(it).is_read)
    };
    let graph = match index.filter(holds) {
        Some(index) => Graph {
            warm,
            options,
            index,
        },
        None => Graph::open(tree, warm, options)?,
    };
    graph.why(&checked.report, file, line)
}

impl Graph<'_> {
    fn why(&self, report: &CheckReport, file: &TreePath, line: u32) -> Result<Why, QueryError> {
        let Some(at) = self.index.slot_of(file) else {
            return Err(self.not_there(file));
        };
        let findings: Vec<Finding> = report
            .findings
            .iter()
            .filter(|it| it.file == *file && it.line == line)
            .cloned()
            .collect();
        let Some(id) = self.function_at(at, line) else {
            return Ok(Why {
                function: None,
                calls: Vec::new(),
                findings,
                notes: Vec::new(),
                contexts: Vec::new(),
                open_ends: Vec::new(),
            });
        };
        let open = Sieve::open();
        let resolver = Resolver::new(&self.index, &open, self.warm).with_bare_macros();
        let edges = resolver.edges(id);
        let calls = edges
            .iter()
            .map(|it| Self::row(&resolver, id, it))
            .filter(|it| it.line == line)
            .collect();
        let suspects = check::suspects(&self.index);
        let wrappers = check::wrappers(&self.index, self.warm, &suspects);
        let releases = self.releases(id, line, &edges, &wrappers);
        let mut notes = Self::notes(id, &releases, &wrappers);
        notes.extend(
            report
                .gaps
                .iter()
                .filter(|it| it.file == *file && self.function_at(at, it.line) == Some(id))
                .map(|it| format!("not all of this function was understood: {}", it.what)),
        );
        let mut contexts = self.contexts(id, &releases, &wrappers, self.options);
        for it in &mut contexts {
            it.lower_to(&findings);
        }
        notes.extend(self.suppressed(id, &releases, &contexts));
        let is_unreached = |it: &ContextWhy| matches!(it.verdict, Verdict::Unreached);
        let open_ends = if contexts.iter().all(is_unreached) {
            self.open_ends(&resolver, id)
        } else {
            Vec::new()
        };
        Ok(Why {
            function: Some(self.function(id, self.index.name_of(id))),
            calls,
            findings,
            notes,
            contexts,
            open_ends,
        })
    }

    /// The innermost function whose text holds the line.
    fn function_at(&self, file: usize, line: u32) -> Option<ItemId> {
        let functions = self
            .index
            .items(file)
            .filter(|it| it.1.kind == ItemKind::Function);
        let holds = |id: ItemId| {
            let length = self.index.item_text(id).len() as u32;
            (self.index.position(id, 0).0..=self.index.position(id, length.saturating_sub(1)).0)
                .contains(&line)
        };
        functions.map(|it| it.0).filter(|it| holds(*it)).last()
    }

    fn not_there(&self, file: &TreePath) -> QueryError {
        let scope = &self.options.scope;
        let is_in_tree = || matches!(self.index.tree.entry(file), Ok(Some(_)));
        if !scope.is_empty() && !scope.iter().any(|it| file.is_under(it)) && is_in_tree() {
            return QueryError::OutOfScope {
                file: file.to_string(),
                scope: scope.clone(),
            };
        }
        QueryError::NoFile(file.to_string())
    }

    /// The calls on a line that drop a reference: `iput()`, and its other names.
    fn releases(
        &self,
        id: ItemId,
        line: u32,
        edges: &[Edge],
        wrappers: &FxHashMap<ItemId, Wrapper>,
    ) -> Vec<Release> {
        let mut names: Vec<(String, usize)> = vec![(kernel::IPUT.to_owned(), 0)];
        for edge in edges {
            if let Target::Function(target) = edge.target
                && let Some(Wrapper::Alias { parameter, .. }) = wrappers.get(&target)
            {
                names.push((self.index.name_of(target), *parameter));
            }
        }
        let names: Vec<(&str, usize)> = names.iter().map(|it| (it.0.as_str(), it.1)).collect();
        let parsed = self.index.parse(id);
        let tree = parsed.as_ref().and_then(|it| it.tree.as_ref());
        let mut found = tree.map_or(Vec::new(), |it| {
            idioms::releases(it.root_node(), self.index.item_text(id), &names)
        });
        found.retain(|it| self.index.position(id, it.offset as u32).0 == line);
        found
    }

    /// What makes the rules pass over calls that drop references.
    fn notes(
        id: ItemId,
        releases: &[Release],
        wrappers: &FxHashMap<ItemId, Wrapper>,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        match wrappers.get(&id) {
            Some(Wrapper::Safe) => notes.push("this function hands the last reference to a worker: its iput() is safe".to_owned()),
            Some(Wrapper::Alias { .. }) => notes.push("this function is another name for iput(): its callers are reported, unless it stands in a table".to_owned()),
            None => {}
        }
        for release in releases {
            if let Some(reason) = &release.not_last {
                notes.push(format!(
                    "{} is not the last reference: {reason}",
                    release.statement
                ));
            }
        }
        notes
    }

    /// What the configuration suppresses of what would be reported.
    fn suppressed(
        &self,
        id: ItemId,
        releases: &[Release],
        contexts: &[ContextWhy],
    ) -> Option<String> {
        if releases.iter().all(|it| it.not_last.is_some()) {
            return None;
        }
        let function = self.index.name_of(id);
        let place = (self.index.file_of(id).path.as_str(), function.as_str());
        let suppression = contexts.iter().find_map(|it| match &it.verdict {
            Verdict::Reached { path, .. } => {
                let config = &self.options.config;
                config.suppression_of(UNSAFE_IPUT, place, path)
            }
            _ => None,
        })?;
        Some(format!(
            "the configuration suppresses what is found here: {}",
            suppression.reason
        ))
    }

    fn contexts(
        &self,
        id: ItemId,
        releases: &[Release],
        wrappers: &FxHashMap<ItemId, Wrapper>,
        options: &Options,
    ) -> Vec<ContextWhy> {
        // What an alias does with its parameters is asked of functions that the sieve lets through.
        let aliases = releases.iter().filter(|it| it.callee != kernel::IPUT);
        let callees = aliases.map(|it| Sym::of(&it.callee));
        let names: Vec<Sym> = callees.chain([self.index.item(id).name]).collect();
        let sieve = Sieve::leading_to(&self.index, &names);
        let resolver = Resolver::new(&self.index, &sieve, self.warm).with_bare_macros();
        let limits = Limits::of(None);
        let calls: Vec<LastCall<'_, '_, '_>> = releases
            .iter()
            .map(|it| LastCall::of(&resolver, wrappers, id, it))
            .collect();
        let mut found: Vec<ContextWhy> = CONTEXTS
            .iter()
            .filter(|it| options.config.is_context_on(it))
            .map(|context| {
                let reach = explore::explore(&resolver, context, &limits);
                let runs =
                    |entry| calls.is_empty() || calls.iter().any(|it| it.cut(entry).is_none());
                let chain = reach.chain(&resolver, id, &runs);
                let verdict = match chain.or_else(|| reach.chain(&resolver, id, &|_| true)) {
                    Some(it) => match releases.first().filter(|_| !runs(it.entry)) {
                        Some(release) => {
                            let cut = calls[0].cut(it.entry).unwrap_or(Cut::Excluded);
                            self.cut_at_last((id, release), it, cut)
                        }
                        None => Verdict::Reached {
                            path: it.path,
                            confidence: it.confidence,
                        },
                    },
                    None => with_cuts(&resolver, context, &limits, id),
                };
                ContextWhy {
                    context: context.name,
                    verdict,
                }
            })
            .collect();
        found.sort_by_key(|it| (!matches!(it.verdict, Verdict::Reached { .. }), it.context));
        found
    }

    /// A chain whose every hop is taken, up to a call that is not made.
    fn cut_at_last(
        &self,
        (id, release): (ItemId, &Release),
        reached: explore::Reached,
        cut: Cut,
    ) -> Verdict {
        let mut path = reached.path;
        path.push(Hop {
            function: release.callee.clone(),
            file: self.index.file_of(id).path.clone(),
            line: self.index.position(id, release.offset as u32).0,
            via: Via::Direct,
            through: String::new(),
        });
        let cuts = vec![(path.len() - 1, cut)];
        Verdict::Cut { path, cuts }
    }
}

/// How each state was reached at the least cost.
type Best = FxHashMap<State, (u32, Option<(State, Edge, Option<Cut>)>)>;

/// The chain from a root of the context with the fewest hops, where a hop that the search does not take
/// counts as [`CUT_COST`].
fn with_cuts(
    resolver: &Resolver<'_, '_>,
    context: &Context,
    limits: &Limits,
    to: ItemId,
) -> Verdict {
    let mut best = Best::default();
    let mut queue: BinaryHeap<Reverse<(u32, State)>> = BinaryHeap::new();
    for state in explore::first_states(resolver, context) {
        best.entry(state).or_insert((0, None));
        queue.push(Reverse((0, state)));
    }
    while let Some(Reverse((cost, at))) = queue.pop() {
        if at.function == to {
            return spell_cuts(resolver, context, &best, at);
        }
        if best[&at].0 < cost || best.len() > MAX_STATES {
            continue;
        }
        for edge in resolver.edges(at.function).iter() {
            let Some((next, cut)) = explore::step_over(resolver, at, edge, limits) else {
                continue;
            };
            let next_cost = cost + if cut.is_some() { CUT_COST } else { 1 };
            if next_cost <= MAX_COST && best.get(&next).is_none_or(|it| it.0 > next_cost) {
                best.insert(next, (next_cost, Some((at, *edge, cut))));
                queue.push(Reverse((next_cost, next)));
            }
        }
    }
    Verdict::Unreached
}

fn spell_cuts(resolver: &Resolver<'_, '_>, context: &Context, best: &Best, end: State) -> Verdict {
    let (mut path, mut cuts, mut at) = (Vec::new(), Vec::new(), end);
    while let (_, Some((from, edge, cut))) = &best[&at] {
        if let Some(cut) = cut {
            cuts.push((path.len(), cut.clone()));
        }
        path.push(hops::hop(resolver, from.function, edge, at.function));
        at = *from;
    }
    path.push(explore::root_hop_of(resolver, context, at));
    path.reverse();
    let last = path.len() - 1;
    for cut in &mut cuts {
        cut.0 = last - cut.0;
    }
    cuts.reverse();
    Verdict::Cut { path, cuts }
}

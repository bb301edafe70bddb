//! One tree to its findings: index, sieve, contexts, rules.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::Options;
use crate::contexts::{CONTEXTS, Context, RootKind};
use crate::facts::{Callee, Expr, ParsedItem};
use crate::finding::{Confidence, Finding, Fingerprint, Gap, Related, Via, normal};
use crate::focus::Focus;
use crate::graph::drops::DropInode;
use crate::graph::explore::{self, Limits};
use crate::graph::index::{Domain, Snapshot};
use crate::graph::reading::{self, Listing, Plan, Reading};
use crate::graph::sieve::{Closures, Sieve};
use crate::graph::{Edge, EdgeKind, Index, ItemId, Resolver, Target, Through};
use crate::kernel;
use crate::lex::{ItemKind, Sym, flags};
use crate::report::{CheckReport, StageCost, TreeStats};
use crate::rules::{self, FunctionView, Helpers, Reach, ReachedRelease, RootState, RuleFinding};
use crate::syntax::counts;
use crate::syntax::idioms::{self, Release, Wrapper};
use crate::tree::{TreeError, TreePath, TreeSource};
use crate::warm::{Body, Warm};

/// A tree that was linted whole, and what was read for it.
pub(crate) struct Checked {
    pub(crate) report: Arc<CheckReport>,
    pub(crate) reading: Snapshot,
    pub(crate) closures: Option<Arc<Closures>>,
    /// Whether everything was read for it.
    pub(crate) is_fresh: bool,
}

/// Lints one tree; `before` is a tree that may differ in a few files only.
pub(crate) fn check(
    tree: &dyn TreeSource,
    warm: &Warm,
    options: &Options,
    (listing, before): (Listing, Option<&Checked>),
) -> Result<Checked, TreeError> {
    let contexts = contexts_of(options);
    let clock = Clock::start();
    let read = reading::read(
        tree,
        warm,
        &plan(options, &contexts),
        (listing, before.map(|it| &it.reading)),
    );
    let reading = read.index.snapshot();
    let mut prepared = Prepared::new(read.index, contexts, (warm, clock))?;
    let Some((before, changed)) = before.zip(read.changed) else {
        let (report, closures) = prepared.lint(warm, options, None);
        return Ok(Checked {
            report: Arc::new(report),
            reading,
            closures,
            is_fresh: true,
        });
    };
    if changed.is_empty() {
        return Ok(Checked {
            report: Arc::clone(&before.report),
            reading,
            closures: before.closures.clone(),
            is_fresh: false,
        });
    }
    prepared.before.clone_from(&before.closures);
    let (report, closures) = prepared.lint_changed((warm, options), &before.report, &changed);
    Ok(Checked {
        report: Arc::new(report),
        reading,
        closures,
        is_fresh: false,
    })
}

/// The files of a tree that a check takes.
pub(crate) fn listing(tree: &dyn TreeSource, options: &Options) -> Result<Listing, TreeError> {
    Listing::of(tree, &plan(options, &contexts_of(options)))
}

/// Readings with options of one key can stand in for each other.
pub(crate) fn plan_key(options: &Options) -> u64 {
    plan(options, &contexts_of(options)).key()
}

/// Lints a tree that differs from one that was linted in `changed` files alone.
///
/// Chains stay within an implementation, so those of the others are as they were. The findings are those
/// of [`check`]; where that cannot be known without looking at everything, everything is looked at.
pub(crate) fn recheck(
    tree: &dyn TreeSource,
    warm: &Warm,
    options: &Options,
    base: &Checked,
    changed: &[TreePath],
) -> Result<CheckReport, TreeError> {
    let contexts = contexts_of(options);
    let clock = Clock::start();
    let reread = reading::reread(
        tree,
        warm,
        &plan(options, &contexts),
        (&base.reading, changed),
    )?;
    let Some(index) = reread else {
        let checked = check(tree, warm, options, (listing(tree, options)?, None))?;
        return Ok(CheckReport::clone(&checked.report));
    };
    let prepared = Prepared {
        before: base.closures.clone(),
        ..Prepared::new(index, contexts, (warm, clock))?
    };
    let (report, _) = prepared.lint_changed((warm, options), &base.report, changed);
    Ok(report)
}

fn contexts_of(options: &Options) -> Vec<&'static Context> {
    CONTEXTS
        .iter()
        .copied()
        .filter(|it| options.config.is_context_on(it))
        .collect()
}

fn plan<'a>(options: &'a Options, contexts: &'a [&'static Context]) -> Plan<'a> {
    Plan {
        scope: &options.scope,
        reading: if options.no_sieve {
            Reading::Everything
        } else {
            Reading::Needed
        },
        contexts,
    }
}

/// A tree that has been read, before anything is asked of it.
struct Prepared<'t> {
    index: Index<'t>,
    contexts: Vec<&'static Context>,
    helpers: Helpers,
    suspects: Vec<ItemId>,
    wrappers: FxHashMap<ItemId, Wrapper>,
    /// What the sieve found in the tree that this one differs from.
    before: Option<Arc<Closures>>,
    clock: Clock,
}

impl<'t> Prepared<'t> {
    fn new(
        index: Index<'t>,
        contexts: Vec<&'static Context>,
        (warm, mut clock): (&Warm, Clock),
    ) -> Result<Self, TreeError> {
        clock.stage("read", index.files().filter(|it| it.is_read).count());
        let helpers = helpers(index.tree)?;
        let suspects = suspects(&index);
        let wrappers = wrappers(&index, warm, &suspects);
        clock.stage("suspects", suspects.len());
        Ok(Self {
            index,
            contexts,
            helpers,
            suspects,
            wrappers,
            before: None,
            clock,
        })
    }

    /// Looks again at what the changed files can touch, or at everything.
    fn lint_changed(
        &self,
        (warm, options): (&Warm, &Options),
        base: &CheckReport,
        changed: &[TreePath],
    ) -> (CheckReport, Option<Arc<Closures>>) {
        let header = TreePath::parse(kernel::FS_HEADER).expect("a constant path is valid");
        if let Some(focus) = Focus::of(&self.index, base, changed)
            && !changed.contains(&header)
        {
            let (part, closures) = self.lint(warm, options, Some(&focus));
            if let Some(merged) = focus.merge(&self.index, base, part) {
                return (merged, closures);
            }
        }
        self.lint(warm, options, None)
    }

    fn lint(
        &self,
        warm: &Warm,
        options: &Options,
        focus: Option<&Focus>,
    ) -> (CheckReport, Option<Arc<Closures>>) {
        let index = &self.index;
        let mut clock = self.clock.clone();
        let limits = Limits::of(&self.wrappers, focus.map(|it| it.domains.clone()));
        let sieve = if options.no_sieve {
            Sieve::open()
        } else {
            limits.sieve(index, self.before.clone())
        };
        clock.stage("sieve", sieve.passed());
        let resolver = Resolver::new(index, &sieve, warm);
        let reaches: Vec<explore::Reach> = self
            .contexts
            .iter()
            .map(|it| explore::explore(&resolver, it, &limits))
            .collect();
        clock.stage("explore", resolver.function_count());
        let run = Run {
            warm,
            index,
            resolver: &resolver,
            wrappers: &self.wrappers,
            contexts: &self.contexts,
            reaches: &reaches,
            helpers: &self.helpers,
            drops: DropInode::of(index),
            options,
        };
        let mut report = run.findings(&self.suspects, focus);
        clock.stage("rules", report.findings.len());
        report.stages = clock.stages;
        report.stats = stats(index, &resolver);
        report.gaps.extend(index.gaps().cloned());
        report.gaps.sort();
        report.gaps.dedup();
        if rules::rule("context-root-missing").is_some_and(|it| options.config.is_rule_on(it)) {
            let missing = self
                .contexts
                .iter()
                .flat_map(|it| rules::missing_roots(it, &|kind| root_state(&resolver, kind)));
            report.warnings.extend(missing);
        }
        (report, sieve.closures())
    }
}

/// Measures the stages.
#[derive(Clone)]
struct Clock {
    last: std::time::Instant,
    stages: Vec<StageCost>,
}

impl Clock {
    fn start() -> Self {
        Self {
            last: std::time::Instant::now(),
            stages: Vec::new(),
        }
    }

    fn stage(&mut self, name: &'static str, count: usize) {
        let now = std::time::Instant::now();
        self.stages.push(StageCost {
            name,
            seconds: now.duration_since(self.last).as_secs_f64(),
            count: count as u64,
        });
        self.last = now;
    }
}

fn helpers(tree: &dyn TreeSource) -> Result<Helpers, TreeError> {
    let header = TreePath::parse(kernel::FS_HEADER).expect("a constant path is valid");
    Ok(Helpers::of_header(&tree.read(&header)?.unwrap_or_default()))
}

fn stats(index: &Index<'_>, resolver: &Resolver<'_, '_>) -> TreeStats {
    TreeStats {
        files: index.files().count() as u64,
        functions: index.function_ids().count() as u64,
        call_sites: index.files().map(|it| u64::from(it.call_sites)).sum(),
        edges: resolver.edge_count(),
    }
}

/// The functions that call `iput()` or speak of `i_count`, in order.
pub(crate) fn suspects(index: &Index<'_>) -> Vec<ItemId> {
    let counting = index.slots().filter(|it| {
        let file = index.file(*it);
        file.mentions_i_count && !file.is_foreign
    });
    let counts = |id: &ItemId| memchr::memmem::find(index.item_text(*id), b"i_count").is_some();
    let mut found: Vec<ItemId> = counting
        .flat_map_iter(|file| {
            index
                .items(file)
                .filter(|it| it.1.kind == ItemKind::Function)
                .map(|it| it.0)
                .filter(counts)
                .collect::<Vec<_>>()
        })
        .collect();
    found.extend(index.droppers().filter(|it| !index.file_of(*it).is_foreign));
    found.sort_unstable();
    found.dedup();
    found
}

pub(crate) fn wrappers(
    index: &Index<'_>,
    warm: &Warm,
    suspects: &[ItemId],
) -> FxHashMap<ItemId, Wrapper> {
    let of = |id: ItemId| {
        let parsed = parse(index, id)?;
        let wrapper = idioms::wrapper(parsed.tree.as_ref()?.root_node(), &parsed.clean)?;
        // Under construction an inode has no I/O to wait for.
        let is_new = matches!(wrapper, Wrapper::Alias { .. })
            && kernel::NEW_INODE_WORDS
                .iter()
                .any(|it| memchr::memmem::find(&parsed.clean, it.as_bytes()).is_some());
        Some(if is_new { Wrapper::Safe } else { wrapper })
    };
    suspects
        .par_iter()
        .filter_map(|id| {
            Some((
                *id,
                warm.wrappers
                    .get(index.key(*id), || of(*id))
                    .as_ref()
                    .clone()?,
            ))
        })
        .collect()
}

pub(crate) fn parse(index: &Index<'_>, id: ItemId) -> Option<ParsedItem> {
    let (item, text) = (index.item(id), index.item_text(id));
    let body = (item.body - item.start) as usize;
    (body <= text.len())
        .then(|| crate::facts::parse_function(text, body, item.flags & flags::MACRO_HEAD != 0))
}

fn root_state(resolver: &Resolver<'_, '_>, kind: &RootKind) -> RootState {
    let index = resolver.index;
    match kind {
        RootKind::Member { structure, member } => {
            let name = Sym::of(member);
            let definitions: Vec<ItemId> = index
                .types(Sym::of(structure))
                .filter(|it| !index.file_of(*it).is_foreign)
                .collect();
            if definitions.is_empty() {
                return RootState::OutOfSight;
            }
            let declared = definitions.iter().any(|it| {
                resolver
                    .type_item(*it)
                    .members
                    .iter()
                    .any(|it| it.name == name)
            });
            if declared {
                RootState::Present
            } else {
                RootState::Absent
            }
        }
        RootKind::Function { name, under } | RootKind::Work { name, under } => {
            if index
                .functions(Sym::of(name))
                .any(|it| index.file_of(it).path.as_str().starts_with(under))
            {
                return RootState::Present;
            }
            // A directory with hardly anything in it is a part of a kernel, not a kernel that renamed it.
            let sources = index
                .files()
                .filter(|it| !under.is_empty() && it.path.as_str().starts_with(under))
                .take(20)
                .count();
            if sources == 20 {
                RootState::Absent
            } else {
                RootState::OutOfSight
            }
        }
        RootKind::Argument { function, .. } => {
            let name = Sym::of(function);
            if index.functions(name).next().is_some() || index.macros(name).next().is_some() {
                RootState::Present
            } else {
                RootState::OutOfSight
            }
        }
        RootKind::Deferred(_) | RootKind::NoSleep => RootState::Present,
    }
}

struct Run<'a, 'i, 't> {
    warm: &'a Warm,
    index: &'a Index<'t>,
    resolver: &'a Resolver<'i, 't>,
    wrappers: &'a FxHashMap<ItemId, Wrapper>,
    contexts: &'a [&'static Context],
    reaches: &'a [explore::Reach],
    helpers: &'a Helpers,
    drops: DropInode,
    options: &'a Options,
}

impl Run<'_, '_, '_> {
    fn findings(&self, suspects: &[ItemId], focus: Option<&Focus>) -> CheckReport {
        let mut items: Vec<ItemId> = suspects.to_vec();
        items.extend(self.alias_callers());
        items.sort_unstable();
        items.dedup();
        items.retain(|it| {
            let file = self.index.file_of(*it);
            let path = &file.path;
            if focus.is_some_and(|focus| {
                let is_generic = file.at_home && file.domain == Domain::GENERIC;
                !is_generic && !focus.holds(self.index, path)
            }) {
                return false;
            }
            true
        });
        let parts: Vec<(Vec<Finding>, Vec<Gap>)> =
            items.par_iter().map(|it| self.function(*it)).collect();
        let mut report = CheckReport::default();
        for (findings, gaps) in parts {
            report.findings.extend(findings);
            report.gaps.extend(gaps);
        }
        report.findings.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule))
        });
        report
    }

    /// Functions that a context reaches and that call another name for `iput()`.
    fn alias_callers(&self) -> Vec<ItemId> {
        let mut reached: Vec<ItemId> = self
            .reaches
            .iter()
            .flat_map(explore::Reach::functions)
            .collect();
        reached.sort_unstable();
        reached.dedup();
        reached
            .into_par_iter()
            .filter(|it| !self.alias_names(*it).is_empty())
            .collect()
    }

    /// The other name for `iput()` that an edge goes to or, for a macro, through; with the index of the inode.
    fn alias_at(&self, id: ItemId, edge: &Edge) -> Option<(String, usize)> {
        let iput = Sym::of(kernel::IPUT);
        let (name, inode) = match edge.target {
            Target::External(name) if name == iput => (name, 0),
            Target::Function(it) if self.index.item(it).name == iput => (iput, 0),
            Target::Function(it) => match self.wrappers.get(&it) {
                Some(Wrapper::Alias { parameter }) => (self.index.item(it).name, *parameter),
                _ => return None,
            },
            Target::External(_) => return None,
        };
        match (edge.kind, edge.through) {
            (EdgeKind::Direct, _) if name != iput => {
                let Target::Function(target) = edge.target else {
                    return None;
                };
                Some((self.index.name_of(target), inode))
            }
            (EdgeKind::Macro, Through::Name(of)) => {
                let spelled = explore::spell(self.resolver, id, edge.through);
                Some((spelled, self.macro_argument(id, of, name, inode)))
            }
            _ => None,
        }
    }

    /// Which argument of a macro is the given one of a call in its body; the first where that is not plain.
    fn macro_argument(&self, user: ItemId, of: Sym, callee: Sym, argument: usize) -> usize {
        let file = self.index.file_index(user);
        let place = self.resolver.macro_in(of, file).and_then(|it| {
            let facts = self.resolver.facts(it);
            let mut calls = facts.calls.iter();
            let call = calls.find(|it| it.callee == Callee::Name(callee))?;
            let Some(Expr::Name(name)) = call.args.get(argument) else {
                return None;
            };
            facts.params.iter().position(|it| it.0 == *name)
        });
        place.unwrap_or_default()
    }

    /// The aliases that a function calls by name, each with the index of the inode.
    fn alias_names(&self, id: ItemId) -> Vec<(String, usize)> {
        let mut names: Vec<(String, usize)> = Vec::new();
        if !self.reaches.iter().any(|it| it.reaches(id)) {
            return names;
        }
        for edge in self.resolver.edges(id).iter() {
            names.extend(self.alias_at(id, edge));
        }
        names.sort();
        names.dedup();
        names
    }

    fn function(&self, id: ItemId) -> (Vec<Finding>, Vec<Gap>) {
        let aliases = self.alias_names(id);
        let body = self.body(id, &aliases);
        if !body.is_parsed {
            return (
                Vec::new(),
                vec![self.gap(id, "an item too large to be parsed")],
            );
        }
        let text = self.index.item_text(id);
        let releases = self.releases(id, &body);
        let name = self.index.name_of(id);
        let path = self.index.file_of(id).path.clone();
        let view = FunctionView {
            path: path.as_str(),
            function: &name,
            accesses: &body.accesses,
            releases: &releases,
            helpers: self.helpers,
        };
        let found = rules::run(&view, &|rule| self.options.config.is_rule_on(rule));
        let mut ordinals: BTreeMap<(&str, String), u32> = BTreeMap::new();
        let mut findings = Vec::new();
        for it in found {
            let ordinal = ordinals
                .entry((it.rule, normal(&it.statement)))
                .or_default();
            let finding = self.finding(id, &name, it, *ordinal);
            *ordinal += 1;
            if self.options.config.suppression(&finding).is_none() {
                findings.push(finding);
            }
        }
        (findings, self.gaps(id, text, &releases))
    }

    /// What the function's text says, whoever reaches it.
    fn body(&self, id: ItemId, aliases: &[(String, usize)]) -> Arc<Body> {
        let names = aliases
            .iter()
            .map(|it| it.0.as_str())
            .collect::<Vec<_>>()
            .join(" ");
        self.warm
            .bodies
            .get_with((self.index.key(id), Sym::of(names).0), || {
                let Some(parsed) = parse(self.index, id) else {
                    return Body {
                        is_parsed: true,
                        ..Body::default()
                    };
                };
                let Some(tree) = &parsed.tree else {
                    return Body::default();
                };
                let text = self.index.item_text(id);
                let mut names: Vec<(&str, usize)> = vec![(kernel::IPUT, 0)];
                names.extend(aliases.iter().map(|it| (it.0.as_str(), it.1)));
                Body {
                    accesses: counts::accesses(tree.root_node(), text),
                    releases: idioms::releases(tree.root_node(), text, &names),
                    is_parsed: true,
                }
            })
    }

    fn releases(&self, id: ItemId, body: &Body) -> Vec<ReachedRelease> {
        let is_alias = matches!(self.wrappers.get(&id), Some(Wrapper::Alias { .. }));
        let is_safe = matches!(self.wrappers.get(&id), Some(Wrapper::Safe));
        // The VFS's own calls are the sink's side: whoever calls into it is what a person can change.
        let is_owner = kernel::I_COUNT_OWNERS.contains(&self.index.file_of(id).path.as_str());
        let reaches_of = |release: &Release| {
            if is_safe || is_owner {
                return Vec::new();
            }
            let offset = release.offset as u32;
            let runs = |entry| {
                !self.resolver.is_excluded(id, offset, entry)
                    && !self
                        .resolver
                        .is_null(id, offset, release.argument as u16, entry)
            };
            let contexts = self.contexts.iter().zip(self.reaches);
            let mut reaches: Vec<Reach> = contexts
                .filter_map(|(context, reach)| {
                    Some((context, reach.chain(self.resolver, id, &runs)?))
                })
                // The callers of an alias are what a person can change, unless it is called through a pointer.
                .filter(|(_, chain)| {
                    let last = chain.path.last();
                    !is_alias || !last.is_some_and(|it| matches!(it.via, Via::Direct | Via::Macro))
                })
                .map(|(context, chain)| Reach {
                    context,
                    path: chain.path,
                    confidence: chain.confidence,
                    root_count: chain.root_count,
                    failing: chain.failing,
                })
                .collect();
            if let Some(held) = self.held(id, release) {
                reaches.retain(|it| it.context.name != held.context.name);
                reaches.push(held);
            }
            reaches
        };
        let domain = self.index.file_of(id).domain;
        body.releases
            .iter()
            .map(|release| ReachedRelease {
                release: release.clone(),
                reaches: reaches_of(release),
                always_drops: self.drops.always(domain),
                keeper: self.drops.keeper(domain),
            })
            .collect()
    }

    /// The context of code that must not sleep, where the call stands in it; its chain is the function alone.
    fn held(&self, id: ItemId, release: &Release) -> Option<Reach> {
        let reason = release.atomic.as_ref()?;
        let is_meant = |it: &&&'static Context| {
            let mut roots = it.roots.iter();
            roots.any(|it| it.kind == RootKind::NoSleep)
        };
        let context = self.contexts.iter().find(is_meant)?;
        let mut hop = explore::start_hop(self.resolver, id);
        hop.through.clone_from(reason);
        Some(Reach {
            context,
            path: vec![hop],
            confidence: Confidence::High,
            root_count: 1,
            failing: None,
        })
    }

    fn finding(&self, id: ItemId, function: &str, found: RuleFinding, ordinal: u32) -> Finding {
        let file = self.index.file_of(id).path.clone();
        let (line, column) = self.index.position(id, found.offset as u32);
        let related = found.related.into_iter().map(|(offset, message)| Related {
            file: file.clone(),
            line: self.index.position(id, offset as u32).0,
            message,
        });
        Finding {
            rule: found.rule,
            severity: self.options.config.severity(found.rule, found.severity),
            confidence: found.confidence,
            line,
            column,
            function: function.to_owned(),
            fingerprint: Fingerprint::new(found.rule, function, &found.statement, ordinal),
            statement: found.statement,
            contexts: found.contexts,
            path: found.path,
            message: found.message,
            help: found.help,
            related: related.collect(),
            file,
        }
    }

    fn gap(&self, id: ItemId, what: &str) -> Gap {
        Gap {
            file: self.index.file_of(id).path.clone(),
            line: self.index.position(id, 0).0,
            what: what.to_owned(),
        }
    }

    /// Where the two readings of a function disagree on its `iput()` calls.
    fn gaps(&self, id: ItemId, text: &[u8], releases: &[ReachedRelease]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let item = self.index.item(id);
        if item.flags & flags::UNBALANCED != 0 {
            gaps.push(self.gap(
                id,
                "braces do not balance: the end of this function was guessed",
            ));
        }
        let iput = Sym::of(kernel::IPUT);
        let mut lexical = 0;
        crate::lex::each_call(
            text,
            (item.body - item.start) as usize,
            |start, end, member| {
                lexical += usize::from(!member && Sym::of(&text[start..end]) == iput);
            },
        );
        let parsed = releases
            .iter()
            .filter(|it| it.release.callee == kernel::IPUT)
            .count();
        if lexical != parsed {
            gaps.push(self.gap(id, &format!("{lexical} iput() calls stand in the text of this function, the grammar sees {parsed}")));
        }
        gaps
    }
}

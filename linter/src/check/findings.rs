//! What the rules say of each function, with the chains that reach it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::last_call::LastCall;
use super::used;
use crate::Options;
use crate::contexts::{Context, RootKind};
use crate::facts::{Callee, Expr, ParsedItem};
use crate::finding::{Confidence, Finding, Fingerprint, Gap, Related, Shown, Via, normal};
use crate::focus::Focus;
use crate::graph::domains::Domain;
use crate::graph::drops::DropInode;
use crate::graph::explore;
use crate::graph::held;
use crate::graph::hops;
use crate::graph::limits::{self, Limits};
use crate::graph::sieve::Sieve;
use crate::graph::values::Entry;
use crate::graph::{Edge, EdgeKind, Index, ItemId, Resolver, Target, Through};
use crate::kernel;
use crate::lex::{ItemKind, Sym, flags};
use crate::report::{CheckReport, Site, SiteKind};
use crate::rules::{self, FunctionView, Helpers, Reach, ReachedRelease, RuleFinding};
use crate::syntax::counts;
use crate::syntax::idioms::{self, Release, Wrapper};
use crate::syntax::kept;
use crate::turns::InTurns as _;
use crate::warm::{Body, Memo, Warm};

/// What a function says, from its tree; a text that is not there says nothing.
///
/// Of a macro the lines are joined in the text that was read: it has no other.
pub(super) fn body_of(
    parsed: Option<&ParsedItem>,
    (text, from, is_macro): (&[u8], usize, bool),
    aliases: &[(String, usize)],
) -> Body {
    let Some(parsed) = parsed else {
        return Body {
            is_parsed: true,
            ..Body::default()
        };
    };
    let Some(tree) = &parsed.tree else {
        return Body::default();
    };
    let lexical = (
        u32::try_from(lexical_calls(text, from).len()).unwrap_or(u32::MAX),
        crate::lex::count_members(text, from, b"i_count"),
    );
    let text = if is_macro { &parsed.clean } else { text };
    let mut names: Vec<(&str, usize)> = vec![(kernel::IPUT, 0)];
    names.extend(aliases.iter().map(|it| (it.0.as_str(), it.1)));
    Body {
        accesses: counts::accesses(tree.root_node(), text),
        releases: idioms::releases(tree.root_node(), text, &names),
        counters: counts::members(tree.root_node(), text),
        lexical,
        is_parsed: true,
    }
}

/// Where `iput()` is called in the text of an item behind `body`, without a look at its grammar.
pub(super) fn lexical_calls(text: &[u8], body: usize) -> Vec<usize> {
    let iput = Sym::of(kernel::IPUT);
    let mut found = Vec::new();
    crate::lex::each_call(text, body, |start, end, member| {
        if !member && Sym::of(&text[start..end]) == iput {
            found.push(start);
        }
    });
    found
}

/// Everything that a finding is made from.
pub(super) struct Run<'a, 'i, 't> {
    pub(super) warm: &'a Warm,
    pub(super) index: &'a Index<'t>,
    pub(super) resolver: &'a Resolver<'i, 't>,
    pub(super) wrappers: &'a FxHashMap<ItemId, Wrapper>,
    pub(super) contexts: &'a [&'static Context],
    pub(super) reaches: &'a [explore::Reach],
    pub(super) helpers: &'a Helpers,
    pub(super) drops: DropInode,
    /// Functions that are asked about at each of their releases.
    pub(super) parsed: Memo<ItemId, Option<ParsedItem>>,
    pub(super) options: &'a Options,
}

impl Run<'_, '_, '_> {
    /// Those of some functions, and of whoever a context reaches that calls another name for `iput()`.
    pub(super) fn findings(&self, suspects: &[ItemId], focus: Option<&Focus>) -> CheckReport {
        let mut items: Vec<ItemId> = suspects.to_vec();
        items.extend(self.alias_callers(suspects));
        items.sort_unstable();
        items.dedup();
        if let Some(focus) = focus {
            items.retain(|it| {
                let file = self.index.file_of(*it);
                // A generic line may be reached through what changed.
                let is_generic = file.at_home && file.domain == Domain::GENERIC;
                let is_reached = || self.reaches.iter().any(|reach| reach.reaches(*it));
                focus.holds_file(file) || is_generic && is_reached()
            });
        }
        let parts: Vec<CheckReport> = items
            .par_iter()
            .in_turns()
            .map(|it| self.function(*it))
            .collect();
        let mut report = CheckReport::default();
        for part in parts {
            report.findings.extend(part.findings);
            report.gaps.extend(part.gaps);
            report.sites.extend(part.sites);
        }
        report.sites.sort();
        report.findings.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule))
        });
        report
    }

    /// Functions that call another name for `iput()`, of those that a context reaches or that speak of `i_lock`.
    fn alias_callers(&self, suspects: &[ItemId]) -> Vec<ItemId> {
        let mut reached: Vec<ItemId> = self
            .reaches
            .iter()
            .flat_map(explore::Reach::functions)
            .collect();
        let aliases = suspects.iter().filter(|it| {
            let is_macro = self.index.item(**it).kind == ItemKind::Macro;
            is_macro || matches!(self.wrappers.get(it), Some(Wrapper::Alias { .. }))
        });
        let users = aliases.flat_map(|it| self.index.users(self.index.item(*it).name.short()));
        reached.extend(users.filter(|it| self.speaks_of_lock(*it)));
        reached.sort_unstable();
        reached.dedup();
        reached
            .into_par_iter()
            .in_turns()
            .filter(|it| !self.alias_names(*it).is_empty())
            .collect()
    }

    /// Whether a function of the filesystem side does something with an inode's lock.
    fn speaks_of_lock(&self, id: ItemId) -> bool {
        let file = self.index.file_of(id);
        self.index.item(id).kind == ItemKind::Function
            && file.at_home
            && kernel::is_filesystem_side(file.path.as_str())
            && memchr::memmem::find(self.index.item_text(id), b"i_lock").is_some()
    }

    /// The other name for `iput()` that an edge goes to or, for a macro, through; with the index of the inode.
    pub(super) fn alias_at(&self, id: ItemId, edge: &Edge) -> Option<(String, usize)> {
        let iput = Sym::of(kernel::IPUT);
        let (name, inode) = match edge.target {
            Target::External(name) if name == iput => (name, 0),
            Target::Function(it) if self.index.item(it).name == iput => (iput, 0),
            Target::Function(it) => match self.wrappers.get(&it) {
                Some(Wrapper::Alias { parameter, .. }) => (self.index.item(it).name, *parameter),
                _ => return None,
            },
            Target::External(_) => return None,
        };
        match (edge.kind, edge.through) {
            // What a macro made calls by name is as good as written.
            (EdgeKind::Direct, _) | (EdgeKind::Macro, Through::Nothing) if name != iput => {
                let Target::Function(target) = edge.target else {
                    return None;
                };
                Some((self.index.name_of(target), inode))
            }
            (EdgeKind::Macro, Through::Name(of)) => {
                let spelled = hops::spell(self.resolver, id, edge.through);
                Some((spelled, self.macro_argument(id, of, name, inode)))
            }
            _ => None,
        }
    }

    /// How sure it is that a name means an alias where a function calls it: it may have a twin that is none.
    fn alias_confidence(&self, id: ItemId, callee: &str) -> Confidence {
        if callee == kernel::IPUT {
            return Confidence::High;
        }
        let name = Sym::of(callee);
        let edges = self.resolver.edges(id);
        let twins = edges.iter().filter_map(|it| match it.target {
            Target::Function(target) if self.index.item(target).name == name => {
                let is_alias = matches!(self.wrappers.get(&target), Some(Wrapper::Alias { .. }));
                Some((is_alias, it.confidence))
            }
            _ => None,
        });
        if twins.clone().all(|it| it.0) {
            return Confidence::High;
        }
        let sure = twins.filter(|it| it.0).map(|it| it.1).max();
        sure.unwrap_or(Confidence::High)
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
        let is_reached = self.reaches.iter().any(|it| it.reaches(id));
        if !is_reached && !self.speaks_of_lock(id) {
            return names;
        }
        for edge in self.resolver.edges(id).iter() {
            names.extend(self.alias_at(id, edge));
        }
        names.sort();
        names.dedup();
        names
    }

    fn function(&self, id: ItemId) -> CheckReport {
        let aliases = self.alias_names(id);
        let body = self.body(id, &aliases);
        if !body.is_parsed {
            return CheckReport {
                gaps: vec![self.gap(id, 0, "an item too large to be parsed")],
                ..CheckReport::default()
            };
        }
        let text = self.index.item_text(id);
        let mut releases = self.releases(id, &body.releases);
        if !aliases.is_empty() {
            releases.extend(self.releases(id, &self.cleanups(id, text)));
        }
        let (name, accesses) = used::named(self.index, id, &body.accesses);
        let path = self.index.file_of(id).path.clone();
        let view = FunctionView {
            path: path.as_str(),
            function: &name,
            accesses: &accesses,
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
            // Edges are known of what a context reaches.
            let behind = (!aliases.is_empty()).then(|| self.put_behind(id, it.offset));
            let mut finding = self.finding(id, &name, it, *ordinal);
            finding.related.extend(behind.flatten());
            *ordinal += 1;
            if self.options.config.suppression(&finding).is_none() {
                findings.push(finding);
            }
        }
        CheckReport {
            findings,
            gaps: self.gaps(id, &body),
            sites: self.sites(id, &name, &body),
            ..CheckReport::default()
        }
    }

    /// All that the rules looked at in a function.
    ///
    /// What a macro makes repeats what stands in the text, where it is a site already.
    fn sites(&self, id: ItemId, function: &str, body: &Body) -> Vec<Site> {
        let made = self.index.file_of(id).made.as_ref();
        if made.is_some_and(|it| it.holds(self.index.item(id).start)) {
            return Vec::new();
        }
        let site = |offset: usize, kind, form: &str| {
            let (line, column) = self.index.position(id, offset as u32);
            Site {
                file: self.index.file_of(id).path.clone(),
                line,
                column,
                kind,
                function: function.to_owned(),
                form: form.to_owned(),
            }
        };
        // What stands in a macro need be no C: there the lexical reading is the one that counts.
        let calls = if self.index.item(id).kind == ItemKind::Function {
            let calls = body.releases.iter().filter(|it| it.callee == kernel::IPUT);
            calls.map(|it| it.offset).collect()
        } else {
            let item = self.index.item(id);
            lexical_calls(self.index.item_text(id), (item.body - item.start) as usize)
        };
        calls
            .into_iter()
            .map(|it| site(it, SiteKind::Iput, kernel::IPUT))
            .chain(
                body.accesses
                    .iter()
                    .map(|it| site(it.offset, SiteKind::ICount, &it.form)),
            )
            .collect()
    }

    /// What the function's text says, whoever reaches it.
    fn body(&self, id: ItemId, aliases: &[(String, usize)]) -> Arc<Body> {
        let names = aliases
            .iter()
            .flat_map(|it| [it.0.clone(), it.1.to_string()])
            .collect::<Vec<_>>()
            .join(" ");
        self.warm
            .bodies
            .get_with((self.index.key(id), Sym::of(names).0), || {
                let item = self.index.item(id);
                let from = (item.body - item.start) as usize;
                let is_macro = item.kind != ItemKind::Function;
                let text = (self.index.item_text(id), from, is_macro);
                body_of(self.index.parse(id).as_ref(), text, aliases)
            })
    }

    fn releases(&self, id: ItemId, found: &[Release]) -> Vec<ReachedRelease> {
        let is_alias = matches!(self.wrappers.get(&id), Some(Wrapper::Alias { .. }));
        let is_safe = matches!(self.wrappers.get(&id), Some(Wrapper::Safe));
        // The VFS's own calls are the sink's side: whoever calls into it is what a person can change.
        let is_owner = kernel::I_COUNT_OWNERS.contains(&self.index.file_of(id).path.as_str());
        let reaches_of = |release: &Release| {
            if is_safe || is_owner {
                return Vec::new();
            }
            let call = LastCall::of(self.resolver, self.wrappers, id, release);
            let runs = |entry| call.cut(entry).is_none();
            let contexts = self.contexts.iter().zip(self.reaches);
            let sure = self.alias_confidence(id, &release.callee);
            let mut reaches: Vec<Reach> = contexts
                .filter_map(|(context, reach)| {
                    Some((context, reach.chain(self.resolver, id, &runs)?))
                })
                .filter(|it| !self.is_unlocked(it.0, &it.1, (id, release.offset)))
                // The callers of an alias are what a person can change, unless it is called through a pointer.
                .filter(|(_, chain)| {
                    let last = chain.path.last();
                    !is_alias || !last.is_some_and(|it| matches!(it.via, Via::Direct | Via::Macro))
                })
                .map(|(context, chain)| Reach {
                    context,
                    flag: self.flag(id, release, chain.entry),
                    contrary: self.contrary(id, release, &chain),
                    path: chain.path,
                    confidence: chain.confidence.min(sure),
                    root_count: chain.root_count,
                    failing: chain.failing,
                    again: chain.again,
                    weakest: chain.weakest,
                })
                .collect();
            if let Some(held) = self.held(id, release) {
                reaches.retain(|it| it.context.name != held.context.name);
                reaches.push(held);
            }
            reaches
        };
        found
            .iter()
            .map(|release| (release, reaches_of(release)))
            .map(|(release, reaches)| {
                let is_reached = !reaches.is_empty();
                let keeper = is_reached.then(|| self.drops.keeper(self.index, id));
                let kept_by = is_reached.then(|| self.kept_by(id, release));
                let under_i_lock = release.under_i_lock && self.is_still_locked(id, release);
                ReachedRelease {
                    release: Release {
                        under_i_lock,
                        ..release.clone()
                    },
                    kept_by: kept_by.flatten(),
                    reaches,
                    always_drops: self.drops.always(self.index, id),
                    keeper: keeper.flatten(),
                }
            })
            .collect()
    }

    /// The lookup that the inode comes from, if all that it can mean keep a reference of their own.
    fn kept_by(&self, id: ItemId, release: &Release) -> Option<String> {
        let lookup = release.from.as_ref()?;
        let file = self.index.file_index(id);
        let meant = self.resolver.functions_in(Sym::of(lookup), file).to_vec();
        let keeps = |it: ItemId| {
            let speaks_of = |name: &&str| {
                memchr::memmem::find(self.index.item_text(it), name.as_bytes()).is_some()
            };
            let parsed = kernel::GRABS.iter().any(speaks_of);
            let parsed = parsed.then(|| self.index.parse(it)).flatten();
            parsed.is_some_and(|it| {
                let root = it.tree.as_ref().map(|it| it.root_node());
                root.is_some_and(|root| kept::keeps(root, &it.clean))
            })
        };
        let all = !meant.is_empty() && meant.iter().all(|it| keeps(it.0));
        all.then(|| lookup.clone())
    }

    /// Whether a lock that the text takes before a call is held there: a callee may have given it back.
    fn is_still_locked(&self, id: ItemId, release: &Release) -> bool {
        let held = held::held_calls(self.resolver, id);
        held.iter().any(|it| it.offset == release.offset)
    }

    /// The context of code that must not sleep, where the call stands in it; its chain is the function alone.
    fn held(&self, id: ItemId, release: &Release) -> Option<Reach> {
        let reason = release.atomic.as_ref()?;
        let is_meant = |it: &&&'static Context| {
            let mut roots = it.roots.iter();
            roots.any(|it| it.kind == RootKind::NoSleep)
        };
        let context = self.contexts.iter().find(is_meant)?;
        if !self.is_still_locked(id, release) {
            return None;
        }
        let mut hop = hops::start_hop(self.resolver, id);
        hop.through.clone_from(reason);
        Some(Reach {
            context,
            path: vec![hop],
            confidence: Confidence::High,
            root_count: 1,
            failing: None,
            again: None,
            weakest: None,
            flag: self.flag(id, release, Entry::ANY),
            contrary: None,
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
        let severity = |it| self.options.config.severity(found.rule, it);
        let configured = |it: Shown| Shown {
            severity: severity(it.severity),
            ..it
        };
        Finding {
            rule: found.rule,
            severity: severity(found.severity),
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
            others: found.others.into_iter().map(configured).collect(),
            file,
        }
    }

    fn gap(&self, id: ItemId, offset: u32, what: &str) -> Gap {
        Gap {
            file: self.index.file_of(id).path.clone(),
            line: self.index.position(id, offset).0,
            what: what.to_owned(),
        }
    }

    /// Where the two readings of a function disagree on what the rules look at.
    fn gaps(&self, id: ItemId, body: &Body) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let item = self.index.item(id);
        if item.flags & flags::UNBALANCED != 0 && item.kind == ItemKind::Function {
            gaps.push(self.gap(
                id,
                0,
                "braces do not balance: the end of this function was guessed",
            ));
        }
        let calls = body.releases.iter();
        let parsed = calls.filter(|it| it.callee == kernel::IPUT).count();
        let lexical = body.lexical.0 as usize;
        if lexical != parsed && item.kind == ItemKind::Function {
            gaps.push(self.gap(id, 0, &format!("{lexical} iput() calls stand in the text of this function, the grammar sees {parsed}")));
        }
        let (lexical, parsed) = (body.lexical.1, body.counters);
        if lexical != parsed {
            gaps.push(self.gap(id, 0, &format!("{lexical} uses of i_count stand in the text of this function, the grammar sees {parsed}")));
        }
        gaps
    }

    /// Where the two readings of a function that a context reaches disagree on any call.
    ///
    /// Only of functions that the sieve lets through, which are the ones that were parsed.
    ///
    /// Those of a tree that is much like this one are `known`.
    pub(super) fn unread(
        &self,
        (suspects, known): (&[ItemId], &[Gap]),
        (limits, sieve): (&Limits, &Sieve<'_, '_>),
        focus: Option<&Focus>,
    ) -> Vec<Gap> {
        let gaps = self.unread_by(suspects, (limits, sieve), focus);
        let is_known = |it: &Gap| {
            known
                .iter()
                .any(|known| (&known.file, &known.what) == (&it.file, &it.what))
        };
        if gaps.iter().all(is_known) || sieve.is_exact() {
            return gaps;
        }
        self.unread_by(suspects, (limits, &limits::sieve(self.index, None)), focus)
    }

    fn unread_by(
        &self,
        suspects: &[ItemId],
        (limits, sieve): (&Limits, &Sieve<'_, '_>),
        focus: Option<&Focus>,
    ) -> Vec<Gap> {
        let mut items: Vec<ItemId> = self
            .reaches
            .iter()
            .flat_map(|it| it.functions_that_matter(limits, sieve))
            .chain(suspects.iter().copied())
            .filter(|it| self.index.item(*it).kind == ItemKind::Function)
            .filter(|it| focus.is_none_or(|focus| focus.holds_file(self.index.file_of(*it))))
            .collect();
        items.sort_unstable();
        items.dedup();
        let gap = |id: ItemId| {
            let facts = self.resolver.facts(id);
            let first = *facts.unread.first()?;
            let text = self.index.item_text(id);
            let name = |at: u32| {
                let word = text[at as usize..].split(|it| !crate::lex::is_word_byte(*it));
                let word = word.into_iter().next().unwrap_or_default();
                format!("{}()", String::from_utf8_lossy(word))
            };
            let names: Vec<String> = facts.unread.iter().take(4).map(|it| name(*it)).collect();
            let what = format!(
                "{} of the calls that stand in the text of {}() are none to the grammar: {}",
                facts.unread.len(),
                self.index.name_of(id),
                names.join(", ")
            );
            Some(self.gap(id, first, &what))
        };
        items.into_par_iter().in_turns().filter_map(gap).collect()
    }
}

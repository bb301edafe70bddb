//! From a function's facts to its edges: names, pointers and callbacks become functions.

use std::cell::RefCell;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::callbacks::called_back;
use super::domains::Domain;
use super::index::{Index, ItemId};
use super::known::KnownEdges;
use super::reuse::{Before, Reuse};
use super::sieve::Sieve;
use super::site::Site;
use super::typing::substitute;
use super::values::{Entry, Known};
use crate::facts::{self, Call, Callee, Expr, FunctionFacts, ObjectFacts, TypeRef};
use crate::finding::Confidence;
use crate::kernel::{self, Runner};
use crate::lex::{ItemKind, Sym, flags, variable};
use crate::syntax::locks::LockEffect;
use crate::warm::{Copies, Memo, Warm};

/// Of so many functions it is still likely that one is meant.
pub(super) const FEW: usize = 8;

/// Macros inside macros are followed this deep.
pub(super) const MAX_MACRO_DEPTH: u32 = 8;
/// Several definitions of one macro are followed this deep below a call.
const MAX_TWIN_DEPTH: u32 = 3;
/// Uses of macros that are followed below one call.
pub(super) const MAX_MACRO_USES: usize = 4096;
/// A callback is followed through this many functions that pass it on.
pub(super) const MAX_PASS_DEPTH: u32 = 4;

/// How an edge comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum EdgeKind {
    Direct,
    Ops,
    Callback,
    Macro,
    /// Runs later, elsewhere: no call.
    Deferred(Runner),
}

/// Where an edge leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Target {
    Function(ItemId),
    /// A name that the tree does not define.
    External(Sym),
}

/// What an edge goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Through {
    Nothing,
    Member(TypeRef, Sym),
    Name(Sym),
}

/// One edge of the call graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) target: Target,
    /// Byte offset of the call in the caller's item.
    pub(crate) offset: u32,
    pub(crate) kind: EdgeKind,
    pub(crate) confidence: Confidence,
    pub(crate) through: Through,
    /// Whose table the pointer stands in; [`Domain::GENERIC`] for edges without a table.
    pub(crate) domain: Domain,
    /// What it enters the callee with where nothing is known at the caller's entry; `None` where nobody asked.
    pub(crate) enters: Option<Entry>,
    /// Whether the call is made only where something failed.
    pub(crate) fails: bool,
    /// Whether a constant may keep it from being made, whoever calls.
    pub(crate) hangs_on_constant: bool,
}

impl Edge {
    /// A call at a place of the caller, through no table.
    pub(super) fn new(
        (target, confidence): (Target, Confidence),
        offset: u32,
        (kind, through): (EdgeKind, Through),
    ) -> Self {
        Self {
            target,
            offset,
            kind,
            confidence,
            through,
            domain: Domain::GENERIC,
            enters: None,
            fails: false,
            hangs_on_constant: false,
        }
    }

    /// Whether what the caller knows at the call is known to the callee.
    pub(crate) fn may_tell(&self) -> bool {
        let is_use = self.kind == EdgeKind::Macro && matches!(self.through, Through::Name(_));
        is_use || matches!(self.kind, EdgeKind::Direct | EdgeKind::Ops)
    }
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) file: usize,
    pub(crate) facts: &'a FunctionFacts,
}

impl FunctionFacts {
    /// Whether a name is a parameter or a local variable.
    pub(crate) fn declares(&self, name: Sym) -> bool {
        self.locals
            .iter()
            .chain(&self.params)
            .any(|it| it.0 == name)
    }
}

/// Resolves calls of one tree; everything it learns is kept.
pub(crate) struct Resolver<'i, 't> {
    pub(crate) index: &'i Index<'t>,
    pub(crate) sieve: &'i Sieve<'i, 't>,
    /// By which it is told what may decide about a sink: what cannot is not known of a chain, however much is let through.
    /// The sieve itself, unless that is open.
    pub(super) deciding: &'i Sieve<'i, 't>,
    pub(crate) warm: &'i Warm,
    pub(crate) tables: Memo<(TypeRef, Sym), Vec<super::tables::Entry>>,
    edges: Memo<ItemId, Vec<Edge>>,
    pub(super) calls_param: Copies<(ItemId, u32), bool>,
    /// Whether somebody calls a member of a type.
    pub(super) called_members: Copies<(TypeRef, Sym), bool>,
    /// What functions do with their callers' locks, by how deep they were asked for.
    pub(super) lock_effects: Memo<(ItemId, u32), LockEffect>,
    /// What functions are entered with.
    pub(crate) entered: Memo<Entry, Vec<Known>>,
    pub(crate) decides: Copies<(ItemId, u16, u32), bool>,
    /// Functions of which it was asked what they hand on through pointers.
    pub(super) asked_ops: Copies<ItemId, ()>,
    /// What predicates return, by what they are entered with.
    pub(super) results: Copies<(ItemId, Entry, u32), Option<super::values::Fact>>,
    /// What a call enters its callee with.
    pub(crate) entries_of: Copies<(ItemId, u32, ItemId, Entry), Entry>,
    choices: Copies<(TypeRef, Sym, Domain), usize>,
    /// How names are spelled in the macros below one.
    pub(super) spelled: Memo<(Sym, Sym), Option<String>>,
    pub(super) meanings: super::meaning::Meanings,
    pub(super) reuse: Option<Reuse<'i>>,
    pub(super) deferrals: FxHashMap<Sym, Vec<(usize, Runner)>>,
    /// Structs, their members, and who runs what stands in them.
    pub(super) deferring: Vec<(Sym, Sym, Runner)>,
    pub(crate) includes: Memo<u32, super::includes::Included>,
    pub(crate) direct_includes: Memo<u32, Vec<u32>>,
    pub(crate) included_units: Memo<u32, Vec<u32>>,
    pub(crate) pasting: super::pasted::Pasting,
    /// By name: the macros that name it.
    pub(super) loose: Memo<u32, Vec<u32>>,
    /// Where they are followed.
    pub(super) bare: Option<super::bare::Bare>,
    /// What names stand for, by name and file.
    pub(crate) numbers: Copies<(Sym, u32), Option<i64>>,
    pub(super) written: Memo<u32, super::constants::Written>,
    pub(crate) enumerators: Memo<u32, super::constants::Enumerators>,
}

impl<'i, 't> Resolver<'i, 't> {
    pub(crate) fn new(index: &'i Index<'t>, sieve: &'i Sieve<'i, 't>, warm: &'i Warm) -> Self {
        let mut deferrals: FxHashMap<Sym, Vec<(usize, Runner)>> = FxHashMap::default();
        for it in kernel::DEFERRALS {
            deferrals
                .entry(Sym::of(it.name))
                .or_default()
                .push((it.callback, it.runner));
        }
        Self {
            index,
            sieve,
            deciding: sieve,
            warm,
            tables: Memo::new(),
            edges: Memo::new(),
            calls_param: Copies::new(),
            called_members: Copies::new(),
            lock_effects: Memo::new(),
            entered: Memo::new(),
            decides: Copies::new(),
            asked_ops: Copies::new(),
            results: Copies::new(),
            entries_of: Copies::new(),
            choices: Copies::new(),
            spelled: Memo::new(),
            meanings: super::meaning::Meanings::new(),
            reuse: None,
            includes: Memo::new(),
            direct_includes: Memo::new(),
            included_units: Memo::new(),
            pasting: super::pasted::Pasting::new(),
            loose: Memo::new(),
            bare: None,
            numbers: Copies::new(),
            written: Memo::new(),
            enumerators: Memo::new(),
            deferrals,
            deferring: super::deferred::fields(),
        }
    }

    /// Asks another sieve what may decide about a sink.
    pub(crate) fn deciding_by(self, deciding: &'i Sieve<'i, 't>) -> Self {
        Self { deciding, ..self }
    }

    /// Takes what was learned apart while the caller goes on.
    pub(crate) fn let_go(self) {
        let large = (self.edges, self.meanings, self.entries_of, self.numbers);
        rayon::spawn(move || drop(large));
    }

    /// The functions whose edges were asked for.
    pub(crate) fn searched(&self) -> impl Iterator<Item = ItemId> {
        self.edges.pairs().into_iter().map(|it| it.0)
    }

    /// Takes the edges of a similar tree where they are the same.
    pub(crate) fn reusing(self, before: Option<&'i Before<'i>>) -> Self {
        let reuse = before.and_then(|it| Reuse::of(it, &self));
        Self { reuse, ..self }
    }

    /// The edges of all functions that were asked for, and of those that are as they were.
    pub(crate) fn known_edges(&self) -> KnownEdges {
        let mut all = self.reuse.as_ref().map(Reuse::all).unwrap_or_default();
        let searched = self.edges.pairs().into_par_iter();
        all.par_extend(searched.map(|(id, edges)| (id, self.with_entries(id, edges))));
        let mut numbers = self.reuse.as_ref().map(Reuse::numbers).unwrap_or_default();
        numbers.extend(self.numbers.pairs());
        let edges = all.values().flat_map(|it| it.iter());
        let known = edges
            .filter_map(|it| it.enters)
            .map(|it| (it, self.knowledge(it)));
        let entered = known.collect();
        let mut deciding = self.reuse.as_ref().map(Reuse::deciding).unwrap_or_default();
        let asked = self.decides.pairs().into_iter().filter(|it| it.0.2 == 0);
        deciding.extend(asked.map(|((function, param, _), it)| ((function, param), it)));
        KnownEdges::of(all, numbers, (entered, deciding))
    }

    /// Edges computed so far.
    pub(crate) fn edge_count(&self) -> u64 {
        self.edges.values().iter().map(|it| it.len() as u64).sum()
    }

    /// The facts of a function or macro.
    pub(crate) fn facts(&self, id: ItemId) -> Arc<FunctionFacts> {
        let key = self.index.key(id);
        let same_text = self.reuse.as_ref().and_then(|it| it.same_text(id));
        let known = same_text.and_then(|old| self.warm.functions.same_as(key, old));
        if let Some(known) = known {
            return known;
        }
        self.index.function_facts(id)
    }

    /// Parameters and return type alone: the body is not read.
    pub(crate) fn signature(&self, id: ItemId) -> Arc<FunctionFacts> {
        self.warm.signatures.get(self.index.key(id), || {
            let item = self.index.item(id);
            let text = self.index.item_text(id);
            let body = ((item.body - item.start) as usize).min(text.len());
            let head = [&text[..body], b"{}"].concat();
            facts::function_facts(&head, body, item.flags & flags::MACRO_HEAD != 0)
        })
    }

    pub(crate) fn object(&self, id: ItemId) -> Arc<ObjectFacts> {
        self.warm.objects.get(self.index.key(id), || {
            let item = self.index.item(id);
            facts::object_facts(self.index.item_text(id), (item.name, item.tag))
        })
    }

    /// The edges of a function, in order of their offset; computed once.
    pub(crate) fn edges(&self, id: ItemId) -> Arc<Vec<Edge>> {
        self.edges.get_shared(id, || {
            let reuse = self.reuse.as_ref();
            let known = reuse.and_then(|it| it.edges(id));
            known.unwrap_or_else(|| Arc::new(self.resolved(id)))
        })
    }

    fn resolved(&self, id: ItemId) -> Vec<Edge> {
        let facts = self.facts(id);
        let scope = Scope {
            file: self.index.file_index(id),
            facts: &facts,
        };
        let mut out = Vec::new();
        let loose = self.loose_macros(&facts);
        let loose = &loose;
        for call in &facts.calls {
            let seen = RefCell::default();
            let site = Site::new(scope, (call.offset, loose), &seen);
            if !self.may_lead(call, &site) {
                continue;
            }
            self.call_edges(call, &site, &mut out);
            if let Callee::Name(name) = call.callee {
                let meanings = self.meanings(name, scope.file);
                let makers = meanings.1.iter();
                for definition in makers {
                    self.pasted_edges(id, *definition, &site, &mut out);
                }
            }
        }
        self.stack_edges(scope, &mut out);
        self.stack_gifts(scope, &mut out);
        self.deferred_edges(scope, &mut out);
        self.bare_edges(id, (scope, loose), &mut out);
        self.mark_made(id, &mut out);
        for edge in &mut out {
            let site = facts.conditions.site(edge.offset);
            edge.fails = site.is_some_and(|it| it.on_failure);
            edge.hangs_on_constant = site.is_some_and(|it| facts.conditions.hangs_on_constant(it));
        }
        out.sort_by_key(|it: &Edge| (it.offset, it.kind, it.target));
        out.dedup();
        out
    }

    /// Whether the sieve lets anything through that a call names.
    fn may_lead(&self, call: &Call, at: &Site<'_>) -> bool {
        let facts = at.scope.facts;
        let declares = |name| facts.declares(name) || at.is_loose(name);
        let callee = match &call.callee {
            Callee::Name(name) => {
                self.sieve.passes_name(name.short())
                    || self.sieve.passes_member(variable(name.short()))
                    || declares(*name)
            }
            Callee::Member(_, member) => self.sieve.passes_member(member.short()),
            Callee::Value(_) => true,
        };
        callee || Self::hands_on(call, facts, self.sieve)
    }

    /// Whether what a sieve lets through is among the arguments.
    fn hands_on(call: &Call, facts: &FunctionFacts, sieve: &Sieve<'_, '_>) -> bool {
        let mut args = call.args.iter();
        args.any(|it| Self::names_what_passes(it, sieve) || Self::hands_local(it, facts, sieve))
    }

    fn names_what_passes(value: &Expr, sieve: &Sieve<'_, '_>) -> bool {
        match value {
            Expr::Name(name) => {
                // A macro may put the name behind an arrow.
                sieve.passes_name(name.short())
                    || sieve.passes_member(name.short())
                    || sieve.passes_member(variable(name.short()))
            }
            Expr::Member(object, member) => {
                sieve.passes_member(member.short()) || Self::names_what_passes(object, sieve)
            }
            Expr::Call(name, args) => {
                sieve.passes_name(name.short())
                    || args.iter().any(|it| Self::names_what_passes(it, sieve))
            }
            Expr::Either(first, second) => {
                Self::names_what_passes(first, sieve) || Self::names_what_passes(second, sieve)
            }
            Expr::Unknown | Expr::Typed(_) | Expr::Const(_) => false,
        }
    }

    /// Whether a byte of an item was made by a macro.
    fn is_made(&self, id: ItemId, offset: u32) -> bool {
        let at = self.index.item(id).start + offset;
        self.index
            .file_of(id)
            .made
            .as_ref()
            .is_some_and(|it| it.is_expansion(at as usize))
    }

    /// What a macro made holds no call that stands in the text.
    fn mark_made(&self, id: ItemId, out: &mut [Edge]) {
        for edge in out {
            if edge.kind == EdgeKind::Direct && self.is_made(id, edge.offset) {
                edge.kind = EdgeKind::Macro;
            }
        }
    }

    pub(super) fn call_edges(&self, call: &Call, at: &Site<'_>, out: &mut Vec<Edge>) {
        match &call.callee {
            Callee::Name(name) => self.named_call(*name, call, at, out),
            Callee::Member(object, member) => {
                let first = out.len();
                self.member_call(object, *member, at, out);
                self.break_ties(first, (object, *member, &call.args), at.scope, out);
                self.callbacks_through((object, *member), call, at, out);
            }
            Callee::Value(value) => self.value_edges(value, at, out),
        }
    }

    fn named_call(&self, name: Sym, call: &Call, at: &Site<'_>, out: &mut Vec<Edge>) {
        if at.scope.facts.declares(name) {
            self.local_edges(name, at, out);
            return;
        }
        if let Some(runners) = self.deferrals.get(&name) {
            for (index, runner) in runners {
                let callback = call.args.get(*index);
                let meant = callback.map(|it| self.functions_meant(it, at.scope));
                out.extend(meant.into_iter().flatten().map(|(target, confidence)| {
                    Edge::new(
                        (Target::Function(target), confidence),
                        at.offset,
                        (EdgeKind::Deferred(*runner), Through::Name(name)),
                    )
                }));
            }
        }
        if !self.may_lead(call, at) {
            return;
        }
        let meanings = self.meanings(name, at.scope.file);
        let (functions, definitions) = (&meanings.0, &meanings.1);
        if at.depth < MAX_MACRO_DEPTH && at.via_macro != Some(name) {
            let twins = if at.depth > MAX_TWIN_DEPTH {
                1
            } else {
                definitions.len()
            };
            for definition in definitions.iter().take(twins) {
                self.macro_edges(*definition, call, at, out);
            }
            if functions.is_empty() && !definitions.is_empty() {
                return;
            }
        }
        let kind = if at.via_macro.is_some() {
            EdgeKind::Macro
        } else {
            EdgeKind::Direct
        };
        let through = at.via_macro.map_or(Through::Nothing, Through::Name);
        if call.may_cast && self.is_cast(name, functions, at.scope.file) {
            return;
        }
        if functions.is_empty() {
            let is_variable = definitions.is_empty() && self.variable_edges(name, at, out);
            if is_variable || self.is_typedef(name) {
                return;
            }
            out.push(Edge::new(
                (Target::External(name), Confidence::High),
                at.offset,
                (kind, through),
            ));
        }
        for (target, confidence) in functions {
            out.push(Edge::new(
                (Target::Function(*target), *confidence),
                at.offset,
                (kind, through),
            ));
        }
        if !self.deferrals.contains_key(&name) {
            self.callback_edges((functions, name), call, at, out);
        }
    }

    fn is_typedef(&self, name: Sym) -> bool {
        let index = self.index;
        let is_type =
            |it: ItemId| index.item(it).kind == ItemKind::Typedef && index.file_of(it).at_home;
        self.index.types(name).any(is_type)
    }

    /// Whether `(name)(…)` is no call: a name that nothing here has, or a type's that only elsewhere is a function's.
    fn is_cast(&self, name: Sym, functions: &[(ItemId, Confidence)], file: usize) -> bool {
        match functions.first() {
            None => !self.index.is_object_name(name.short()),
            Some(it) => self.index.file_index(it.0) != file && self.is_typedef(name),
        }
    }

    pub(super) fn macro_edges(
        &self,
        definition: ItemId,
        call: &Call,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        let name = self.index.item(definition).name;
        // What stands in the body leads somewhere, or what is put into it does.
        let leads = self.deciding.passes(definition)
            || at.is_loose(name)
            || Self::hands_on(call, at.scope.facts, self.deciding);
        let is_followed = leads || self.sieve.is_open();
        if !is_followed || !at.is_first_use(definition, &call.args, leads) {
            return;
        }
        let facts = self.facts(definition);
        let inside = at.below(name);
        if self.index.item(definition).flags & flags::FUNCTION_LIKE == 0 {
            // An alias: the call is one of what it stands for.
            if let Expr::Name(other) = facts.result
                && other != name
            {
                let call = Call {
                    callee: Callee::Name(other),
                    ..call.clone()
                };
                self.call_edges(&call, &inside, out);
            }
            return;
        }
        for inner in &facts.calls {
            let value = |it: &Expr| substitute(it, &facts, &call.args, 0);
            let callee = match &inner.callee {
                Callee::Name(callee) if *callee == name => continue,
                Callee::Name(callee) => match value(&Expr::Name(*callee)) {
                    Expr::Name(name) => Callee::Name(name),
                    Expr::Member(object, member) => Callee::Member(*object, member),
                    other => Callee::Value(other),
                },
                // The member may be what a parameter says: `#define CALL(object, run) (object)->run()`.
                Callee::Member(object, member) => {
                    let object = Box::new(value(object));
                    match below(object, value(&Expr::Name(*member))) {
                        Expr::Member(object, member) => Callee::Member(*object, member),
                        other => Callee::Value(other),
                    }
                }
                Callee::Value(it) => Callee::Value(value(it)),
            };
            let expanded = Call {
                callee,
                args: inner.args.iter().map(value).collect(),
                ..inner.clone()
            };
            self.call_edges(&expanded, &inside, out);
        }
        self.bare_edges_inside(definition, &inside, out);
    }

    pub(super) fn member_call(
        &self,
        object: &Expr,
        member: Sym,
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        if !self.sieve.passes_member(member.short()) {
            return;
        }
        let typed = self.type_of(object, at.scope);
        let entries = self.entries(typed.of, member);
        for entry in entries.iter() {
            let choice = match entry.gift {
                None => self.choice(typed.of, member, entry.domain),
                Some(gift) => match self.sure_of_gift(entry, gift, at.scope.file) {
                    Some(sure) => sure,
                    None => continue,
                },
            };
            out.push(Edge {
                domain: entry.domain,
                ..Edge::new(
                    (
                        Target::Function(entry.function),
                        typed.confidence.min(entry.confidence).min(choice),
                    ),
                    at.offset,
                    (EdgeKind::Ops, Through::Member(entry.of, member)),
                )
            });
        }
    }

    /// How sure a pointer's callee is where an implementation has several for it.
    ///
    /// Counted from names alone, so that what the sieve leaves out counts as well.
    pub(super) fn choice(&self, of: TypeRef, member: Sym, domain: Domain) -> Confidence {
        let count = self.choices.get((of, member, domain), || {
            let tag = if let TypeRef::Tag(tag) = of {
                tag
            } else {
                Sym::NONE
            };
            let mut values: Vec<u32> = self
                .index
                .setters(member.short())
                .filter(|it| {
                    self.index.may_name_function(it.0) && self.index.file_of(it.1).domain == domain
                })
                .filter(|it| {
                    let item = self.index.item(it.1);
                    item.kind != ItemKind::Object
                        || tag == Sym::NONE
                        || item.tag == tag
                        || item.tag == Sym::NONE
                })
                .map(|it| it.0)
                .collect();
            values.sort_unstable();
            values.dedup();
            values.len()
        });
        match count {
            0 | 1 => Confidence::High,
            2..=FEW => Confidence::Medium,
            _ => Confidence::Low,
        }
    }

    /// A call of what a function returns that goes by this name.
    fn returned_edges(
        &self,
        (function, name, sure): (ItemId, Sym, Confidence),
        at: &Site<'_>,
        out: &mut Vec<Edge>,
    ) {
        let facts = self.facts(function);
        let scope = Scope {
            file: self.index.file_index(function),
            facts: &facts,
        };
        let there = at.within(scope);
        for returned in &facts.returned {
            let targets = self.functions_meant(returned, scope);
            out.extend(called_back(&targets, at.offset, (name, sure)));
            let first = out.len();
            self.held_edges(returned, &there, out);
            for edge in &mut out[first..] {
                edge.confidence = edge.confidence.min(sure);
            }
        }
    }

    /// A call through a value: a local pointer, a choice, a member.
    pub(super) fn value_edges(&self, value: &Expr, at: &Site<'_>, out: &mut Vec<Edge>) {
        match value {
            Expr::Name(name) if !at.scope.facts.declares(*name) => {
                let functions = self.functions_valued(*name, at.scope.file);
                if functions.is_empty() {
                    self.variable_edges(*name, at, out);
                }
                for (target, confidence) in functions.iter() {
                    out.push(Edge::new(
                        (Target::Function(*target), *confidence),
                        at.offset,
                        (EdgeKind::Callback, Through::Nothing),
                    ));
                }
            }
            Expr::Member(object, member) => self.member_call(object, *member, at, out),
            // What a function returns, and nothing that this is given.
            Expr::Call(name, _) if !at.scope.facts.declares(*name) => {
                for (function, sure) in self.functions_in(*name, at.scope.file).iter() {
                    self.returned_edges((*function, *name, *sure), at, out);
                }
            }
            Expr::Either(first, second) => {
                self.value_edges(first, at, out);
                self.value_edges(second, at, out);
            }
            _ => {}
        }
    }
}

/// What `object->path` is: a member, or a member of one.
fn below(object: Box<Expr>, path: Expr) -> Expr {
    match path {
        Expr::Name(name) => Expr::Member(object, name),
        Expr::Member(outer, member) => Expr::Member(Box::new(below(object, *outer)), member),
        _ => Expr::Unknown,
    }
}

/// The names that an expression may have as its value.
pub(crate) fn named_values(expr: &Expr) -> Vec<Sym> {
    match expr {
        Expr::Name(name) => vec![*name],
        Expr::Either(first, second) => {
            let mut names = named_values(first);
            names.extend(named_values(second));
            names
        }
        _ => Vec::new(),
    }
}

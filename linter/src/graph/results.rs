//! What small functions return that only test their parameters, as in `if (may_wait(fs, type))`.

use super::index::ItemId;
use super::resolve::Resolver;
use super::values::{Fact, Known};
use super::weigh::Meaning;
use crate::lex::Sym;

/// Predicates that ask predicates are followed this deep.
const MAX_DEPTH: u32 = 2;

/// A file, seen from so many predicates below a guard.
pub(super) struct Here<'r, 'i, 't> {
    pub(super) resolver: &'r Resolver<'i, 't>,
    pub(super) file: usize,
    pub(super) depth: u32,
}

impl Meaning for Here<'_, '_, '_> {
    fn number_of(&self, name: Sym) -> Option<i64> {
        self.resolver.number_of(name, self.file)
    }

    fn result_of(&self, name: Sym, args: &[Option<Fact>]) -> Option<Fact> {
        if self.depth > MAX_DEPTH || args.iter().all(Option::is_none) {
            return None;
        }
        let meanings = self.resolver.meanings(name, self.file);
        let (functions, macros) = (&meanings.0, &meanings.1);
        if !macros.is_empty() {
            return None;
        }
        let args = (0..).zip(args);
        let known = args.filter_map(|(param, value)| {
            Some(Known {
                param,
                members: Vec::new(),
                value: (*value)?,
                is_initial: false,
            })
        });
        let known: Vec<Known> = known.collect();
        let result = |it: ItemId| self.resolver.result(it, &known, self.depth + 1);
        let first = result(functions.first()?.0)?;
        let is_same = |it: ItemId| result(it) == Some(first);
        functions[1..]
            .iter()
            .all(|it| is_same(it.0))
            .then_some(first)
    }
}

impl Resolver<'_, '_> {
    /// What a function returns on all ways that are left, with this known of its parameters.
    fn result(&self, function: ItemId, known: &[Known], depth: u32) -> Option<Fact> {
        let key = (function, self.keep(known.to_vec()), depth);
        self.results.get(key, || {
            let facts = self.facts(function);
            let conditions = &facts.conditions;
            let weigh = self.weigh_at((function, depth), conditions, known);
            let left = conditions.returns.iter();
            let mut left = left.filter(|it| !weigh.fails(&it.guards));
            let first = left.next()?;
            let value = weigh.value(&first.value, first.offset)?;
            left.all(|it| weigh.value(&it.value, it.offset) == Some(value))
                .then_some(value)
        })
    }

    /// Whether what a call by name returns depends on the argument.
    pub(super) fn is_asked(&self, caller: ItemId, (name, argument): (Sym, u16)) -> bool {
        let functions = self.functions_in(name, self.index.file_index(caller));
        functions.iter().any(|(function, _)| {
            let facts = self.facts(*function);
            let conditions = &facts.conditions;
            let mut returns = conditions.returns.iter();
            returns.any(|it| {
                let mut guards = it.guards.iter();
                let tests = |at: &u32| conditions.guards[*at as usize].test.depends_on(argument);
                it.value.depends_on(argument) || guards.any(tests)
            })
        })
    }
}

//! Macros that call a local pointer of whoever uses them: `#define RUN(x) run(x)` where `run` is a local.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::callbacks::functions_named;
use super::copies::members_read;
use super::resolve::Resolver;
use crate::facts::{Expr, FunctionFacts};
use crate::lex::{Sym, variable};

/// More macros than this are not looked for.
const MAX_MACROS: usize = 4096;

impl Resolver<'_, '_> {
    /// The names of the macros, as [`Sym::short`], that may call a local pointer of a function which holds what the
    /// sieve lets through: the sieve itself does not see what they lead to.
    pub(super) fn loose_macros(&self, facts: &FunctionFacts) -> FxHashSet<u32> {
        if self.sieve.is_open() {
            return FxHashSet::default();
        }
        let mut pending: Vec<u32> = Vec::new();
        let mut seen: FxHashSet<Sym> = FxHashSet::default();
        for (local, value) in &facts.assigns {
            if self.holds_what_passes(value, facts) && seen.insert(*local) && facts.declares(*local)
            {
                pending.push(local.short());
            }
        }
        let mut found = FxHashSet::default();
        while let Some(name) = pending.pop() {
            for it in self.macros_naming(name).iter() {
                if found.len() < MAX_MACROS && found.insert(*it) {
                    pending.push(*it);
                }
            }
        }
        found
    }

    /// The names of the macros that name this themselves, all as [`Sym::short`].
    fn macros_naming(&self, name: u32) -> Arc<Vec<u32>> {
        self.loose.get(name, || {
            let macros = self.index.macros_using(name).into_iter();
            let names = macros.map(|it| self.index.item(it).name.short());
            let mut found: Vec<u32> = names.collect();
            found.sort_unstable();
            found.dedup();
            found
        })
    }

    fn holds_what_passes(&self, value: &Expr, facts: &FunctionFacts) -> bool {
        let passes = |it: Sym| {
            let mut functions = self.index.functions_of(it.short());
            functions.any(|it| self.sieve.passes(it))
                || self.sieve.passes_member(variable(it.short()))
        };
        match value {
            Expr::Name(_) | Expr::Member(..) | Expr::Either(..) => {
                functions_named(value, facts).into_iter().any(passes)
                    || members_read(value)
                        .iter()
                        .any(|it| self.sieve.passes_member(it.1.short()))
            }
            Expr::Call(name, _) => passes(*name),
            Expr::Unknown | Expr::Typed(_) | Expr::Const(_) => false,
        }
    }
}

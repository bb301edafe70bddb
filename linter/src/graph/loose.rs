//! Macros that call a local pointer of whoever uses them: `#define RUN(x) run(x)` where `run` is a local.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::callbacks::functions_named;
use super::copies::members_read;
use super::resolve::Resolver;
use crate::facts::{Expr, FunctionFacts};
use crate::lex::{ItemKind, Sym, variable};

/// More macros than this are not looked for.
const MAX_MACROS: usize = 4096;

impl Resolver<'_, '_> {
    /// The names of the macros, as [`Sym::short`], that may call a local pointer of a function which holds what the
    /// sieve lets through: the sieve itself does not see what they lead to.
    pub(super) fn loose_macros(&self, facts: &FunctionFacts) -> FxHashSet<u32> {
        if self.sieve.is_open() {
            return FxHashSet::default();
        }
        let mut locals: Vec<Sym> = Vec::new();
        for (local, value) in &facts.assigns {
            if !locals.contains(local)
                && facts.declares(*local)
                && self.holds_what_passes(value, facts)
            {
                locals.push(*local);
            }
        }
        let macros = locals.iter().map(|it| self.macros_naming(*it));
        macros.flat_map(Arc::unwrap_or_clone).collect()
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

    /// The names of the macros that name this, or others that do, as [`Sym::short`].
    fn macros_naming(&self, name: Sym) -> Arc<Vec<u32>> {
        self.loose.get(name, || {
            let mut found = Vec::new();
            let mut pending = vec![name.short()];
            while let Some(name) = pending.pop() {
                for user in self.index.users(name) {
                    let item = self.index.item(user);
                    let short = item.name.short();
                    if item.kind == ItemKind::Macro
                        && !found.contains(&short)
                        && found.len() < MAX_MACROS
                    {
                        found.push(short);
                        pending.push(short);
                    }
                }
            }
            found
        })
    }
}

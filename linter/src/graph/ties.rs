//! Which of the functions that a pointer may call fit the arguments, where nothing says whose pointer it is.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Scope, Target};
use crate::facts::{Expr, TypeRef};
use crate::finding::Confidence;
use crate::lex::flags;

impl Resolver<'_, '_> {
    /// Of the edges of one call through a pointer, from `first` on, drops the doubtful ones that do not fit the
    /// arguments if others do.
    pub(super) fn break_ties(
        &self,
        first: usize,
        args: &[Expr],
        scope: Scope<'_>,
        out: &mut Vec<Edge>,
    ) {
        let is_open = |it: &Edge| it.kind == EdgeKind::Ops && it.confidence == Confidence::Low;
        if out.len() < first + 2 || !out[first..].iter().all(is_open) {
            return;
        }
        let fits = |it: &Edge| match it.target {
            Target::Function(function) => self.takes(function, args, scope),
            Target::External(_) => true,
        };
        let fitting: Vec<Edge> = out[first..].iter().filter(|it| fits(it)).copied().collect();
        if !fitting.is_empty() {
            out.truncate(first);
            out.extend(fitting);
        }
    }

    /// Whether a function takes as many arguments, and none of another struct than is passed.
    fn takes(&self, function: ItemId, args: &[Expr], scope: Scope<'_>) -> bool {
        if self.index.item(function).flags & flags::MACRO_HEAD != 0 {
            return true;
        }
        let signature = self.signature(function);
        let file = self.index.file_index(function);
        let mut pairs = signature.params.iter().zip(args);
        signature.params.len() == args.len()
            && pairs.all(|(param, arg)| {
                let wanted = self.canonical(param.1, file);
                let passed = self.type_of(arg, scope).of;
                match (wanted, passed) {
                    (TypeRef::Tag(wanted), TypeRef::Tag(passed)) => wanted == passed,
                    _ => true,
                }
            })
    }
}

//! Which of the functions that a pointer may call fit the arguments, where nothing says whose pointer it is.

use super::index::ItemId;
use super::resolve::{Edge, EdgeKind, Resolver, Scope, Target};
use crate::facts::{Expr, TypeRef};
use crate::finding::Confidence;
use crate::lex::{Sym, flags};

impl Resolver<'_, '_> {
    /// Of the edges of one call of `object->member`, from `first` on, drops the doubtful ones that do not fit the
    /// arguments, if something does that may stand there: whether the sieve lets that through or not.
    pub(super) fn break_ties(
        &self,
        first: usize,
        (object, member, args): (&Expr, Sym, &[Expr]),
        scope: Scope<'_>,
        out: &mut Vec<Edge>,
    ) {
        let is_open = |it: &Edge| it.kind == EdgeKind::Ops && it.confidence == Confidence::Low;
        let fits = |it: &Edge| match it.target {
            Target::Function(function) => self.takes(function, args, scope),
            Target::External(_) => true,
        };
        let is_out = |it: &Edge| is_open(it) && !fits(it);
        if !out[first..].iter().any(is_out) {
            return;
        }
        let of = self.type_of(object, scope).of;
        let mut all = self.entries_of_all(of, member).into_iter();
        if all.any(|it| self.takes(it.function, args, scope)) {
            let edges = out.split_off(first);
            out.extend(edges.into_iter().filter(|it| !is_out(it)));
        }
    }

    /// Whether a function takes as many arguments, and none of another struct than is passed.
    fn takes(&self, function: ItemId, args: &[Expr], scope: Scope<'_>) -> bool {
        let item = self.index.item(function);
        let head = self.index.item_text(function);
        let head = head.get(..(item.body - item.start) as usize);
        let is_open = head.is_none_or(|it| memchr::memmem::find(it, b"...").is_some());
        let rest = Expr::Name(Sym::of("__VA_ARGS__"));
        if is_open || item.flags & flags::MACRO_HEAD != 0 || args.contains(&rest) {
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

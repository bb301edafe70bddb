//! Types of expressions, found from declarations across the tree.

use std::sync::Arc;

use super::includes::is_of_arch;
use super::index::{Index, ItemId};
use super::resolve::{Resolver, Scope};
use crate::facts::{Expr, FunctionFacts, Member, TypeFacts, TypeRef};
use crate::finding::Confidence;
use crate::lex::{ItemKind, Sym, flags};

/// Expressions are followed through this many macros, typedefs and calls.
const MAX_DEPTH: u32 = 12;

/// A type with how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    pub(crate) of: TypeRef,
    pub(crate) confidence: Confidence,
}

impl Typed {
    const UNKNOWN: Self = Self {
        of: TypeRef::Unknown,
        confidence: Confidence::Low,
    };

    fn sure(of: TypeRef) -> Self {
        Self {
            of,
            confidence: Confidence::High,
        }
    }

    fn at_most(self, confidence: Confidence) -> Self {
        Self {
            of: self.of,
            confidence: self.confidence.min(confidence),
        }
    }
}

impl Resolver<'_, '_> {
    /// The struct, union or typedef that an expression leads to, pointers taken off.
    pub(crate) fn type_of(&self, expr: &Expr, scope: Scope<'_>) -> Typed {
        let typed = self.type_at(expr, scope, 0);
        Typed {
            of: self.canonical(typed.of, scope.file),
            confidence: typed.confidence,
        }
    }

    fn type_at(&self, expr: &Expr, scope: Scope<'_>, depth: u32) -> Typed {
        if depth > MAX_DEPTH {
            return Typed::UNKNOWN;
        }
        match expr {
            Expr::Unknown | Expr::Const(_) => Typed::UNKNOWN,
            Expr::Typed(of) => Typed::sure(*of),
            Expr::Name(name) => self.type_of_name(*name, scope, depth),
            Expr::Member(object, member) => {
                let outer = self.type_at(object, scope, depth + 1);
                if outer.of == TypeRef::Unknown {
                    return Typed::UNKNOWN;
                }
                match self.member(outer.of, *member, scope.file) {
                    // Members of an unnamed struct are read as the outer one's own.
                    Some(it) if it.of == TypeRef::Unknown && !it.is_function => outer,
                    Some(it) => Typed {
                        of: it.of,
                        confidence: outer.confidence,
                    },
                    None => Typed::UNKNOWN,
                }
            }
            Expr::Either(first, second) => {
                let first = self.type_at(first, scope, depth + 1);
                if first.of == TypeRef::Unknown {
                    self.type_at(second, scope, depth + 1)
                } else {
                    first
                }
            }
            Expr::Call(callee, args) => self.type_of_call(*callee, args, scope, depth),
        }
    }

    fn type_of_name(&self, name: Sym, scope: Scope<'_>, depth: u32) -> Typed {
        if let Some((_, of)) = scope
            .facts
            .locals
            .iter()
            .chain(&scope.facts.params)
            .find(|it| it.0 == name && it.1 != TypeRef::Unknown)
        {
            return Typed::sure(*of);
        }
        if scope.facts.declares(name) {
            // Declared with `typeof` or `__auto_type`: its value tells.
            return scope
                .facts
                .assigns
                .iter()
                .filter(|it| it.0 == name && it.1 != Expr::Name(name))
                .map(|it| self.type_at(&it.1, scope, depth + 1))
                .find(|it| it.of != TypeRef::Unknown)
                .map_or(Typed::UNKNOWN, |it| it.at_most(Confidence::Medium));
        }
        if let Some(object) = self.visible(self.index.objects(name), scope.file).next() {
            return Typed::sure(self.object(object).of);
        }
        match self.macro_in(name, scope.file) {
            Some(it) if self.index.item(it).flags & flags::FUNCTION_LIKE == 0 => {
                let facts = self.facts(it);
                self.type_at(&facts.result, scope, depth + 1)
            }
            _ => Typed::UNKNOWN,
        }
    }

    fn type_of_call(&self, callee: Sym, args: &[Expr], scope: Scope<'_>, depth: u32) -> Typed {
        if let Some(it) = self.macro_in(callee, scope.file) {
            let facts = self.facts(it);
            let result = substitute(&facts.result, &facts, args, 0);
            let typed = self.type_at(&result, scope, depth + 1);
            if typed.of != TypeRef::Unknown {
                return typed;
            }
            // `list_entry(p, struct x, member)` names its type; `data_race(p->x)` has that of its argument.
            if let Some(Expr::Typed(of)) = args.iter().find(|it| matches!(it, Expr::Typed(_))) {
                return Typed::sure(*of).at_most(Confidence::Medium);
            }
            return args.first().map_or(Typed::UNKNOWN, |it| {
                self.type_at(it, scope, depth + 1)
                    .at_most(Confidence::Medium)
            });
        }
        for function in self.functions_in(callee, scope.file).iter() {
            let returns = self.signature(function.0).returns;
            if returns != TypeRef::Unknown {
                return Typed::sure(returns);
            }
        }
        Typed::UNKNOWN
    }

    /// Follows typedefs to the struct that they name.
    pub(crate) fn canonical(&self, of: TypeRef, file: usize) -> TypeRef {
        let mut of = of;
        for _ in 0..MAX_DEPTH {
            let TypeRef::Name(name) = of else { return of };
            let Some(it) = self
                .types_in(name, file)
                .find(|it| self.index.item(*it).kind == ItemKind::Typedef)
            else {
                return TypeRef::Unknown;
            };
            let facts = self.type_item(it);
            match facts.alias {
                TypeRef::Unknown if facts.members.is_empty() => return TypeRef::Unknown,
                TypeRef::Unknown => return of,
                alias if alias == of => return of,
                alias => of = alias,
            }
        }
        of
    }

    /// A member of a type, looked for in the type's nearest definition first.
    pub(crate) fn member(&self, of: TypeRef, member: Sym, file: usize) -> Option<Member> {
        let of = self.canonical(of, file);
        let name = match of {
            TypeRef::Tag(name) | TypeRef::Name(name) => name,
            TypeRef::Unknown => return None,
        };
        self.types_in(name, file).find_map(|it| {
            self.type_item(it)
                .members
                .iter()
                .find(|it| it.name == member)
                .copied()
        })
    }

    /// The n-th member of a type.
    pub(crate) fn member_at(&self, of: TypeRef, position: u32, file: usize) -> Option<Member> {
        let name = match self.canonical(of, file) {
            TypeRef::Tag(name) | TypeRef::Name(name) => name,
            TypeRef::Unknown => return None,
        };
        self.types_in(name, file)
            .find_map(|it| self.type_item(it).members.get(position as usize).copied())
    }

    /// Definitions of a type, nearest first: the file's own, then headers, then other sources of the same directory.
    fn types_in(&self, name: Sym, file: usize) -> impl Iterator<Item = ItemId> + '_ {
        let mut found: Vec<(u8, ItemId)> = self
            .index
            .types(name)
            .map(|it| (self.distance(it, file), it))
            .filter(|it| it.0 < 5)
            .collect();
        found.sort_unstable();
        found.into_iter().map(|it| it.1)
    }

    /// How far a definition is from a file that means it; 5 and more cannot be meant.
    pub(crate) fn distance(&self, id: ItemId, file: usize) -> u8 {
        let home = self.index.file_index(id);
        if home == file {
            return 0;
        }
        let (there, here) = (self.index.file(home), self.index.file(file));
        if there.at_home && self.includes_unit(home, file) {
            return 1;
        }
        if !there.at_home || there.is_foreign != here.is_foreign || self.is_superseded(home, file) {
            return 7;
        }
        let (there_dir, here_dir) = (
            directory(there.path.as_str()),
            directory(here.path.as_str()),
        );
        match there.is_shared {
            true if there_dir == here_dir => 1,
            // Tracepoint headers name what they record in their own way, and mean it among themselves.
            true if there.path.as_str().starts_with("include/trace/")
                && !is_of_tracepoints(here.path.as_str()) =>
            {
                4
            }
            true if there.path.as_str().starts_with("include/") => 2,
            true if there.domain == here.domain && there.domain.0 != 0 => 2,
            true if is_of_arch(there.path.as_str(), here.path.as_str()) => 2,
            true if there.path.as_str().starts_with("arch/") => 4,
            true => 3,
            false => 5,
        }
    }

    pub(crate) fn type_item(&self, id: ItemId) -> Arc<TypeFacts> {
        self.index.type_facts(id)
    }
}

/// `include/trace/define_trace.h` finds a header by its name, so all of them have one that says what they are.
pub(crate) fn is_of_tracepoints(path: &str) -> bool {
    path.starts_with("include/trace/")
        || path
            .rsplit('/')
            .next()
            .is_some_and(|it| it.contains("trace"))
}

pub(crate) fn directory(path: &str) -> &str {
    memchr::memrchr(b'/', path.as_bytes()).map_or("", |it| &path[..it])
}

impl Index<'_> {
    /// The members of the types of a tag that may be pointers to functions, as [`Sym::short`]: as they are declared, or
    /// by a typedef.
    pub(super) fn pointer_members(&self, tag: Sym) -> Vec<u32> {
        let mut found: Vec<u32> = self.declared_members(tag).collect();
        for definition in self.types(tag) {
            let facts = self.type_facts(definition);
            let members = facts.members.iter().filter(|it| {
                let of_typedef = |it| self.is_function_type(it, 0);
                it.is_function || matches!(it.of, TypeRef::Name(name) if of_typedef(name))
            });
            found.extend(members.map(|it| it.name.short()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether a typedef of this name stands for a function, or a pointer to one.
    fn is_function_type(&self, name: Sym, depth: u32) -> bool {
        let mut all = self.types(name);
        all.any(|it| {
            self.item(it).kind == ItemKind::Typedef
                && (memchr::memchr(b'(', self.item_text(it)).is_some()
                    || depth < MAX_DEPTH
                        && matches!(self.type_facts(it).alias, TypeRef::Name(other)
                            if other != name && self.is_function_type(other, depth + 1)))
        })
    }

    fn type_facts(&self, id: ItemId) -> Arc<TypeFacts> {
        self.warm.types.get(self.key(id), || {
            crate::facts::type_facts(self.item_text(id))
        })
    }
}

/// Puts the arguments in the place of a macro's parameters.
pub(crate) fn substitute(expr: &Expr, of: &FunctionFacts, args: &[Expr], depth: u32) -> Expr {
    if depth > MAX_DEPTH {
        return Expr::Unknown;
    }
    let argument = |name: Sym| {
        of.params
            .iter()
            .position(|it| it.0 == name)
            .map(|at| args.get(at).cloned().unwrap_or_default())
    };
    let inner = |it: &Expr| substitute(it, of, args, depth + 1);
    match expr {
        Expr::Name(name) | Expr::Typed(TypeRef::Name(name)) => {
            argument(*name).unwrap_or_else(|| expr.clone())
        }
        Expr::Member(object, member) => Expr::Member(Box::new(inner(object)), *member),
        Expr::Call(callee, of_args) => {
            let callee = match argument(*callee) {
                Some(Expr::Name(name)) => name,
                _ => *callee,
            };
            Expr::Call(callee, of_args.iter().map(inner).collect())
        }
        Expr::Either(first, second) => {
            Expr::Either(Box::new(inner(first)), Box::new(inner(second)))
        }
        Expr::Unknown | Expr::Const(_) | Expr::Typed(_) => expr.clone(),
    }
}

/// The first of the directories in a path, and the first two.
pub(crate) fn directories(path: &str) -> (&str, &str) {
    let all = directory(path);
    let mut ends = memchr::memchr_iter(b'/', all.as_bytes());
    let first = ends.next().unwrap_or(all.len());
    let second = ends.next().unwrap_or(all.len());
    (&all[..first], &all[..second])
}

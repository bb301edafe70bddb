//! What one item says: plain data, extracted once, resolved later against the whole tree.
//!
//! Extraction never fails. What the grammar could not read is missing here and caught by comparing with
//! the lexical reading.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a source is at most 64 MiB, and a kernel has far fewer than 2^32 items"
)]

mod arms;
mod conditions;
mod expr;
mod function;
mod initializer;
mod jumps;
pub(crate) mod number;
mod objects;
mod outcomes;
mod switches;
mod types;
mod unread;
mod value;

pub(crate) use conditions::{Conditions, Site};
pub(crate) use expr::{Text, expr};
pub(crate) use function::{
    ParsedItem, facts_of, function_facts, macro_facts, parse_function, parse_macro,
};
pub(crate) use initializer::object_facts;
pub(crate) use objects::Inside;
pub(crate) use types::type_facts;
pub(crate) use value::{Sign, Value};

use serde::{Deserialize, Serialize};

use crate::lex::Sym;

/// A type as far as resolution needs it: pointers and arrays do not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum TypeRef {
    /// Not understood, or of no interest.
    #[default]
    Unknown,
    /// `struct tag` or `union tag`.
    Tag(Sym),
    /// A typedef's name.
    Name(Sym),
}

/// An expression as far as its type or its value decides a callee.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Expr {
    /// Of no interest.
    #[default]
    Unknown,
    /// A variable, parameter, function or macro.
    Name(Sym),
    /// `.member` or `->member`.
    Member(Box<Expr>, Sym),
    /// A call by name; macros included.
    Call(Sym, Vec<Expr>),
    /// A cast, a compound literal, or a type as macro argument.
    Typed(TypeRef),
    /// An integer.
    Const(i64),
    /// Either of two.
    Either(Box<Expr>, Box<Expr>),
}

/// What stands before the parentheses of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Callee {
    Name(Sym),
    /// Through a member: the object and the member.
    Member(Expr, Sym),
    /// Anything else, such as `(cond ? a : b)(x)`.
    Value(Expr),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// Byte offset in the item.
    pub(crate) offset: u32,
    /// End of the call expression, likewise.
    pub(crate) end: u32,
    pub(crate) callee: Callee,
    pub(crate) args: Vec<Expr>,
    /// `(name)(…)`: no call but a cast, where the name is a type's. Likewise a word before the operand of an `asm`: a
    /// macro's, which stands for a constraint.
    pub(crate) may_cast: bool,
}

/// A member that is given a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Store {
    pub(crate) offset: u32,
    pub(crate) object: Expr,
    /// Members and positions inside `object`, outermost first; the last one is set.
    pub(crate) path: Vec<Step>,
    pub(crate) value: Expr,
    /// The object lives on the stack: nobody calls through it but what its function calls.
    pub(crate) on_stack: bool,
}

/// One step into an initialiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Step {
    /// `.member`
    Member(Sym),
    /// The n-th value of a brace, from 0.
    Position(u32),
    /// `[n]`
    Element,
}

/// A function's or a function-like macro's body.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FunctionFacts {
    pub(crate) params: Vec<(Sym, TypeRef)>,
    pub(crate) returns: TypeRef,
    pub(crate) locals: Vec<(Sym, TypeRef)>,
    /// Locals that are structs themselves, not pointers to them: they are gone when the function returns.
    pub(crate) on_stack: Vec<Sym>,
    pub(crate) calls: Vec<Call>,
    pub(crate) stores: Vec<Store>,
    /// Values given to plain variables.
    pub(crate) assigns: Vec<(Sym, Expr)>,
    /// The value of a macro's body, where it is an expression.
    pub(crate) result: Expr,
    /// The names and members that a function returns which may return a function.
    pub(crate) returned: Vec<Expr>,
    /// What its parameters decide.
    pub(crate) conditions: Conditions,
    /// Byte offsets of what the grammar could not read.
    pub(crate) errors: Vec<u32>,
    /// Byte offsets of calls that only one of the two readings sees, sorted.
    pub(crate) unread: Vec<u32>,
}

impl Expr {
    /// The variable that it is, or a member of whose members it is.
    pub(crate) fn root(&self) -> Option<Sym> {
        let mut object = self;
        while let Self::Member(outer, _) = object {
            object = outer;
        }
        match object {
            Self::Name(name) => Some(*name),
            _ => None,
        }
    }
}

impl FunctionFacts {
    /// Moves what was gathered into lists of the right size, and leaves the room for the next function's: thousands of
    /// them are kept.
    fn take_packed(&mut self) -> Self {
        Self {
            params: packed(&mut self.params),
            returns: std::mem::take(&mut self.returns),
            locals: packed(&mut self.locals),
            on_stack: packed(&mut self.on_stack),
            calls: packed(&mut self.calls),
            stores: packed(&mut self.stores),
            assigns: packed(&mut self.assigns),
            result: std::mem::take(&mut self.result),
            returned: packed(&mut self.returned),
            conditions: self.conditions.take_packed(),
            errors: packed(&mut self.errors),
            unread: packed(&mut self.unread),
        }
    }
}

/// All of a list, in one of the right size.
fn packed<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(list.len());
    all.append(list);
    all
}

/// One `object->member = value` of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberSetting {
    pub(crate) object: Expr,
    pub(crate) member: String,
    /// As the text has it, on one line.
    pub(crate) value: String,
    /// One past it, in bytes of the item.
    pub(crate) end: u32,
    /// Whether it runs whatever the function's conditions are.
    pub(crate) is_certain: bool,
}

/// One member of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: Sym,
    pub(crate) of: TypeRef,
    pub(crate) is_array: bool,
    pub(crate) is_function: bool,
}

/// A type's members; those of anonymous structs and unions inside it count as its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct TypeFacts {
    pub(crate) members: Vec<Member>,
    /// What a typedef without body stands for.
    pub(crate) alias: TypeRef,
}

/// A variable and what its initialiser sets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ObjectFacts {
    pub(crate) of: TypeRef,
    pub(crate) is_array: bool,
    pub(crate) stores: Vec<Store>,
}

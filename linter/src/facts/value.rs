//! Values of conditions and arguments, as far as parameters and constants decide them.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::expr::{Text, expr};
use super::{Expr, TypeRef};
use crate::lex::Sym;
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

/// Values nest this deep at most; what lies deeper is unknown.
const MAX_VALUE_DEPTH: u32 = 12;

/// Calls with more arguments than this are no predicates.
const MAX_ARGUMENTS: usize = 4;

/// What a condition, or an argument, depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Value {
    /// Not understood, or decided elsewhere.
    Unknown,
    /// A number; `NULL`, `true` and `false` are.
    Number(i64),
    /// A constant's or an enumerator's name, which kernel style spells in capitals.
    Constant(Sym),
    /// A parameter, by its index, or something inside what it points to.
    Place(u16, Vec<Sym>),
    /// A variable that is not resolved yet, and members of it.
    Variable(Sym, Vec<Sym>),
    Not(Box<Value>),
    And(Box<Value>, Box<Value>),
    Or(Box<Value>, Box<Value>),
    Equal(Box<Value>, Box<Value>),
    Bits(Box<Value>, Box<Value>),
    /// `a | b`.
    Union(Box<Value>, Box<Value>),
    /// `a < b`.
    Less(Box<Value>, Box<Value>, Sign),
    /// Equal to one of several.
    AnyOf(Box<Value>, Vec<Value>),
    /// `NULL` where none of the guarded calls at these offsets runs: only they give the variable a value.
    NullUnless(Vec<u32>),
    /// What a function returns for these arguments, one of which is a parameter.
    Called(Sym, Vec<Value>),
}

/// Whether negative numbers are compared as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Sign {
    /// Both sides are `int`.
    Kept,
    /// One side may be unsigned, where they are large.
    Unclear,
}

impl Value {
    /// The two values that it joins, or compares with each other.
    pub(crate) fn sides(&self) -> Option<[&Self; 2]> {
        match self {
            Self::And(a, b)
            | Self::Or(a, b)
            | Self::Equal(a, b)
            | Self::Bits(a, b)
            | Self::Union(a, b)
            | Self::Less(a, b, _) => Some([a, b]),
            Self::Place(..)
            | Self::Not(_)
            | Self::AnyOf(..)
            | Self::Unknown
            | Self::Number(_)
            | Self::Constant(_)
            | Self::Variable(..)
            | Self::NullUnless(_)
            | Self::Called(..) => None,
        }
    }

    /// Hands out the parameters that it is made of, each time one stands in it; not those that a call gets.
    pub(crate) fn each_param(&self, take: &mut impl FnMut(u16)) {
        match self {
            Self::Place(param, _) => take(*param),
            Self::Not(it) => it.each_param(take),
            Self::AnyOf(it, values) => {
                it.each_param(take);
                for it in values {
                    it.each_param(take);
                }
            }
            other => {
                let sides = other.sides().into_iter().flatten();
                sides.for_each(|it| it.each_param(take));
            }
        }
    }

    /// Hands out the parameters that calls in it get as they are: name, index of the argument, parameter.
    pub(crate) fn each_asked(&self, take: &mut impl FnMut(Sym, u16, u16)) {
        match self {
            Self::Called(name, args) => {
                for (index, arg) in args.iter().enumerate() {
                    if let (Self::Place(param, members), Ok(index)) = (arg, u16::try_from(index))
                        && members.is_empty()
                    {
                        take(*name, index, *param);
                    }
                }
            }
            Self::Not(it) | Self::AnyOf(it, _) => it.each_asked(take),
            other => {
                let sides = other.sides().into_iter().flatten();
                sides.for_each(|it| it.each_asked(take));
            }
        }
    }

    /// Whether constants alone may decide it: numbers, or names that stand for numbers. Flags that are zero are not
    /// looked for.
    pub(crate) fn may_be_constant(&self) -> bool {
        match self {
            Self::Number(_) | Self::Constant(_) => true,
            Self::Not(it) | Self::AnyOf(it, _) => it.may_be_constant(),
            Self::And(a, b) | Self::Or(a, b) => a.may_be_constant() || b.may_be_constant(),
            Self::Equal(a, b) | Self::Bits(a, b) | Self::Union(a, b) | Self::Less(a, b, _) => {
                a.may_be_constant() && b.may_be_constant()
            }
            Self::Unknown
            | Self::Place(..)
            | Self::Variable(..)
            | Self::NullUnless(_)
            | Self::Called(..) => false,
        }
    }

    /// Whether it is made of a parameter.
    pub(crate) fn mentions(&self, param: u16) -> bool {
        let mut found = false;
        self.each_param(&mut |it| found |= it == param);
        found
    }
}

impl Value {
    /// As [`Value::mentions`], where a call that gets the parameter counts as well.
    pub(crate) fn depends_on(&self, param: u16) -> bool {
        let mut found = self.mentions(param);
        self.each_asked(&mut |_, _, it| found |= it == param);
        found
    }
}

/// What a variable is before it gets anything that is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum First {
    Unknown,
    /// It is set to `NULL`.
    Null,
    /// It is declared as that, and no static one: nobody else knows it.
    DeclaredNull,
}

/// Who gives a variable its values.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    first: First,
    /// Where it gets something: the call whose result it is, or that gets its address, or the variable's own place; and
    /// where that, or the outermost loop around it, begins.
    sets: Vec<(u32, u32)>,
    /// What it gets is not always what a call returns.
    is_assigned: bool,
    /// It gets something unseen: its address is taken and not just given to a call.
    is_other: bool,
    /// Behind this offset it has been handed on: by a macro it may have been set.
    handed: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            first: First::Unknown,
            sets: Vec::new(),
            is_assigned: false,
            is_other: false,
            handed: u32::MAX,
        }
    }
}

impl Settings {
    /// It is declared with `NULL`.
    pub(super) fn begin(&mut self) {
        self.be_first(First::DeclaredNull);
    }

    fn be_first(&mut self, first: First) {
        if self.sets.is_empty() {
            self.first = self.first.max(first);
        }
    }

    /// It gets a value at a place, see [`Settings::sets`].
    pub(super) fn add(&mut self, given: &Value, at: (u32, u32), is_result: bool) {
        if *given == Value::Number(0) {
            self.be_first(First::Null);
        } else {
            self.is_assigned |= !is_result;
            self.fill_in(at);
        }
    }

    /// As [`Settings::add`], of a value that is not known.
    pub(super) fn fill_in(&mut self, at: (u32, u32)) {
        self.sets.push(at);
    }

    /// Nobody knows what it gets, and when.
    pub(super) fn be_unknown(&mut self) {
        self.is_other = true;
    }

    /// It is handed on, at this offset or behind it.
    pub(super) fn hand_on(&mut self, at: u32) {
        self.handed = at.min(self.handed);
    }

    /// Whether it is `NULL` until it gets something, which is seen.
    pub(super) fn is_null_before(&self) -> bool {
        self.first == First::DeclaredNull && !self.is_other
    }

    /// The places that decide whether it is `NULL`, for one that may be nothing else at first.
    fn deciding(&self) -> Option<&[(u32, u32)]> {
        let decide = match self.first {
            First::Unknown => false,
            First::Null => !self.is_assigned && !self.sets.is_empty(),
            First::DeclaredNull => true,
        };
        (decide && !self.is_other).then_some(&self.sets)
    }
}

/// Replaces variables by what they stand for.
pub(super) struct Names<'a> {
    pub(super) params: &'a [(Sym, TypeRef)],
    pub(super) definitions: &'a FxHashMap<Sym, Value>,
    pub(super) changed: &'a FxHashMap<Sym, u32>,
    /// Before which offset a variable that is set has the value that it came with.
    pub(super) intact: &'a FxHashMap<Sym, u32>,
    /// As [`super::jumps::Jumps::first_label`].
    pub(super) first_label: u32,
    pub(super) settings: &'a FxHashMap<Sym, Settings>,
    /// The places that stand under a condition.
    pub(super) guarded: FxHashSet<u32>,
    /// The variables that nothing may change.
    pub(super) constants: &'a FxHashSet<Sym>,
    /// The parameters that are declared as `int`.
    pub(super) integers: FxHashSet<Sym>,
}

impl Names<'_> {
    /// The value at an offset without variables; unknown where nothing of the parameters could decide it.
    pub(super) fn resolve(&self, of: &Value, at: u32) -> Value {
        self.resolve_at(of, (at, 0))
    }

    fn resolve_at(&self, of: &Value, (at, depth): (u32, u32)) -> Value {
        if depth > MAX_VALUE_DEPTH {
            return Value::Unknown;
        }
        let inner = |it: &Value| Box::new(self.resolve_at(it, (at, depth + 1)));
        let resolved = match of {
            Value::Variable(name, members) => self.variable(*name, members, (at, depth)),
            Value::Called(name, args) => {
                let args: Vec<Value> = args.iter().map(|it| *inner(it)).collect();
                if args.iter().any(|it| self.may_be_a_flag(it)) {
                    Value::Called(*name, args)
                } else {
                    Value::Unknown
                }
            }
            Value::Not(it) => Value::Not(inner(it)),
            Value::And(a, b) => Value::And(inner(a), inner(b)),
            Value::Or(a, b) => Value::Or(inner(a), inner(b)),
            Value::Equal(a, b) => Value::Equal(inner(a), inner(b)),
            Value::Bits(a, b) => Value::Bits(inner(a), inner(b)),
            Value::Union(a, b) => Value::Union(inner(a), inner(b)),
            Value::Less(a, b, sign) => self.less(inner(a), inner(b), *sign),
            Value::AnyOf(it, values) => {
                Value::AnyOf(inner(it), values.iter().map(|it| *inner(it)).collect())
            }
            other => other.clone(),
        };
        if is_decidable(&resolved) {
            resolved
        } else {
            Value::Unknown
        }
    }

    /// A comparison keeps its sign where the parameter in it is an `int`.
    fn less(&self, left: Box<Value>, right: Box<Value>, sign: Sign) -> Value {
        let is_int = |it: &Value| match it {
            Value::Place(param, members) => {
                let of = self.params.get(usize::from(*param));
                members.is_empty() && of.is_some_and(|it| self.integers.contains(&it.0))
            }
            other => matches!(other, Value::Number(_)),
        };
        let sign = if is_int(&left) && is_int(&right) {
            sign
        } else {
            Sign::Unclear
        };
        Value::Less(left, right, sign)
    }

    /// Whether it is a parameter that is no pointer to a struct: of those, callers pass constants.
    fn may_be_a_flag(&self, value: &Value) -> bool {
        let Value::Place(param, members) = value else {
            return false;
        };
        let of = self.params.get(usize::from(*param)).map(|it| it.1);
        members.is_empty() && of.is_some_and(|it| !matches!(it, TypeRef::Tag(_)))
    }

    fn variable(&self, name: Sym, members: &[Sym], (at, depth): (u32, u32)) -> Value {
        let changes = self.changed.get(&name).copied().unwrap_or_default();
        if let Some(index) = self.params.iter().position(|it| it.0 == name) {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let intact = self.intact.get(&name).copied().unwrap_or_default();
            return if changes == 0 || at < intact.min(self.first_label) {
                Value::Place(index, members.to_vec())
            } else {
                Value::Unknown
            };
        }
        if members.is_empty()
            && let Some(null) = self.null(name, at)
        {
            return null;
        }
        let definition = self.definitions.get(&name).filter(|_| changes == 1);
        match definition.map(|it| self.resolve_at(it, (at, depth + 1))) {
            Some(Value::Place(index, mut before)) => {
                before.extend_from_slice(members);
                Value::Place(index, before)
            }
            // A constant may be changed by a macro that the variable is given to, such as a loop.
            Some(other)
                if members.is_empty() && (has_place(&other) || self.constants.contains(&name)) =>
            {
                other
            }
            _ => Value::Unknown,
        }
    }
}

impl Names<'_> {
    /// A variable that is `NULL` first, where that may be all that it was so far.
    fn null(&self, name: Sym, at: u32) -> Option<Value> {
        let settings = self.settings.get(&name)?;
        let sets = settings.deciding()?.iter();
        let comes_back = at >= self.first_label;
        let mut before = sets
            .filter(|it| it.1 < at || comes_back || settings.first != First::DeclaredNull)
            .map(|it| it.0)
            .peekable();
        if before.peek().is_none() {
            let is_certain = !comes_back && at <= settings.handed;
            return is_certain.then_some(Value::Number(0));
        }
        let all_guarded = before.clone().all(|it| self.guarded.contains(&it));
        all_guarded.then(|| Value::NullUnless(before.collect()))
    }
}

fn has_place(value: &Value) -> bool {
    match value {
        Value::Place(..) | Value::Called(..) => true,
        Value::Not(it) | Value::AnyOf(it, _) => has_place(it),
        other => other.sides().into_iter().flatten().any(has_place),
    }
}

/// Whether some knowledge of the parameters may decide it.
fn is_decidable(value: &Value) -> bool {
    match value {
        Value::Unknown | Value::Variable(..) => false,
        Value::Number(_)
        | Value::Constant(_)
        | Value::Place(..)
        | Value::NullUnless(_)
        | Value::Called(..) => true,
        Value::Not(it) => is_decidable(it),
        Value::And(a, b) | Value::Or(a, b) | Value::Bits(a, b) => {
            is_decidable(a) || is_decidable(b)
        }
        Value::Equal(a, b) | Value::Union(a, b) | Value::Less(a, b, _) => {
            is_decidable(a) && is_decidable(b)
        }
        Value::AnyOf(it, values) => is_decidable(it) && values.iter().all(is_decidable),
    }
}

pub(super) fn operator<'a>(text: Text<'a>, node: Node<'_>) -> &'a [u8] {
    node.field(Field::Operator)
        .map(|it| text.of(it))
        .unwrap_or_default()
}

/// The parameters of a function that are declared as `int`.
pub(super) fn integers(text: Text<'_>, root: Node<'_>) -> FxHashSet<Sym> {
    let mut roots = std::iter::once(root).chain(root.children());
    let function = roots.find(|it| it.kind() == Kind::FunctionDefinition);
    let mut declarator = function.and_then(|it| it.field(Field::Declarator));
    let mut list = None;
    while let Some(it) = declarator {
        list = list.or_else(|| it.field(Field::Parameters));
        declarator = it.field(Field::Declarator);
    }
    let of_int = |it: Node<'_>| {
        let name = it.field(Field::Declarator)?;
        let is_plain = name.kind() == Kind::Identifier;
        (is_plain && text.of(it.field(Field::Type)?) == b"int").then(|| text.sym(name))
    };
    let parameters = list.into_iter().flat_map(Node::children);
    parameters.filter_map(of_int).collect()
}

/// Reads an expression.
pub(super) fn value(text: Text<'_>, node: Node<'_>, depth: u32) -> Value {
    if depth > MAX_VALUE_DEPTH {
        return Value::Unknown;
    }
    let inner = |it: Option<Node<'_>>| it.map_or(Value::Unknown, |it| value(text, it, depth + 1));
    let both = |make: fn(Box<Value>, Box<Value>) -> Value| {
        make(
            Box::new(inner(node.field(Field::Left))),
            Box::new(inner(node.field(Field::Right))),
        )
    };
    let less = |(left, right): (Field, Field)| {
        let sides = [left, right].map(|it| node.field(it));
        let mut spelled = sides.iter().flatten().map(|it| text.of(*it));
        let sign = if spelled.any(is_unsigned_number) {
            Sign::Unclear
        } else {
            Sign::Kept
        };
        let [left, right] = sides.map(|it| Box::new(inner(it)));
        Value::Less(left, right, sign)
    };
    match node.kind() {
        Kind::ParenthesizedExpression => inner(node.children().next()),
        Kind::Identifier | Kind::NumberLiteral => leaf(text, node),
        Kind::FieldExpression => {
            match (
                inner(node.field(Field::Argument)),
                node.field(Field::Member),
            ) {
                (Value::Variable(name, mut members), Some(field)) => {
                    members.push(text.sym(field));
                    Value::Variable(name, members)
                }
                _ => Value::Unknown,
            }
        }
        Kind::UnaryExpression => match (operator(text, node), inner(node.field(Field::Argument))) {
            (b"!", Value::Unknown) => Value::Unknown,
            (b"!", it) => Value::Not(Box::new(it)),
            (b"-", Value::Number(it)) => Value::Number(-it),
            _ => Value::Unknown,
        },
        Kind::BinaryExpression => match operator(text, node) {
            b"&&" => both(Value::And),
            b"||" => both(Value::Or),
            b"==" => both(Value::Equal),
            b"!=" => Value::Not(Box::new(both(Value::Equal))),
            b"&" => both(Value::Bits),
            b"|" => both(Value::Union),
            b"<" => less((Field::Left, Field::Right)),
            b">" => less((Field::Right, Field::Left)),
            b">=" => Value::Not(Box::new(less((Field::Left, Field::Right)))),
            b"<=" => Value::Not(Box::new(less((Field::Right, Field::Left)))),
            _ => Value::Unknown,
        },
        // likely(x), unlikely(x) and WARN_ON(x) are worth x.
        Kind::CallExpression => {
            let name = node
                .field(Field::Function)
                .map(|it| text.of(it))
                .unwrap_or_default();
            if matches!(
                name,
                b"likely" | b"unlikely" | b"WARN_ON" | b"WARN_ON_ONCE" | b"READ_ONCE"
            ) {
                inner(
                    node.field(Field::Arguments)
                        .and_then(|it| it.children().next()),
                )
            } else {
                called(text, node, depth)
            }
        }
        // true, false, NULL
        _ => match expr(text, node) {
            Expr::Const(it) => Value::Number(it),
            _ => Value::Unknown,
        },
    }
}

/// A call by name that hands on a variable.
fn called(text: Text<'_>, node: Node<'_>, depth: u32) -> Value {
    let function = node.field(Field::Function);
    let name = function.filter(|it| it.kind() == Kind::Identifier);
    let (Some(name), Some(list)) = (name, node.field(Field::Arguments)) else {
        return Value::Unknown;
    };
    let args = list.children().map(|it| match value(text, it, depth + 1) {
        known @ (Value::Number(_) | Value::Constant(_) | Value::Variable(..)) => known,
        _ => Value::Unknown,
    });
    let args: Vec<Value> = args.collect();
    let is_plain = |it: &Value| matches!(it, Value::Variable(_, members) if members.is_empty());
    if args.len() <= MAX_ARGUMENTS && args.iter().any(is_plain) {
        Value::Called(text.sym(name), args)
    } else {
        Value::Unknown
    }
}

fn leaf(text: Text<'_>, node: Node<'_>) -> Value {
    let spelled = text.of(node);
    match expr(text, node) {
        Expr::Const(it) => Value::Number(it),
        Expr::Name(name) if is_constant(spelled) => Value::Constant(name),
        Expr::Name(name) => Value::Variable(name, Vec::new()),
        _ => Value::Unknown,
    }
}

fn is_unsigned_number(spelled: &[u8]) -> bool {
    let digits = spelled.iter().find(|it| it.is_ascii_alphanumeric());
    digits.is_some_and(u8::is_ascii_digit) && spelled.iter().any(|it| matches!(it, b'u' | b'U'))
}

fn is_constant(name: &[u8]) -> bool {
    name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase)
}

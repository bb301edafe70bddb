//! Expressions and types from the tree.

use super::{Expr, TypeRef};
use crate::lex::{Sym, words};
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

/// Expressions nest this deep at most; what lies deeper is unknown.
const MAX_DEPTH: u32 = 24;

/// The text of an item: as it is, and as the grammar read it.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) original: &'a [u8],
    pub(crate) clean: &'a [u8],
    /// Bytes that stand before the item's first byte in both texts.
    pub(crate) shift: u32,
}

impl<'a> Text<'a> {
    pub(crate) fn of(self, node: Node<'_>) -> &'a [u8] {
        self.clean.get(node.byte_range()).unwrap_or_default()
    }

    pub(crate) fn sym(self, node: Node<'_>) -> Sym {
        Sym::of(self.of(node))
    }

    pub(crate) fn offset(self, node: Node<'_>) -> u32 {
        (node.start_byte() as u32).saturating_sub(self.shift)
    }
}

/// Reads an expression.
pub(crate) fn expr(text: Text<'_>, node: Node<'_>) -> Expr {
    expr_at(text, node, 0)
}

/// As [`expr`], of what is called, or kept to be: a member that is cast to the type of a pointer is that member.
pub(crate) fn callable(text: Text<'_>, node: Node<'_>) -> Expr {
    let mut inner = node;
    for _ in 0..MAX_DEPTH {
        let next = match inner.kind() {
            Kind::ParenthesizedExpression => inner.children().next(),
            Kind::CastExpression => {
                let of = inner.field(Field::Type).map(|it| type_ref(text, it));
                let is_struct = matches!(of, Some(TypeRef::Tag(_)));
                inner.field(Field::Value).filter(|_| !is_struct)
            }
            Kind::PointerExpression => inner.field(Field::Argument),
            Kind::FieldExpression | Kind::SubscriptExpression | Kind::Identifier => {
                return expr(text, inner);
            }
            _ => None,
        };
        let Some(next) = next else { break };
        inner = next;
    }
    expr(text, node)
}

fn expr_at(text: Text<'_>, node: Node<'_>, depth: u32) -> Expr {
    if depth > MAX_DEPTH {
        return Expr::Unknown;
    }
    let inner = |node| expr_at(text, node, depth + 1);
    match node.kind() {
        Kind::Identifier => name_or_type(text, node),
        Kind::FieldExpression => match (node.field(Field::Argument), node.field(Field::Member)) {
            (Some(object), Some(field)) => Expr::Member(Box::new(inner(object)), text.sym(field)),
            _ => Expr::Unknown,
        },
        Kind::CallExpression => match node.field(Field::Function) {
            Some(callee) if words::is_read(text.of(callee)) => {
                let list = node.field(Field::Arguments);
                let first = list.and_then(|it| it.children().next());
                first.map_or(Expr::Unknown, inner)
            }
            Some(callee) if callee.kind() == Kind::Identifier => Expr::Call(
                text.sym(callee),
                node.field(Field::Arguments)
                    .map_or_else(Vec::new, |it| each_child(it, inner)),
            ),
            _ => Expr::Unknown,
        },
        Kind::ParenthesizedExpression | Kind::ExpressionStatement => {
            node.children().next().map_or(Expr::Unknown, inner)
        }
        Kind::PointerExpression | Kind::SubscriptExpression => {
            node.field(Field::Argument).map_or(Expr::Unknown, inner)
        }
        Kind::CastExpression => {
            let typed = node
                .field(Field::Type)
                .map_or(TypeRef::Unknown, |it| type_ref(text, it));
            match (typed, node.field(Field::Value)) {
                (TypeRef::Unknown, Some(value)) => inner(value),
                // A cast function is still that function.
                (TypeRef::Name(_), Some(value)) if matches!(value.kind(), Kind::Identifier) => {
                    inner(value)
                }
                _ => Expr::Typed(typed),
            }
        }
        Kind::CompoundLiteral => Expr::Typed(
            node.field(Field::Type)
                .map_or(TypeRef::Unknown, |it| type_ref(text, it)),
        ),
        Kind::ConditionalExpression => {
            // `a ?: b`
            let first = node.field(Field::Consequence);
            let first = first.or_else(|| node.field(Field::Condition));
            let first = first.map_or(Expr::Unknown, inner);
            let second = node.field(Field::Alternative).map_or(Expr::Unknown, inner);
            Expr::Either(Box::new(first), Box::new(second))
        }
        // Which one is meant is up to types that are not looked at.
        Kind::GenericExpression => node
            .children()
            .skip(1)
            .filter(|it| it.kind() == Kind::Identifier)
            .map(inner)
            .reduce(|first, second| Expr::Either(Box::new(first), Box::new(second)))
            .unwrap_or_default(),
        Kind::AssignmentExpression | Kind::CommaExpression => {
            node.field(Field::Right).map_or(Expr::Unknown, inner)
        }
        Kind::NumberLiteral => number(text.of(node)),
        Kind::UnaryExpression => match node.field(Field::Argument).map(inner) {
            Some(Expr::Const(value)) if text.of(node).first() == Some(&b'-') => Expr::Const(-value),
            _ => Expr::Unknown,
        },
        // The value of a statement expression is that of its last statement.
        Kind::CompoundStatement => node.children().last().map_or(Expr::Unknown, inner),
        _ => literal(text.of(node)),
    }
}

/// What `of` says of each child, in a list of the right size.
pub(super) fn each_child<'t, T>(node: Node<'t>, of: impl FnMut(Node<'t>) -> T) -> Vec<T> {
    let mut all = Vec::with_capacity(node.children().count());
    all.extend(node.children().map(of));
    all
}

fn literal(text: &[u8]) -> Expr {
    match text {
        b"true" => Expr::Const(1),
        b"false" | b"NULL" => Expr::Const(0),
        _ => Expr::Unknown,
    }
}

fn number(text: &[u8]) -> Expr {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let digits = text.trim_end_matches(['u', 'l']);
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    value.map_or(Expr::Unknown, Expr::Const)
}

/// Reads an identifier; the cleaner made one word of a type that was a macro's argument.
fn name_or_type(text: Text<'_>, node: Node<'_>) -> Expr {
    let clean = text.of(node);
    let original = text.original.get(node.byte_range()).unwrap_or_default();
    if clean != original && original.iter().any(u8::is_ascii_whitespace) {
        let mut words = original
            .split(|it| !(it.is_ascii_alphanumeric() || *it == b'_'))
            .filter(|it| !it.is_empty());
        return match words
            .find(|it| matches!(*it, b"struct" | b"union"))
            .and_then(|_| words.next())
        {
            Some(tag) => Expr::Typed(TypeRef::Tag(Sym::of(tag))),
            None => Expr::Unknown,
        };
    }
    match literal(clean) {
        Expr::Unknown if !words::is_keyword(clean) => Expr::Name(Sym::of(clean)),
        constant => constant,
    }
}

/// Reads a type node, or a declaration's `type` field.
pub(crate) fn type_ref(text: Text<'_>, node: Node<'_>) -> TypeRef {
    match node.kind() {
        Kind::StructSpecifier | Kind::UnionSpecifier => node
            .field(Field::Name)
            .map_or(TypeRef::Unknown, |it| TypeRef::Tag(text.sym(it))),
        Kind::TypeIdentifier => TypeRef::Name(text.sym(node)),
        Kind::TypeDescriptor => node
            .field(Field::Type)
            .map_or(TypeRef::Unknown, |it| type_ref(text, it)),
        _ => TypeRef::Unknown,
    }
}

/// The name that a declarator declares, and whether it declares an array.
pub(crate) fn declared(text: Text<'_>, mut node: Node<'_>) -> Option<(Sym, bool)> {
    let mut is_array = false;
    for _ in 0..MAX_DEPTH {
        match node.kind() {
            Kind::Identifier | Kind::FieldIdentifier | Kind::TypeIdentifier => {
                return Some((text.sym(node), is_array));
            }
            Kind::ArrayDeclarator => is_array = true,
            _ => {}
        }
        node = match node.field(Field::Declarator) {
            Some(inner) => inner,
            None => node.children().find(|it| {
                matches!(
                    it.kind(),
                    Kind::Identifier
                        | Kind::FieldIdentifier
                        | Kind::TypeIdentifier
                        | Kind::PointerDeclarator
                        | Kind::ArrayDeclarator
                        | Kind::FunctionDeclarator
                        | Kind::ParenthesizedDeclarator
                        | Kind::AttributedDeclarator
                )
            })?,
        };
    }
    None
}

/// Whether a declarator declares a pointer to a function.
pub(crate) fn declares_function_pointer(mut node: Node<'_>) -> bool {
    for _ in 0..MAX_DEPTH {
        if node.kind() == Kind::FunctionDeclarator {
            return true;
        }
        match node.field(Field::Declarator) {
            Some(inner) => node = inner,
            None => return false,
        }
    }
    false
}

//! What statements and conditions come to: whether control goes on behind them, whether they speak of a failure.

use super::expr::Text;
use super::value::operator;
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

const MAX_DEPTH: u32 = 400;
/// A function of more statements is none that only decides.
const MAX_STATEMENTS: usize = 16;

/// Whether a function is small and does nothing but test and return, so that its returns say all that it is worth.
pub(super) fn decides_only(root: Node<'_>) -> bool {
    let mut roots = std::iter::once(root).chain(root.children());
    let function = roots.find(|it| it.kind() == Kind::FunctionDefinition);
    let Some(body) = function.and_then(|it| it.field(Field::Body)) else {
        return false;
    };
    let mut inside: Vec<Node<'_>> = body.children().collect();
    let mut count = 0;
    while let Some(it) = inside.pop() {
        count += 1;
        match it.kind() {
            Kind::IfStatement => inside.extend(
                [Field::Consequence, Field::Alternative]
                    .iter()
                    .filter_map(|arm| it.field(*arm)),
            ),
            Kind::CompoundStatement | Kind::ElseClause => inside.extend(it.children()),
            Kind::ReturnStatement | Kind::Declaration => {}
            _ => return false,
        }
        if count > MAX_STATEMENTS {
            return false;
        }
    }
    body.children().last().is_some_and(leaves)
}

/// Whether control never comes out at the statement's end.
pub(super) fn leaves(statement: Node<'_>) -> bool {
    match statement.kind() {
        kind if kind.is_jump() => true,
        Kind::CompoundStatement | Kind::ElseClause => {
            statement.children().last().is_some_and(leaves)
        }
        Kind::IfStatement => {
            statement.field(Field::Consequence).is_some_and(leaves)
                && statement.field(Field::Alternative).is_some_and(leaves)
        }
        _ => false,
    }
}

/// Whether a condition, with that outcome, says that something failed: `err`, `ret < 0`, `x == -ENOSPC`, `IS_ERR(x)`.
pub(super) fn is_failure(text: Text<'_>, condition: Node<'_>, holds: bool, depth: u32) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let depth = depth + 1;
    let is_negative = |it: Option<Node<'_>>| it.is_some_and(|it| text.of(it).starts_with(b"-E"));
    let is_zero = |it: Option<Node<'_>>| it.is_some_and(|it| text.of(it) == b"0");
    let (left, right) = (condition.field(Field::Left), condition.field(Field::Right));
    let inner =
        |it: Option<Node<'_>>, holds| it.is_some_and(|it| is_failure(text, it, holds, depth));
    match condition.kind() {
        Kind::ParenthesizedExpression => inner(condition.children().next(), holds),
        Kind::Identifier => {
            holds
                && matches!(
                    text.of(condition),
                    b"err" | b"error" | b"ret" | b"rc" | b"retval" | b"status"
                )
        }
        Kind::UnaryExpression if operator(text, condition) == b"!" => {
            inner(condition.field(Field::Argument), !holds)
        }
        Kind::BinaryExpression => match operator(text, condition) {
            b"&&" if holds => inner(left, true) || inner(right, true),
            b"||" if holds => inner(left, true) && inner(right, true),
            b"==" => holds && is_negative(right),
            b"!=" => !holds && is_negative(right),
            b"<" => holds && is_zero(right) && inner(left, true),
            _ => false,
        },
        Kind::CallExpression => {
            let name = condition.field(Field::Function).map(|it| text.of(it));
            match name.unwrap_or_default() {
                b"IS_ERR" | b"IS_ERR_OR_NULL" => holds,
                b"likely" | b"unlikely" | b"WARN_ON" | b"WARN_ON_ONCE" => inner(
                    condition
                        .field(Field::Arguments)
                        .and_then(|it| it.children().next()),
                    holds,
                ),
                _ => false,
            }
        }
        _ => false,
    }
}

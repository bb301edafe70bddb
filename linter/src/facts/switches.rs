//! The cases of a `switch`: their values, and which of them never come out behind it.

use super::expr::Text;
use super::outcomes::leaves;
use super::value::{Value, value};
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

const MAX_DEPTH: u32 = 400;

/// What a case stands for; `None` for `default`. A range is not understood.
pub(super) fn case_value(text: Text<'_>, case: Node<'_>) -> Option<Value> {
    let it = case.field(Field::Value)?;
    let behind = text.clean.get(it.end_byte()..).unwrap_or_default();
    let is_one = behind.trim_ascii_start().starts_with(b":");
    Some(if is_one {
        value(text, it, 0)
    } else {
        Value::Unknown
    })
}

/// The cases of a switch, each with whether control that enters there never reaches what follows the switch.
///
/// `None` where the cases do not say all: one stands inside another statement, a label is jumped to, or the grammar
/// did not understand one.
pub(super) fn leaving_cases(switch: Node<'_>) -> Option<Vec<(Node<'_>, bool)>> {
    let body = switch.field(Field::Body)?;
    let mut cases = Vec::new();
    for case in body.children() {
        let is_plain =
            case.kind() == Kind::CaseStatement && case.children().all(|it| is_tame(it, 0));
        if !is_plain {
            return None;
        }
        cases.push((case, false));
    }
    let mut falls_out = true;
    for (case, leaves_there) in cases.iter_mut().rev() {
        let value = case.field(Field::Value);
        let statements = || case.children().filter(|it| Some(*it) != value);
        let ends = statements().last().is_some_and(leaves);
        falls_out = statements().any(|it| breaks(it, 0)) || (!ends && falls_out);
        *leaves_there = !falls_out;
    }
    Some(cases)
}

/// Whether nothing in a statement is entered from elsewhere, or not understood.
fn is_tame(node: Node<'_>, depth: u32) -> bool {
    let is_wild = matches!(
        node.kind(),
        Kind::LabeledStatement | Kind::CaseStatement | Kind::Error
    );
    // The cases of a switch inside are its own.
    let is_switch = node.kind() == Kind::SwitchStatement;
    let inside = |it: Node<'_>| {
        let own = is_switch && it.kind() == Kind::CompoundStatement;
        if own {
            it.children()
                .flat_map(Node::children)
                .all(|it| is_tame(it, depth + 2))
        } else {
            is_tame(it, depth + 1)
        }
    };
    !is_wild && depth < MAX_DEPTH && node.children().all(inside)
}

/// Whether a `break` in a statement leaves the switch around it.
fn breaks(node: Node<'_>, depth: u32) -> bool {
    match node.kind() {
        Kind::BreakStatement => true,
        Kind::WhileStatement | Kind::ForStatement | Kind::DoStatement | Kind::SwitchStatement => {
            false
        }
        _ => depth > MAX_DEPTH || node.children().any(|it| breaks(it, depth + 1)),
    }
}

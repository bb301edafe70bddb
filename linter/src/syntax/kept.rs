//! Lookups that keep a reference of their own to the inode that they return: whoever drops theirs drops not the last.

use super::Node;
use super::flow::declared_name;
use super::idioms::mentions;
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, squeeze};
use crate::kernel::{GRABS, PUBLISHERS};

/// Whether a function puts the inode that it returns into a slot of some object with a reference for that, and gives
/// out what is in that slot with another one.
///
/// `if ((inode = *slot)) return igrab(inode); inode = find(); if (!cmpxchg(slot, NULL, inode)) igrab(inode); return inode;`
pub(crate) fn keeps(root: Node<'_>, text: &[u8]) -> bool {
    let mut returned: Vec<String> = Vec::new();
    root.preorder().for_each(|node| {
        if node.kind() == Kind::ReturnStatement
            && let Some(it) = node.named_children().next()
            && it.kind() == Kind::Identifier
        {
            returned.push(fold(it, text));
        }
    });
    returned.sort();
    returned.dedup();
    returned.iter().any(|variable| {
        let slots = slots(root, variable, text);
        slots
            .iter()
            .any(|it| is_given_out(root, variable, it, text))
    })
}

/// Where the variable is stored beside a call that takes a reference on it.
fn slots(root: Node<'_>, variable: &str, text: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    root.preorder().for_each(|node| {
        let stored = match node.kind() {
            Kind::AssignmentExpression => {
                let place = node.field(Field::Left);
                let place = place.filter(|it| it.kind() != Kind::Identifier);
                let value = node.field(Field::Right).map(|it| squeeze(it, text));
                place.filter(|_| value.is_some_and(|it| mentions(&it, variable)))
            }
            Kind::CallExpression => {
                let publishes =
                    call_name(node, text).is_some_and(|it| PUBLISHERS.contains(&it.as_ref()));
                let values = (1..3).filter_map(|it| call_argument(node, it));
                let mut values = values.filter(|it| squeeze(*it, text) == variable);
                (publishes && values.next().is_some())
                    .then(|| call_argument(node, 0))
                    .flatten()
            }
            _ => None,
        };
        if let Some(place) = stored
            && is_grabbed_near(node, variable, text)
        {
            found.push(bare(&squeeze(place, text)));
        }
    });
    found
}

/// Whether the statement that holds a node, or one beside it, takes a reference on the variable.
fn is_grabbed_near(node: Node<'_>, variable: &str, text: &[u8]) -> bool {
    let mut statement = node;
    while let Some(parent) = statement.parent() {
        if matches!(parent.kind(), Kind::CompoundStatement | Kind::CaseStatement) {
            break;
        }
        statement = parent;
    }
    let beside = [
        Some(statement),
        statement.prev_named_sibling(),
        statement.next_named_sibling(),
    ];
    let mut near = beside.into_iter().flatten();
    near.any(|it| grabs(it, variable, text))
}

fn grabs(within: Node<'_>, variable: &str, text: &[u8]) -> bool {
    within.preorder().any(|node| {
        node.kind() == Kind::CallExpression
            && call_name(node, text).is_some_and(|it| GRABS.contains(&it.as_ref()))
            && call_argument(node, 0).is_some_and(|it| squeeze(it, text) == variable)
    })
}

/// Whether the variable also gets what the slot holds, with a reference of its own.
fn is_given_out(root: Node<'_>, variable: &str, slot: &str, text: &[u8]) -> bool {
    root.preorder().any(|node| {
        let (target, value) = match node.kind() {
            Kind::AssignmentExpression => {
                let target = node.field(Field::Left).map(|it| fold(it, text));
                (target, node.field(Field::Right))
            }
            Kind::InitDeclarator => {
                let target = node.field(Field::Declarator);
                let target = target.and_then(|it| declared_name(it, text));
                (target, node.field(Field::Value))
            }
            _ => return false,
        };
        let (Some(target), Some(value)) = (target, value) else {
            return false;
        };
        if target != variable {
            return false;
        }
        let grabbed = (value.kind() == Kind::CallExpression)
            .then(|| call_name(value, text))
            .flatten()
            .is_some_and(|it| GRABS.contains(&it.as_ref()));
        let source = if grabbed {
            call_argument(value, 0)
        } else {
            Some(value)
        };
        let source = source.map(|it| bare(&squeeze(it, text)));
        let is_slot = source.is_some_and(|it| {
            it.strip_prefix(slot)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("->"))
        });
        is_slot && (grabbed || is_grabbed_near(node, variable, text))
    })
}

/// An expression without what only says that it is a place: `&(*arr)` and `*arr` are `arr`.
fn bare(expression: &str) -> String {
    expression
        .chars()
        .filter(|it| !matches!(it, '&' | '*' | '(' | ')'))
        .collect()
}

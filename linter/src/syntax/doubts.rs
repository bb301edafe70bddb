//! What makes one release of an inode harmless, or less of a hazard than the others.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Node;
use super::flow::{self, declared_name};
use super::idioms::{Doubt, Needed, Put};
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, is_spelled, squeeze};
use crate::kernel::{HAND_OVER_PREFIXES, NEW_INODES};

/// Arguments of a call that are looked at.
const MAX_ARGUMENTS: usize = 8;

/// Reason why nobody else has seen the inode yet; `None` where it may be known.
///
/// All values that the variable gets in this function come from allocators: such an inode has no dirty pages, no
/// writeback and no I/O that an eviction could wait for.
pub(super) fn new_inode(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<String> {
    let inode = variable_of(put, text)?;
    let sources = sources(root, &inode, text);
    let allocator = sources.first()?.clone()?;
    sources
        .iter()
        .all(|it| it.as_deref().is_some_and(|it| NEW_INODES.contains(&it)))
        .then(|| {
            format!("the inode comes from {allocator}() in this function and is still being made")
        })
}

/// The function whose results are all that the released variable gets.
pub(super) fn only_source(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<String> {
    let inode = variable_of(put, text)?;
    let sources = sources(root, &inode, text);
    let first = sources.first()?.clone()?;
    let is_filled_in = root.preorder().any(|it| {
        it.kind() == Kind::PointerExpression && squeeze(it, text).strip_prefix('&') == Some(&inode)
    });
    let is_only = sources.iter().all(|it| it.as_ref() == Some(&first));
    (is_only && !is_filled_in).then_some(first)
}

/// What speaks against a deadlock at this release.
pub(super) fn doubt(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<Doubt> {
    other_arm(put, text).or_else(|| rejected(root, put, text))
}

/// The other arm of the `if` around the release hands the same object to a worker: the code has chosen already. What
/// follows an `if` that leaves is its other arm.
fn other_arm(put: Put<'_>, text: &[u8]) -> Option<Doubt> {
    let argument = squeeze(put.inode()?, text);
    let object = flow::root_name(&argument).to_owned();
    let mut child = put.call;
    while let Some(parent) = child.parent() {
        let name = match parent.kind() {
            Kind::IfStatement => {
                let arms = [Field::Consequence, Field::Alternative].map(|it| parent.field(it));
                let is_arm = arms.contains(&Some(child));
                let other = arms.into_iter().flatten().find(|it| *it != child);
                let other = other.filter(|_| is_arm);
                other.and_then(|it| handed_over(it, &object, text))
            }
            Kind::CompoundStatement => {
                let mut left = left_before(child);
                left.find_map(|it| handed_over(it, &object, text))
            }
            _ => None,
        };
        if let Some(name) = name {
            return Some(Doubt::OtherArmDefers(name));
        }
        child = parent;
    }
    None
}

/// The blocks under conditions before a statement that leave what both stand in; a label has others come in.
fn left_before<'t>(statement: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let leaves = |block: &Node<'t>| {
        let last = block.named_children().last();
        last.is_some_and(|it| it.kind().is_jump())
    };
    let is_label = |it: &Node<'t>| it.kind() == Kind::LabeledStatement;
    let before = std::iter::successors(Some(statement), |it| it.prev_named_sibling());
    let before = before.take_while(move |it| !is_label(it)).skip(1);
    before
        .filter(|it| it.kind() == Kind::IfStatement)
        .filter_map(|it| it.field(Field::Consequence))
        .filter(move |it| it.kind() == Kind::CompoundStatement && leaves(it))
}

fn handed_over(arm: Node<'_>, object: &str, text: &[u8]) -> Option<String> {
    let mut found = None;
    arm.preorder().for_each(|node| {
        if node.kind() != Kind::CallExpression {
            return;
        }
        let Some(name) = call_name(node, text) else {
            return;
        };
        let hands_over = HAND_OVER_PREFIXES.iter().any(|it| name.starts_with(it));
        let same = (0..2).any(|index| {
            call_argument(node, index)
                .is_some_and(|it| flow::root_name(&squeeze(it, text)) == object)
        });
        if hands_over && same && found.is_none() {
            found = Some(name.into_owned());
        }
    });
    found
}

/// The function looked the inode up itself and drops it where it reports failure.
fn rejected(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<Doubt> {
    let (call, inode) = (put.call, variable_of(put, text)?);
    let mut lookups: Vec<String> = sources_at(root, call, &inode, text)
        .into_iter()
        .flatten()
        .filter(|it| is_lookup(it))
        .collect();
    lookups.dedup();
    if lookups.is_empty() {
        return None;
    }
    if is_under(call, ("is_bad_inode", &inode), text) {
        return Some(Doubt::Bad);
    }
    if is_under(call, ("inode_unhashed", &inode), text) {
        return Some(Doubt::Unhashed);
    }
    let lookups = lookups.join("() or ");
    let mut statement = call;
    while let Some(parent) = statement.parent() {
        if parent.kind() == Kind::CompoundStatement || parent.kind() == Kind::CaseStatement {
            break;
        }
        if parent.kind() == Kind::IfStatement && parent.field(Field::Condition) == Some(statement) {
            return None;
        }
        statement = parent;
    }
    fails_after(root, statement, text).then_some(Doubt::Rejected(lookups))
}

/// Whether one of the statements directly after this one reports an error, or goes back to look again.
fn fails_after(root: Node<'_>, statement: Node<'_>, text: &[u8]) -> bool {
    let mut next = statement.next_named_sibling();
    for _ in 0..3 {
        let Some(it) = next else { break };
        let words = fold(it, text);
        let is_error =
            words.contains("ERR_PTR(") || words.contains("ERR_CAST(") || words.contains("= -E");
        match it.kind() {
            Kind::ReturnStatement => {
                return is_error || words.starts_with("return -E") || words == "return NULL;";
            }
            Kind::ExpressionStatement if is_error => return true,
            Kind::GotoStatement => return is_backwards(root, it, text),
            Kind::LabeledStatement => return false,
            _ => {}
        }
        next = it.next_named_sibling();
    }
    false
}

fn is_backwards(root: Node<'_>, goto: Node<'_>, text: &[u8]) -> bool {
    let label_of = |it: Node<'_>| it.field(Field::Label).map(|it| fold(it, text));
    let wanted = label_of(goto);
    let mut found = false;
    root.preorder().for_each(|node| {
        found |= node.kind() == Kind::LabeledStatement
            && node.start_byte() < goto.start_byte()
            && label_of(node) == wanted;
    });
    found
}

/// Whether the call runs only where a test of the inode holds.
///
/// Of an unhashed inode, and a bad one is, the last `iput()` always evicts: it is not kept in the cache.
fn is_under(call: Node<'_>, (test, inode): (&str, &str), text: &[u8]) -> bool {
    let test = format!("{test}({inode})");
    let mut node = call;
    while let Some(parent) = node.parent() {
        if parent.kind() == Kind::IfStatement
            && parent.field(Field::Consequence) == Some(node)
            && parent.field(Field::Condition).is_some_and(|it| {
                let condition = squeeze(it, text);
                let mut parts = condition.split("&&");
                parts.any(|it| {
                    let bare = it.trim_start_matches('(').trim_start_matches("unlikely(");
                    bare.starts_with(&test)
                }) && !condition.contains("||")
            })
        {
            return true;
        }
        node = parent;
    }
    false
}

/// The members that the conditions around a call test, as far as all of a condition must hold; and those around the
/// only place that gives the variable anything but `NULL`.
pub(super) fn needs(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Vec<Needed> {
    let mut found = needs_around(put.call, text);
    let giver = variable_of(put, text).and_then(|it| only_giver(root, &it, text));
    found.extend(giver.into_iter().flat_map(|it| needs_around(it, text)));
    found
}

/// The one place where a variable that is `NULL` at first gets a value, or where its address is handed on.
fn only_giver<'t>(root: Node<'t>, variable: &str, text: &[u8]) -> Option<Node<'t>> {
    let (mut found, mut starts_null, mut is_one) = (None, false, true);
    root.preorder().for_each(|node| {
        let is_null = |it: Option<Node<'_>>| it.is_some_and(|it| fold(it, text) == "NULL");
        let is_it = |it: Option<Node<'_>>| {
            it.and_then(|it| declared_name(it, text)).as_deref() == Some(variable)
        };
        let gives = match node.kind() {
            Kind::AssignmentExpression => {
                let left = node.field(Field::Left).map(|it| fold(it, text));
                left.as_deref() == Some(variable) && !is_null(node.field(Field::Right))
            }
            Kind::InitDeclarator if is_it(node.field(Field::Declarator)) => {
                starts_null = is_null(node.field(Field::Value));
                false
            }
            Kind::PointerExpression => squeeze(node, text).strip_prefix('&') == Some(variable),
            _ => false,
        };
        if gives {
            is_one &= found.is_none();
            found = Some(node);
        }
    });
    found.filter(|_| starts_null && is_one)
}

fn needs_around(call: Node<'_>, text: &[u8]) -> Vec<Needed> {
    let mut found = Vec::new();
    let mut node = call;
    while let Some(parent) = node.parent() {
        let arms = [(Field::Consequence, true), (Field::Alternative, false)];
        let arm = arms.iter().find(|it| parent.field(it.0) == Some(node));
        if let (Kind::IfStatement, Some((_, holds))) = (parent.kind(), arm)
            && let Some(condition) = parent.field(Field::Condition)
        {
            test(condition, *holds, text, &mut found);
        }
        node = parent;
    }
    found
}

fn test(condition: Node<'_>, holds: bool, text: &[u8], found: &mut Vec<Needed>) {
    let operator = condition.field(Field::Operator).map(|it| fold(it, text));
    match (condition.kind(), operator.as_deref()) {
        (Kind::ParenthesizedExpression, _) => {
            for inner in condition.children() {
                test(inner, holds, text, found);
            }
        }
        (Kind::UnaryExpression, Some("!")) => {
            if let Some(inner) = condition.field(Field::Argument) {
                test(inner, !holds, text, found);
            }
        }
        (Kind::BinaryExpression, Some("&&")) if holds => {
            for side in [Field::Left, Field::Right] {
                if let Some(inner) = condition.field(side) {
                    test(inner, true, text, found);
                }
            }
        }
        (Kind::FieldExpression, _) => {
            found.extend(condition.field(Field::Member).map(|it| Needed {
                member: fold(it, text),
                is_zero: !holds,
                offset: it.start_byte(),
            }));
        }
        _ => {}
    }
}

/// One `object->member = value` of a function.
pub(crate) struct Setting<'t> {
    pub(crate) object: Node<'t>,
    pub(crate) member: String,
    pub(crate) value: String,
    /// One past it, in bytes of the text handed in.
    pub(crate) end: usize,
    /// Whether it runs whatever the function's conditions are.
    pub(crate) is_certain: bool,
}

/// What a function gives to members of objects, in order.
pub(crate) fn settings<'t>(root: Node<'t>, text: &[u8]) -> Vec<Setting<'t>> {
    let setting = |it: Node<'t>| {
        let left = it.field(Field::Left)?;
        if it.kind() != Kind::AssignmentExpression || left.kind() != Kind::FieldExpression {
            return None;
        }
        let body = it.parent().and_then(Node::parent);
        let is_outermost = body
            .and_then(Node::parent)
            .is_some_and(|it| it.kind() == Kind::FunctionDefinition);
        let operator = it.field(Field::Operator);
        Some(Setting {
            object: left.field(Field::Argument)?,
            member: fold(left.field(Field::Member)?, text),
            value: fold(it.field(Field::Right)?, text),
            end: it.end_byte(),
            is_certain: is_outermost && operator.is_some_and(|it| fold(it, text) == "="),
        })
    };
    root.preorder().filter_map(setting).collect()
}

/// How the function got an inode that is not the one which its callers are about; `None` where it may be that one.
pub(super) fn other_inode(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<String> {
    let mut argument = put.inode()?;
    while argument.kind() == Kind::ParenthesizedExpression {
        argument = argument.children().next()?;
    }
    match argument.kind() {
        Kind::SubscriptExpression => return Some("one of several".to_owned()),
        Kind::FieldExpression => {
            let member = fold(argument.field(Field::Member)?, text);
            let names_a_directory = |it: &str| matches!(it, "dir" | "parent");
            let is_directory = member.split('_').any(names_a_directory);
            return is_directory.then(|| format!("the directory {}", squeeze(argument, text)));
        }
        Kind::Identifier => {}
        _ => return None,
    }
    let inode = fold(argument, text);
    let mut from = sources_at(root, put.call, &inode, text);
    from.extend(fillers(root, &inode, text).into_iter().map(Some));
    let mut from: Vec<String> = from.into_iter().collect::<Option<_>>()?;
    if from.is_empty() || !from.iter().all(|it| gives_another(it)) {
        return None;
    }
    let mut seen = BTreeSet::new();
    from.retain(|it| seen.insert(it.clone()));
    Some(format!("from {}()", from.join("() or ")))
}

/// The functions that get a variable's address.
fn fillers(root: Node<'_>, variable: &str, text: &[u8]) -> Vec<String> {
    let takes = |it: &Node<'_>| {
        it.kind() == Kind::PointerExpression
            && squeeze(*it, text).strip_prefix('&') == Some(variable)
    };
    let of = |it: Node<'_>| {
        let call = it.parent().and_then(Node::parent);
        let call = call.filter(|it| it.kind() == Kind::CallExpression);
        call.and_then(|it| call_name(it, text))
            .unwrap_or_default()
            .into_owned()
    };
    root.preorder().filter(takes).map(of).collect()
}

/// Whether a function's name says that it finds inodes by their number, or makes them, or gives a parent.
fn gives_another(name: &str) -> bool {
    let makes = |it: &str| {
        matches!(
            it,
            "find" | "lookup" | "fetch" | "create" | "new" | "parent"
        )
    };
    let grabs = name.split('_').any(|it| it == "igrab");
    !grabs && (is_lookup(name) || name.split('_').any(makes))
}

/// Whether a function's name says that it finds inodes: `iget5_locked`, `ilookup`, `ext4_iget`.
fn is_lookup(name: &str) -> bool {
    name.split('_')
        .any(|it| matches!(it, "iget" | "iget5" | "ilookup" | "ilookup5" | "igrab"))
        || name.starts_with("find_inode")
}

/// The plain variable that is released.
fn variable_of(put: Put<'_>, text: &[u8]) -> Option<String> {
    let argument = put.inode()?;
    (argument.kind() == Kind::Identifier).then(|| fold(argument, text))
}

/// As [`sources`], but only the last one where nothing else can come between it and the call.
fn sources_at(root: Node<'_>, call: Node<'_>, variable: &str, text: &[u8]) -> Vec<Option<String>> {
    let in_node = |it| {
        let nothing = |value: Node<'_>| is_of_itself(value, variable, text);
        sources_but(it, variable, text, &nothing)
    };
    let mut node = call;
    while let Some(parent) = node.parent() {
        let is_left = match parent.kind() {
            Kind::IfStatement => {
                let condition = parent.field(Field::Condition).filter(|it| *it != node);
                condition.is_some_and(|it| !in_node(it).is_empty())
            }
            Kind::LabeledStatement
            | Kind::CaseStatement
            | Kind::WhileStatement
            | Kind::ForStatement
            | Kind::DoStatement => true,
            _ => false,
        };
        if is_left {
            break;
        }
        let mut before = node.prev_named_sibling();
        while let Some(it) = before.filter(|_| parent.kind() == Kind::CompoundStatement) {
            let given = in_node(it);
            let is_plain = matches!(it.kind(), Kind::ExpressionStatement | Kind::Declaration);
            if given.len() == 1 && is_plain {
                return given;
            }
            if !given.is_empty() || it.kind() == Kind::LabeledStatement {
                return in_node(root);
            }
            before = it.prev_named_sibling();
        }
        node = parent;
    }
    in_node(root)
}

/// What a variable is set to in the function: the names of the functions whose results it gets, `None` for anything
/// else but an error or nothing.
fn sources(root: Node<'_>, variable: &str, text: &[u8]) -> Vec<Option<String>> {
    sources_but(root, variable, text, &|_| false)
}

/// Whether a value is what a function gives back that takes the variable: the same inode, or an error.
fn is_of_itself(value: Node<'_>, variable: &str, text: &[u8]) -> bool {
    value.kind() == Kind::CallExpression
        && (0..MAX_ARGUMENTS)
            .map_while(|it| call_argument(value, it))
            .any(|it| is_spelled(it, text, variable))
}

/// As [`sources`], without the values that are `nothing` else than was there before.
fn sources_but(
    root: Node<'_>,
    variable: &str,
    text: &[u8],
    nothing: &dyn Fn(Node<'_>) -> bool,
) -> Vec<Option<String>> {
    let mut found = Vec::new();
    root.preorder().for_each(|node| {
        let is_declared = || {
            node.field(Field::Declarator)
                .and_then(|it| declared_name(it, text))
                .is_some_and(|it| it == variable)
        };
        let value = match node.kind() {
            Kind::AssignmentExpression => node
                .field(Field::Left)
                .filter(|it| is_spelled(*it, text, variable))
                .and_then(|_| node.field(Field::Right)),
            Kind::InitDeclarator => node.field(Field::Value).filter(|_| is_declared()),
            Kind::ParameterDeclaration => {
                if is_declared() {
                    found.push(None);
                }
                return;
            }
            _ => return,
        };
        if let Some(value) = value {
            let spelled = fold(value, text);
            let is_nothing = spelled == "NULL" || spelled.starts_with("ERR_") || nothing(value);
            let source = if value.kind() == Kind::CallExpression {
                call_name(value, text).map(Cow::into_owned)
            } else {
                None
            };
            if !is_nothing {
                found.push(source);
            }
        }
    });
    found
}

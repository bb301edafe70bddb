//! What makes one release of an inode harmless, or less of a hazard than the others.

use super::Node;
use super::flow::{self, declared_name};
use super::idioms::Doubt;
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, squeeze};
use crate::kernel::{HAND_OVER_PREFIXES, NEW_INODES};

/// Reason why nobody else has seen the inode yet; `None` where it may be known.
///
/// All values that the variable gets in this function come from allocators: such an inode has no dirty pages, no
/// writeback and no I/O that an eviction could wait for.
pub(super) fn new_inode(root: Node<'_>, call: Node<'_>, text: &[u8]) -> Option<String> {
    let inode = argument_of(call, text)?;
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
pub(super) fn only_source(root: Node<'_>, call: Node<'_>, text: &[u8]) -> Option<String> {
    let inode = argument_of(call, text)?;
    let sources = sources(root, &inode, text);
    let first = sources.first()?.clone()?;
    let is_filled_in = root.preorder().any(|it| {
        it.kind() == Kind::PointerExpression && squeeze(it, text).strip_prefix('&') == Some(&inode)
    });
    let is_only = sources.iter().all(|it| it.as_ref() == Some(&first));
    (is_only && !is_filled_in).then_some(first)
}

/// What speaks against a deadlock at this release.
pub(super) fn doubt(root: Node<'_>, call: Node<'_>, text: &[u8]) -> Option<Doubt> {
    other_arm(call, text).or_else(|| rejected(root, call, text))
}

/// The other arm of the `if` around the release hands the same object to a worker: the code has chosen already.
fn other_arm(call: Node<'_>, text: &[u8]) -> Option<Doubt> {
    let argument = squeeze(call_argument(call, 0)?, text);
    let object = flow::root_name(&argument).to_owned();
    let mut child = call;
    while let Some(parent) = child.parent() {
        if parent.kind() == Kind::IfStatement {
            let arms = [Field::Consequence, Field::Alternative].map(|it| parent.field(it));
            if arms.contains(&Some(child)) {
                let other = arms.into_iter().flatten().find(|it| *it != child);
                if let Some(name) = other.and_then(|it| handed_over(it, &object, text)) {
                    return Some(Doubt::OtherArmDefers(name));
                }
            }
        }
        child = parent;
    }
    None
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
            found = Some(name);
        }
    });
    found
}

/// The function looked the inode up itself and drops it where it reports failure.
fn rejected(root: Node<'_>, call: Node<'_>, text: &[u8]) -> Option<Doubt> {
    let inode = argument_of(call, text)?;
    let lookup = sources(root, &inode, text)
        .into_iter()
        .flatten()
        .find(|it| is_lookup(it))?;
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
    (fails_after(root, statement, text) || is_for_bad_inodes(call, text))
        .then_some(Doubt::Rejected(lookup))
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

fn is_for_bad_inodes(call: Node<'_>, text: &[u8]) -> bool {
    let mut node = call;
    while let Some(parent) = node.parent() {
        if parent.kind() == Kind::IfStatement
            && parent.field(Field::Consequence) == Some(node)
            && parent
                .field(Field::Condition)
                .is_some_and(|it| squeeze(it, text).starts_with("(is_bad_inode("))
        {
            return true;
        }
        node = parent;
    }
    false
}

/// Whether a function's name says that it finds inodes: `iget5_locked`, `ilookup`, `ext4_iget`.
fn is_lookup(name: &str) -> bool {
    name.split('_')
        .any(|it| matches!(it, "iget" | "iget5" | "ilookup" | "ilookup5" | "igrab"))
        || name.starts_with("find_inode")
}

/// The plain variable that is released.
fn argument_of(call: Node<'_>, text: &[u8]) -> Option<String> {
    let argument = call_argument(call, 0)?;
    (argument.kind() == Kind::Identifier).then(|| fold(argument, text))
}

/// What a variable is set to in the function: the names of the functions whose results it gets, `None` for anything
/// else but an error or nothing.
fn sources(root: Node<'_>, variable: &str, text: &[u8]) -> Vec<Option<String>> {
    let mut found = Vec::new();
    root.preorder().for_each(|node| {
        let (target, value) = match node.kind() {
            Kind::AssignmentExpression => (
                node.field(Field::Left).map(|it| fold(it, text)),
                node.field(Field::Right),
            ),
            Kind::InitDeclarator => (
                node.field(Field::Declarator)
                    .and_then(|it| declared_name(it, text)),
                node.field(Field::Value),
            ),
            Kind::ParameterDeclaration => {
                let name = node
                    .field(Field::Declarator)
                    .and_then(|it| declared_name(it, text));
                if name.as_deref() == Some(variable) {
                    found.push(None);
                }
                return;
            }
            _ => return,
        };
        if let (Some(target), Some(value)) = (target, value)
            && target == variable
        {
            let spelled = fold(value, text);
            let is_nothing = spelled == "NULL" || spelled.starts_with("ERR_");
            let source = if value.kind() == Kind::CallExpression {
                call_name(value, text)
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

//! `ihold(x); if (!queue_work(…)) iput(x);`: the work that is pending already owns a reference.
//!
//! That holds only where the work belongs to the inode: pending work of a super block holds references to others.

use super::Node;
use super::flow::{self, declared_name};
use super::idioms::Put;
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, squeeze};
use crate::kernel::GRABS;

/// Arguments of a call that are looked at.
const MAX_ARGUMENTS: usize = 8;
/// Variables that stand for expressions are followed so far.
const MAX_STEPS: u32 = 6;

/// Why a release after a grab cannot be the last one: to queue the work failed.
pub(super) fn queue_failed(root: Node<'_>, put: Put<'_>, text: &[u8]) -> Option<String> {
    let inode = put.inode()?;
    let function = Function { root, text };
    let mut child = put.call;
    while let Some(parent) = child.parent() {
        if parent.kind() == Kind::IfStatement {
            let condition = parent.field(Field::Condition)?;
            if let Some((queued, is_true_queued)) = function.queued_in(condition) {
                let on_failure = if is_true_queued {
                    parent.field(Field::Alternative) == Some(child)
                } else {
                    parent.field(Field::Consequence) == Some(child)
                };
                if on_failure && is_hand_over(queued, text) {
                    return function.reason(queued, inode);
                }
            }
        }
        if parent.kind() == Kind::CompoundStatement
            && let Some(queued) = function.queued_and_left(child)
        {
            return function.reason(queued, inode);
        }
        child = parent;
    }
    None
}

/// Only what fails when it is pending already: putting on a list does not fail.
fn is_hand_over(call: Node<'_>, text: &[u8]) -> bool {
    call_name(call, text).is_some_and(|name| {
        ["queue_", "schedule_", "kthread_queue_"]
            .iter()
            .any(|it| name.starts_with(it))
    })
}

/// The one value that a variable, no parameter, gets in a function; `None` where its address is taken.
pub(super) fn only_value<'t>(root: Node<'t>, variable: &str, text: &[u8]) -> Option<Node<'t>> {
    let function = Function { root, text };
    function.only_value(variable).map(|it| it.0)
}

#[derive(Clone, Copy)]
struct Function<'t, 'a> {
    root: Node<'t>,
    text: &'a [u8],
}

impl<'t> Function<'t, '_> {
    fn reason(self, queued: Node<'_>, inode: Node<'_>) -> Option<String> {
        let holds =
            self.is_grabbed_before(queued.start_byte(), inode) && self.belongs(queued, inode);
        let name = call_name(queued, self.text).unwrap_or_default();
        holds.then(|| {
            format!(
                "{name}() failed because the work is pending, and the pending work owns a reference"
            )
        })
    }

    /// The call of which a condition tests the result, kept in a variable or not.
    fn queued_in(self, condition: Node<'t>) -> Option<(Node<'t>, bool)> {
        let (tested, is_true_nonzero) = flow::tested(condition, self.text)?;
        let call = match tested.kind() {
            Kind::Identifier => {
                let (value, end) = self.only_value(&fold(tested, self.text))?;
                (end <= tested.start_byte()).then_some(value)?
            }
            _ => tested,
        };
        (call.kind() == Kind::CallExpression).then_some((call, is_true_nonzero))
    }

    /// The call of `if (queue_work(…)) return;` directly before `statement`.
    fn queued_and_left(self, statement: Node<'t>) -> Option<Node<'t>> {
        let mut before = statement.prev_named_sibling();
        for _ in 0..4 {
            let previous = before?;
            if previous.kind() == Kind::IfStatement {
                let condition = previous.field(Field::Condition)?;
                let (queued, is_true_queued) = self.queued_in(condition)?;
                let leaves = previous
                    .field(Field::Consequence)
                    .is_some_and(|it| fold(it, self.text).contains("return"));
                let is_failure = is_true_queued && leaves && is_hand_over(queued, self.text);
                return is_failure.then_some(queued);
            }
            before = previous.prev_named_sibling();
        }
        None
    }

    fn is_grabbed_before(self, offset: usize, inode: Node<'_>) -> bool {
        let inode = squeeze(inode, self.text);
        let is_grab = |it: Node<'_>| {
            it.kind() == Kind::CallExpression
                && call_name(it, self.text).is_some_and(|it| GRABS.contains(&it.as_ref()))
        };
        let mut before = (self.root.preorder()).filter(|it| it.start_byte() < offset);
        let of_itself = |it: Node<'_>| {
            is_grab(it) && call_argument(it, 0).is_some_and(|it| squeeze(it, self.text) == inode)
        };
        let is_result = || {
            let value = self.only_value(&inode);
            value.is_some_and(|(value, end)| is_grab(value) && end <= offset)
        };
        before.any(of_itself) || is_result()
    }

    /// Whether what is queued is part of the inode, or of the object that holds the inode.
    fn belongs(self, queued: Node<'_>, inode: Node<'_>) -> bool {
        let mut of_inode: Vec<String> = self.object(inode, 0).into_iter().collect();
        if inode.kind() == Kind::FieldExpression {
            let holder = inode.field(Field::Argument);
            of_inode.extend(holder.and_then(|it| self.object(it, 0)));
        }
        let arguments = (0..MAX_ARGUMENTS).map_while(|it| call_argument(queued, it));
        let mut objects = arguments.filter_map(|it| self.object(it, 0));
        objects.any(|it| of_inode.contains(&it))
    }

    /// The object that a pointer points into: `inode` for `&EXAMPLE_I(inode)->work`; `None` where that is not plain.
    fn object(self, pointer: Node<'_>, steps: u32) -> Option<String> {
        if steps > MAX_STEPS {
            return None;
        }
        let inner = |it: Node<'_>| self.object(it, steps + 1);
        match pointer.kind() {
            Kind::ParenthesizedExpression => inner(pointer.children().next()?),
            Kind::Identifier => {
                let name = fold(pointer, self.text);
                let value = self.only_value(&name).map(|it| it.0);
                let value = value.filter(|it| it.kind() != Kind::FieldExpression);
                Some(value.and_then(inner).unwrap_or(name))
            }
            Kind::FieldExpression => Some(squeeze(pointer, self.text)),
            Kind::PointerExpression if self.spelled(pointer).starts_with('&') => {
                self.outer(pointer.field(Field::Argument)?, steps + 1)
            }
            Kind::CallExpression => {
                let name = call_name(pointer, self.text)?;
                let keeps = GRABS.contains(&name.as_ref()) || is_conversion(&name);
                keeps.then(|| call_argument(pointer, 0).and_then(inner))?
            }
            _ => None,
        }
    }

    /// The object that a member is a part of: `a->b.c` is one of `a`.
    fn outer(self, member: Node<'_>, steps: u32) -> Option<String> {
        let mut node = member;
        while node.kind() == Kind::FieldExpression {
            let holder = node.field(Field::Argument)?;
            let between = self.text.get(holder.end_byte()..node.end_byte())?;
            if between.trim_ascii_start().starts_with(b"->") {
                return self.object(holder, steps);
            }
            node = holder;
        }
        (node.kind() == Kind::Identifier).then(|| fold(node, self.text))
    }

    fn spelled(self, node: Node<'_>) -> String {
        fold(node, self.text)
    }

    /// The one value that a variable gets in the function, and where the statement of it ends.
    fn only_value(self, variable: &str) -> Option<(Node<'t>, usize)> {
        let mut found = None;
        for node in self.root.preorder() {
            let is_it = |it: Option<Node<'_>>| {
                it.and_then(|it| declared_name(it, self.text)).as_deref() == Some(variable)
            };
            let is_left = |it: Option<Node<'_>>| it.is_some_and(|it| self.spelled(it) == variable);
            let value = match node.kind() {
                Kind::InitDeclarator if is_it(node.field(Field::Declarator)) => {
                    node.field(Field::Value)
                }
                Kind::AssignmentExpression if is_left(node.field(Field::Left)) => {
                    let is_plain = |it: Node<'_>| self.spelled(it) == "=";
                    let value = node.field(Field::Right);
                    value.filter(|_| node.field(Field::Operator).is_some_and(is_plain))
                }
                Kind::UpdateExpression if is_left(node.field(Field::Argument)) => None,
                Kind::ParameterDeclaration if is_it(node.field(Field::Declarator)) => None,
                Kind::PointerExpression
                    if squeeze(node, self.text).strip_prefix('&') == Some(variable) =>
                {
                    None
                }
                _ => continue,
            };
            if found.is_some() {
                return None;
            }
            found = Some((value?, node.end_byte()));
        }
        found
    }
}

/// Whether a name says that the function or macro gives the object around an inode, or its inode: `EXAMPLE_I`,
/// `example_inode`, `container_of`.
fn is_conversion(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or_default();
    name == "container_of" || matches!(last.to_ascii_lowercase().as_str(), "i" | "ip" | "inode")
}

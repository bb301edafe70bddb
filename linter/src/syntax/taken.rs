//! Variables whose pointer is taken out before their scope ends: a `__free()` of theirs then finds `NULL`.

use super::Node;
use super::flow::declared_name;
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, squeeze};
use crate::kernel::{TAKE_AND_RETURN, TAKES};

/// Statements nested deeper are not followed.
const MAX_DEPTH: usize = 200;

/// Whether the variable that is declared at `offset` holds nothing on every way out of its scope.
///
/// A way on which it was found to be `NULL` or an error is one. What leaves by `goto` counts as still held.
pub(crate) fn is_always_taken(root: Node<'_>, text: &[u8], variable: &str, offset: usize) -> bool {
    let mut declaration = root.innermost_at(offset);
    while declaration.kind() != Kind::Declaration {
        let Some(parent) = declaration.parent() else {
            return false;
        };
        declaration = parent;
    }
    let mut walk = Walk {
        text,
        variable,
        is_released: false,
        loops: 0,
    };
    let mut state = Some(false);
    let mut next = declaration.next_named_sibling();
    while let Some(statement) = next {
        state = walk.statement(statement, state, 0);
        next = statement.next_named_sibling();
    }
    !walk.is_released && state != Some(false)
}

/// Whether the variable is empty; `None` where no way leads.
type State = Option<bool>;

fn join(left: State, right: State) -> State {
    match (left, right) {
        (Some(left), Some(right)) => Some(left && right),
        (left, right) => left.or(right),
    }
}

struct Walk<'a> {
    text: &'a [u8],
    variable: &'a str,
    is_released: bool,
    /// Loops and switches around, within the scope.
    loops: usize,
}

impl Walk<'_> {
    fn statement(&mut self, node: Node<'_>, state: State, depth: usize) -> State {
        if depth > MAX_DEPTH {
            return Some(false);
        }
        let depth = depth + 1;
        match node.kind() {
            Kind::IfStatement => self.branch(node, state, depth),
            Kind::WhileStatement
            | Kind::ForStatement
            | Kind::DoStatement
            | Kind::SwitchStatement => {
                self.loops += 1;
                let body = node.field(Field::Body);
                let after = body.map_or(state, |it| self.statement(it, state, depth));
                self.loops -= 1;
                // Some rounds, or none.
                join(state, after)
            }
            Kind::ReturnStatement => {
                let state = self.leaf(node, state);
                self.leave(state)
            }
            Kind::GotoStatement => self.leave(state),
            Kind::BreakStatement | Kind::ContinueStatement if self.loops == 0 => self.leave(state),
            Kind::CompoundStatement
            | Kind::ElseClause
            | Kind::CaseStatement
            | Kind::LabeledStatement => {
                let mut state = state;
                for child in node.named_children() {
                    state = self.statement(child, state, depth);
                }
                // A label is jumped to from anywhere, a case from the head.
                if matches!(node.kind(), Kind::LabeledStatement | Kind::CaseStatement) {
                    join(Some(false), state)
                } else {
                    state
                }
            }
            _ => self.leaf(node, state),
        }
    }

    fn leave(&mut self, state: State) -> State {
        self.is_released |= state == Some(false);
        None
    }

    fn branch(&mut self, node: Node<'_>, state: State, depth: usize) -> State {
        let (mut yes, mut no) = (state, state);
        if let Some(condition) = node.field(Field::Condition) {
            let after = self.leaf(condition, state);
            (yes, no) = (after, after);
            match self.is_empty_if(condition) {
                Some(true) => yes = yes.map(|_| true),
                Some(false) => no = no.map(|_| true),
                None => {}
            }
        }
        if let Some(arm) = node.field(Field::Consequence) {
            yes = self.statement(arm, yes, depth);
        }
        if let Some(arm) = node.field(Field::Alternative) {
            no = self.statement(arm, no, depth);
        }
        join(yes, no)
    }

    /// The outcome of a test that says that there is nothing to release.
    fn is_empty_if(&self, condition: Node<'_>) -> Option<bool> {
        let spelled = squeeze(condition, self.text);
        let bare = spelled.strip_prefix('(')?.strip_suffix(')')?;
        let bare = ["unlikely(", "likely("]
            .iter()
            .find_map(|it| bare.strip_prefix(it)?.strip_suffix(')'))
            .unwrap_or(bare);
        let (bare, holds) = match bare.strip_prefix('!') {
            Some(inner) => (inner, true),
            None => (bare, false),
        };
        if bare == self.variable {
            return Some(holds);
        }
        let of_error = ["IS_ERR(", "IS_ERR_OR_NULL("]
            .iter()
            .find_map(|it| bare.strip_prefix(it)?.strip_suffix(')'));
        (of_error == Some(self.variable)).then_some(!holds)
    }

    /// Everything without control flow of its own.
    fn leaf(&mut self, node: Node<'_>, mut state: State) -> State {
        for it in node.preorder() {
            match it.kind() {
                Kind::CallExpression => {
                    let name = call_name(it, self.text).unwrap_or_default();
                    let is_taken = TAKES.contains(&name.as_ref())
                        && call_argument(it, 0)
                            .is_some_and(|it| squeeze(it, self.text) == self.variable);
                    if is_taken {
                        state = state.map(|_| true);
                    }
                    if name == TAKE_AND_RETURN {
                        state = self.leave(state);
                    }
                }
                Kind::AssignmentExpression | Kind::InitDeclarator => {
                    let target = if it.kind() == Kind::InitDeclarator {
                        it.field(Field::Declarator)
                            .and_then(|it| declared_name(it, self.text))
                    } else {
                        it.field(Field::Left).map(|it| fold(it, self.text))
                    };
                    if target.as_deref() == Some(self.variable) {
                        state = state.map(|_| false);
                    }
                }
                _ => {}
            }
        }
        state
    }
}

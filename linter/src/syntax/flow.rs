//! A walk over the statements of one function that keeps what holds on every way (locks) and on some
//! way (a counter that may have reached zero).
//!
//! Longer than most files: the walk is one match over statements, and its states belong together.
//!
//! Loops are walked once and backward `goto` is not followed: a drop at a loop's end does not meet
//! the grab of the next round, which is mostly about another inode.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::counts::{CountAccess, CountOp, strip_parens};
use super::guards::{self, Guard};
use super::locks;
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, is_number, squeeze};
use crate::kernel::HAND_OVER_PREFIXES;

/// Statements nested deeper are not followed; a person's code has under 20 levels.
const MAX_DEPTH: usize = 200;

/// Something that matters at one place of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) offset: usize,
    pub(super) kind: EventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventKind {
    /// Index into the accesses.
    Count(usize),
    /// Index into the releases.
    Release(usize),
    /// Takes that inode's `i_lock`.
    Lock(String),
    /// Takes it if its value is true.
    TryLock(String),
    /// Gives it back.
    Unlock(String),
    /// A variable of this name points elsewhere from here on.
    Assign(String),
    /// Something goes to a queue or a list.
    HandOver,
    /// From here on nothing may sleep, for this reason.
    Enter(String),
    /// That reason is gone.
    Leave(String),
    /// All of them are, and all locks.
    LeaveAll,
    /// From here on nothing may sleep, up to the end of a scope.
    Guard(Guard),
}

/// What receives the walk's results.
pub(super) trait Observer {
    /// `locked` holds the inodes whose `i_lock` is held on every way here, `atomic` why else nothing may sleep.
    fn release(&mut self, index: usize, locked: &BTreeSet<String>, atomic: &BTreeSet<String>);
    /// The accesses, to be read and filled in.
    fn accesses(&mut self) -> &mut [CountAccess];
}

impl Observer for Vec<CountAccess> {
    fn release(&mut self, _: usize, _: &BTreeSet<String>, _: &BTreeSet<String>) {}

    fn accesses(&mut self) -> &mut [CountAccess] {
        self
    }
}

/// Locks, assignments and hand-overs of a function, sorted by offset.
pub(super) fn events(root: Node<'_>, text: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    root.preorder().for_each(|node| {
        if let Some((offset, guard)) = guards::guard(node, text) {
            let kind = EventKind::Guard(guard);
            events.push(Event { offset, kind });
            return;
        }
        let kind = match node.kind() {
            Kind::CallExpression => call_event(node, text).or_else(|| locks::event(node, text)),
            Kind::AssignmentExpression => node
                .field(Field::Left)
                .filter(|it| it.kind() == Kind::Identifier)
                .map(|it| EventKind::Assign(fold(it, text))),
            Kind::InitDeclarator => node
                .field(Field::Declarator)
                .and_then(|it| declared_name(it, text))
                .map(EventKind::Assign),
            _ => None,
        };
        if let Some(kind) = kind {
            events.push(Event {
                offset: node.start_byte(),
                kind,
            });
        }
    });
    events.sort_by_key(|it| it.offset);
    events
}

fn call_event(call: Node<'_>, text: &[u8]) -> Option<EventKind> {
    let name = call_name(call, text)?;
    if HAND_OVER_PREFIXES.iter().any(|it| name.starts_with(it)) {
        return Some(EventKind::HandOver);
    }
    if name.contains("_and_lock") {
        return lock_of(call, 1, text).map(EventKind::TryLock);
    }
    let bare = name.strip_prefix("raw_").unwrap_or(&name);
    if bare.starts_with("spin_unlock") {
        lock_of(call, 0, text).map(EventKind::Unlock)
    } else if bare.starts_with("spin_trylock") {
        lock_of(call, 0, text).map(EventKind::TryLock)
    } else if bare.starts_with("spin_lock")
        || matches!(bare, "assert_spin_locked" | "lockdep_assert_held")
    {
        lock_of(call, 0, text).map(EventKind::Lock)
    } else {
        None
    }
}

/// The inode whose `i_lock` is that argument of the call.
fn lock_of(call: Node<'_>, index: usize, text: &[u8]) -> Option<String> {
    let argument = squeeze(call_argument(call, index)?, text);
    let lock = strip_parens(&argument);
    let inode = lock
        .strip_suffix("->i_lock")
        .or_else(|| lock.strip_suffix(".i_lock"))?;
    Some(strip_parens(inode).to_owned())
}

/// The identifier that a declarator declares, under its pointers and arrays.
pub(super) fn declared_name(declarator: Node<'_>, text: &[u8]) -> Option<String> {
    let mut node = declarator;
    for _ in 0..16 {
        if node.kind() == Kind::Identifier {
            return Some(fold(node, text));
        }
        node = node.field(Field::Declarator)?;
    }
    None
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Inodes whose `i_lock` is held on every way here.
    locked: BTreeSet<String>,
    /// Why else nothing may sleep here, on every way.
    atomic: BTreeSet<String>,
    /// Inodes whose counter may be zero, with the offset of the drop.
    zero: BTreeMap<String, usize>,
    /// The guards that are held on every way here.
    guards: Vec<Guard>,
}

impl State {
    /// Why nothing may sleep here.
    fn reasons(&self) -> Cow<'_, BTreeSet<String>> {
        let guards = self.guards.iter().filter(|it| it.inode.is_none());
        let mut guards = guards.map(|it| it.reason.clone()).peekable();
        if guards.peek().is_none() {
            return Cow::Borrowed(&self.atomic);
        }
        Cow::Owned(guards.chain(self.atomic.iter().cloned()).collect())
    }

    /// Gives back what was taken in scopes that end before `offset`.
    fn leave_scopes(&mut self, offset: usize) {
        let locked = &mut self.locked;
        self.guards.retain(|it| {
            let holds = it.end > offset;
            if let (false, Some(inode)) = (holds, &it.inode) {
                locked.remove(inode);
            }
            holds
        });
    }
}

/// The flow behind the end of some scopes.
fn behind(mut flow: Flow, offset: usize) -> Flow {
    if let Some(state) = &mut flow {
        state.leave_scopes(offset);
    }
    flow
}

/// `None`: no way leads here.
type Flow = Option<State>;

fn join(left: Flow, right: Flow) -> Flow {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.locked.retain(|it| right.locked.contains(it));
            left.atomic.retain(|it| right.atomic.contains(it));
            left.zero.extend(right.zero);
            left.guards.retain(|it| right.guards.contains(it));
            Some(left)
        }
        (left, right) => left.or(right),
    }
}

/// Walks the function and fills in what the observer asks for.
pub(super) fn run(
    root: Node<'_>,
    text: &[u8],
    mut events: Vec<Event>,
    observer: &mut dyn Observer,
) {
    events.sort_by_key(|it| it.offset);
    let entry = State {
        locked: locked_by_caller(&events),
        atomic: atomic_by_caller(&events),
        ..State::default()
    };
    let mut walk = Walk {
        text,
        events,
        observer,
        labels: BTreeMap::new(),
        breaks: Vec::new(),
    };
    walk.statement(root, Some(entry), 0);
}

/// A function that gives a lock back before it takes it was called with it.
pub(super) fn locked_by_caller(events: &[Event]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut held = BTreeSet::new();
    let mut assigned = BTreeSet::new();
    for event in events {
        match &event.kind {
            EventKind::Assign(name) => {
                assigned.insert(name.as_str());
            }
            // The caller knows nothing of a variable that the function sets itself.
            EventKind::Unlock(inode)
                if seen.insert(inode.clone()) && !assigned.contains(root_name(inode)) =>
            {
                held.insert(inode.clone());
            }
            EventKind::Lock(inode) | EventKind::TryLock(inode) => {
                seen.insert(inode.clone());
            }
            _ => {}
        }
    }
    held
}

/// Likewise for what else forbids sleep.
pub(super) fn atomic_by_caller(events: &[Event]) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut held = BTreeSet::new();
    let mut assigned = BTreeSet::new();
    for event in events {
        match &event.kind {
            EventKind::Assign(name) => {
                assigned.insert(name.as_str());
            }
            EventKind::Leave(reason) if seen.insert(reason.clone()) => {
                let lock = reason.split_once('(').map_or("", |it| it.1);
                if !assigned.contains(root_name(lock)) {
                    held.insert(reason.clone());
                }
            }
            EventKind::Enter(reason) => {
                seen.insert(reason.clone());
            }
            _ => {}
        }
    }
    held
}

struct Walk<'a> {
    text: &'a [u8],
    events: Vec<Event>,
    observer: &'a mut dyn Observer,
    labels: BTreeMap<String, State>,
    /// What `break` leaves with, per enclosing loop or switch.
    breaks: Vec<Flow>,
}

impl Walk<'_> {
    fn statement(&mut self, node: Node<'_>, state: Flow, depth: usize) -> Flow {
        if depth > MAX_DEPTH {
            return state;
        }
        let depth = depth + 1;
        match node.kind() {
            Kind::IfStatement => self.branch(node, state, depth),
            Kind::WhileStatement | Kind::ForStatement | Kind::DoStatement => {
                self.repeat(node, state, depth)
            }
            Kind::SwitchStatement => self.switch(node, state, depth),
            Kind::LabeledStatement => {
                let label = node.field(Field::Label).map(|it| fold(it, self.text));
                let arrived = label.and_then(|it| self.labels.get(&it).cloned());
                let arrived = behind(arrived, node.start_byte());
                self.children(node, join(state, arrived), depth)
            }
            Kind::GotoStatement => {
                if let (Some(label), Some(state)) = (node.field(Field::Label), state) {
                    let label = fold(label, self.text);
                    let merged = join(self.labels.remove(&label), Some(state));
                    self.labels.extend(merged.map(|it| (label, it)));
                }
                None
            }
            Kind::ReturnStatement => {
                self.leaf(node, state);
                None
            }
            Kind::BreakStatement => {
                if let Some(outer) = self.breaks.last_mut() {
                    *outer = join(outer.take(), state);
                }
                None
            }
            Kind::ContinueStatement => None,
            Kind::CompoundStatement => {
                let end = self.children(node, state, depth);
                behind(end, node.end_byte())
            }
            Kind::FunctionDefinition
            | Kind::TranslationUnit
            | Kind::ElseClause
            | Kind::Error
            | Kind::PreprocIf
            | Kind::PreprocIfdef
            | Kind::PreprocElse
            | Kind::PreprocElif
            | Kind::LinkageSpecification => self.children(node, state, depth),
            _ => self.leaf(node, state),
        }
    }

    fn children(&mut self, node: Node<'_>, mut state: Flow, depth: usize) -> Flow {
        for child in node.named_children() {
            let after = self.statement(child, state, depth);
            state = behind(after, child.end_byte());
        }
        state
    }

    fn branch(&mut self, node: Node<'_>, state: Flow, depth: usize) -> Flow {
        let (mut yes, mut no) = (state.clone(), state);
        if let Some(condition) = node.field(Field::Condition) {
            (yes, no) = self.condition(condition, yes);
        }
        if let Some(consequence) = node.field(Field::Consequence) {
            yes = self.statement(consequence, yes, depth);
        }
        if let Some(alternative) = node.field(Field::Alternative) {
            no = self.statement(alternative, no, depth);
        }
        join(yes, no)
    }

    fn repeat(&mut self, node: Node<'_>, mut state: Flow, depth: usize) -> Flow {
        self.breaks.push(None);
        if let Some(first) = node.field(Field::Initializer) {
            state = self.leaf(first, state);
        }
        let is_do = node.kind() == Kind::DoStatement;
        let mut skipped = if is_do { None } else { state.clone() };
        if let (false, Some(condition)) = (is_do, node.field(Field::Condition)) {
            (state, skipped) = self.condition(condition, state);
        }
        if let Some(body) = node.field(Field::Body) {
            state = self.statement(body, state, depth);
        }
        if let Some(update) = node.field(Field::Update) {
            state = self.leaf(update, state);
        }
        if let (true, Some(condition)) = (is_do, node.field(Field::Condition)) {
            (_, state) = self.condition(condition, state);
        }
        let left = self.breaks.pop().flatten();
        behind(join(join(skipped, state), left), node.end_byte())
    }

    fn switch(&mut self, node: Node<'_>, state: Flow, depth: usize) -> Flow {
        let mut head = state;
        if let Some(condition) = node.field(Field::Condition) {
            head = self.leaf(condition, head);
        }
        self.breaks.push(None);
        let mut through = None;
        let mut has_default = false;
        if let Some(body) = node.field(Field::Body) {
            for child in body.named_children() {
                if child.kind() == Kind::CaseStatement {
                    has_default |= child.field(Field::Value).is_none();
                    through = self.children(child, join(through, head.clone()), depth);
                } else {
                    through = self.statement(child, through, depth);
                }
            }
        }
        let left = self.breaks.pop().flatten();
        let around = if has_default { None } else { head };
        behind(join(join(through, left), around), node.end_byte())
    }

    /// Everything without control flow of its own.
    fn leaf(&mut self, node: Node<'_>, mut state: Flow) -> Flow {
        let first = self
            .events
            .partition_point(|it| it.offset < node.start_byte());
        let end = self
            .events
            .partition_point(|it| it.offset < node.end_byte());
        for index in first..end {
            if let Some(state) = &mut state {
                let kind = self.events[index].kind.clone();
                self.apply(&kind, state);
            }
        }
        state
    }

    fn apply(&mut self, kind: &EventKind, state: &mut State) {
        match kind {
            EventKind::Lock(inode) => {
                state.locked.insert(inode.clone());
            }
            EventKind::Unlock(inode) => {
                state.locked.remove(inode);
            }
            EventKind::Assign(name) => {
                state.zero.retain(|inode, _| root_name(inode) != name);
                state.locked.retain(|inode| root_name(inode) != name);
            }
            EventKind::Enter(reason) => {
                state.atomic.insert(reason.clone());
            }
            EventKind::Leave(reason) => {
                state.atomic.remove(reason);
            }
            EventKind::LeaveAll => {
                state.atomic.clear();
                state.locked.clear();
                state.guards.clear();
            }
            EventKind::Guard(guard) => {
                state.locked.extend(guard.inode.clone());
                state.guards.push(guard.clone());
            }
            EventKind::Release(index) => {
                let reasons = state.reasons();
                self.observer.release(*index, &state.locked, &reasons);
            }
            EventKind::Count(index) => count(&mut self.observer.accesses()[*index], state),
            EventKind::TryLock(_) | EventKind::HandOver => {}
        }
    }

    /// Walks a condition; the states for true and for false.
    fn condition(&mut self, node: Node<'_>, state: Flow) -> (Flow, Flow) {
        let after = self.leaf(node, state);
        let Some(after) = after else {
            return (None, None);
        };
        let (mut yes, mut no) = (after.clone(), after);
        if let Some((call, is_true_nonzero)) = exact_call(node, self.text) {
            let (nonzero, zero) = if is_true_nonzero {
                (&mut yes, &mut no)
            } else {
                (&mut no, &mut yes)
            };
            self.refine(call, nonzero, zero);
        }
        (Some(yes), Some(no))
    }

    /// What a call's value says: `nonzero` is the state in which it is not zero.
    fn refine(&mut self, call: Node<'_>, nonzero: &mut State, zero: &mut State) {
        let at = call.start_byte();
        let kinds: Vec<EventKind> = self
            .events
            .iter()
            .filter(|it| it.offset == at)
            .map(|it| it.kind.clone())
            .collect();
        for kind in kinds {
            self.refine_one(kind, nonzero, zero);
        }
    }

    fn refine_one(&mut self, kind: EventKind, nonzero: &mut State, zero: &mut State) {
        match kind {
            EventKind::TryLock(inode) => {
                nonzero.locked.insert(inode);
            }
            EventKind::Count(index) => {
                let access = &self.observer.accesses()[index];
                let inode = &access.inode;
                match access.op {
                    CountOp::DropAndLock => {
                        zero.zero.remove(inode);
                    }
                    CountOp::Drop if access.form.contains("and_test") => {
                        zero.zero.remove(inode);
                    }
                    CountOp::Drop if access.form.contains("_return") => {
                        nonzero.zero.remove(inode);
                    }
                    CountOp::DropUnlessLast if !access.locked => {
                        zero.zero.insert(inode.clone(), access.offset);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// What one access means for the state, and the state for the access.
fn count(access: &mut CountAccess, state: &mut State) {
    access.locked = state.locked.contains(&access.inode);
    match access.op {
        CountOp::Drop | CountOp::DropAndLock if !access.locked => {
            state.zero.insert(access.inode.clone(), access.offset);
        }
        CountOp::Grab | CountOp::Take | CountOp::Set => {
            if let Some(drop) = state.zero.remove(&access.inode)
                && !access.locked
            {
                access.after_drop = Some(drop);
            }
        }
        _ => {}
    }
}

/// The first identifier of an expression: `ci` of `ci->netfs.inode`.
pub(crate) fn root_name(expression: &str) -> &str {
    let start = expression.trim_start_matches(['(', '*', '&']);
    let end = start
        .find(|it: char| !it.is_alphanumeric() && it != '_')
        .unwrap_or(start.len());
    &start[..end]
}

/// The call that a condition is, and whether a true condition means that the call's value is not zero.
pub(super) fn exact_call<'t>(condition: Node<'t>, text: &[u8]) -> Option<(Node<'t>, bool)> {
    tested(condition, text).filter(|it| it.0.kind() == Kind::CallExpression)
}

/// The call or the variable that a condition is, under `!`, `likely()` and comparisons with zero, and whether a true
/// condition means that its value is not zero.
pub(super) fn tested<'t>(condition: Node<'t>, text: &[u8]) -> Option<(Node<'t>, bool)> {
    let mut node = condition;
    let mut is_true_nonzero = true;
    for _ in 0..32 {
        match node.kind() {
            Kind::ParenthesizedExpression => node = node.named_children().next()?,
            Kind::UnaryExpression => {
                if text.get(node.start_byte()) != Some(&b'!') {
                    return None;
                }
                is_true_nonzero = !is_true_nonzero;
                node = node.field(Field::Argument)?;
            }
            Kind::BinaryExpression => {
                let operator = fold(node.field(Field::Operator)?, text);
                let right = is_number(node.field(Field::Right)?, text)?;
                match (operator.as_str(), right) {
                    (">" | "!=", 0) | (">=", 1) => {}
                    ("==" | "<=", 0) | ("<", 1) => is_true_nonzero = !is_true_nonzero,
                    _ => return None,
                }
                node = node.field(Field::Left)?;
            }
            Kind::CallExpression => match call_name(node, text).as_deref() {
                Some("likely" | "unlikely" | "WARN_ON" | "WARN_ON_ONCE") => {
                    node = call_argument(node, 0)?;
                }
                _ => return Some((node, is_true_nonzero)),
            },
            Kind::Identifier => return Some((node, is_true_nonzero)),
            _ => return None,
        }
    }
    None
}

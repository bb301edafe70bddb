//! Idioms around `iput()` in one function: what wraps it safely, what is another name for it, and
//! which calls provably do not drop the last reference.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Node;
use super::counts::{self, CountAccess, CountOp, strip_parens, without_parens};
use super::doubts;
use super::flow::{self, Event, EventKind, Observer};
use super::nodes::{Field, Kind};
use super::pending;
use super::text::{call_argument, call_name, fold, squeeze, statement_of};
use crate::finding::is_word;
use crate::kernel::{self, IPUT};
use crate::lex::word_length;

/// One call that drops a reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    /// The function called: `iput` or an alias.
    pub(crate) callee: String,
    /// Where the call starts, in bytes of the text handed in.
    pub(crate) offset: usize,
    /// Which of its arguments is the inode, from 0.
    pub(crate) argument: usize,
    /// The statement that holds it, on one line.
    pub(crate) statement: String,
    /// The inode's expression without white space.
    pub(crate) inode: String,
    /// The same as the call has it: a pointer.
    pub(crate) pointer: String,
    /// Whether some inode's `i_lock` is held on every way here.
    pub(crate) under_i_lock: bool,
    /// Why else nothing may sleep here, such as `rcu_read_lock()`, on every way.
    pub(crate) atomic: Option<String>,
    /// Why this cannot be the last reference, or why its end is harmless; `None` where neither is known.
    pub(crate) not_last: Option<String>,
    /// The one function that the inode comes from, whatever way leads here.
    pub(crate) from: Option<String>,
    /// How the function got it, where it is another inode than the one which its callers are about.
    pub(crate) other: Option<String>,
    /// Members of objects that the conditions around it test.
    pub(crate) needs: Vec<Needed>,
    /// What speaks against a deadlock here, without excluding it.
    pub(crate) doubt: Option<Doubt>,
    /// The error label behind which it stands, where only `goto` leads there.
    pub(crate) error_label: Option<String>,
}

/// A member that must be zero, or must not be, for a call to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Needed {
    pub(crate) member: String,
    pub(crate) is_zero: bool,
    /// Where the member's object and it are tested, in bytes of the text handed in.
    pub(crate) offset: usize,
}

/// What makes a release less of a hazard than its chain says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Doubt {
    /// The other arm of the `if` around it gives the object to this function, for a worker.
    OtherArmDefers(String),
    /// The function got the inode from this lookup, or one of these, and lets go of it where it reports failure.
    Rejected(String),
    /// The function looked the inode up and found that it could not be read.
    Bad,
    /// The function looked the inode up and found that it has left the hash.
    Unhashed,
}

/// A call that drops a reference, and which of its arguments is the inode, from 0. The use of a macro that begins a loop
/// is one as well.
#[derive(Clone, Copy)]
pub(super) struct Put<'t> {
    pub(super) call: Node<'t>,
    argument: usize,
}

impl<'t> Put<'t> {
    /// The inode as the call has it.
    pub(super) fn inode(self) -> Option<Node<'t>> {
        if self.call.kind() != Kind::WhileStatement {
            return call_argument(self.call, self.argument);
        }
        let mut rest = self.call.field(Field::Condition)?.named_children().next()?;
        for _ in 0..self.argument {
            rest = rest.field(Field::Right)?;
        }
        match rest.kind() {
            Kind::CommaExpression => rest.field(Field::Left),
            _ => Some(rest),
        }
    }
}

/// The macro that begins a loop, which the grammar was given as `while`: `for_each_thing(thing, list) { … }`.
fn iterator_name<'t>(node: Node<'_>, text: &'t [u8]) -> Option<Cow<'t, str>> {
    let start = text.get(node.start_byte()..)?;
    Some(String::from_utf8_lossy(&start[..word_length(start)]))
}

/// The calls of `names` in one function, sorted by offset; `argument` of each is the inode.
pub(crate) fn releases(root: Node<'_>, text: &[u8], names: &[(&str, usize)]) -> Vec<Release> {
    let mut calls = Vec::new();
    root.preorder().for_each(|node| {
        let name = match node.kind() {
            Kind::CallExpression => call_name(node, text),
            Kind::WhileStatement => iterator_name(node, text),
            _ => None,
        };
        let known = name.and_then(|name| names.iter().find(|it| it.0 == name));
        if let Some(&(name, argument)) = known {
            let put = Put {
                call: node,
                argument,
            };
            calls.push((put, release(put, text, name)));
        }
    });
    if calls.is_empty() {
        return Vec::new();
    }
    let mut events = flow::events(root, text);
    events.extend(calls.iter().enumerate().map(|(index, (put, _))| Event {
        offset: put.call.start_byte(),
        kind: EventKind::Release(index),
    }));
    let mut found = Found {
        releases: calls.iter().map(|it| it.1.clone()).collect(),
    };
    flow::run(root, text, events, &mut found);
    for (release, (put, _)) in found.releases.iter_mut().zip(&calls) {
        release.not_last = marked_not_last(put.call, text)
            .or_else(|| pending::queue_failed(root, *put, text))
            .or_else(|| doubts::new_inode(root, *put, text));
        release.from = doubts::only_source(root, *put, text);
        release.other = doubts::other_inode(root, *put, text);
        release.needs = doubts::needs(root, *put, text);
        release.doubt = doubts::doubt(root, *put, text);
        release.error_label = error_label(put.call, text);
    }
    found.releases.sort_by_key(|it| it.offset);
    found.releases
}

struct Found {
    releases: Vec<Release>,
}

impl Observer for Found {
    fn release(&mut self, index: usize, locked: &BTreeSet<String>, atomic: &BTreeSet<String>) {
        self.releases[index].under_i_lock = !locked.is_empty();
        self.releases[index].atomic = atomic.first().cloned();
    }

    fn accesses(&mut self) -> &mut [CountAccess] {
        &mut []
    }
}

fn release(put: Put<'_>, text: &[u8], name: &str) -> Release {
    let inode = put.inode().map_or_else(String::new, |it| squeeze(it, text));
    Release {
        callee: name.to_owned(),
        offset: put.call.start_byte(),
        argument: put.argument,
        statement: statement_of(put.call, text),
        inode: strip_parens(&inode).to_owned(),
        pointer: without_parens(&inode).to_owned(),
        under_i_lock: false,
        atomic: None,
        not_last: None,
        from: None,
        other: None,
        needs: Vec::new(),
        doubt: None,
        error_label: None,
    }
}

/// `/* lorelint: not-last: reason */` on the statement's line or the line above it.
fn marked_not_last(call: Node<'_>, text: &[u8]) -> Option<String> {
    const MARK: &[u8] = b"lorelint: not-last:";
    let at = call.start_byte();
    let line = memchr::memrchr(b'\n', text.get(..at)?).map_or(0, |it| it + 1);
    let above = memchr::memrchr(b'\n', text.get(..line.saturating_sub(1))?).map_or(0, |it| it + 1);
    let end = memchr::memchr(b'\n', text.get(at..)?).map_or(text.len(), |it| at + it);
    let near = text.get(above..end)?;
    let start = memchr::memmem::find(near, MARK)? + MARK.len();
    let comment = &near[start..];
    let stop = memchr::memmem::find(comment, b"*/").unwrap_or(comment.len());
    let reason = String::from_utf8_lossy(&comment[..stop]);
    let reason = reason.lines().next().unwrap_or_default().trim();
    (!reason.is_empty()).then(|| format!("marked in the source: {reason}"))
}

/// Statements behind a label that still count as its own.
const MAX_STATEMENTS: usize = 1000;

/// The label before `call`, where nothing falls through into it and its name says error.
fn error_label(call: Node<'_>, text: &[u8]) -> Option<String> {
    const WORDS: &[&str] = &["err", "fail", "bad", "abort", "undo", "unwind", "nomem"];
    let mut node = Some(call);
    while let Some(statement) = node {
        let before = std::iter::successors(Some(statement), |it| it.prev_named_sibling());
        for it in before.take(MAX_STATEMENTS) {
            if it.kind() == Kind::LabeledStatement {
                let label = fold(it.field(Field::Label)?, text);
                let leaves = it.prev_named_sibling().is_some_and(|it| {
                    matches!(it.kind(), Kind::ReturnStatement | Kind::GotoStatement)
                });
                if WORDS.iter().any(|word| label.contains(word)) {
                    return leaves.then_some(label);
                }
            }
        }
        node = statement
            .parent()
            .filter(|it| it.kind() != Kind::FunctionDefinition);
    }
    None
}

/// What a function is to the traversal, seen from its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wrapper {
    /// Never drops the last reference itself: hands it to a worker. It is not reported; what it calls runs here as well.
    Safe,
    /// Drops its parameter and little else: its callers are what is reported.
    Alias {
        /// Index of the parameter, from 0.
        parameter: usize,
        /// It may drop another inode than the one it is given, as where it is given none.
        may_replace: bool,
    },
}

/// Recognises a function that defers the last reference, or one that is another name for `iput()`.
///
/// A function in an ops table has no caller that a person could change: whether an alias is
/// reported in its own body there is the caller's business.
pub(crate) fn wrapper(root: Node<'_>, text: &[u8]) -> Option<Wrapper> {
    let function = definition(root)?;
    let body = function.field(Field::Body)?;
    let accesses = counts::accesses(root, text);
    let defers = accesses
        .iter()
        .any(|it| it.op == CountOp::DropUnlessLast && (it.handed_over || is_returned(it)));
    let puts = calls_of(body, text, IPUT);
    if defers && puts.is_empty() {
        return Some(Wrapper::Safe);
    }
    let [put] = puts[..] else {
        return None;
    };
    let parameter = alias(function, body, put, text)?;
    Some(Wrapper::Alias {
        parameter,
        may_replace: sets_before(body, put, &parameters(function, text)[parameter].0, text),
    })
}

/// Whether a function gives its parameter another value before the call, or hands out its address.
fn sets_before(body: Node<'_>, put: Node<'_>, parameter: &str, text: &[u8]) -> bool {
    let mut before = (body.preorder()).filter(|it| it.start_byte() < put.start_byte());
    before.any(|it| match it.kind() {
        Kind::AssignmentExpression => {
            let left = it.field(Field::Left);
            left.is_some_and(|it| fold(it, text) == parameter)
        }
        Kind::PointerExpression => squeeze(it, text).strip_prefix('&') == Some(parameter),
        _ => false,
    })
}

fn is_returned(access: &CountAccess) -> bool {
    access.statement.starts_with("return")
}

fn alias(function: Node<'_>, body: Node<'_>, put: Node<'_>, text: &[u8]) -> Option<usize> {
    const MAX_STATEMENTS: usize = 10;
    const MAX_STATEMENTS_OF_OTHERS: usize = 3;
    let dropped = squeeze(call_argument(put, 0)?, text);
    let names = parameters(function, text);
    let argument = pointed_to(body, (&dropped, &names), text)
        .or_else(|| part_of_parameter(function, (&dropped, &names), text))
        .unwrap_or_else(|| dropped.clone());
    let parameter = names
        .iter()
        .position(|(name, _)| mentions(&argument, name))?;
    let limit = if names[parameter].1 == "struct inode" {
        MAX_STATEMENTS
    } else {
        MAX_STATEMENTS_OF_OTHERS
    };
    let returns_nothing = function
        .field(Field::Type)
        .is_some_and(|it| fold(it, text) == "void");
    let mut statement_count = 0;
    let mut has_loop = false;
    body.preorder().for_each(|node| match node.kind() {
        Kind::WhileStatement | Kind::ForStatement | Kind::DoStatement => has_loop = true,
        Kind::ExpressionStatement | Kind::Declaration | Kind::ReturnStatement => {
            statement_count += 1;
        }
        _ => {}
    });
    // What it is about is the work then, and the call stands out.
    let queues: Vec<&str> = kernel::queueing_works().collect();
    let has_queue = || {
        let mut calls = body
            .preorder()
            .filter(|it| it.kind() == Kind::CallExpression);
        calls.any(|it| call_name(it, text).is_some_and(|it| queues.contains(&it.as_ref())))
    };
    let is_unconditional = is_unconditional(put, body, &[&names[parameter].0, &dropped], text);
    (returns_nothing && !has_loop && is_unconditional && statement_count <= limit && !has_queue())
        .then_some(parameter)
}

/// What `DEFINE_FREE()` makes of its parameter, the address of a variable: `struct inode *_T = *(struct inode **)p`.
/// `DEFINE_CLASS()` knows its type: `struct inode *_T = *p`.
fn pointed_to(
    body: Node<'_>,
    (variable, parameters): (&str, &[(String, String)]),
    text: &[u8],
) -> Option<String> {
    let mut value = None;
    body.preorder().for_each(|node| {
        let of_variable = node.kind() == Kind::InitDeclarator
            && flow::declared_name(node, text).is_some_and(|it| it == variable);
        if of_variable && let Some(it) = node.field(Field::Value) {
            value = Some(squeeze(it, text));
        }
    });
    let is_typed = |it: &str| {
        let pointer = it.strip_prefix('*');
        let mut inodes = parameters.iter().filter(|it| it.1 == "struct inode");
        inodes.any(|it| pointer == Some(it.0.as_str()))
    };
    value.filter(|it| it.starts_with("*(structinode") || is_typed(it))
}

/// What a local pointer stands for, where it is given one value, and that is a parameter, what lies inside of it or its
/// inode: `struct inode *inode = VFS_I(ip)`.
fn part_of_parameter(
    function: Node<'_>,
    (variable, parameters): (&str, &[(String, String)]),
    text: &[u8],
) -> Option<String> {
    let value = squeeze(pending::only_value(function, variable, text)?, text);
    let given = value.split_once('(').filter(|it| it.0.chars().all(is_word));
    let part = match given {
        Some((name, rest)) if is_accessor(name) => rest.strip_suffix(')')?,
        _ => &value,
    };
    // What a member points to is another object.
    let (part, is_inside) = match part.strip_prefix('&') {
        Some(part) => (part, true),
        None => (part, false),
    };
    let is_path = part
        .chars()
        .all(|it| is_word(it) || matches!(it, '-' | '>' | '.'));
    let root = part.split(['-', '.']).next()?;
    let is_own = is_inside || root == part;
    (is_own && is_path && parameters.iter().any(|it| it.0 == root)).then_some(value)
}

/// Whether a function or macro of this name finds the inode of what it is given, and takes no reference.
fn is_accessor(name: &str) -> bool {
    matches!(name, "d_inode" | "d_backing_inode" | "file_inode")
        || !name.is_empty() && !name.chars().any(|it| it.is_ascii_lowercase())
}

/// Whether the call runs whenever one of these, the parameter or what is dropped, is there.
fn is_unconditional(put: Node<'_>, body: Node<'_>, objects: &[&str], text: &[u8]) -> bool {
    let is_there = |condition: &str| {
        let bare = strip_parens(condition);
        let checked = ["!IS_ERR_OR_NULL(", "!IS_ERR("]
            .iter()
            .find_map(|it| bare.strip_prefix(it)?.strip_suffix(')'));
        let object = checked.or_else(|| bare.strip_suffix("!=NULL"));
        objects.contains(&object.unwrap_or(bare))
    };
    let mut node = put;
    while let Some(parent) = node.parent().filter(|_| node != body) {
        if parent.kind() == Kind::IfStatement {
            let condition = parent
                .field(Field::Condition)
                .map_or_else(String::new, |it| squeeze(it, text));
            if !is_there(&condition) {
                return false;
            }
        }
        node = parent;
    }
    true
}

fn definition(root: Node<'_>) -> Option<Node<'_>> {
    if root.kind() == Kind::FunctionDefinition {
        return Some(root);
    }
    root.named_children()
        .find(|it| it.kind() == Kind::FunctionDefinition)
}

/// Names and types of the parameters, in order.
fn parameters(function: Node<'_>, text: &[u8]) -> Vec<(String, String)> {
    let mut list = None;
    let mut node = function.field(Field::Declarator);
    while let Some(it) = node {
        list = list.or_else(|| it.field(Field::Parameters));
        node = it.field(Field::Declarator);
    }
    let Some(list) = list else {
        return Vec::new();
    };
    list.named_children()
        .filter(|it| it.kind() == Kind::ParameterDeclaration)
        .map(|it| {
            let name = it
                .field(Field::Declarator)
                .and_then(|it| flow::declared_name(it, text));
            let of = it.field(Field::Type).map(|it| fold(it, text));
            (name.unwrap_or_default(), of.unwrap_or_default())
        })
        .collect()
}

fn calls_of<'t>(body: Node<'t>, text: &[u8], name: &str) -> Vec<Node<'t>> {
    let mut calls = Vec::new();
    body.preorder().for_each(|node| {
        if node.kind() == Kind::CallExpression && call_name(node, text).as_deref() == Some(name) {
            calls.push(node);
        }
    });
    calls
}

/// Whether `name` stands in the expression as a word of its own.
pub(super) fn mentions(expression: &str, name: &str) -> bool {
    !name.is_empty()
        && expression
            .split(|it: char| !it.is_alphanumeric() && it != '_')
            .any(|it| it == name)
}

//! Guards: locks that are given back where the scope ends in which they were taken.

use super::Node;
use super::counts::strip_parens;
use super::nodes::{Field, Kind};
use super::text::squeeze_bytes;

/// Classes of guards that forbid sleep, without what they end with.
/// Sources: `include/linux/{spinlock,rcupdate,preempt,irqflags}.h`, `include/linux/sched/task.h`.
const CLASSES: &[&str] = &[
    "spinlock",
    "raw_spinlock",
    "read_lock",
    "write_lock",
    "task_lock",
    "rcu",
    "preempt",
    "preempt_notrace",
    "irq",
    "irqsave",
];

const SUFFIXES: &[&str] = &["", "_irq", "_irqsave", "_bh", "_nested"];

/// A section that forbids sleep up to the end of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    /// Such as `guard(spinlock)(&object->lock)`.
    pub(super) reason: String,
    /// The inode whose `i_lock` it is.
    pub(super) inode: Option<String>,
    /// One past the last byte of its scope.
    pub(super) end: usize,
}

/// The guard that a node takes, with the place from which on it holds.
///
/// `guard(class)(lock)` holds up to the end of the block around it. `scoped_guard(class, lock)` is read as a loop, or
/// as a call that stands before the statement which it guards.
pub(super) fn guard(node: Node<'_>, text: &[u8]) -> Option<(usize, Guard)> {
    let word = text.get(node.start_byte()..)?;
    let is_word = |name: &[u8]| {
        let rest = word.strip_prefix(name);
        rest.is_some_and(|it| it.trim_ascii_start().first() == Some(&b'('))
    };
    let is_scoped = is_word(b"scoped_guard") || is_word(b"scoped_cond_guard");
    match node.kind() {
        Kind::CallExpression if is_word(b"guard") => {
            let class = node.field(Field::Function)?;
            if class.kind() != Kind::CallExpression {
                return None;
            }
            let class = class.field(Field::Arguments)?;
            let lock = node.field(Field::Arguments)?;
            let args = (inner(class, text), inner(lock, text));
            Some((node.start_byte(), of("guard", args, block_end(node))?))
        }
        Kind::CallExpression if is_scoped => {
            let args = inner(node.field(Field::Arguments)?, text);
            let end = statement_after(node)?.end_byte();
            Some((node.start_byte(), of("scoped_guard", ends_of(&args), end)?))
        }
        Kind::WhileStatement if is_scoped => {
            let condition = node.field(Field::Condition)?;
            let args = inner(condition, text);
            let guard = of("scoped_guard", ends_of(&args), node.end_byte())?;
            Some((condition.start_byte(), guard))
        }
        _ => None,
    }
}

fn of(form: &str, (class, lock): (String, String), end: usize) -> Option<Guard> {
    let plain = class.strip_suffix("_try").unwrap_or(&class);
    let mut classes = CLASSES.iter();
    let forbids_sleep = classes.any(|it| {
        let suffix = plain.strip_prefix(it);
        suffix.is_some_and(|it| SUFFIXES.contains(&it))
    });
    let bare = strip_parens(&lock);
    let inode = ["->i_lock", ".i_lock"]
        .iter()
        .find_map(|it| bare.strip_suffix(it))
        .map(|it| strip_parens(it).to_owned());
    let reason = match (form, lock.as_str()) {
        ("guard", lock) => format!("guard({class})({lock})"),
        (form, "") => format!("{form}({class})"),
        (form, lock) => format!("{form}({class}, {lock})"),
    };
    forbids_sleep.then_some(Guard { reason, inode, end })
}

/// What stands between the parentheses of a node, without white space.
fn inner(node: Node<'_>, text: &[u8]) -> String {
    let all = squeeze_bytes(text.get(node.byte_range()).unwrap_or_default());
    let all = all.strip_prefix('(').unwrap_or(&all);
    all.strip_suffix(')').unwrap_or(all).to_owned()
}

/// The class and the lock among the arguments, first and last; `scoped_cond_guard()` has the way out between them.
fn ends_of(args: &str) -> (String, String) {
    let class = args.split(',').next().unwrap_or_default();
    let lock = args.rsplit_once(',').map_or("", |it| it.1);
    (class.to_owned(), lock.to_owned())
}

fn block_end(node: Node<'_>) -> usize {
    let mut at = node;
    while let Some(parent) = at.parent() {
        if parent.kind() == Kind::CompoundStatement {
            return parent.end_byte();
        }
        at = parent;
    }
    at.end_byte()
}

fn statement_after(node: Node<'_>) -> Option<Node<'_>> {
    let statement = node.parent()?;
    (statement.kind() == Kind::ExpressionStatement)
        .then(|| statement.next_named_sibling())
        .flatten()
}

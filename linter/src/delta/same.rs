//! When a statement that was rewritten still says the same of the same reference.

use std::collections::BTreeMap;

use super::text::{Name, names};
use crate::finding::{Finding, is_word, normal};

/// What a statement calls first, without its arguments.
pub(super) fn callee(statement: &str) -> &str {
    statement.split('(').next().unwrap_or_default().trim()
}

/// Whether two calls drop the same reference under different names: one argument is the other's, as it is, inside a
/// conversion (`VFS_I(ip)`), or by its address (`&ei->vfs_inode`).
pub(super) fn is_reworded(old: &str, new: &str) -> bool {
    let (Some(of_old), Some(of_new)) = (arguments(old), arguments(new)) else {
        return false;
    };
    if of_old == of_new {
        return true;
    }
    // Two calls of one name with other arguments drop other references.
    if callee(old) == callee(new) || of_old.len().min(of_new.len()) != 1 {
        return false;
    }
    let objects = |of: &[String]| -> Vec<String> { of.iter().flat_map(|it| objects(it)).collect() };
    let of_new = objects(&of_new);
    objects(&of_old).iter().any(|it| of_new.contains(it))
}

/// Whether two statements differ in names only, where each name was changed throughout its function.
///
/// The old name must be gone from the function and the new one must not have been in it, else another reference may be
/// meant. `old_body` and `new_body` are the texts of the function.
pub(super) fn is_renamed(old: &str, new: &str, old_body: &[u8], new_body: &[u8]) -> bool {
    let (old, new) = (normal(old), normal(new));
    let (Some(of_old), Some(of_new)) = (shape(&old), shape(&new)) else {
        return false;
    };
    if of_old.frame != of_new.frame || of_old.names.len() != of_new.names.len() {
        return false;
    }
    let mut changed: BTreeMap<Name<'_>, Name<'_>> = BTreeMap::new();
    for (was, is) in of_old.names.iter().zip(&of_new.names) {
        let agrees = was.is_member == is.is_member;
        if !agrees || changed.insert(*was, *is).is_some_and(|it| it != *is) {
            return false;
        }
    }
    changed.retain(|was, is| was != is);
    let (before, after) = (names(old_body), names(new_body));
    !changed.is_empty()
        && changed
            .iter()
            .all(|(was, is)| !after.contains(was) && !before.contains(is))
}

/// Whether two chains are equal but for their last function; where that is the entry point, it must stand in the same
/// directory for the same member.
pub(super) fn same_chain_above(one: &Finding, other: &Finding) -> bool {
    let directory = |it: &Finding| {
        let path = it.file.as_str();
        path.rfind('/').map_or("", |at| &path[..at]).to_owned()
    };
    let above = |it: &Finding| -> Vec<String> {
        let names = it.path.iter().map(|it| it.function.clone());
        names.take(it.path.len().saturating_sub(1)).collect()
    };
    match (&one.path[..], &other.path[..]) {
        ([], _) | (_, []) => false,
        ([root], [other_root]) => {
            root.through == other_root.through && directory(one) == directory(other)
        }
        _ => above(one) == above(other),
    }
}

/// What a plain call is given, without white space; `None` for other statements.
fn arguments(statement: &str) -> Option<Vec<String>> {
    let statement = normal(statement);
    let open = statement.find('(')?;
    let is_name = |it: &str| !it.is_empty() && it.chars().all(is_word);
    let inside = statement[open..].trim_end_matches(';');
    let inside = inside.strip_prefix('(')?.strip_suffix(')')?;
    is_name(&statement[..open]).then(|| split(inside))
}

/// Splits at the commas outside of parentheses.
fn split(list: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let parts = list.split(|it: char| {
        depth += i32::from(it == '(') - i32::from(it == ')');
        it == ',' && depth == 0
    });
    parts.map(str::to_owned).collect()
}

/// The expression, and what it converts or takes the address in.
fn objects(expression: &str) -> Vec<String> {
    let mut found = vec![expression.to_owned()];
    if let Some(object) = expression.strip_prefix('&') {
        let end = object.find(['-', '.']).unwrap_or(object.len());
        found.push(object[..end].to_owned());
    }
    if let Some(inner) = arguments(expression) {
        found.extend(inner.iter().flat_map(|it| objects(it)));
    }
    found
}

/// A statement with its names taken out.
struct Shape<'a> {
    frame: String,
    names: Vec<Name<'a>>,
}

/// Numbers and whatever is called belong to the frame.
fn shape(statement: &str) -> Option<Shape<'_>> {
    let mut shape = Shape {
        frame: String::new(),
        names: Vec::new(),
    };
    let mut rest = statement;
    while let Some(next) = rest.chars().next() {
        let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
        if end == 0 {
            shape.frame.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(end);
        if after.starts_with('(') || next.is_ascii_digit() {
            shape.frame.push_str(word);
        } else {
            let before = &statement[..statement.len() - rest.len()];
            shape.frame.push('_');
            shape.names.push(Name {
                text: word.as_bytes(),
                is_member: before.ends_with("->") || before.ends_with('.'),
            });
        }
        rest = after;
    }
    (!shape.names.is_empty()).then_some(shape)
}

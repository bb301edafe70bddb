//! When a statement that was rewritten still says the same of the same reference.

use std::collections::BTreeMap;

use super::text::{ItemText, Name, names, tokens};
use crate::finding::{Finding, is_word, normal};

/// Words that are no names.
const KEYWORDS: &[&[u8]] = &[
    b"break",
    b"case",
    b"continue",
    b"default",
    b"do",
    b"else",
    b"for",
    b"goto",
    b"if",
    b"return",
    b"sizeof",
    b"switch",
    b"while",
];

/// What stands before the name of a type, which may well be that of a variable.
const TAGGED: &[&[u8]] = &[b"struct", b"union", b"enum"];

/// What a statement calls first, without its arguments.
pub(super) fn callee(statement: &str) -> &str {
    statement.split('(').next().unwrap_or_default().trim()
}

/// Whether two calls drop the same reference under different names: one argument is the other's, as it is, inside a
/// conversion (`VFS_I(ip)`), or by its address (`&ei->vfs_inode`).
///
/// So do calls of one name of which one tells more, and such that take the inode of a variable which became the
/// filesystem's: the `&inode->vfs_inode` of what was `inode`.
pub(super) fn is_reworded(old: &str, new: &str) -> bool {
    let (Some(of_old), Some(of_new)) = (arguments(old), arguments(new)) else {
        return false;
    };
    if of_old == of_new {
        return true;
    }
    // Two calls of one name with other arguments drop other references.
    if callee(old) == callee(new) {
        let (few, many) = if of_old.len() < of_new.len() {
            (&of_old, &of_new)
        } else {
            (&of_new, &of_old)
        };
        return match (&few[..], &many[..]) {
            ([one], [other]) => is_found_in(one, other) || is_found_in(other, one),
            _ => few.len() < many.len() && is_part(few, many),
        };
    }
    if of_old.len().min(of_new.len()) != 1 {
        return false;
    }
    // A function may be given what holds the inode.
    let holds = |object: &str, value: &str| {
        let inside = value.strip_prefix(object);
        inside.is_some_and(|it| it.starts_with("->") || it.starts_with('.'))
    };
    if let ([one], [other]) = (&of_old[..], &of_new[..])
        && (holds(one, other) || holds(other, one))
    {
        return true;
    }
    let objects = |of: &[String]| -> Vec<String> { of.iter().flat_map(|it| objects(it)).collect() };
    let of_new = objects(&of_new);
    objects(&of_old).iter().any(|it| of_new.contains(it))
}

/// Whether one of some arguments after the other stands among the others, in order.
fn is_part(few: &[String], many: &[String]) -> bool {
    let mut rest = many.iter();
    few.iter().all(|it| rest.any(|other| other == it))
}

/// Whether an expression is the inode of what another one is: inside of it (`&ei->vfs_inode`), converted
/// (`NFS_I(inode)`), or inside of that (`&ntfs_i(inode)->vfs_inode`).
fn is_found_in(expression: &str, other: &str) -> bool {
    let inner = expression.strip_prefix('&');
    let object = inner.and_then(|it| it.rsplit_once("->")).map(|it| it.0);
    let call = object.unwrap_or(expression);
    let converts = object.is_some() || !callee(call).chars().any(|it| it.is_ascii_lowercase());
    is_inode_in(expression, other)
        || converts && arguments(call).is_some_and(|it| matches!(&it[..], [one] if one == other))
}

/// Whether an expression is the inode inside of what a variable points to: then that is no inode itself.
fn is_inode_in(expression: &str, variable: &str) -> bool {
    let inside = expression
        .strip_prefix('&')
        .and_then(|it| it.strip_prefix(variable));
    let member = inside.and_then(|it| it.strip_prefix("->"));
    !variable.is_empty()
        && variable.chars().all(is_word)
        && member.is_some_and(|it| !it.is_empty() && it.chars().all(|it| is_word(it) || it == '.'))
}

/// Whether one statement drops what a variable was given that the other names itself: `iput(inode)` behind
/// `inode = req->r_inode` for `iput(req->r_inode)`. `body` is the text of the function with the variable.
pub(super) fn is_kept_in_variable(named: &str, kept: &str, body: &[u8]) -> bool {
    let (Some(named_args), Some(kept_args)) = (arguments(named), arguments(kept)) else {
        return false;
    };
    let ([value], [variable]) = (&named_args[..], &kept_args[..]) else {
        return false;
    };
    let is_variable = !variable.is_empty() && variable.chars().all(is_word);
    callee(named) == callee(kept)
        && is_variable
        && only_value(body, variable).as_ref() == Some(value)
}

/// All that a variable is set to in a function, where that is one value and nobody gets its address.
fn only_value(body: &[u8], variable: &str) -> Option<String> {
    let all = tokens(body);
    let text = |at: usize| all.get(at).map_or(&b""[..], |it| it.1.text);
    let mut found = None;
    for (at, (_, name)) in all.iter().enumerate() {
        if name.text != variable.as_bytes() || name.is_member {
            continue;
        }
        let is_address = at > 0 && text(at - 1) == b"&" && text(at + 1) != b"-";
        let is_changed = matches!((text(at + 1), text(at + 2)), (b"+", b"+") | (b"-", b"-"));
        if is_address || is_changed {
            return None;
        }
        if text(at + 1) == b"=" && text(at + 2) != b"=" {
            let value = all[at + 2..].iter().take_while(|it| it.1.text != b";");
            let value: Vec<u8> = value.flat_map(|it| it.1.text.to_vec()).collect();
            if found.replace(value).is_some() {
                return None;
            }
        }
    }
    found.map(|it| String::from_utf8_lossy(&it).into_owned())
}

/// Whether one statement drops a variable that the other declares so that it is dropped at the end of its scope.
pub(super) fn is_cleaned_up(call: &str, declaration: &str) -> bool {
    let given = arguments(call).unwrap_or_default();
    let [variable] = &given[..] else {
        return false;
    };
    let declaration = normal(declaration);
    let declared = declaration.split_once("__free(").map(|it| it.0.trim_end());
    let name = declared.map(|it| &it[it.rfind(|it| !is_word(it)).map_or(0, |at| at + 1)..]);
    name == Some(variable.as_str())
}

/// Whether two functions are the same but for names, each changed throughout, and what stands at `at` is, too.
pub(super) fn is_same_function(old: &ItemText, new: &ItemText) -> bool {
    let (before, after) = (tokens(&old.text), tokens(&new.text));
    let place = |all: &[(usize, Name<'_>)], at| all.iter().position(|it| it.0 >= at);
    if before.len() != after.len() || place(&before, old.at) != place(&after, new.at) {
        return false;
    }
    let mut became: BTreeMap<Name<'_>, Name<'_>> = BTreeMap::new();
    let mut was: BTreeMap<Name<'_>, Name<'_>> = BTreeMap::new();
    let mut both = before.iter().zip(&after).map(|it| (it.0.1, it.1.1));
    let mut is_tag = false;
    both.all(|(one, other)| {
        let of_tag = std::mem::replace(&mut is_tag, TAGGED.contains(&one.text));
        let may_differ = one.is_member == other.is_member && is_free(one) && is_free(other);
        if of_tag || !may_differ {
            return one == other;
        }
        became.insert(one, other).is_none_or(|it| it == other)
            && was.insert(other, one).is_none_or(|it| it == one)
    })
}

/// Whether a word is one that a person chose.
fn is_free(it: Name<'_>) -> bool {
    let first = it.text.first().copied().unwrap_or_default();
    let is_word = first.is_ascii_alphabetic() || first == b'_';
    is_word && !KEYWORDS.contains(&it.text) && !TAGGED.contains(&it.text)
}

/// Whether two statements differ in nothing but the names of variables and members.
pub(super) fn is_of_same_shape(old: &str, new: &str) -> bool {
    let (old, new) = (normal(old), normal(new));
    match (shape(&old), shape(&new)) {
        (Some(old), Some(new)) => old.frame == new.frame && old.names.len() == new.names.len(),
        _ => false,
    }
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

/// Whether two chains go through the same functions.
pub(super) fn is_same_chain(one: &Finding, other: &Finding) -> bool {
    let (one, other) = (one.path.iter(), other.path.iter());
    one.map(|it| &it.function).eq(other.map(|it| &it.function))
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

/// What a call is given; nothing for other statements.
pub(super) fn given(statement: &str) -> Vec<String> {
    arguments(statement).unwrap_or_default()
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

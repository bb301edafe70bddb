//! Texts of nodes: folded for people, squeezed for comparison.

use std::borrow::Cow;

use super::Node;
use super::nodes::{Field, Kind};
use crate::lex::name_length;

/// Statements are cut off here, at a character's border.
const MAX_STATEMENT_BYTES: usize = 200;

/// The node's text on one line, white space and comments folded to one blank.
pub(crate) fn fold(node: Node<'_>, text: &[u8]) -> String {
    fold_bytes(text.get(node.byte_range()).unwrap_or_default())
}

/// The bytes on one line, white space and comments folded to one blank.
pub(crate) fn fold_bytes(bytes: &[u8]) -> String {
    let text = lossy(bytes);
    if is_name(bytes) {
        return text.into_owned();
    }
    let text = if memchr::memchr(b'/', bytes).is_some() {
        Cow::Owned(strip_comments(&text))
    } else {
        text
    };
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// As [`String::from_utf8_lossy`], which takes three times as long over the few bytes of a name.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Whether the bytes are one name or number of ASCII, which folds to itself.
fn is_name(bytes: &[u8]) -> bool {
    name_length(bytes) == bytes.len()
}

/// Whether the node's text folds to `wanted`.
pub(crate) fn is_spelled(node: Node<'_>, text: &[u8], wanted: &str) -> bool {
    let bytes = text.get(node.byte_range()).unwrap_or_default();
    if is_name(bytes) {
        bytes == wanted.as_bytes()
    } else {
        fold_bytes(bytes) == wanted
    }
}

/// Where the statement or line that `offset` is in begins: behind the `;`, the brace or the line's end before it.
pub(crate) fn start_around(text: &[u8], offset: usize) -> usize {
    let ends = |it: &u8| matches!(it, b';' | b'{' | b'}' | b'\n');
    let before = text.get(..offset).unwrap_or(text);
    before.iter().rposition(ends).map_or(0, |it| it + 1)
}

/// The node's text without any white space.
pub(crate) fn squeeze(node: Node<'_>, text: &[u8]) -> String {
    squeeze_bytes(text.get(node.byte_range()).unwrap_or_default())
}

/// The bytes without any white space and comments.
pub(crate) fn squeeze_bytes(bytes: &[u8]) -> String {
    let mut folded = fold_bytes(bytes);
    folded.retain(|it| !it.is_whitespace());
    folded
}

fn strip_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(comment) = from.strip_prefix("/*") {
            out.push(' ');
            comment.find("*/").map_or("", |end| &comment[end + 2..])
        } else if from.starts_with("//") {
            from.find('\n').map_or("", |end| &from[end..])
        } else {
            out.push('/');
            &from[1..]
        };
    }
    out.push_str(rest);
    out
}

/// The statement that holds `node`, on one line: an expression statement, a declaration or a
/// `return` as a whole; of `if`, `while`, `for` and `switch` the part up to their condition's end.
pub(crate) fn statement_of(node: Node<'_>, text: &[u8]) -> String {
    let mut inner = node;
    let mut current = Some(node);
    while let Some(it) = current {
        let range = match it.kind() {
            Kind::ExpressionStatement | Kind::Declaration | Kind::ReturnStatement => {
                Some(it.byte_range())
            }
            Kind::IfStatement
            | Kind::WhileStatement
            | Kind::SwitchStatement
            | Kind::ForStatement => Some(it.start_byte()..header_end(it)),
            Kind::DoStatement
            | Kind::CompoundStatement
            | Kind::CaseStatement
            | Kind::LabeledStatement
            | Kind::FunctionDefinition
            | Kind::PreprocFunctionDef => Some(inner.byte_range()),
            _ => None,
        };
        if let Some(range) = range {
            return cut(fold_bytes(text.get(range).unwrap_or_default()));
        }
        inner = it;
        current = it.parent();
    }
    cut(fold(node, text))
}

fn header_end(statement: Node<'_>) -> usize {
    let body = statement
        .field(Field::Consequence)
        .or_else(|| statement.field(Field::Body));
    body.map_or(statement.end_byte(), Node::start_byte)
}

fn cut(mut statement: String) -> String {
    if statement.len() > MAX_STATEMENT_BYTES {
        let mut end = MAX_STATEMENT_BYTES;
        while !statement.is_char_boundary(end) {
            end -= 1;
        }
        statement.truncate(end);
        statement.push('…');
    }
    statement
}

/// The name of the function that a call names directly.
pub(crate) fn call_name<'t>(call: Node<'_>, text: &'t [u8]) -> Option<Cow<'t, str>> {
    let function = call.field(Field::Function)?;
    let name = text.get(function.byte_range()).unwrap_or_default();
    (function.kind() == Kind::Identifier).then(|| String::from_utf8_lossy(name))
}

/// The argument of this index, from 0, comments not counted.
pub(crate) fn call_argument(call: Node<'_>, index: usize) -> Option<Node<'_>> {
    let list = call.field(Field::Arguments)?;
    list.named_children()
        .filter(|it| it.kind() != Kind::Comment)
        .nth(index)
}

/// The value of a small decimal number, with sign and parentheses.
pub(crate) fn is_number(node: Node<'_>, text: &[u8]) -> Option<i64> {
    let squeezed = squeeze(node, text);
    squeezed
        .trim_matches(['(', ')'])
        .trim_end_matches(['u', 'U', 'l', 'L'])
        .parse()
        .ok()
}

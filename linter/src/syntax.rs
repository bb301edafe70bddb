//! The only user of tree-sitter: one item's text in, a tree out.
#![expect(
    clippy::cast_possible_truncation,
    reason = "an item that is parsed has at most MAX_ITEM_BYTES"
)]

mod ast;
pub(crate) mod clean;
pub(crate) mod counts;
mod direct;
pub(crate) mod directives;
pub(crate) mod doubts;
pub(crate) mod flow;
mod guards;
pub(crate) mod idioms;
pub(crate) mod kept;
pub(crate) mod locks;
pub(crate) mod nodes;
mod pending;
pub(crate) mod taken;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod token;

use std::cell::RefCell;

pub(crate) use ast::{Node, Tree};

use ast::Entry;
use nodes::{Field, NAMES};

/// Items beyond this size are not parsed: the largest hand-written function of a kernel has 100 kB.
pub(crate) const MAX_ITEM_BYTES: usize = 4 << 20;

thread_local! {
    static PARSER: RefCell<tree_sitter::Parser> = RefCell::new(new_parser());
}

fn new_parser() -> tree_sitter::Parser {
    let mut parser = tree_sitter::Parser::new();
    parser
        .set_language(&tree_sitter_c::LANGUAGE.into())
        .expect("the grammar and the runtime are pinned together");
    parser
}

/// Parses C text; `None` where it is too large.
///
/// Most of it is read directly; the grammar takes what is left, and in builds with debug assertions, so in every
/// test, it also confirms each tree.
pub(crate) fn parse(text: &[u8]) -> Option<Tree> {
    if text.len() > MAX_ITEM_BYTES {
        return None;
    }
    let Some(tree) = direct::parse(text) else {
        return by_grammar(text);
    };
    debug_assert!(
        by_grammar(text).is_some_and(|it| it == tree),
        "the grammar reads this in another way: {}",
        String::from_utf8_lossy(text)
    );
    Some(tree)
}

fn by_grammar(text: &[u8]) -> Option<Tree> {
    let parsed = PARSER.with(|parser| parser.borrow_mut().parse(text, None))?;
    Some(taken_over(&parsed))
}

/// Walks the parser's own tree once: asking it for children and parents again and again costs more than parsing.
fn taken_over(parsed: &tree_sitter::Tree) -> Tree {
    let names = &*NAMES;
    let mut entries: Vec<Entry> = Vec::with_capacity(parsed.root_node().descendant_count() / 2);
    let mut cursor = parsed.walk();
    // Of the nodes that the walk is in, the numbers; `None` for one that is left out.
    let mut open: Vec<Option<u32>> = Vec::new();
    let mut around = 0;
    loop {
        let node = cursor.node();
        let (field, is_named) = (names.field(cursor.field_id()), node.is_named());
        let kind = names.kind(node);
        if is_named || field != Field::None {
            let at = entries.len() as u32;
            entries.push(Entry {
                kind,
                field,
                is_named,
                start: node.start_byte() as u32,
                end: node.end_byte() as u32,
                parent: around,
                past: at + 1,
            });
            open.push(Some(at));
            around = at;
        } else {
            open.push(None);
        }
        if !kind.is_leaf() && cursor.goto_first_child() {
            continue;
        }
        loop {
            if let Some(at) = open.pop().flatten() {
                let past = entries.len() as u32;
                let entry = &mut entries[at as usize];
                entry.past = past;
                around = entry.parent;
            }
            if cursor.goto_next_sibling() {
                break;
            }
            if !cursor.goto_parent() {
                return Tree::of(entries);
            }
        }
    }
}

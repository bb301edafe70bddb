//! The only user of tree-sitter: one item's text in, a tree out.

pub(crate) mod clean;
pub(crate) mod counts;
mod doubts;
pub(crate) mod flow;
pub(crate) mod idioms;
mod locks;
pub(crate) mod nodes;
#[cfg(test)]
mod tests;
pub(crate) mod text;

use std::cell::RefCell;

pub(crate) use tree_sitter::{Node, Tree};

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
pub(crate) fn parse(text: &[u8]) -> Option<Tree> {
    if text.len() > MAX_ITEM_BYTES {
        return None;
    }
    PARSER.with(|parser| parser.borrow_mut().parse(text, None))
}

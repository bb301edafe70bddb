//! Reads the C that functions and tables mostly are written in, some twenty times as fast as the grammar does.
//!
//! It makes the tree that the grammar makes, node for node, or none: what it does not know, or what can be read in
//! two ways, is left to the grammar. Builds with debug assertions compare the two on every text.

mod declarations;
mod expressions;
mod statements;

use std::cell::RefCell;

use super::ast::{Entry, Tree};
use super::nodes::{Field, Kind};
use super::token::{Kind as T, Token, tokens};

/// Brackets and statements nest this deep at most.
const MAX_DEPTH: u32 = 120;

/// Beyond so many tokens, what was needed for a text is not kept for the next.
const MAX_KEPT: usize = 1 << 16;

thread_local! {
    static READER: RefCell<Reader> = RefCell::default();
}

/// Reads a text; `None` where the grammar has to.
pub(super) fn parse(text: &[u8]) -> Option<Tree> {
    READER.with_borrow_mut(|reader| {
        reader.clear();
        tokens(text, &mut reader.tokens)?;
        let root = reader.unit()?;
        Some(reader.flattened(root))
    })
}

/// A node by its number; 0 is none.
type Id = u32;

/// A node under construction.
#[derive(Clone, Copy)]
struct Raw {
    kind: Kind,
    field: Field,
    is_named: bool,
    start: u32,
    end: u32,
    first: Id,
    next: Id,
}

/// The children that a node will have.
#[derive(Clone, Copy, Default)]
struct Children {
    first: Id,
    last: Id,
}

#[derive(Default)]
struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    nodes: Vec<Raw>,
}

impl Reader {
    /// Forgets the text before.
    fn clear(&mut self) {
        if self.tokens.capacity() > MAX_KEPT {
            *self = Self::default();
        }
        self.tokens.clear();
        self.nodes.clear();
        (self.at, self.depth) = (0, 0);
    }

    fn kind(&self) -> T {
        self.tokens[self.at].kind
    }

    fn peek(&self, ahead: usize) -> T {
        self.tokens
            .get(self.at + ahead)
            .map_or(T::End, |it| it.kind)
    }

    fn start(&self) -> u32 {
        self.tokens[self.at].start
    }

    /// Where the last token that was taken ends.
    fn end(&self) -> u32 {
        self.tokens[self.at - 1].end
    }

    fn take(&mut self, kind: T) -> Option<()> {
        self.takes(kind).then_some(())
    }

    fn takes(&mut self, kind: T) -> bool {
        let is_it = self.kind() == kind;
        if is_it {
            self.at += 1;
        }
        is_it
    }

    fn node(&mut self, kind: Kind, start: u32, children: Children) -> Id {
        let end = self.end();
        self.push(kind, true, (start, end), children)
    }

    fn push(
        &mut self,
        kind: Kind,
        is_named: bool,
        (start, end): (u32, u32),
        children: Children,
    ) -> Id {
        if self.nodes.is_empty() {
            // Number 0 stands for none.
            self.nodes.reserve(self.tokens.len() * 2);
            self.nodes.push(Raw {
                kind: Kind::Other,
                field: Field::None,
                is_named: false,
                start: 0,
                end: 0,
                first: 0,
                next: 0,
            });
        }
        self.nodes.push(Raw {
            kind,
            field: Field::None,
            is_named,
            start,
            end,
            first: children.first,
            next: 0,
        });
        (self.nodes.len() - 1) as Id
    }

    fn add(&mut self, to: &mut Children, field: Field, node: Id) {
        self.nodes[node as usize].field = field;
        if to.last == 0 {
            to.first = node;
        } else {
            self.nodes[to.last as usize].next = node;
        }
        to.last = node;
    }

    /// The token at hand as a node without children.
    fn leaf(&mut self, kind: Kind) -> Id {
        let Token { start, end, .. } = self.tokens[self.at];
        self.at += 1;
        self.push(kind, true, (start, end), Children::default())
    }

    /// The token at hand as an operator.
    fn operator(&mut self, to: &mut Children) {
        let Token { start, end, .. } = self.tokens[self.at];
        self.at += 1;
        let node = self.push(Kind::Other, false, (start, end), Children::default());
        self.add(to, Field::Operator, node);
    }

    fn wrap(&mut self, kind: Kind, start: u32, parts: &[(Field, Id)]) -> Id {
        let mut children = Children::default();
        for (field, node) in parts {
            self.add(&mut children, *field, *node);
        }
        self.node(kind, start, children)
    }

    fn deeper<V>(&mut self, read: impl FnOnce(&mut Self) -> Option<V>) -> Option<V> {
        if self.depth >= MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn flattened(&self, root: Id) -> Tree {
        let mut entries: Vec<Entry> = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<(Id, u32)> = Vec::new();
        let (mut node, mut parent) = (root, 0);
        loop {
            let raw = &self.nodes[node as usize];
            let at = entries.len() as u32;
            entries.push(Entry {
                kind: raw.kind,
                field: raw.field,
                is_named: raw.is_named,
                start: raw.start,
                end: raw.end,
                parent,
                past: at + 1,
            });
            if raw.first != 0 {
                open.push((node, at));
                (node, parent) = (raw.first, at);
                continue;
            }
            loop {
                let next = self.nodes[node as usize].next;
                if next != 0 {
                    node = next;
                    break;
                }
                let Some((outer, at)) = open.pop() else {
                    return Tree::of(entries);
                };
                entries[at as usize].past = entries.len() as u32;
                node = outer;
                parent = entries[at as usize].parent;
            }
        }
    }

    /// One function or one declaration.
    fn unit(&mut self) -> Option<Id> {
        let start = self.start();
        let item = self.external()?;
        self.take(T::End)?;
        let mut children = Children::default();
        self.add(&mut children, Field::None, item);
        // The root holds what stands behind its last token.
        Some(self.node(Kind::TranslationUnit, start, children))
    }
}

/// Whether a token certainly begins a type.
fn is_type(kind: T) -> bool {
    matches!(
        kind,
        T::Primitive | T::Size | T::Struct | T::Union | T::Enum | T::Qualifier
    )
}

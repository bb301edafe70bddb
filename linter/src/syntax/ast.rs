//! A parsed item as one array: cheap to walk, and the same whoever parsed it.

use super::nodes::{Field, Kind};

/// A tree. Its nodes stand in the order of their text, parents before their children.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tree {
    entries: Vec<Entry>,
}

/// One node of a [`Tree`]. Tokens without a name are kept where they fill a field, such as operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) field: Field,
    pub(super) is_named: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The node around it; of the root its own number.
    pub(super) parent: u32,
    /// The first node behind it that does not lie in it.
    pub(super) past: u32,
}

impl Tree {
    pub(super) fn of(entries: Vec<Entry>) -> Self {
        Self { entries }
    }

    /// The node that holds all others.
    pub(crate) fn root_node(&self) -> Node<'_> {
        Node { tree: self, at: 0 }
    }
}

/// A node of a tree.
#[derive(Clone, Copy)]
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    at: u32,
}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.entry().fmt(f)
    }
}

/// Nodes are compared within one tree.
impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<'t> Node<'t> {
    fn entry(self) -> &'t Entry {
        &self.tree.entries[self.at as usize]
    }

    pub(crate) fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Byte offset of its first byte in the text that was parsed.
    pub(crate) fn start_byte(self) -> usize {
        self.entry().start as usize
    }

    /// Byte offset behind its last byte.
    pub(crate) fn end_byte(self) -> usize {
        self.entry().end as usize
    }

    pub(crate) fn byte_range(self) -> std::ops::Range<usize> {
        self.start_byte()..self.end_byte()
    }

    pub(crate) fn parent(self) -> Option<Self> {
        let parent = self.entry().parent;
        (parent != self.at).then_some(Self { at: parent, ..self })
    }

    fn all_children(self) -> impl Iterator<Item = Self> {
        let past = self.entry().past;
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            let child = (at < past).then_some(Self { at, ..self })?;
            at = child.entry().past;
            Some(child)
        })
    }

    /// Whether nothing lies in it.
    pub(crate) fn is_single(self) -> bool {
        self.entry().past == self.at + 1
    }

    /// The children that have a name; comments have.
    pub(crate) fn named_children(self) -> impl Iterator<Item = Self> {
        self.all_children().filter(|it| it.entry().is_named)
    }

    /// The named children that are no comments.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.named_children()
            .filter(|it| it.kind() != Kind::Comment)
    }

    /// The first child that fills a field.
    pub(crate) fn field(self, field: Field) -> Option<Self> {
        // Statements fill no field of what is around them, and there may be many.
        if self.kind() == Kind::CompoundStatement {
            return None;
        }
        self.fields(field).next()
    }

    /// All children that fill a field.
    pub(crate) fn fields(self, field: Field) -> impl Iterator<Item = Self> {
        self.all_children()
            .filter(move |it| it.entry().field == field)
    }

    fn next_sibling(self) -> Option<Self> {
        let at = self.entry().past;
        let is_in = |it: &Self| at < it.entry().past;
        self.parent().filter(is_in).map(|_| Self { at, ..self })
    }

    /// The last thing before it ends where it begins: its own ancestor below the same parent.
    fn prev_sibling(self) -> Option<Self> {
        let parent = self.parent()?;
        let mut before = Self {
            at: self.at - 1,
            ..self
        };
        while before != parent {
            let around = before.parent()?;
            if around == parent {
                return Some(before);
            }
            before = around;
        }
        None
    }

    pub(crate) fn next_named_sibling(self) -> Option<Self> {
        std::iter::successors(self.next_sibling(), |it| it.next_sibling())
            .find(|it| it.entry().is_named)
    }

    pub(crate) fn prev_named_sibling(self) -> Option<Self> {
        std::iter::successors(self.prev_sibling(), |it| it.prev_sibling())
            .find(|it| it.entry().is_named)
    }

    /// The innermost node that holds a byte.
    pub(crate) fn innermost_at(self, byte: usize) -> Self {
        let mut node = self;
        while let Some(inner) = node
            .all_children()
            .find(|it| it.byte_range().contains(&byte))
        {
            node = inner;
        }
        node
    }

    /// The node and all that it holds, parents first.
    pub(crate) fn preorder(self) -> impl Iterator<Item = Self> {
        (self.at..self.entry().past).map(move |at| Self { at, ..self })
    }
}

//! From where control may come back to a place of a function: loops, and labels that a later `goto` names.

use rustc_hash::FxHashMap;

use super::expr::Text;
use crate::lex::Sym;
use crate::syntax::Node;
use crate::syntax::nodes::Field;

/// The loops and labels of one function, as far as it was read.
pub(super) struct Jumps {
    /// Where the outermost loop around starts.
    outer_loop: Option<u32>,
    /// The outermost loops, in order.
    loops: Vec<(u32, u32)>,
    /// The labels that a `goto` before them names, and where they stand, once they were read.
    labels: FxHashMap<Sym, u32>,
    /// Where the first label stands that control may come back to: what follows may run again.
    pub(super) first_label: u32,
}

impl Default for Jumps {
    fn default() -> Self {
        Self {
            outer_loop: None,
            loops: Vec::new(),
            labels: FxHashMap::default(),
            first_label: u32::MAX,
        }
    }
}

impl Jumps {
    /// A loop begins; what is around it is for [`Jumps::leave`].
    pub(super) fn enter(&mut self, text: Text<'_>, node: Node<'_>) -> Option<u32> {
        let outer = self.outer_loop;
        if outer.is_none() {
            let start = text.offset(node);
            self.loops
                .push((start, start + node.byte_range().len() as u32));
            self.outer_loop = Some(start);
        }
        outer
    }

    /// The loop ends.
    pub(super) fn leave(&mut self, outer: Option<u32>) {
        self.outer_loop = outer;
    }

    /// From where on what happens here may have happened.
    pub(super) fn since(&self, offset: u32) -> u32 {
        self.outer_loop.unwrap_or(offset)
    }

    /// As [`Jumps::since`], of any place once all was read.
    pub(super) fn since_before(&self, offset: u32) -> u32 {
        let next = self.loops.partition_point(|it| it.0 <= offset);
        let around = next.checked_sub(1).map(|it| self.loops[it]);
        around.filter(|it| offset < it.1).map_or(offset, |it| it.0)
    }

    /// A label. One that no `goto` before it names is one to come back to, for all that is known.
    pub(super) fn label(&mut self, text: Text<'_>, node: Node<'_>) {
        let at = text.offset(node);
        let name = node.field(Field::Label).map(|it| text.sym(it));
        match name.and_then(|it| self.labels.get_mut(&it)) {
            Some(known) => *known = at,
            None => self.enter_at(at),
        }
    }

    /// What stands at a place is entered from elsewhere, perhaps from behind it.
    pub(super) fn enter_at(&mut self, at: u32) {
        self.first_label = self.first_label.min(at);
    }

    /// A `goto`.
    pub(super) fn jump(&mut self, text: Text<'_>, node: Node<'_>) {
        // `goto *there;` may lead anywhere.
        let label = node.field(Field::Label).map(|it| text.sym(it));
        let at = label.map_or(0, |it| *self.labels.entry(it).or_insert(u32::MAX));
        self.enter_at(at);
    }
}

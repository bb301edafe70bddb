//! Where another name for `iput()` calls it.

use super::findings::{Run, lexical_calls};
use crate::finding::Related;
use crate::graph::{ItemId, Target};

impl Run<'_, '_, '_> {
    /// The `iput()` behind a call of another name for it, at `offset` of a function; `None` for calls of `iput()` itself.
    pub(super) fn put_behind(&self, id: ItemId, offset: usize) -> Option<Related> {
        let edges = self.resolver.edges(id);
        let mut called = edges.iter().filter_map(|it| match it.target {
            Target::Function(target) if it.offset as usize == offset => {
                self.alias_at(id, it).map(|_| target)
            }
            _ => None,
        });
        let alias = called.next()?;
        let item = self.index.item(alias);
        let from = (item.body - item.start) as usize;
        let put = *lexical_calls(self.index.item_text(alias), from).first()?;
        Some(Related {
            file: self.index.file_of(alias).path.clone(),
            line: self.index.position(alias, u32::try_from(put).ok()?).0,
            message: format!("{}() calls iput()", self.index.name_of(alias)),
        })
    }
}

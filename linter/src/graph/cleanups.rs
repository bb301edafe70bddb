//! Functions that run at the end of a variable's scope: nobody writes their names, a use of one macro names by
//! `example` the `__free_example()` that a use of another has made.

use super::index::{Index, ItemId};
use crate::kernel;
use crate::lex::{Sym, is_word_byte};

impl Index<'_> {
    /// Of a function that a macro made to clean up, the word that variables name it by, as [`Sym::short`].
    pub(super) fn cleanup_word(&self, id: ItemId) -> Option<u32> {
        let (item, file) = (self.item(id), self.file_index(id));
        let made = self.file(file).made.as_ref()?;
        if !made.holds(item.start) {
            return None;
        }
        let head = made.text(item.start, item.body);
        let mut words = head.split(|it| !is_word_byte(*it));
        let name = words.find(|it| Sym::of(it) == item.name)?;
        kernel::CLEANUPS.iter().find_map(|(before, behind)| {
            let word = name.strip_prefix(before.as_bytes())?;
            let word = word.strip_suffix(behind.as_bytes())?;
            (!word.is_empty()).then(|| Sym::of(word).short())
        })
    }
}

//! What the `->drop_inode` of each implementation does with inodes that lose their last reference.

use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::index::Index;
use crate::kernel;
use crate::lex::Sym;
use crate::syntax::text::fold_bytes;

/// Who always drops, and who keeps what is under writeback.
pub(crate) struct DropInode {
    always: FxHashSet<Domain>,
    keepers: FxHashMap<Domain, String>,
}

impl DropInode {
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let setters: FxHashSet<(u32, Domain)> = index
            .setters(Sym::of("drop_inode").short())
            .map(|it| (it.0, index.file_of(it.1).domain))
            .filter(|it| it.1 != Domain::GENERIC)
            .collect();
        let names: FxHashSet<u32> = kernel::ALWAYS_DROP
            .iter()
            .map(|it| Sym::of(it).short())
            .collect();
        let functions = setters.iter().flat_map(|(name, domain)| {
            let named = index.functions_of(*name);
            named.filter(|it| index.file_of(*it).domain == *domain)
        });
        let keepers = functions
            .filter(|it| keeps(index.item_text(*it)))
            .map(|it| (index.file_of(it).domain, index.name_of(it)))
            .collect();
        Self {
            always: setters
                .iter()
                .filter(|it| names.contains(&it.0))
                .map(|it| it.1)
                .collect(),
            keepers,
        }
    }

    /// Whether each last `iput()` evicts at once.
    pub(crate) fn always(&self, of: Domain) -> bool {
        self.always.contains(&of)
    }

    /// The name of a `->drop_inode` that looks at [`kernel::UNDER_WRITEBACK`].
    pub(crate) fn keeper(&self, of: Domain) -> Option<String> {
        self.keepers.get(&of).cloned()
    }
}

fn keeps(text: &[u8]) -> bool {
    let bare: String = fold_bytes(text)
        .chars()
        .filter(|it| !it.is_whitespace())
        .collect();
    let test = format!("&{}", kernel::UNDER_WRITEBACK);
    let ends_there = |at: usize| {
        let next = bare[at + test.len()..].chars().next();
        !next.is_some_and(|it| it.is_alphanumeric() || it == '_')
    };
    bare.match_indices(&test).any(|it| ends_there(it.0))
}

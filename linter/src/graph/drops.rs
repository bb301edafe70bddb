//! What the `->drop_inode` of each implementation does with inodes that lose their last reference.

use rustc_hash::{FxHashMap, FxHashSet};

use super::domains::Domain;
use super::index::{Index, ItemId};
use crate::kernel;
use crate::lex::Sym;
use crate::syntax::text::fold_bytes;

/// Whose `->drop_inode` a table sets: that of a filesystem or, where none is registered in sight, of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Home {
    Domain(Domain),
    Directory(String),
}

/// Who always drops, and who keeps what is under writeback.
pub(crate) struct DropInode {
    always: FxHashSet<Home>,
    keepers: FxHashMap<Home, String>,
}

impl DropInode {
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let setters: FxHashSet<(u32, Home)> = index
            .setters(Sym::of("drop_inode").short())
            .filter_map(|it| Some((it.0, home(index, it.1)?)))
            .collect();
        let names: FxHashSet<u32> = kernel::ALWAYS_DROP
            .iter()
            .map(|it| Sym::of(it).short())
            .collect();
        let functions = setters.iter().flat_map(|(name, of)| {
            let named = index.functions_of(*name);
            named.filter(|it| home(index, *it).as_ref() == Some(of))
        });
        let keepers = functions
            .filter(|it| keeps(index.item_text(*it)))
            .filter_map(|it| Some((home(index, it)?, index.name_of(it))))
            .collect();
        Self {
            always: setters
                .iter()
                .filter(|it| names.contains(&it.0))
                .map(|it| it.1.clone())
                .collect(),
            keepers,
        }
    }

    /// Whether each last `iput()` in the filesystem of this function evicts at once.
    pub(crate) fn always(&self, index: &Index<'_>, of: ItemId) -> bool {
        home(index, of).is_some_and(|it| self.always.contains(&it))
    }

    /// The name of its `->drop_inode` that looks at [`kernel::UNDER_WRITEBACK`].
    pub(crate) fn keeper(&self, index: &Index<'_>, of: ItemId) -> Option<String> {
        self.keepers.get(&home(index, of)?).cloned()
    }
}

/// `None` for what belongs to no filesystem: `fs/libfs.c` says nothing of `fs/inode.c`.
fn home(index: &Index<'_>, item: ItemId) -> Option<Home> {
    let file = index.file_of(item);
    if file.domain != Domain::GENERIC {
        return Some(Home::Domain(file.domain));
    }
    let path = file.path.as_str();
    let directory = &path[..path.rfind('/')?];
    directory
        .contains('/')
        .then(|| Home::Directory(directory.to_owned()))
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

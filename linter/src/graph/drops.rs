//! What the `->drop_inode` of each implementation does with inodes that lose their last reference.

use rustc_hash::FxHashSet;

use super::domains::Domain;
use super::index::{Index, ItemId};
use crate::kernel;
use crate::lex::Sym;
use crate::syntax::text::fold_bytes;
use crate::warm::Copies;

/// Whose `->drop_inode` a table sets: that of a filesystem or, where none is registered in sight, of a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Home {
    Domain(Domain),
    Directory(String),
}

/// Who always drops, and who keeps what is under writeback.
pub(crate) struct DropInode {
    /// The names that tables set, as [`Sym::short`], in order.
    setters: Vec<(u32, Home)>,
    always: FxHashSet<Home>,
    keepers: Copies<ItemId, Option<String>>,
}

impl DropInode {
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let setters = index.setters(Sym::of("drop_inode").short());
        let setters = setters.filter_map(|it| Some((it.0, home(index, it.1)?)));
        let mut setters: Vec<(u32, Home)> = setters.collect();
        setters.sort_unstable();
        setters.dedup();
        let names: FxHashSet<u32> = kernel::ALWAYS_DROP
            .iter()
            .map(|it| Sym::of(it).short())
            .collect();
        Self {
            always: setters
                .iter()
                .filter(|it| names.contains(&it.0))
                .map(|it| it.1.clone())
                .collect(),
            setters,
            keepers: Copies::new(),
        }
    }

    /// Whether each last `iput()` in the filesystem of this function evicts at once.
    pub(crate) fn always(&self, index: &Index<'_>, of: ItemId) -> bool {
        home(index, of).is_some_and(|it| self.always.contains(&it))
    }

    /// The name of its `->drop_inode` that looks at [`kernel::UNDER_WRITEBACK`].
    pub(crate) fn keeper(&self, index: &Index<'_>, of: ItemId) -> Option<String> {
        let home_of = home(index, of)?;
        let here = self.setters.iter().filter(|it| it.1 == home_of);
        let mut functions = here
            .flat_map(|it| index.functions_of(it.0))
            .filter(|it| home(index, *it).as_ref() == Some(&home_of));
        functions.find_map(|it| {
            self.keepers
                .get(it, || keeps(index.item_text(it)).then(|| index.name_of(it)))
        })
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

//! Which helpers around `i_count` a tree has: advice must not name what does not compile.

use crate::kernel::I_COUNT_HELPERS;

/// The helpers that a tree declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Helpers {
    declared: Vec<&'static str>,
}

impl Helpers {
    /// Reads `include/linux/fs.h`; an empty text declares nothing.
    pub(crate) fn of_header(fs_h: &[u8]) -> Self {
        let declared = I_COUNT_HELPERS
            .iter()
            .copied()
            .filter(|it| declares(fs_h, it.as_bytes()))
            .collect();
        Self { declared }
    }

    /// Whether the tree declares `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.declared.contains(&name)
    }

    /// How to drop a reference that is not the last, in this tree's words, of the inode that `pointer` points to.
    pub(crate) fn drop_unless_last(&self, pointer: &str) -> String {
        if self.has("iput_if_not_last") {
            format!("`if (iput_if_not_last({pointer})) return;`")
        } else {
            let counter = counter_of(pointer);
            format!("`if (atomic_add_unless(&{counter}, -1, 1)) return;`")
        }
    }
}

/// The counter of the inode that an expression points to, as C that compiles.
fn counter_of(pointer: &str) -> String {
    let is_simple = |it: char| {
        it.is_alphanumeric() || matches!(it, '_' | '-' | '>' | '.' | '(' | ')' | '[' | ']' | ',')
    };
    match pointer.strip_prefix('&') {
        Some(object) => format!("{object}.i_count"),
        None if pointer.starts_with('(') || !pointer.chars().all(is_simple) => {
            format!("({pointer})->i_count")
        }
        None => format!("{pointer}->i_count"),
    }
}

fn declares(text: &[u8], name: &[u8]) -> bool {
    let is_word = |it: &u8| it.is_ascii_alphanumeric() || *it == b'_';
    memchr::memmem::find_iter(text, name).any(|at| {
        let before = at.checked_sub(1).and_then(|it| text.get(it));
        !before.is_some_and(&is_word) && text.get(at + name.len()) == Some(&b'(')
    })
}

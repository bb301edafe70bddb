//! What a name means in a file: the functions and macros that can be meant, nearest first.

use std::sync::Arc;

use super::index::ItemId;
use super::resolve::Resolver;
use super::typing::directory;
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::Sym;
use crate::warm::Memo;

/// Definitions of one macro in one file that are meant together.
const MAX_MACRO_TWINS: usize = 4;

/// A name where it stands.
type NameIn = (Sym, u32);
type Functions = Vec<(ItemId, Confidence)>;

/// What names were found to mean.
pub(crate) struct Meanings {
    macros: Memo<NameIn, Option<ItemId>>,
    functions: Memo<NameIn, Functions>,
    calls: Memo<NameIn, (Functions, Vec<ItemId>)>,
}

impl Meanings {
    pub(crate) fn new() -> Self {
        Self {
            macros: Memo::new(),
            functions: Memo::new(),
            calls: Memo::new(),
        }
    }
}

impl Resolver<'_, '_> {
    /// Those of `candidates` that can be meant in `file`, nearest first.
    pub(crate) fn visible(
        &self,
        candidates: impl Iterator<Item = ItemId>,
        file: usize,
    ) -> impl Iterator<Item = ItemId> {
        let mut found: Vec<(u8, ItemId)> = candidates
            .filter(|it| self.index.is_visible(*it, file))
            .map(|it| (self.distance(it, file), it))
            .filter(|it| it.0 < 7)
            .collect();
        found.sort_unstable();
        found.into_iter().map(|it| it.1)
    }

    /// The macro that a name means in a file: the nearest, of equally near ones that of the header that the
    /// file includes by the shortest way.
    pub(crate) fn macro_in(&self, name: Sym, file: usize) -> Option<ItemId> {
        if !self.index.is_macro_name(name.short()) {
            return None;
        }
        *self
            .meanings
            .macros
            .get((name, file as u32), || self.nearest_macro(name, file))
    }

    fn nearest_macro(&self, name: Sym, file: usize) -> Option<ItemId> {
        let mut all = self
            .index
            .macros(name)
            .map(|it| (self.distance(it, file), it))
            .filter(|it| it.0 < 4);
        let first = all.next()?;
        let rest: Vec<(u8, ItemId)> = all.collect();
        let nearest = rest.iter().fold(first.0, |least, it| least.min(it.0));
        let mut near = std::iter::once(first)
            .chain(rest)
            .filter(|it| it.0 == nearest)
            .map(|it| it.1);
        let first = near.next()?;
        let home = self.index.file_index(first);
        let others: Vec<ItemId> = near
            .filter(|it| self.index.file_index(*it) != home)
            .collect();
        if others.is_empty() {
            return Some(first);
        }
        others
            .into_iter()
            .chain([first])
            .min_by_key(|it| (self.include_depth(*it, file), *it))
    }

    /// The macros that a name can mean in a file: the arms of an `#if` are all meant.
    pub(super) fn macros_in(&self, name: Sym, file: usize) -> Vec<ItemId> {
        let Some(first) = self.macro_in(name, file) else {
            return Vec::new();
        };
        let home = self.index.file_index(first);
        self.index
            .macros(name)
            .filter(|it| self.index.file_index(*it) == home)
            .take(MAX_MACRO_TWINS)
            .collect()
    }

    /// The functions that a name can mean in a file: twins of `#ifdef` arms are all meant.
    pub(crate) fn functions_in(&self, name: Sym, file: usize) -> Arc<Functions> {
        self.meanings
            .functions
            .get((name, file as u32), || self.nearest_functions(name, file))
    }

    /// Whether the name of a function means it where `user` stands.
    pub(super) fn is_meant(&self, function: ItemId, user: ItemId) -> bool {
        let name = self.index.item(function).name;
        let meant = self.functions_in(name, self.index.file_index(user));
        meant.iter().any(|it| it.0 == function)
    }

    fn nearest_functions(&self, name: Sym, file: usize) -> Functions {
        let all: Vec<ItemId> = self.visible(self.index.functions(name), file).collect();
        let own: Vec<ItemId> = all
            .iter()
            .copied()
            .filter(|it| self.index.file_index(*it) == file)
            .collect();
        if !own.is_empty() {
            return own.into_iter().map(|it| (it, Confidence::High)).collect();
        }
        let rank = |id: ItemId| self.link_rank(id, file);
        let Some(best) = all.iter().map(|it| rank(*it)).min() else {
            return Vec::new();
        };
        let best: Vec<ItemId> = all
            .into_iter()
            .filter(|it| rank(*it) == best)
            .take(32)
            .collect();
        // Twins in one file are arms of one definition; in several files only one is linked.
        let first = self.index.file_index(best[0]);
        let sure = best.iter().all(|it| self.index.file_index(*it) == first);
        let confidence = if sure {
            Confidence::High
        } else {
            Confidence::Medium
        };
        best.into_iter().map(|it| (it, confidence)).collect()
    }

    /// How likely a function of another file is the one that is linked: the own implementation and directory,
    /// then what every kernel has, then drivers and the own architecture, then what is built apart.
    fn link_rank(&self, id: ItemId, file: usize) -> u8 {
        let (here, there) = (self.index.file(file), self.index.file_of(id));
        let (own, path) = (here.path.as_str(), there.path.as_str());
        let is_arch = path.starts_with("arch/");
        if there.domain == here.domain && here.domain.0 != 0 || directory(path) == directory(own) {
            0
        } else if kernel::is_built_apart(path) {
            4
        } else if is_arch && !own.starts_with(arch_of(path)) {
            3
        } else if is_arch || path.starts_with("drivers/") {
            2
        } else {
            1
        }
    }

    /// What a name that is followed by arguments can mean: functions and macros. What is nearer hides what is
    /// farther, but a function may be the other arm of a macro's `#if`.
    pub(super) fn meanings(&self, name: Sym, file: usize) -> Arc<(Functions, Vec<ItemId>)> {
        self.meanings.calls.get((name, file as u32), || {
            let mut functions = self.functions_in(name, file).to_vec();
            let mut macros = self.macros_in(name, file);
            if let (Some((function, _)), Some(definition)) = (functions.first(), macros.first()) {
                let (to_function, to_macro) = (
                    self.distance(*function, file),
                    self.distance(*definition, file),
                );
                if to_function < to_macro {
                    macros.clear();
                } else if to_macro < to_function
                    && (self.index.file_of(*function).is_shared
                        || self.link_rank(*function, file) > 1)
                    && !self.yields(*definition, *function)
                {
                    functions.clear();
                }
            }
            (functions, macros)
        })
    }

    /// Whether a macro only stands in for a function that an architecture may have.
    fn yields(&self, definition: ItemId, function: ItemId) -> bool {
        let index = self.index;
        let path = index.file_of(function).path.as_str();
        if !path.starts_with("arch/") || !path.contains("/include/asm/") {
            return false;
        }
        let guard = || format!("#ifndef {}\n", index.name_of(definition));
        let text = || index.text(index.file_index(definition));
        index
            .file_of(definition)
            .path
            .is_under("include/asm-generic")
            || memchr::memmem::find(text(), guard().as_bytes()).is_some()
    }
}

fn arch_of(path: &str) -> &str {
    path.match_indices('/')
        .nth(1)
        .map_or(path, |it| &path[..it.0])
}

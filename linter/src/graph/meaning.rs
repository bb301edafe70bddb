//! What a name means in a file: the functions and macros that can be meant, nearest first.

use std::sync::Arc;

use super::includes::{NOT_INCLUDED, arch_of, is_of_arch};
use super::index::ItemId;
use super::resolve::Resolver;
use super::typing::directory;
use crate::finding::Confidence;
use crate::kernel;
use crate::lex::{self, Sym, flags};
use crate::warm::Memo;

/// Definitions of one macro in one file that are meant together.
const MAX_MACRO_TWINS: usize = 4;
/// Definitions of one function that may all be linked.
const MAX_FUNCTION_TWINS: usize = 32;
/// The rank of functions that the kernel may have which is read: those of its architecture and of drivers.
const OWN_ARCHITECTURE: u8 = 2;
/// The distance of headers that a file may include without saying so.
const IN_REACH: u8 = 2;

/// A name where it stands.
type NameIn = (Sym, u32);
/// Functions, with how sure it is that they are meant.
pub(super) type Functions = Vec<(ItemId, Confidence)>;

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
            .filter(|it| {
                self.index.is_visible(*it, file)
                    || self.includes_unit(self.index.file_index(*it), file)
            })
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
        let near = self.near_macros(name, file);
        let first = *near.first()?;
        let home = self.index.file_index(first);
        if near.iter().all(|it| self.index.file_index(*it) == home) {
            return Some(first);
        }
        let has_arch = self.has_arch(&near, file);
        near.into_iter().min_by_key(|it| {
            let gives_way = has_arch && !self.is_of_arch(*it, file) && self.gives_way(*it);
            (gives_way, self.include_depth(*it, file), *it)
        })
    }

    /// The macros of a name that are as near as any, in order; with those of the architecture where they give way.
    fn near_macros(&self, name: Sym, file: usize) -> Vec<ItemId> {
        let all = self.index.macros(name);
        let all: Vec<(u8, ItemId)> = all
            .map(|it| (self.distance(it, file), it))
            .filter(|it| it.0 < 4)
            .collect();
        let Some(nearest) = all.iter().map(|it| it.0).min() else {
            return Vec::new();
        };
        let (near, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.0 == nearest);
        let mut found: Vec<ItemId> = near.into_iter().map(|it| it.1).collect();
        let rest = rest.into_iter().map(|it| it.1);
        let of_arch: Vec<ItemId> = rest.filter(|it| self.is_of_arch(*it, file)).collect();
        if !of_arch.is_empty() && found.iter().any(|it| self.gives_way(*it)) {
            found.extend(of_arch);
            found.sort_unstable();
        }
        found
    }

    fn is_of_arch(&self, id: ItemId, file: usize) -> bool {
        let path = self.index.file_of(id).path.as_str();
        is_of_arch(path, self.index.file(file).path.as_str())
    }

    /// Whether one of these macros is the architecture's and meant in a file: what an architecture defines is not
    /// defined again, whichever header is included by the shorter way.
    fn has_arch(&self, near: &[ItemId], file: usize) -> bool {
        let reach = |of_arch: bool| {
            let found = near
                .iter()
                .filter(|it| self.is_of_arch(**it, file) == of_arch);
            found.map(|it| self.include_depth(*it, file)).min()
        };
        reach(true)
            .is_some_and(|it| it < NOT_INCLUDED || reach(false).is_none_or(|it| it == NOT_INCLUDED))
    }

    /// The macros that a name can mean in a file: the arms of an `#if` are all meant, and so are headers that stand
    /// in for each other by the architecture and its configuration.
    pub(super) fn macros_in(&self, name: Sym, file: usize) -> Vec<ItemId> {
        let Some(first) = self.macro_in(name, file) else {
            return Vec::new();
        };
        let home = self.index.file_index(first);
        let mut all: Vec<ItemId> = self
            .index
            .macros(name)
            .filter(|it| self.index.file_index(*it) == home)
            .collect();
        if self.is_of_arch(first, file) {
            let depth = self.include_depth(first, file);
            let others = self.near_macros(name, file).into_iter();
            all.extend(others.filter(|it| {
                self.index.file_index(*it) != home
                    && if self.is_of_arch(*it, file) {
                        self.include_depth(*it, file) == depth
                    } else {
                        self.gives_way(*it)
                    }
            }));
        }
        all.truncate(MAX_MACRO_TWINS);
        all
    }

    /// The functions that a name can mean in a file: twins of `#ifdef` arms are all meant.
    pub(crate) fn functions_in(&self, name: Sym, file: usize) -> Arc<Functions> {
        self.meanings
            .functions
            .get((name, file as u32), || self.nearest_functions(name, file))
    }

    /// Whether the name of a function means it where `user` stands.
    pub(crate) fn is_meant(&self, function: ItemId, user: ItemId) -> bool {
        let name = self.index.item(function).name;
        let meant = self.functions_in(name, self.index.file_index(user));
        meant.iter().any(|it| it.0 == function)
    }

    fn nearest_functions(&self, name: Sym, file: usize) -> Functions {
        let all: Vec<ItemId> = self.visible(self.index.functions(name), file).collect();
        let own: Vec<ItemId> = all
            .iter()
            .copied()
            .filter(|it| {
                let home = self.index.file_index(*it);
                home == file || self.includes_unit(home, file)
            })
            .collect();
        let is_alone = |it: &ItemId| !self.is_weak(*it) && !self.is_other_arm(*it, file);
        if own.iter().any(is_alone) {
            return own.into_iter().map(|it| (it, Confidence::High)).collect();
        }
        let rank = |id: &ItemId| self.link_rank(*id, file);
        let nearest = |found: Vec<ItemId>| {
            let best = found.iter().map(rank).min();
            let best = found.into_iter().filter(|it| Some(rank(it)) == best);
            best.take(MAX_FUNCTION_TWINS).collect::<Vec<_>>()
        };
        let mut best = own;
        if best.iter().all(|it| !self.is_weak(*it)) {
            let others = all.iter().copied().filter(|it| !best.contains(it));
            best.extend(nearest(others.collect()));
        }
        if !best.is_empty() && best.iter().all(|it| self.is_weak(*it)) {
            // What replaces a weak function stands wherever it is built, if it is built at all.
            let replaces = |it: &ItemId| !self.is_weak(*it) && rank(it) <= OWN_ARCHITECTURE;
            best.extend(nearest(all.into_iter().filter(replaces).collect()));
        }
        self.linked(best, file)
    }

    /// How sure each of some functions of one name is the one that is linked.
    fn linked(&self, twins: Vec<ItemId>, file: usize) -> Functions {
        let (weak, strong): (Vec<_>, Vec<_>) = twins.into_iter().partition(|it| self.is_weak(*it));
        let confidence = |of: &[ItemId]| {
            // Twins in one file are arms of one definition; in several files only one is linked.
            let mut homes: Vec<usize> = of.iter().map(|it| self.index.file_index(*it)).collect();
            homes.dedup();
            if homes.len() > 1 {
                homes.retain(|home| {
                    let mut here = of.iter().filter(|it| self.index.file_index(**it) == *home);
                    !here.any(|it| self.is_other_arm(*it, file))
                });
            }
            if homes.len() > 1 {
                Confidence::Medium
            } else {
                Confidence::High
            }
        };
        let of_weak = if strong.is_empty() {
            confidence(&weak)
        } else {
            Confidence::Medium
        };
        let of_strong = confidence(&strong);
        let weak = weak.into_iter().map(|it| (it, of_weak));
        weak.chain(strong.into_iter().map(|it| (it, of_strong)))
            .collect()
    }

    /// Whether a function stands in `file`, or a header of it, that declares it for others as well: one arm of an `#if`
    /// says that another source has it, the other does without.
    fn is_other_arm(&self, id: ItemId, file: usize) -> bool {
        let (home, flags) = (self.index.file_index(id), self.index.item(id).flags);
        let is_own = || home == file && flags & flags::STATIC != 0;
        let is_included =
            || self.index.file(home).is_shared && self.include_depth(id, file) < NOT_INCLUDED;
        flags & flags::DECLARED != 0 && (is_own() || is_included())
    }

    /// Whether another file's function of the same name may take the place of this one.
    fn is_weak(&self, id: ItemId) -> bool {
        self.index.item(id).flags & flags::WEAK != 0
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
        } else if is_arch && !path.starts_with(arch_of(own)) {
            3
        } else if is_arch || path.starts_with("drivers/") {
            OWN_ARCHITECTURE
        } else {
            1
        }
    }

    /// What a name that is followed by arguments can mean: functions and macros. What is nearer hides what is
    /// farther, but a function may be the other arm of a macro's `#if`.
    pub(super) fn meanings(&self, name: Sym, file: usize) -> Arc<(Functions, Vec<ItemId>)> {
        self.meanings.calls.get((name, file as u32), || {
            let mut functions = self.functions_in(name, file).to_vec();
            let is_own = |it: &(ItemId, _)| self.index.file_index(it.0) == file;
            if !functions.first().is_none_or(is_own) && self.has_pointer(name, file) {
                functions.clear();
            }
            let mut macros = self.macros_in(name, file);
            let all = macros.len();
            macros.retain(|it| !self.names_itself(*it));
            let is_function = macros.len() < all;
            if let (Some((function, _)), Some(definition)) = (functions.first(), macros.first()) {
                let (to_function, to_macro) = (
                    self.distance(*function, file),
                    self.distance(*definition, file),
                );
                if to_function < to_macro
                    || to_macro > IN_REACH && self.has_own(*function, *definition, file)
                    || self
                        .renaming(*function)
                        .is_some_and(|it| it.0 == *definition)
                {
                    macros.clear();
                } else if to_macro < to_function
                    && !is_function
                    && (self.is_in_place(*function) || self.link_rank(*function, file) > 1)
                    && !self.yields(*definition, *function, file)
                {
                    functions.clear();
                }
            }
            (functions, macros)
        })
    }

    /// Whether a file's implementation has a function, and the file does not include the macro of the same name.
    fn has_own(&self, function: ItemId, definition: ItemId, file: usize) -> bool {
        self.link_rank(function, file) == 0 && self.include_depth(definition, file) == NOT_INCLUDED
    }

    /// Whether a function is compiled wherever its header is included; the global ones of a header are those of the
    /// one source that includes it.
    fn is_in_place(&self, function: ItemId) -> bool {
        self.index.file_of(function).is_shared
            && self.index.item(function).flags & (flags::STATIC | flags::INLINE) != 0
    }

    /// Whether a macro only stands in for a function that the architecture may have, or is one arm of an `#if` of
    /// which the other has the function.
    fn yields(&self, definition: ItemId, function: ItemId, file: usize) -> bool {
        let arch = arch_of(self.index.file(file).path.as_str());
        let is_of_own_arch = self.index.file_of(function).path.as_str().starts_with(arch);
        is_of_own_arch
            && (self.is_of_arch(definition, file)
                || self.is_generic(definition)
                || self.gives_way(definition)
                || self.stands_behind_guard(definition))
            || !self.is_in_place(function) && self.is_declared_beside(definition)
    }

    /// Whether the line before a macro says that it is defined only where something else is not:
    /// `#ifndef ARCH_HAS_FETCH`.
    fn stands_behind_guard(&self, definition: ItemId) -> bool {
        let text = self.index.text(self.index.file_index(definition));
        let before = &text[..self.index.item(definition).start as usize];
        let before = before.trim_ascii_end();
        let line = memchr::memrchr(b'\n', before).map_or(0, |it| it + 1);
        before[line..].starts_with(b"#ifndef ")
    }

    /// Whether the header of a macro declares a function of the same name: in the other arm of an `#if`, as a macro
    /// would take the place of the name.
    fn is_declared_beside(&self, definition: ItemId) -> bool {
        let name = format!("{}(", self.index.name_of(definition));
        let text = self.index.text(self.index.file_index(definition));
        memchr::memmem::find_iter(text, name.as_bytes()).any(|at| {
            let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |it| it + 1);
            let before = &text[line..at];
            let is_word = before.last().is_some_and(|it| !lex::is_word_byte(*it));
            is_word && before[0].is_ascii_alphabetic()
        })
    }

    fn is_generic(&self, definition: ItemId) -> bool {
        let path = &self.index.file_of(definition).path;
        path.is_under("include/asm-generic")
    }

    /// Whether a macro is defined only where nothing else of its name is.
    fn gives_way(&self, definition: ItemId) -> bool {
        let guard = format!("#ifndef {}\n", self.index.name_of(definition));
        let text = self.index.text(self.index.file_index(definition));
        memchr::memmem::find(text, guard.as_bytes()).is_some()
    }

    /// `#define x x` says that there is a function `x`.
    fn names_itself(&self, definition: ItemId) -> bool {
        let item = self.index.item(definition);
        if item.flags & flags::FUNCTION_LIKE != 0 {
            return false;
        }
        let body = (item.body - item.start) as usize;
        let value = self.index.item_text(definition).get(body..);
        value.is_some_and(|it| Sym::of(it.trim_ascii()) == item.name)
    }
}

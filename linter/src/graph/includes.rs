//! Which headers a file includes, directly or through others.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::{ItemId, SourceFile};
use super::resolve::Resolver;
use super::typing::directory;
use crate::lex::include_lines;
use crate::tree::with_text;

/// Includes are followed this deep.
const MAX_DEPTH: u8 = 12;
/// The depth of what a file does not include, as far as one can see.
pub(crate) const NOT_INCLUDED: u8 = u8::MAX;
/// Where `<…>` is looked for, in this order, and then in the architecture's headers.
const ROOTS: &[&str] = &["include/", "include/uapi/"];
/// What `asm/…` means where an architecture has none of that name.
const GENERIC: &str = "include/asm-generic/";
/// A kernel is built for one architecture; this one stands for all where the text is no architecture's own.
const ARCH: &str = "arch/x86/";

/// Headers by file index, with the number of includes that lead there.
pub(crate) type Included = FxHashMap<u32, u8>;

impl Resolver<'_, '_> {
    /// Of definitions in several headers, equally near, those of the header that `file` includes by the
    /// shortest way; of those in one file all.
    pub(crate) fn include_depth(&self, id: ItemId, file: usize) -> u8 {
        let home = self.index.file_index(id) as u32;
        self.included(file)
            .get(&home)
            .copied()
            .unwrap_or(NOT_INCLUDED)
    }

    fn included(&self, file: usize) -> Arc<Included> {
        self.includes.get(file as u32, || {
            let mut found = Included::default();
            let mut from = vec![file as u32];
            for depth in 1..=MAX_DEPTH {
                let mut next = Vec::new();
                for at in from {
                    for header in self.direct_includes(at as usize).iter() {
                        found.entry(*header).or_insert_with(|| {
                            next.push(*header);
                            depth
                        });
                    }
                }
                from = next;
            }
            found
        })
    }

    /// Whether a file includes a source, or a source that does: what is static there is its own.
    pub(crate) fn includes_unit(&self, home: usize, file: usize) -> bool {
        home != file
            && self.index.file(file).includes_unit
            && self.included_units(file).contains(&(home as u32))
    }

    fn included_units(&self, file: usize) -> Arc<Vec<u32>> {
        self.included_units.get(file as u32, || {
            let mut found = vec![file as u32];
            let mut at = 0;
            while let Some(next) = found.get(at).map(|it| *it as usize) {
                at += 1;
                if self.index.file(next).includes_unit {
                    for it in self.direct_includes(next).iter() {
                        if !self.index.file(*it as usize).is_shared && !found.contains(it) {
                            found.push(*it);
                        }
                    }
                }
            }
            found
        })
    }

    /// Whether `asm/…` means an architecture's header and not this generic one of the same name, which `file`
    /// does not include otherwise either.
    pub(crate) fn is_superseded(&self, home: usize, file: usize) -> bool {
        let path = self.index.file(home).path.as_str();
        let Some(name) = path.strip_prefix(GENERIC) else {
            return false;
        };
        let arch = arch_of(self.index.file(file).path.as_str());
        let own = self.index.file_at(&format!("{arch}include/asm/{name}"));
        own.is_some_and(|own| {
            self.index.file(own).at_home
                && !self.direct_includes(own).contains(&(home as u32))
                && !self.included(file).contains_key(&(home as u32))
        })
    }

    pub(crate) fn direct_includes(&self, file: usize) -> Arc<Vec<u32>> {
        let file = file as u32;
        self.direct_includes.get_shared(file, || {
            let Some(kept) = self.index.kept_includes(file as usize) else {
                return Arc::new(self.find_includes(file as usize));
            };
            let found = kept.get(file, || {
                let found = self.find_includes(file as usize).into_iter();
                found.map(|it| self.index.old_slot(it)).collect()
            });
            if found.iter().all(|it| self.index.new_slot(*it) == *it) {
                return found;
            }
            Arc::new(found.iter().map(|it| self.index.new_slot(*it)).collect())
        })
    }

    fn find_includes(&self, file: usize) -> Vec<u32> {
        let source = self.index.file(file);
        let arch = arch_of(source.path.as_str());
        let of_arch = [format!("{arch}include/"), format!("{arch}include/uapi/")];
        let roots = ROOTS
            .iter()
            .copied()
            .chain(of_arch.iter().map(String::as_str));
        let names = source.includes.clone();
        let mut path = String::new();
        let mut below = |root: &str, name: &str| {
            path.clear();
            path.push_str(root);
            path.push_str(name);
            self.index.file_at(&path)
        };
        names
            .unwrap_or_else(|| self.included_by_text(source))
            .lines()
            .filter_map(|name| {
                let beside = beside(source.path.as_str(), name);
                self.index
                    .file_at(&beside)
                    .or_else(|| roots.clone().find_map(|it| below(it, name)))
                    .or_else(|| below(GENERIC, name.strip_prefix("asm/")?))
            })
            .map(|it| it as u32)
            .collect()
    }

    /// As [`SourceFile::includes`], for a file that was not read.
    fn included_by_text(&self, source: &SourceFile) -> Box<str> {
        let names = with_text(self.index.tree, &source.path, include_lines);
        names.unwrap_or_default().into()
    }
}

/// The directory of the architecture that a path is of, or of the one that stands for all.
pub(super) fn arch_of(path: &str) -> &str {
    let own = path.match_indices('/').nth(1).map(|it| &path[..=it.0]);
    own.filter(|it| it.starts_with("arch/")).unwrap_or(ARCH)
}

/// Whether a path is that of a header of the architecture for which `user` is read.
pub(crate) fn is_of_arch(path: &str, user: &str) -> bool {
    path.strip_prefix(arch_of(user))
        .is_some_and(|it| it.starts_with("include/"))
}

/// The path that a name in an `#include` of this file means, if that is looked for beside it.
pub(crate) fn beside(file: &str, name: &str) -> String {
    match directory(file) {
        "" => normal(name),
        dir => normal(&[dir, "/", name].concat()),
    }
}

/// The path without `..`.
fn normal(path: &str) -> String {
    if !path.contains("./") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

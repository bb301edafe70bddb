//! The implementations of a tree: filesystems, by where they register.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::image::ReadFile;
use crate::lex::{Item, ItemKind, Sym};

/// An implementation: a filesystem's directory, or a file that registers a filesystem. 0 is generic code.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Domain(pub(crate) u16);

impl Domain {
    /// Code that serves all implementations.
    pub(crate) const GENERIC: Self = Self(0);
    /// A table in generic code that is nobody else's, such as the block device's own.
    pub(crate) const PRIVATE: Self = Self(u16::MAX);

    /// Whose a table is: what stands in generic code is nobody else's.
    pub(crate) fn or_private(self) -> Self {
        if self == Self::GENERIC {
            Self::PRIVATE
        } else {
            self
        }
    }
}

/// Finds the implementations: whoever defines a `struct file_system_type` is one.
pub(crate) fn assign_domains(files: &mut [ReadFile]) -> FxHashMap<String, Domain> {
    let mut domains: FxHashMap<String, Domain> = FxHashMap::default();
    for file in files.iter_mut() {
        file.source.registers = registers_filesystem(file);
        if file.source.registers {
            let path = file.source.path.as_str();
            let key = filesystem_of(path).unwrap_or(path).to_owned();
            let next = Domain(domains.len() as u16 + 1);
            domains.entry(key).or_insert(next);
        }
    }
    for file in files.iter_mut() {
        file.source.domain = domain_in(&domains, file.source.path.as_str());
    }
    domains
}

/// Whether a `struct file_system_type` with values in it stands here, and not for a test or another program.
pub(super) fn registers_filesystem(file: &ReadFile) -> bool {
    let tag = Sym::of("file_system_type");
    let mut items = file.scan.items.iter();
    let is_type = |it: &Item| it.kind == ItemKind::Object && it.tag == tag;
    !file.source.is_foreign
        && !file.source.is_test
        && items.any(|it| is_type(it) && it.end > it.body + 1)
}

pub(crate) fn domain_in(domains: &FxHashMap<String, Domain>, path: &str) -> Domain {
    // A filesystem's protocol code under net/ serves only that filesystem.
    let of_protocol = || {
        let (name, _) = path.strip_prefix("net/")?.split_once('/')?;
        domains.get(&format!("fs/{name}"))
    };
    let of_filesystem = || domains.get(filesystem_of(path)?);
    let found = domains.get(path).or_else(of_filesystem);
    found.or_else(of_protocol).copied().unwrap_or_default()
}

/// How the paths of an implementation may start; for [`domain_in`], its key.
pub(crate) fn places(key: &str) -> Vec<String> {
    // A file may lie in `fs/` itself.
    let name = key
        .strip_prefix("fs/")
        .filter(|it| !it.contains(['/', '.']));
    let of_name = |it: &str| vec![format!("fs/{it}/"), format!("net/{it}/")];
    name.map_or_else(|| vec![key.to_owned()], of_name)
}

/// `fs/x` of `fs/x/…`.
fn filesystem_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("fs/")?;
    let (name, _) = rest.split_once('/')?;
    Some(&path[..3 + name.len()])
}

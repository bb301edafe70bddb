//! The demo's kernel: a git repository with one commit.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use gix::ObjectId;
use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind};

macro_rules! files {
    ($($path:literal,)*) => { &[$(($path, include_str!(concat!("tree/", $path))),)*] };
}

/// Paths and contents. The C is invented, and just enough of a kernel for both contexts to have their roots.
pub(super) static FILES: &[(&str, &str)] = files![
    "MAINTAINERS",
    "Makefile",
    "fs/fs-writeback.c",
    "fs/inode.c",
    "fs/tarnfs/addr.c",
    "fs/tarnfs/inode.c",
    "fs/tarnfs/leases.c",
    "fs/tarnfs/super.c",
    "fs/tarnfs/tarnfs.h",
    "include/linux/ceph/messenger.h",
    "include/linux/fs.h",
    "include/linux/workqueue.h",
    "mm/page-writeback.c",
    "mm/truncate.c",
    "net/ceph/messenger.c",
    "net/ceph/osd_client.c",
];

/// Writes a bare repository whose branch `main` holds [`FILES`]; the commit's id is the same every time.
pub(super) fn write_repository(path: &Path) -> Result<()> {
    let doing = || format!("writing the demo's kernel to {}", path.display());
    let repo = gix::init_bare(path).with_context(doing)?;
    let mut root = Directory::default();
    for (path, content) in FILES {
        let blob = repo.write_blob(content).with_context(doing)?.detach();
        root.insert(path, blob);
    }
    let tree = root.write(&repo).with_context(doing)?;
    let author =
        gix::actor::SignatureRef::from_bytes(b"Robin Maker <robin@example.org> 1767603600 +0000")
            .context("reading the demo's committer")?;
    let message = "The demo kernel\n";
    let parents: [ObjectId; 0] = [];
    repo.commit_as(author, author, "refs/heads/main", message, tree, parents)
        .with_context(doing)?;
    Ok(())
}

#[derive(Default)]
struct Directory {
    files: BTreeMap<String, ObjectId>,
    directories: BTreeMap<String, Directory>,
}

impl Directory {
    fn insert(&mut self, path: &str, blob: ObjectId) {
        match path.split_once('/') {
            Some((directory, rest)) => {
                self.directories
                    .entry(directory.to_owned())
                    .or_default()
                    .insert(rest, blob);
            }
            None => {
                self.files.insert(path.to_owned(), blob);
            }
        }
    }

    fn write(&self, repo: &gix::Repository) -> Result<ObjectId> {
        let entry = |kind: EntryKind, name: &str, oid: ObjectId| Entry {
            mode: kind.into(),
            filename: name.into(),
            oid,
        };
        let mut entries = Vec::new();
        for (name, blob) in &self.files {
            entries.push(entry(EntryKind::Blob, name, *blob));
        }
        for (name, directory) in &self.directories {
            entries.push(entry(EntryKind::Tree, name, directory.write(repo)?));
        }
        // Git's order: as if directories ended in a slash.
        entries.sort();
        Ok(repo.write_object(Tree { entries })?.detach())
    }
}

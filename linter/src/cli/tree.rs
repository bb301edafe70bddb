//! Which tree a command reads: the one that is named, else the kernel that encloses the working directory.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Io;
use super::args::Common;

/// Files that every kernel since 2.6 has at its top, and that no other project has all of.
/// Source: `checkpatch.pl`, `top_of_kernel_tree()`.
const KERNEL_MARKS: &[&str] = &["MAINTAINERS", "Kbuild", "fs/inode.c", "include/linux/fs.h"];

/// The directory or repository to read; it exists, but need not be a kernel.
///
/// # Errors
///
/// When the named directory is missing, or none is named and no kernel encloses the working directory.
pub(super) fn locate(common: &Common, io: &Io<'_>) -> anyhow::Result<PathBuf> {
    if let Some(named) = &common.tree {
        let path = io.working_dir.join(named);
        let kind = std::fs::metadata(&path)
            .with_context(|| format!("cannot read the tree {}", named.display()))?;
        if !kind.is_dir() {
            bail!(
                "{} is no directory: --tree takes a kernel tree or a git repository",
                named.display()
            );
        }
        return Ok(path);
    }
    io.working_dir
        .ancestors()
        .find(|it| is_kernel_dir(it))
        .map(Path::to_owned)
        .with_context(|| {
            format!(
                "no kernel tree encloses {}: name one with --tree",
                io.working_dir.display()
            )
        })
}

/// Whether `dir` looks like the top of a kernel that is checked out.
pub(super) fn is_kernel_dir(dir: &Path) -> bool {
    KERNEL_MARKS.iter().all(|mark| dir.join(mark).exists())
}

//! Which tree a command reads: the one that is named, else the kernel that encloses the working directory.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::Io;
use super::args::Common;
use crate::render::TreeHeader;
use crate::tree::{DirTree, GitRepo, TreePath, TreeSource};

/// What tells a kernel from anything else, and lies in no other project together.
const KERNEL_MARKS: &[&str] = &["fs", "include/linux/fs.h"];

/// Directories of which a tree that is cut down to a few files still has one.
const KERNEL_DIRS: &[&str] = &[
    "fs/",
    "net/",
    "mm/",
    "kernel/",
    "include/",
    "drivers/",
    "security/",
    "block/",
    "arch/",
];

/// A tree that is open, and where it came from.
pub(super) struct OpenTree {
    /// What is read.
    pub(super) source: Box<dyn TreeSource>,
    /// The directory or repository on disk.
    pub(super) root: PathBuf,
    /// As the user named it, and the commit.
    pub(super) header: TreeHeader,
    /// The repository, where there is one.
    #[allow(dead_code, reason = "`review` looks up bases in it")]
    pub(super) repo: Option<GitRepo>,
}

impl OpenTree {
    /// The bytes of a file, for source lines; an unreadable file has none.
    pub(super) fn read(&self, path: &TreePath) -> Option<Vec<u8>> {
        self.source.read(path).ok().flatten()
    }
}

/// Opens the tree that the options name.
///
/// # Errors
///
/// When nothing is named and no kernel encloses the working directory, when it cannot be read, when
/// `--rev` names nothing, and when it is no kernel.
pub(super) fn open(common: &Common, io: &Io<'_>) -> anyhow::Result<OpenTree> {
    open_with(common, io, true)
}

/// As [`open`]; of a directory that is read once nobody asks for blob ids.
///
/// # Errors
///
/// As [`open`].
pub(super) fn open_with(
    common: &Common,
    io: &Io<'_>,
    needs_blob_ids: bool,
) -> anyhow::Result<OpenTree> {
    let root = locate(common, io)?;
    let shown = common.tree.as_ref().unwrap_or(&root).display().to_string();
    // Of a bare repository there is no file to read: it stands for its HEAD.
    let is_bare =
        !root.join(".git").exists() && root.join("HEAD").is_file() && root.join("objects").is_dir();
    let revision = match &common.rev {
        Some(revision) => Some(revision.as_str()),
        None if is_bare => Some("HEAD"),
        None => None,
    };
    let tree = if let Some(revision) = revision {
        let repo = GitRepo::open(&root)
            .with_context(|| format!("--rev {revision} needs a git repository at {shown}"))?;
        let tree = repo.tree(revision)?;
        OpenTree {
            header: TreeHeader {
                root: shown,
                rev: Some(tree.revision().to_owned()),
            },
            source: Box::new(tree),
            root,
            repo: Some(repo),
        }
    } else {
        let mut tree = DirTree::open(&root)?;
        if !needs_blob_ids {
            tree = tree.without_blob_ids();
        }
        OpenTree {
            header: TreeHeader {
                root: shown,
                rev: None,
            },
            repo: tree.repo().cloned(),
            source: Box::new(tree),
            root,
        }
    };
    check_is_kernel(&tree)?;
    Ok(tree)
}

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

/// The paths of the tree that the arguments name: relative to the tree or, where no tree is named, to
/// the working directory first.
///
/// # Errors
///
/// Names the arguments that lie in no tree, all of them.
pub(super) fn paths_in_tree(
    arguments: &[String],
    tree: &OpenTree,
    common: &Common,
    io: &Io<'_>,
) -> anyhow::Result<Vec<String>> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let exists = |path: &str| {
        let Some(path) = TreePath::parse(path) else {
            return path.is_empty();
        };
        matches!(tree.source.entry(&path), Ok(Some(_)))
            || matches!(tree.source.is_directory(&path), Ok(true))
    };
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for argument in arguments {
        let here = io.working_dir.join(argument);
        let below = here.strip_prefix(&tree.root).ok().and_then(normal);
        let plain = normal(Path::new(argument));
        let candidates = if common.tree.is_none() {
            [below, plain]
        } else {
            [plain, below]
        };
        match candidates.into_iter().flatten().find(|it| exists(it)) {
            Some(path) => found.push(path),
            None => missing.push(argument.as_str()),
        }
    }
    if !missing.is_empty() {
        bail!(
            "{} has no file under {}: paths are relative to the top of the tree",
            tree.header.root,
            missing.join(", ")
        );
    }
    Ok(found)
}

/// The path with `/` and without `.`; `None` where it climbs or starts elsewhere.
fn normal(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::Normal(part) => parts.push(part.to_str()?),
            std::path::Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

/// Whether `dir` looks like the top of a kernel that is checked out.
fn is_kernel_dir(dir: &Path) -> bool {
    KERNEL_MARKS.iter().all(|mark| dir.join(mark).exists())
}

fn check_is_kernel(tree: &OpenTree) -> anyhow::Result<()> {
    let header = TreePath::parse("include/linux/fs.h").expect("a plain path");
    // Its entry in a work tree would be looked up in the index, which is large.
    if matches!(tree.source.read(&header), Ok(Some(_))) {
        return Ok(());
    }
    let has_sources = tree.source.files()?.iter().any(|it| {
        let path = it.path.as_str();
        matches!(path.as_bytes(), [.., b'.', b'c' | b'h'])
            && KERNEL_DIRS.iter().any(|dir| path.starts_with(dir))
    });
    if !has_sources {
        bail!(
            "{} is no kernel tree: it has no C file under fs/, net/, mm/ or include/; name the top of one with --tree",
            tree.header.root
        );
    }
    Ok(())
}

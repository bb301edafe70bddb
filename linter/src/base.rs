//! Which state of a repository a series starts from; decided by looking up trees, without applying anything.

use std::collections::HashSet;

use crate::report::BaseHow;
use crate::tree::{GitRepo, GitTree, TreeError, TreePath, TreeSource as _};

/// What is known about where a series starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaseRequest<'a> {
    /// The user's word; taken as it is.
    pub given: Option<&'a str>,
    /// What the series says in `base-commit:`; anything but hex digits is ignored, for it comes from a mail.
    pub base_commit: Option<&'a str>,
    /// The `prerequisite-patch-id:` lines of the series: patches between `base_commit` and the series.
    pub prerequisites: &'a [String],
    /// The blobs that the files had before the series, as [`crate::diff::preimages`] tells.
    pub preimages: &'a [(TreePath, String)],
    /// Branches, tags or commits in which the blobs are looked for, the best first.
    pub candidates: &'a [String],
    /// How many commits of each candidate are looked at, along first parents.
    pub history: usize,
    /// The branch that the list is for.
    pub branch: Option<&'a str>,
}

/// The base of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseChoice {
    /// What decided.
    pub how: BaseHow,
    /// Full hex id of the commit, or of the tree where a tree was given.
    pub revision: String,
    /// Why this one, and what speaks against it; one sentence for a person, without final stop.
    pub why: String,
}

/// Chooses the base in the order of [`BaseHow`]; `None` when nothing names one, and the tree is taken as it is.
///
/// A `base-commit:` with prerequisites is the base only where no candidate has all blobs: the candidate has the
/// prerequisites applied. At most `candidates.len() * history * preimages.len()` tree lookups.
///
/// # Errors
///
/// [`TreeError::UnknownRevision`] for `given` only; whatever else the repository does not have is passed over.
pub fn choose(repo: &GitRepo, request: &BaseRequest<'_>) -> Result<Option<BaseChoice>, TreeError> {
    if let Some(given) = request.given {
        let revision = repo.resolve(given)?;
        let why = format!("{given} was given");
        return Ok(Some(choice(BaseHow::Given, revision, why)));
    }
    let mut missing = None;
    let mut declared = None;
    if let Some(id) = request.base_commit.filter(|it| is_commit_id(it)) {
        match repo.tree(id) {
            Ok(tree) => declared = Some((short(tree.revision()), tree)),
            Err(_) => {
                missing = Some(format!(
                    "base-commit {} is not in the repository",
                    short(id)
                ));
            }
        }
    }
    if let Some((id, tree)) = &declared {
        let differing = differing_files(tree, request.preimages)?;
        if differing == 0 {
            let why = format!("the series says base-commit {id}");
            return Ok(Some(choice(
                BaseHow::BaseCommit,
                tree.revision().to_owned(),
                why,
            )));
        }
        missing = Some(format!(
            "at base-commit {id} {differing} of {} files are not as the index lines say",
            request.preimages.len()
        ));
    }
    let prefix = missing.map_or_else(String::new, |it| it + "; ");
    if let Some(revision) = find_blobs(repo, request)? {
        let count = request.preimages.len();
        let why = format!(
            "{prefix}{} has the blobs of all {count} files",
            short(&revision)
        );
        return Ok(Some(choice(BaseHow::BlobMatch, revision, why)));
    }
    if let Some((_, tree)) = declared {
        let prerequisites = match request.prerequisites.len() {
            0 => String::new(),
            count => format!(", for want of its {count} prerequisite patches"),
        };
        let why = format!("{prefix}no other base has the blobs{prerequisites}");
        return Ok(Some(choice(
            BaseHow::BaseCommit,
            tree.revision().to_owned(),
            why,
        )));
    }
    if let Some(branch) = request.branch
        && let Ok(revision) = repo.resolve(branch)
    {
        let why = format!("{prefix}the list's branch {branch}");
        return Ok(Some(choice(BaseHow::Branch, revision, why)));
    }
    Ok(None)
}

fn choice(how: BaseHow, revision: String, why: String) -> BaseChoice {
    BaseChoice { how, revision, why }
}

/// Mail decides this text: an option or a range must not get as far as a revision parser.
fn is_commit_id(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_hexdigit())
}

fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

fn find_blobs(repo: &GitRepo, request: &BaseRequest<'_>) -> Result<Option<String>, TreeError> {
    if request.preimages.is_empty() {
        return Ok(None);
    }
    let mut seen = HashSet::new();
    for candidate in request.candidates {
        let Ok(history) = repo.first_parents(candidate, request.history.max(1)) else {
            continue;
        };
        for revision in history {
            // Branches share most of their history: where one was looked at, so was all before it.
            if !seen.insert(revision.clone()) {
                break;
            }
            let Ok(tree) = repo.tree(&revision) else {
                continue;
            };
            if has_all(&tree, request.preimages)? {
                return Ok(Some(revision));
            }
        }
    }
    Ok(None)
}

fn has_all(tree: &GitTree, preimages: &[(TreePath, String)]) -> Result<bool, TreeError> {
    for preimage in preimages {
        if differing_files(tree, std::slice::from_ref(preimage))? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How many of the files are not in the tree as the `index` lines say.
fn differing_files(tree: &GitTree, preimages: &[(TreePath, String)]) -> Result<usize, TreeError> {
    let mut differing = 0;
    for (path, blob) in preimages {
        let found = tree.entry(path)?.and_then(|it| it.blob);
        if !found.is_some_and(|it| it.to_hex().starts_with(blob.as_str())) {
            differing += 1;
        }
    }
    Ok(differing)
}

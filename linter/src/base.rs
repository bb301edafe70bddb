//! Which state of a repository a series starts from; decided by looking up trees, without applying the series.

mod hints;

use std::collections::HashSet;

pub use hints::{MaintainedTree, branch_of_prefix, last_part, maintained_trees};

use crate::diff::{self, Patch};
use crate::report::BaseHow;
use crate::tree::{FileChanges, GitRepo, GitTree, Overlay, TreeError, TreePath, TreeSource};

/// Prerequisite patches that are applied: `git format-patch` lists every commit since the base, however many.
pub const MAX_PREREQUISITES: usize = 200;

/// What is known about where a series starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct BaseRequest<'a> {
    /// The user's word; only prerequisites are put on it, where they apply and the files are not yet as the `index`
    /// lines say.
    pub given: Option<&'a str>,
    /// What the series says in `base-commit:`; anything but hex digits is ignored, for it comes from a mail.
    pub base_commit: Option<&'a str>,
    /// The patches between `base_commit` and the series, in order.
    pub prerequisites: &'a [Prerequisite],
    /// The blobs that the files had before the series, as [`crate::diff::preimages`] tells.
    pub preimages: &'a [(TreePath, String)],
    /// Branches, tags or commits in which the blobs are looked for, the best first.
    pub candidates: &'a [String],
    /// How many commits of each candidate are looked at, along first parents.
    pub history: usize,
    /// The branches that the series may be for, the best first.
    pub branches: &'a [BranchHint],
}

/// A patch that a series names by `prerequisite-patch-id:`.
#[derive(Clone, Debug)]
pub struct Prerequisite {
    /// As [`crate::diff::patch_id`] computes it, in lower case.
    pub patch_id: String,
    /// The patch, where a mail with that id is known.
    pub patch: Option<Patch>,
}

/// A branch that a series may be for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BranchHint {
    /// What says so.
    pub strength: HintStrength,
    /// The branch.
    pub branch: String,
    /// Why, without final stop: `the subject says bpf-next`.
    pub why: String,
}

/// What names a branch, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HintStrength {
    /// A tag of the subject.
    Prefix,
    /// A `T:` line of MAINTAINERS.
    Maintainers,
    /// What the list is for.
    List,
}

/// The base of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseChoice {
    /// What decided.
    pub how: BaseHow,
    /// Of [`BaseHow::Branch`], what named the branch.
    pub strength: Option<HintStrength>,
    /// Full hex id of the commit, or of the tree where a tree was given.
    pub revision: String,
    /// What the prerequisites change in that commit; empty where there are none or they were not used.
    pub prerequisites: FileChanges,
    /// Why this one, and what speaks against it; one sentence for a person, without final stop.
    pub why: String,
}

/// Chooses the base in the order of [`BaseHow`]; `None` when nothing names one, and the tree is taken as it is.
///
/// A `base-commit:` counts where the files are as the `index` lines say, after the prerequisites or without them;
/// else only where no candidate has all blobs. At most `candidates.len() * history * preimages.len()` tree lookups.
///
/// # Errors
///
/// [`TreeError::UnknownRevision`] for `given` only; whatever else the repository does not have is passed over.
pub fn choose(repo: &GitRepo, request: &BaseRequest<'_>) -> Result<Option<BaseChoice>, TreeError> {
    if let Some(given) = request.given {
        let revision = repo.resolve(given)?;
        let why = format!("{given} was given");
        let mut choice = choice(BaseHow::Given, revision, why);
        if !request.prerequisites.is_empty() {
            add_prerequisites(repo, request, &mut choice)?;
        }
        return Ok(Some(choice));
    }
    let mut against = String::new();
    let mut declared = None;
    if let Some(id) = request.base_commit.filter(|it| is_commit_id(it)) {
        match repo.tree(id) {
            Ok(tree) => declared = Some(declared_base(&tree, request)?),
            Err(_) => against = format!("base-commit {} is not in the repository; ", short(id)),
        }
    }
    if let Some(declared) = &declared {
        if declared.differing == 0 {
            return Ok(Some(declared.choice()));
        }
        let note = declared.prerequisites.note(declared.count);
        let comma = if note.is_empty() { "" } else { "," };
        against = format!(
            "at base-commit {}{note}{comma} {} of {} files are not as the index lines say; ",
            short(&declared.revision),
            declared.differing,
            request.preimages.len()
        );
    }
    if let Some(revision) = find_blobs(repo, request)? {
        let what = match request.preimages.len() {
            1 => "blob of its file".to_owned(),
            count => format!("blobs of all {count} files"),
        };
        let why = format!("{against}{} has the {what}", short(&revision));
        return Ok(Some(choice(BaseHow::BlobMatch, revision, why)));
    }
    if let Some(declared) = declared {
        let mut choice = declared.choice();
        choice.why = format!("{against}no other base has the blobs");
        return Ok(Some(choice));
    }
    for hint in request.branches {
        let Ok(revision) = repo.resolve(&hint.branch) else {
            continue;
        };
        let mut choice = on_branch(&repo.tree(&revision)?, request, hint, &against);
        choice.revision = revision;
        return Ok(Some(choice));
    }
    Ok(None)
}

/// Puts the prerequisites on the user's base, unless it seems to have them.
fn add_prerequisites(
    repo: &GitRepo,
    request: &BaseRequest<'_>,
    choice: &mut BaseChoice,
) -> Result<(), TreeError> {
    let tree = repo.tree(&choice.revision)?;
    let is_as_said = differing_files(&tree, request.preimages)? == 0;
    if is_as_said && !request.preimages.is_empty() {
        return Ok(());
    }
    if let Prerequisites::Applied(changes) = with_prerequisites(&tree, request.prerequisites) {
        let count = request.prerequisites.len();
        choice.why = format!("{}, with its {}", choice.why, patches(count));
        choice.prerequisites = changes;
    }
    Ok(())
}

/// A branch, with the prerequisites on it where they apply.
fn on_branch(
    tree: &GitTree,
    request: &BaseRequest<'_>,
    hint: &BranchHint,
    against: &str,
) -> BaseChoice {
    let found = with_prerequisites(tree, request.prerequisites);
    let note = found.note(request.prerequisites.len());
    let comma = if note.is_empty() { "" } else { "," };
    let why = format!("{against}{}{comma}{note}", hint.why);
    let prerequisites = match found {
        Prerequisites::Applied(changes) => changes,
        _ => FileChanges::new(),
    };
    BaseChoice {
        how: BaseHow::Branch,
        strength: Some(hint.strength),
        revision: tree.revision().to_owned(),
        prerequisites,
        why,
    }
}

fn choice(how: BaseHow, revision: String, why: String) -> BaseChoice {
    BaseChoice {
        how,
        strength: None,
        revision,
        prerequisites: FileChanges::new(),
        why,
    }
}

/// What `base-commit:` names, with what the prerequisites make of it.
struct Declared {
    revision: String,
    /// Files that are not as the `index` lines say.
    differing: usize,
    prerequisites: Prerequisites,
    count: usize,
}

enum Prerequisites {
    None,
    Applied(FileChanges),
    /// The number, from 1, of the first that no known mail is.
    Unknown(usize),
    /// The number of the first that does not apply, and why.
    Refused(usize, String),
}

impl Prerequisites {
    /// After `base-commit X` in a sentence.
    fn note(&self, count: usize) -> String {
        match self {
            Self::None => String::new(),
            Self::Applied(_) => format!(" with its {}", patches(count)),
            Self::Unknown(at) => {
                format!(
                    " without its {}, for no known mail is number {at}",
                    patches(count)
                )
            }
            Self::Refused(at, reason) => format!(
                " without its {}, for number {at} does not apply: {reason}",
                patches(count)
            ),
        }
    }
}

impl Declared {
    fn choice(&self) -> BaseChoice {
        let why = format!(
            "the series says base-commit {}{}",
            short(&self.revision),
            self.prerequisites
                .note(self.count)
                .replacen(" with", ", with", 1)
        );
        let mut choice = choice(BaseHow::BaseCommit, self.revision.clone(), why);
        if let Prerequisites::Applied(changes) = &self.prerequisites {
            choice.prerequisites.clone_from(changes);
        }
        choice
    }
}

fn patches(count: usize) -> String {
    if count == 1 {
        "prerequisite patch".to_owned()
    } else {
        format!("{count} prerequisite patches")
    }
}

fn declared_base(tree: &GitTree, request: &BaseRequest<'_>) -> Result<Declared, TreeError> {
    let prerequisites = with_prerequisites(tree, request.prerequisites);
    let mut state = Overlay::new(tree);
    if let Prerequisites::Applied(changes) = &prerequisites {
        state = state.with(changes.clone());
    }
    Ok(Declared {
        revision: tree.revision().to_owned(),
        differing: differing_files(&state, request.preimages)?,
        prerequisites,
        count: request.prerequisites.len(),
    })
}

/// Applies the prerequisites in order: all of them or none.
fn with_prerequisites(tree: &GitTree, prerequisites: &[Prerequisite]) -> Prerequisites {
    if prerequisites.is_empty() {
        return Prerequisites::None;
    }
    let mut state = Overlay::new(tree);
    for (at, it) in prerequisites.iter().enumerate() {
        let (Some(patch), true) = (&it.patch, at < MAX_PREREQUISITES) else {
            return Prerequisites::Unknown(at + 1);
        };
        match diff::apply_or_merge(patch, &state) {
            Ok(applied) => {
                let changes = applied.changes.into_iter();
                state = state.with(changes.map(|it| (it.path, it.content)));
            }
            Err(failure) => return Prerequisites::Refused(at + 1, failure.to_string()),
        }
    }
    Prerequisites::Applied(state.changes().clone())
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
fn differing_files(
    tree: &dyn TreeSource,
    preimages: &[(TreePath, String)],
) -> Result<usize, TreeError> {
    let mut differing = 0;
    for (path, blob) in preimages {
        let found = tree.entry(path)?.and_then(|it| it.blob);
        if !found.is_some_and(|it| it.to_hex().starts_with(blob.as_str())) {
            differing += 1;
        }
    }
    Ok(differing)
}

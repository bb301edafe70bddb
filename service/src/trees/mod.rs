//! The configured kernel repositories, and which state of which of them a series starts from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use lorelint::base::{
    BaseChoice, BaseRequest, BranchHint, HintStrength, Prerequisite, branch_of_prefix, choose,
    last_part, maintained_trees,
};
use lorelint::diff;
use lorelint::report::BaseHow;
use lorelint::tree::{FileChanges, GitRepo, GitTree, TreeError, TreePath, TreeSource as _};

use crate::config::TreeConfig;
use crate::model::{Base, LintInput};

/// Commits of each branch that are looked at for the blobs of a series.
const HISTORY: usize = 200;

/// The repositories, opened when they are first needed and kept open.
#[derive(Default)]
pub struct Trees {
    open: Mutex<BTreeMap<String, GitRepo>>,
}

/// Where a series starts.
pub struct Found {
    /// For the review.
    pub base: Base,
    /// The tree at that state.
    pub tree: GitTree,
    /// What the prerequisites change in it.
    pub prerequisites: FileChanges,
}

impl Trees {
    /// Which commits the branches of these trees are at: a review against others is out of date.
    ///
    /// A tree that cannot be read counts as it is named, so that it is noticed when it can.
    pub fn digest(&self, trees: &[&TreeConfig]) -> String {
        let mut hasher = blake3::Hasher::new();
        for tree in trees {
            hasher.update(tree.name.as_bytes()).update(b"\n");
            for branch in &tree.branches {
                let head = self.repo(tree).and_then(|repo| repo.resolve(branch));
                hasher.update(branch.as_bytes()).update(b"=");
                hasher
                    .update(head.unwrap_or_default().as_bytes())
                    .update(b"\n");
            }
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// Chooses the base: what the series declares in any tree, then blobs found in any tree, then the branch that the
    /// subject, MAINTAINERS or else the list names.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when none of the trees can be read.
    pub fn choose(
        &self,
        trees: &[&TreeConfig],
        input: &LintInput,
        prerequisites: &[Prerequisite],
    ) -> Result<Option<Found>, TreeError> {
        let patches: Vec<_> = input
            .parts
            .iter()
            .filter_map(|part| diff::parse(&part.diff).ok())
            .collect();
        let preimages = diff::preimages(&patches);
        let paths = diff::paths(&patches);
        let mut best: Option<(BaseChoice, &TreeConfig, GitRepo)> = None;
        let mut failure = None;
        for tree in trees {
            let choice = self.repo(tree).and_then(|repo| {
                let hints = hints(&repo, tree, input, &paths);
                let request = BaseRequest {
                    base_commit: input.base_commit.as_deref(),
                    prerequisites,
                    preimages: &preimages,
                    candidates: &tree.branches,
                    history: HISTORY,
                    branches: &hints,
                    ..BaseRequest::default()
                };
                Ok((choose(&repo, &request)?, repo))
            });
            match choice {
                Ok((Some(choice), repo)) => {
                    if best.as_ref().is_none_or(|it| rank(&choice) < rank(&it.0)) {
                        best = Some((choice, tree, repo));
                    }
                }
                Ok((None, _)) => {}
                Err(error) => {
                    tracing::warn!(tree.name, "cannot use the tree {}: {error}", tree.name);
                    failure = Some(error);
                }
            }
        }
        let Some((choice, tree, repo)) = best else {
            return failure.map_or(Ok(None), Err);
        };
        let found = repo.tree(&choice.revision)?;
        Ok(Some(Found {
            base: Base {
                tree: tree.name.clone(),
                rev: choice.revision,
                how: choice.how,
                why: choice.why,
            },
            tree: found,
            prerequisites: choice.prerequisites,
        }))
    }

    fn repo(&self, tree: &TreeConfig) -> Result<GitRepo, TreeError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repo) = open.get(&tree.name) {
            return Ok(repo.clone());
        }
        let repo = GitRepo::open(&tree.path)?;
        open.insert(tree.name.clone(), repo.clone());
        Ok(repo)
    }
}

fn rank(choice: &BaseChoice) -> (u8, Option<HintStrength>) {
    let how = match choice.how {
        BaseHow::Given => 0,
        BaseHow::BaseCommit => 1,
        BaseHow::BlobMatch => 2,
        BaseHow::Branch => 3,
        BaseHow::Tree => 4,
    };
    (how, choice.strength)
}

/// The branches of one tree that a series may be for.
fn hints(
    repo: &GitRepo,
    tree: &TreeConfig,
    input: &LintInput,
    paths: &[TreePath],
) -> Vec<BranchHint> {
    let mut hints = Vec::new();
    let Some(first) = tree.branches.first() else {
        return hints;
    };
    let name = &tree.name;
    if let Some((branch, prefix)) = branch_of_prefix(&input.prefixes, &tree.branches) {
        hints.push(BranchHint {
            strength: HintStrength::Prefix,
            branch: branch.to_owned(),
            why: format!("the subject says {prefix}, which is branch {branch} of {name}"),
        });
    } else if let Some(prefix) = input
        .prefixes
        .iter()
        .find(|it| it.eq_ignore_ascii_case(name))
    {
        hints.push(BranchHint {
            strength: HintStrength::Prefix,
            branch: first.clone(),
            why: format!("the subject says {prefix}, which is the tree {name}, branch {first}"),
        });
    }
    let maintainers = TreePath::parse("MAINTAINERS")
        .and_then(|path| repo.tree(first).ok()?.read(&path).ok()?)
        .unwrap_or_default();
    let own = |it: &&lorelint::base::MaintainedTree| {
        it.name() == name || it.name() == last_part(&tree.path.to_string_lossy())
    };
    if let Some(it) = maintained_trees(&maintainers, paths).iter().find(own) {
        let named = it.branch.iter().find(|it| tree.branches.contains(it));
        let branch = named.unwrap_or(first);
        hints.push(BranchHint {
            strength: HintStrength::Maintainers,
            branch: branch.clone(),
            why: format!(
                "MAINTAINERS names {} for {}: branch {branch} of {name}",
                it.name(),
                it.section
            ),
        });
    }
    hints.push(BranchHint {
        strength: HintStrength::List,
        branch: first.clone(),
        why: format!("the list's branch {first}"),
    });
    hints
}

//! The configured kernel repositories, and which state of which of them a series starts from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use lorelint::base::{BaseChoice, BaseRequest, choose};
use lorelint::diff;
use lorelint::report::BaseHow;
use lorelint::tree::{GitRepo, GitTree, TreeError};

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

    /// Chooses the base: what the series declares in any tree, then blobs found in any tree, then the first tree's branch.
    ///
    /// # Errors
    ///
    /// [`TreeError`] when none of the trees can be read.
    pub fn choose(
        &self,
        trees: &[&TreeConfig],
        input: &LintInput,
    ) -> Result<Option<Found>, TreeError> {
        let patches: Vec<_> = input
            .parts
            .iter()
            .filter_map(|part| diff::parse(&part.diff).ok())
            .collect();
        let preimages = diff::preimages(&patches);
        let mut best: Option<(u8, BaseChoice, &TreeConfig, GitRepo)> = None;
        let mut failure = None;
        for tree in trees {
            let request = BaseRequest {
                base_commit: input.base_commit.as_deref(),
                preimages: &preimages,
                candidates: &tree.branches,
                history: HISTORY,
                branch: tree.branches.first().map(String::as_str),
                ..BaseRequest::default()
            };
            let choice = self
                .repo(tree)
                .and_then(|repo| Ok((choose(&repo, &request)?, repo)));
            match choice {
                Ok((Some(choice), repo)) => {
                    let rank = rank(choice.how);
                    if best.as_ref().is_none_or(|it| rank < it.0) {
                        best = Some((rank, choice, tree, repo));
                    }
                }
                Ok((None, _)) => {}
                Err(error) => {
                    tracing::warn!(tree.name, "cannot use the tree {}: {error}", tree.name);
                    failure = Some(error);
                }
            }
        }
        let Some((_, choice, tree, repo)) = best else {
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

const fn rank(how: BaseHow) -> u8 {
    match how {
        BaseHow::Given => 0,
        BaseHow::BaseCommit => 1,
        BaseHow::BlobMatch => 2,
        BaseHow::Branch => 3,
        BaseHow::Tree => 4,
    }
}

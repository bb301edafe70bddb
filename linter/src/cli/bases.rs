//! What `review` and `series` know about where a series starts, from the repository and the mails around it.

use std::collections::HashMap;

use lorelint_mail::{Assembly, Message, Series};

use crate::base::{self, BranchHint, HintStrength, Prerequisite};
use crate::diff;
use crate::tree::{GitRepo, TreePath, TreeSource as _};

/// Branches and tags that are looked at, after what is checked out.
const MAX_TIPS: usize = 64;

/// What stands between the base and `series`: the patches that `prerequisite-patch-id:` lines name, else those of the
/// series that it says it depends on.
pub(super) fn below(
    series: &Series,
    assembly: &Assembly,
    messages: &[Message],
) -> Vec<Prerequisite> {
    if !series.prerequisite_patch_ids.is_empty() {
        let diffs = messages.iter().filter_map(|it| it.diff.as_deref());
        return prerequisites(&series.prerequisite_patch_ids, diffs);
    }
    let others = assembly.dependencies(series).into_iter();
    let parts = others.flat_map(|it| &it.patches);
    parts
        .map(|part| {
            let diff = part
                .as_ref()
                .and_then(|it| messages[it.head].diff.as_deref());
            Prerequisite {
                patch_id: diff.and_then(diff::patch_id).unwrap_or_default(),
                patch: diff.and_then(|it| diff::parse(it).ok()),
            }
        })
        .collect()
}

/// The patches of `diffs` that `ids` name, each in its place.
pub(super) fn prerequisites<'a>(
    ids: &[String],
    diffs: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Prerequisite> {
    if ids.is_empty() {
        return Vec::new();
    }
    let known: HashMap<String, &[u8]> = diffs
        .into_iter()
        .filter_map(|it| Some((diff::patch_id(it)?, it)))
        .collect();
    ids.iter()
        .map(|id| Prerequisite {
            patch_id: id.clone(),
            patch: known.get(id).and_then(|it| diff::parse(it).ok()),
        })
        .collect()
}

/// What is checked out, then the branches and tags of the repository.
pub(super) fn candidates(repo: &GitRepo, current: &str) -> Vec<String> {
    let mut candidates = vec![current.to_owned()];
    candidates.extend(repo.tips(MAX_TIPS));
    candidates
}

/// The branches that the subject's tags, and MAINTAINERS for `paths`, name in this repository; `last` closes the list.
pub(super) fn hints(
    repo: &GitRepo,
    candidates: &[String],
    prefixes: &[String],
    paths: &[TreePath],
    last: Option<BranchHint>,
) -> Vec<BranchHint> {
    let mut hints = Vec::new();
    if let Some((branch, prefix)) = base::branch_of_prefix(prefixes, candidates) {
        hints.push(BranchHint {
            strength: HintStrength::Prefix,
            branch: branch.to_owned(),
            why: format!("the subject says {prefix}, and {branch} is that branch"),
        });
    }
    let maintainers = candidates.first().and_then(|it| {
        let path = TreePath::parse("MAINTAINERS")?;
        repo.tree(it).ok()?.read(&path).ok()?
    });
    for tree in base::maintained_trees(&maintainers.unwrap_or_default(), paths) {
        let Some(branch) = &tree.branch else { continue };
        let wanted = [branch.clone(), format!("{}/{branch}", tree.name())];
        let found = candidates.iter().find(|it| {
            wanted
                .iter()
                .any(|wanted| it.ends_with(&format!("/{wanted}")))
        });
        hints.extend(found.map(|it| BranchHint {
            strength: HintStrength::Maintainers,
            branch: it.clone(),
            why: format!(
                "MAINTAINERS names {} {branch} for {}",
                tree.name(),
                tree.section
            ),
        }));
    }
    hints.extend(last);
    hints
}

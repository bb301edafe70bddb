//! How many leading directories of the names belong to the sender's disk and not to the tree.

use std::collections::BTreeSet;

use super::apply::unreadable;
use super::{ApplyFailure, FileKind, Patch};
use crate::tree::TreeSource;

/// Takes off as many leading directories as make all old files exist; what the names suggest is tried first.
pub(super) fn with_fitting_strip(
    patch: &Patch,
    tree: &dyn TreeSource,
) -> Result<Patch, ApplyFailure> {
    if !misses_a_file(patch, tree)? {
        return Ok(patch.clone());
    }
    for strip in 0..=3 {
        if strip == patch.strip {
            continue;
        }
        if let Ok(other) = patch.with_strip(strip)
            && !misses_a_file(&other, tree)?
        {
            return Ok(other);
        }
    }
    Ok(patch.clone())
}

fn misses_a_file(patch: &Patch, tree: &dyn TreeSource) -> Result<bool, ApplyFailure> {
    let mut made = BTreeSet::new();
    for file in &patch.files {
        if let Some(old) = &file.old_path
            && file.kind != FileKind::ModifyOrCreate
            && !made.contains(old)
            && tree
                .entry(old)
                .map_err(|it| unreadable(old, &it))?
                .is_none()
        {
            return Ok(true);
        }
        made.extend(file.new_path.clone());
    }
    Ok(false)
}

//! Where a file went that a patch changes and the tree no longer has, as `git am -3` finds it.

use std::collections::HashMap;

use crate::tree::{BlobId, FileEntry, TreeError, TreePath, TreeSource};

/// Files that are compared at most: git compares all of the tree, which takes many seconds on a kernel.
const MAX_COMPARED: usize = 2000;
/// The largest file that is compared, in bytes.
const MAX_BYTES: u64 = 4 << 20;
/// Pieces of a file that are compared are lines, cut to this size.
const MAX_PIECE: usize = 64;
/// Of 100: how much of the larger file must be the same, and how much for the only file with the same name.
const SIMILAR: u64 = 50;
const SIMILAR_NAMESAKE: u64 = 75;

/// Finds the file of `tree` that `old`, which was `base`, became; `None` where nothing is similar enough.
///
/// First a file with the same content, then the only one with the same name, then the most similar one of those
/// that are near: in the same directory, or with the same extension under the same two top directories. Files in
/// `known` were there before and are no candidates.
///
/// Source: git, diffcore-rename.c.
pub(super) fn find(
    tree: &dyn TreeSource,
    old: &TreePath,
    base: &[u8],
    known: &[TreePath],
) -> Result<Option<TreePath>, TreeError> {
    let files = tree.files()?;
    let candidates = || files.iter().filter(|it| !known.contains(&it.path));
    let blob = BlobId::of(base);
    let mut same: Vec<&FileEntry> = candidates()
        .filter(|it| it.blob.is_some() && it.blob == blob)
        .collect();
    same.sort_by_key(|it| name(&it.path) != name(old));
    if let Some(first) = same.first().filter(|_| !base.is_empty()) {
        return Ok(Some(first.path.clone()));
    }
    let pieces = Pieces::of(base);
    let mut namesakes = candidates().filter(|it| name(&it.path) == name(old));
    if let (Some(only), None) = (namesakes.next(), namesakes.next())
        && similarity(tree, &only.path, base, &pieces)? >= SIMILAR_NAMESAKE
    {
        return Ok(Some(only.path.clone()));
    }
    let mut best: Option<(u64, &TreePath)> = None;
    let near = candidates().filter(|it| is_near(old, &it.path));
    for entry in near.take(MAX_COMPARED) {
        let score = similarity(tree, &entry.path, base, &pieces)?;
        if score >= SIMILAR && best.is_none_or(|it| score > it.0) {
            best = Some((score, &entry.path));
        }
    }
    Ok(best.map(|it| it.1.clone()))
}

fn name(path: &TreePath) -> &str {
    path.as_str().rsplit('/').next().unwrap_or_default()
}

fn is_near(old: &TreePath, other: &TreePath) -> bool {
    let directory = |it: &TreePath| it.as_str().rsplit_once('/').map(|it| it.0.to_owned());
    let top = |it: &TreePath| {
        let parts: Vec<String> = it.as_str().split('/').take(2).map(str::to_owned).collect();
        parts
    };
    let extension = |it: &TreePath| name(it).rsplit_once('.').map(|it| it.1.to_owned());
    name(old) == name(other)
        || directory(old) == directory(other)
        || extension(old) == extension(other)
            && (top(old)[0] == top(other)[0] || top(old) == top(other))
}

/// Of 100: how much of the larger of the two both have.
fn similarity(
    tree: &dyn TreeSource,
    path: &TreePath,
    base: &[u8],
    pieces: &Pieces<'_>,
) -> Result<u64, TreeError> {
    let Some(other) = tree.read(path)? else {
        return Ok(0);
    };
    let (one, two) = (base.len() as u64, other.len() as u64);
    let larger = one.max(two);
    if larger == 0 || larger > MAX_BYTES || (larger - one.min(two)) * 100 > larger * (100 - SIMILAR)
    {
        return Ok(0);
    }
    Ok(pieces.shared(&Pieces::of(&other)) * 100 / larger)
}

/// Each distinct piece of a file with the bytes that it takes together.
struct Pieces<'a>(HashMap<&'a [u8], u64>);

impl<'a> Pieces<'a> {
    fn of(text: &'a [u8]) -> Self {
        let mut pieces: HashMap<&[u8], u64> = HashMap::new();
        let lines = text.split_inclusive(|it| *it == b'\n');
        for piece in lines.flat_map(|it| it.chunks(MAX_PIECE)) {
            *pieces.entry(piece).or_default() += piece.len() as u64;
        }
        Self(pieces)
    }

    fn shared(&self, other: &Self) -> u64 {
        let both = self
            .0
            .iter()
            .map(|(piece, bytes)| other.0.get(piece).map_or(0, |it| *bytes.min(it)));
        both.sum()
    }
}

//! Sources that another source includes under other names: `#define open compat_open` and `#include "file.c"`.
//!
//! The compiler makes such a source's functions twice. The second time stands behind the source's own text, at
//! the lines of the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Definition;
use super::made::Made;
use super::make::append;
use super::text::is_single_word;
use crate::graph::image::ReadFile;
use crate::graph::reading::is_unit;
use crate::graph::typing::directory;
use crate::lex::{self, ItemKind, flags};
use crate::tree::TreeSource;
use crate::warm::Warm;

/// What words are replaced by.
type Names = BTreeMap<Vec<u8>, Vec<u8>>;

/// Puts the functions and tables that have other names behind the files that hold them.
pub(super) fn grow(tree: &dyn TreeSource, warm: &Warm, files: &mut [ReadFile]) {
    for user in 0..files.len() {
        if !is_unit(files[user].source.path.as_str()) {
            continue;
        }
        for (included, names) in included(tree, warm, files, user) {
            let text = text_of(tree, warm, &files[included]);
            add_renamed(&mut files[included], &text, &names);
        }
    }
}

fn text_of(tree: &dyn TreeSource, warm: &Warm, file: &ReadFile) -> Arc<Vec<u8>> {
    warm.text(tree, (&file.source.path, file.source.content))
}

/// The sources that a source includes, each with the names that hold there.
fn included(
    tree: &dyn TreeSource,
    warm: &Warm,
    files: &[ReadFile],
    user: usize,
) -> Vec<(usize, Names)> {
    let file = &files[user];
    let has_names = || file.scan.items.iter().any(is_bare);
    if !file.scan.includes_unit || !has_names() {
        return Vec::new();
    }
    let text = text_of(tree, warm, file);
    let directory = directory(file.source.path.as_str());
    let mut found = Vec::new();
    for (start, end) in &file.scan.includes {
        let name = text.get(*start as usize..*end as usize).unwrap_or_default();
        let Some(name) = std::str::from_utf8(name).ok().filter(|it| is_unit(it)) else {
            continue;
        };
        let path = format!("{directory}/{name}");
        let Ok(included) = files.binary_search_by(|it| it.source.path.as_str().cmp(&path)) else {
            continue;
        };
        let before = file
            .scan
            .items
            .iter()
            .filter(|it| it.end <= *start && is_bare(it));
        let names: Names = before
            .filter_map(|it| {
                let item = text.get(it.start as usize..it.end as usize)?;
                let body = (it.body - it.start) as usize;
                let to = Definition::read(item, body)?.body.trim_ascii().to_vec();
                let from = item.get(..body)?;
                let from = &from[from.iter().rposition(|it| !lex::is_word_byte(*it))? + 1..];
                is_single_word(&to).then(|| (from.to_vec(), to))
            })
            .collect();
        if !names.is_empty() {
            found.push((included, names));
        }
    }
    found
}

fn is_bare(item: &lex::Item) -> bool {
    item.kind == ItemKind::Macro && item.flags & flags::FUNCTION_LIKE == 0
}

fn add_renamed(file: &mut ReadFile, text: &[u8], names: &Names) {
    let mut made = file
        .source
        .made
        .take()
        .unwrap_or_else(|| Box::new(Made::behind(text)));
    let mut scan = lex::FileScan::clone(&file.scan);
    let own = file.scan.items.iter();
    let own = own.filter(|it| (it.end as usize) <= text.len() && it.flags & flags::MACRO_HEAD == 0);
    for item in own.filter(|it| matches!(it.kind, ItemKind::Function | ItemKind::Object)) {
        let (start, end) = (item.start as usize, item.end as usize);
        let words = words_of(&text[..end], start, names);
        if words.is_empty() {
            continue;
        }
        let mut part = made.part();
        let mut at = start;
        for ((from, to), name) in words {
            part.copy(at, &text[at..from]);
            part.replace(from, name);
            at = to;
        }
        part.copy(at, &text[at..end]);
        if append(&mut scan, &part.text, part.base, None) {
            made.add(part);
        }
    }
    if !made.is_empty() {
        file.scan = Arc::new(scan);
        file.source.made = Some(made);
    }
}

/// The words of a text from `start` on that have other names.
fn words_of<'n>(text: &[u8], start: usize, names: &'n Names) -> Vec<((usize, usize), &'n [u8])> {
    let mut found = Vec::new();
    lex::each_word(text, start, |from, to, _| {
        if let Some(name) = names.get(&text[from..to]) {
            found.push(((from, to), name.as_slice()));
        }
    });
    found
}

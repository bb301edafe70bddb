//! Which word of a head names the function.

use super::{Group, Head, Scanner};
use crate::lex::body::is_word;
use crate::lex::{Sym, words};

/// Words that may stand before a macro which makes a function's head.
fn is_storage(word: &[u8]) -> bool {
    matches!(
        word,
        b"static" | b"inline" | b"noinline" | b"__always_inline" | b"asmlinkage"
    )
}

impl Scanner<'_> {
    /// `static DEFINE_X(name) {`: nothing but storage stands before the word.
    pub(super) fn is_macro_head(&self, head: &Head, group: Group) -> bool {
        let before = &self.src[head.start..group.word.0];
        before
            .split(|it| !is_word(*it))
            .filter(|it| !it.is_empty())
            .all(is_storage)
    }

    /// The name and the tag of what a macro declares before the `=`: `DEFINE_PER_CPU(struct box, name) = { … }`.
    pub(super) fn object_in_group(&self, head: &Head) -> Option<((usize, usize), Sym)> {
        let [group] = head.groups.as_slice() else {
            return None;
        };
        if group.word != head.last_word || head.pointer.is_some() {
            return None;
        }
        let inside = self.src.get(group.open + 1..group.close - 1)?;
        let comma = memchr::memrchr(b',', inside)?;
        let of = inside[..comma].trim_ascii();
        let tag = of
            .strip_prefix(b"struct ")
            .or_else(|| of.strip_prefix(b"union "))?;
        let tag = tag.trim_ascii_start();
        let start = group.open + 1 + comma + 1;
        let start = self.skip_space(start);
        let end = self.word_end(start);
        let is_name = end > start && self.skip_space(end) == group.close - 1;
        let is_tag = !tag.is_empty() && tag.iter().all(|it| is_word(*it));
        (is_name && is_tag).then(|| ((start, end), Sym::of(tag)))
    }

    /// The group that names the function: the first that is no annotation.
    pub(super) fn function_group(&self, head: &Head) -> Option<Group> {
        let usable = |it: &&Group| {
            let word = &self.src[it.word.0..it.word.1];
            !words::is_annotation(word) && !words::is_control(word) && !words::is_type_word(word)
        };
        let first = head.groups.iter().find(usable).copied()?;
        Some(self.group_below(head, first).unwrap_or(first))
    }

    /// The group that names the function where an attribute of somebody's own stands before the line with its type:
    /// `static inline __diagnose_as(…)`, `size_t length(…)`.
    fn group_below(&self, head: &Head, first: Group) -> Option<Group> {
        let (start, end) = first.word;
        let is_spelled = |it: &[u8]| !it.iter().any(u8::is_ascii_lowercase);
        let before = self.src[head.start..start].split(|it| !is_word(*it));
        let may_be = head.groups.len() > 1
            && self.src[start..end].starts_with(b"__")
            && before
                .into_iter()
                .all(|it| is_storage(it) || is_spelled(it));
        let is_below = |it: &&[Group]| {
            let next = self.skip_space(it[0].close);
            self.is_column_0(next) && is_word(self.byte(next)) && self.word_end(next) < it[1].word.0
        };
        let mut pairs = head.groups.windows(2).filter(|_| may_be);
        pairs.find(is_below).map(|it| it[1])
    }
}

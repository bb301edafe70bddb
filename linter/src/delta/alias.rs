//! A function that became another name for `iput()`, or is none any more: the same reference is dropped in the same
//! way, but reported at its callers instead of in itself.

use super::same::callee;
use super::text::{item_around, tokens};
use super::{MovedLines, Pairs, States};
use crate::finding::Finding;
use crate::tree::{TreePath, TreeSource};

impl Pairs<'_> {
    /// Lets findings at the callers of a function stand for the one in it, and the other way round.
    ///
    /// Only a put on a line that is as it was counts, and calls on such lines or of the chain that is shown: others may
    /// have been changed for the better, or be new.
    pub(super) fn by_alias(&mut self, moved: &MovedLines, states: States<'_>) {
        let (before, after) = (self.before, self.after);
        let open_before: Vec<usize> = open(&self.of_before);
        let open_after: Vec<usize> = open(&self.of_after);
        let (was_kept, is_kept) = (
            |it: &Finding| !moved.is_removed(&it.file, it.line),
            |it: &Finding| !moved.is_added(&it.file, it.line),
        );
        for &new in &open_after {
            let inside = &after[new];
            // A put on a line that was not there may well be another one.
            if !is_kept(inside) {
                continue;
            }
            let put = Put {
                inside,
                tree: states.after,
            };
            let calls = |old: &usize| {
                let call = &before[*old];
                let is_same = was_kept(call)
                    || is_caller(inside, &call.function)
                    || states.became_call(call, &inside.function, moved);
                is_same && put.is_called_at(call, |it| moved.origin(it).clone())
            };
            let old = open_before.iter().filter(|it| calls(it));
            self.beside.extend(old.map(|it| (*it, new)));
        }
        for &old in &open_before {
            let inside = &before[old];
            if !was_kept(inside) {
                continue;
            }
            let put = Put {
                inside,
                tree: states.before,
            };
            let calls = |new: &usize| {
                let call = &after[*new];
                let is_same = is_kept(call) || is_caller(inside, &call.function);
                let here = Finding {
                    file: moved.origin(&call.file).clone(),
                    ..call.clone()
                };
                is_same && put.is_called_at(&here, TreePath::clone)
            };
            let new = open_after.iter().filter(|it| calls(it));
            self.beside.extend(new.map(|it| (old, *it)));
        }
    }
}

fn open(partners: &[Option<usize>]) -> Vec<usize> {
    let open = |it: &usize| partners[*it].is_none();
    (0..partners.len()).filter(open).collect()
}

fn is_caller(of: &Finding, function: &str) -> bool {
    let mut hops = of.path.iter().rev().skip(1);
    hops.next().is_some_and(|it| it.function == function)
}

/// A finding in a function that may be an alias in the other state.
struct Put<'a> {
    inside: &'a Finding,
    tree: &'a dyn TreeSource,
}

impl Put<'_> {
    /// Whether a finding of the other state is a call of the function; `was` says what its file is called there.
    fn is_called_at(&self, call: &Finding, was: impl Fn(&TreePath) -> TreePath) -> bool {
        let inside = self.inside;
        call.rule == inside.rule
            && call.function != inside.function
            && callee(&call.statement) == inside.function
            && (was(&inside.file) == call.file || self.is_visible())
    }

    /// Whether other files can call the function.
    fn is_visible(&self) -> bool {
        let inside = self.inside;
        if inside.file.as_str().as_bytes().ends_with(b".h") {
            return true;
        }
        let text = self.tree.read(&inside.file).ok().flatten();
        text.is_some_and(|text| {
            let item = item_around(&text, (inside.line, inside.column)).text;
            let all = tokens(&item);
            let mut head = all.iter().map(|it| it.1.text);
            let mut head = head
                .by_ref()
                .take_while(|it| *it != inside.function.as_bytes());
            !head.any(|it| it == b"static")
        })
    }
}

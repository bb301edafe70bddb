//! Statements that became calls of a function: what they did is done there now.

use super::same::{callee, given};
use super::text::{item_around, names};
use super::{MovedLines, Pairs, States};
use crate::finding::{Finding, normal};
use crate::kernel;
use crate::syntax::flow::root_name;

/// What a function speaks of that hands the last reference on.
const DEFERRING: &[&str] = &["atomic_add_unless", "atomic_dec_not_one", "call_rcu"];

impl Pairs<'_> {
    /// Lets the finding in a function that came stand for all statements that became calls of it: calls of what it calls,
    /// or of what it took the place of.
    ///
    /// Not where that function hands anything on: then these may have been changed for the better.
    pub(super) fn by_gathering(&mut self, moved: &MovedLines, states: States<'_>) {
        for (new, inside) in self.after.iter().enumerate() {
            let mut open = (0..self.before.len()).filter(|it| self.of_before[*it].is_none());
            // What a member points to is another object than the one that is given.
            let drops_given = given(&inside.statement)
                .iter()
                .all(|it| it.starts_with('&') || !it.contains("->"));
            let may_be =
                drops_given && moved.lines(&inside.file).is_some() && open.next().is_some();
            if !may_be || states.had_function(inside, moved) || states.defers(inside) {
                continue;
            }
            let after = states.after.read(&inside.file).ok().flatten();
            let after = after.unwrap_or_default();
            let is_named = |it: &str| names(&after).iter().any(|name| name.text == it.as_bytes());
            let is_one = |old: &Finding| {
                let was = callee(&old.statement);
                old.rule == inside.rule
                    && states.became_call(old, &inside.function, moved)
                    && (was == callee(&inside.statement) || !is_named(was))
            };
            let open = (0..self.before.len()).filter(|it| self.of_before[*it].is_none());
            let mut gathered: Vec<usize> = open.filter(|it| is_one(&self.before[*it])).collect();
            // Where one of equal statements went there, so did the others that are gone.
            let there: Vec<usize> = gathered.iter().copied().chain(self.of_after[new]).collect();
            let open = (0..self.before.len()).filter(|it| self.of_before[*it].is_none());
            let others = open.filter(|it| {
                let old = &self.before[*it];
                moved.is_removed(&old.file, old.line)
                    && old.function != inside.function
                    && there.iter().any(|one| old.is_twin(&self.before[*one]))
            });
            gathered.extend(others.collect::<Vec<_>>());
            gathered.sort_unstable();
            gathered.dedup();
            self.beside.extend(gathered.into_iter().map(|it| (it, new)));
        }
    }
}

/// What a call is given; of an inode's counter the variable in front, and no numbers beside it.
fn objects(statement: &str) -> Vec<String> {
    let mut given = given(statement);
    if given.iter().any(|it| it.ends_with("i_count")) {
        given.retain(|it| it.ends_with("i_count"));
        for it in &mut given {
            *it = root_name(it).to_owned();
        }
    }
    given
}

impl States<'_> {
    /// Whether the statement of a finding is gone and a call of `function` stands there that is given the same.
    pub(super) fn became_call(&self, old: &Finding, function: &str, moved: &MovedLines) -> bool {
        let given = objects(&old.statement);
        let calls_it = |text: &str| {
            let text = normal(text);
            let mut behind = text.split(function).skip(1);
            behind
                .any(|it| it.starts_with('(') && given.iter().all(|arg| it.contains(arg.as_str())))
        };
        !given.is_empty()
            && moved
                .replaced(&old.file, old.line)
                .into_iter()
                .any(|(path, lines)| {
                    let text = self.after.read(path).ok().flatten().unwrap_or_default();
                    let skipped = lines.start.saturating_sub(1) as usize;
                    let text = text.split(|it| *it == b'\n').skip(skipped);
                    let text: Vec<&[u8]> = text.take(lines.len()).collect();
                    calls_it(&String::from_utf8_lossy(&text.join(&b' ')))
                })
    }

    /// Whether the file of a finding spoke of its function before.
    fn had_function(&self, inside: &Finding, moved: &MovedLines) -> bool {
        let text = self.before.read(moved.origin(&inside.file)).ok().flatten();
        let name = inside.function.as_bytes();
        text.is_some_and(|it| names(&it).iter().any(|it| it.text == name))
    }

    /// Whether the function of a finding may hand the last reference to somebody.
    fn defers(&self, inside: &Finding) -> bool {
        let text = self
            .after
            .read(&inside.file)
            .ok()
            .flatten()
            .unwrap_or_default();
        let function = item_around(&text, (inside.line, inside.column));
        let all: Vec<&str> = (kernel::queueing_works().chain(DEFERRING.iter().copied())).collect();
        let mut named = names(&function.text).into_iter();
        named.any(|it| all.iter().any(|word| word.as_bytes() == it.text))
    }
}

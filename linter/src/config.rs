//! The configuration: which rules and contexts run, at which level, and what is known and accepted.
//!
//! ```toml
//! [rules]
//! i-count-read = "off"        # off, on, note, warning, error
//!
//! [contexts]
//! reclaim = true
//!
//! [[suppress]]
//! rule = "unsafe-iput"
//! file = "fs/f2fs/*"
//! path = "... > f2fs_balance_fs > ..."
//! reason = "the cleaner never runs below writeback of the same inode"
//! ```

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::contexts::{self, CONTEXTS, Context};
use crate::finding::{Finding, Hop, Severity};
use crate::rules::{self, RULES, Rule};

/// The name of the file in a tree and in the user's directory.
pub const FILE_NAME: &str = ".lorelint.toml";

/// A configuration that is valid: its names exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    levels: BTreeMap<&'static str, Level>,
    contexts: BTreeMap<&'static str, bool>,
    only_rules: Vec<&'static str>,
    only_contexts: Vec<&'static str>,
    suppressions: Vec<Suppression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Off,
    On,
    Fixed(Severity),
}

/// Findings that a person looked at and accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// A rule's name; `None` for every rule.
    pub rule: Option<&'static str>,
    /// A pattern of paths, where `*` stands for anything; `None` for every file.
    pub file: Option<String>,
    /// A pattern of functions that hold the finding; `None` for every function.
    pub function: Option<String>,
    /// A pattern of call chains: names or name patterns joined by ` > `, `...` for any number of hops.
    pub path: Option<String>,
    /// Why; never empty.
    pub reason: String,
}

/// Everything that is wrong with one configuration.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {}", problems.join("; "))]
pub struct ConfigError {
    /// The file.
    pub origin: String,
    /// One sentence each, sorted by key.
    pub problems: Vec<String>,
}

impl Config {
    /// Reads TOML; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem: unknown keys, unknown rules and contexts, levels, missing reasons.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut config = Self::default();
        match text.parse::<Table>() {
            Err(error) => problems.push(error.to_string().trim_end().replace('\n', " ")),
            Ok(table) => {
                for (key, value) in &table {
                    match (key.as_str(), value) {
                        ("rules", Value::Table(rules)) => config.read_rules(rules, &mut problems),
                        ("contexts", Value::Table(names)) => {
                            config.read_contexts(names, &mut problems);
                        }
                        ("suppress", Value::Array(list)) => {
                            config.read_suppressions(list, &mut problems);
                        }
                        ("rules" | "contexts", _) => {
                            problems.push(format!("{key} must be a table"));
                        }
                        ("suppress", _) => {
                            problems.push("suppress must be written [[suppress]]".to_owned());
                        }
                        _ => problems.push(format!(
                            "unknown key {key:?}: there are rules, contexts and suppress"
                        )),
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError {
                origin: origin.to_owned(),
                problems,
            })
        }
    }

    /// Runs only these rules and contexts, whatever the rest says; empty changes nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every name that does not exist.
    pub fn restrict(&mut self, rules: &[String], contexts: &[String]) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        for name in rules {
            match rules::rule(name) {
                Some(rule) => self.only_rules.push(rule.name),
                None => problems.push(unknown("rule", name, RULES.iter().map(|it| it.name))),
            }
        }
        for name in contexts {
            match contexts::context(name) {
                Some(context) => self.only_contexts.push(context.name),
                None => problems.push(unknown("context", name, CONTEXTS.iter().map(|it| it.name))),
            }
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(ConfigError {
            origin: "command line".to_owned(),
            problems,
        })
    }

    /// Whether the rule runs.
    pub fn is_rule_on(&self, rule: &Rule) -> bool {
        if !self.only_rules.is_empty() {
            return self.only_rules.contains(&rule.name);
        }
        match self.levels.get(rule.name) {
            None => rule.default_on,
            Some(level) => *level != Level::Off,
        }
    }

    /// Whether the context is looked at.
    pub fn is_context_on(&self, context: &Context) -> bool {
        if !self.only_contexts.is_empty() {
            return self.only_contexts.contains(&context.name);
        }
        self.contexts
            .get(context.name)
            .copied()
            .unwrap_or(context.default_on)
    }

    /// What a finding weighs: what the rule says, unless the configuration fixes it.
    pub fn severity(&self, rule: &str, found: Severity) -> Severity {
        match self.levels.get(rule) {
            Some(Level::Fixed(severity)) => *severity,
            _ => found,
        }
    }

    /// The first suppression that covers the finding.
    pub fn suppression(&self, finding: &Finding) -> Option<&Suppression> {
        self.suppressions.iter().find(|it| it.covers(finding))
    }

    /// The suppression that covers what a rule would say of a function at the end of a chain.
    pub(crate) fn suppression_of(
        &self,
        rule: &str,
        place: (&str, &str),
        path: &[Hop],
    ) -> Option<&Suppression> {
        let mut all = self.suppressions.iter();
        all.find(|it| it.covers_chain(rule, place, path))
    }

    fn read_rules(&mut self, table: &Table, problems: &mut Vec<String>) {
        for (name, value) in table {
            let Some(rule) = rules::rule(name) else {
                problems.push(unknown("rule", name, RULES.iter().map(|it| it.name)));
                continue;
            };
            let level = match value {
                Value::Boolean(true) => Some(Level::On),
                Value::Boolean(false) => Some(Level::Off),
                Value::String(text) => match text.as_str() {
                    "off" => Some(Level::Off),
                    "on" => Some(Level::On),
                    text => Severity::parse(text).map(Level::Fixed),
                },
                _ => None,
            };
            match level {
                Some(level) => drop(self.levels.insert(rule.name, level)),
                None => problems.push(format!(
                    "rules.{name} is {value}: it may be off, on, note, warning or error"
                )),
            }
        }
    }

    fn read_contexts(&mut self, table: &Table, problems: &mut Vec<String>) {
        for (name, value) in table {
            let Some(context) = contexts::context(name) else {
                problems.push(unknown("context", name, CONTEXTS.iter().map(|it| it.name)));
                continue;
            };
            match value {
                Value::Boolean(is_on) => drop(self.contexts.insert(context.name, *is_on)),
                _ => problems.push(format!(
                    "contexts.{name} is {value}: it may be true or false"
                )),
            }
        }
    }

    fn read_suppressions(&mut self, list: &[Value], problems: &mut Vec<String>) {
        for (index, value) in list.iter().enumerate() {
            let place = format!("suppress {}", index + 1);
            let Value::Table(table) = value else {
                problems.push(format!("{place} must be a table"));
                continue;
            };
            let before = problems.len();
            let mut text_of = |key: &str| match table.get(key) {
                None => None,
                Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
                Some(_) => {
                    problems.push(format!("{place}: {key} must be a text that is not empty"));
                    None
                }
            };
            let (file, function, path) = (text_of("file"), text_of("function"), text_of("path"));
            let (rule, reason) = (text_of("rule"), text_of("reason"));
            for key in table.keys() {
                if !["rule", "file", "function", "path", "reason"].contains(&key.as_str()) {
                    problems.push(format!(
                        "{place}: unknown key {key:?}: there are rule, file, function, path and reason"
                    ));
                }
            }
            let known_rule = rule.as_deref().and_then(rules::rule);
            if let (Some(name), None) = (&rule, known_rule) {
                problems.push(format!(
                    "{place}: {}",
                    unknown("rule", name, RULES.iter().map(|it| it.name))
                ));
            }
            if !table.contains_key("reason") {
                problems.push(format!(
                    "{place}: reason is missing: say why this is accepted"
                ));
            }
            if file.is_none() && function.is_none() && path.is_none() && problems.len() == before {
                problems.push(format!(
                    "{place}: file, function or path is missing: to silence a whole rule, set it to off"
                ));
            }
            if let (Some(reason), true) = (reason, problems.len() == before) {
                self.suppressions.push(Suppression {
                    rule: known_rule.map(|it| it.name),
                    file,
                    function,
                    path,
                    reason,
                });
            }
        }
    }
}

impl Suppression {
    fn covers(&self, finding: &Finding) -> bool {
        let place = (finding.file.as_str(), finding.function.as_str());
        self.covers_chain(finding.rule, place, &finding.path)
    }

    fn covers_chain(&self, rule: &str, (file, function): (&str, &str), path: &[Hop]) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern
                .as_deref()
                .is_none_or(|it| matches_pattern(it, text))
        };
        self.rule.is_none_or(|it| it == rule)
            && fits(&self.file, file)
            && fits(&self.function, function)
            && self.path.as_deref().is_none_or(|it| {
                let pattern: Vec<&str> = it.split('>').map(str::trim).collect();
                let chain: Vec<&str> = path.iter().map(|hop| hop.function.as_str()).collect();
                matches_chain(&pattern, &chain)
            })
    }
}

/// `*` stands for any text, `/` included.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// `...` stands for any number of hops. The table keeps this linear in pattern times chain.
fn matches_chain(pattern: &[&str], chain: &[&str]) -> bool {
    let mut reachable = vec![false; chain.len() + 1];
    reachable[0] = true;
    for part in pattern {
        let mut next = vec![false; chain.len() + 1];
        for at in 0..=chain.len() {
            if *part == "..." {
                next[at] = reachable[at] || (at > 0 && next[at - 1]);
            } else if at < chain.len() && reachable[at] {
                next[at + 1] |= matches_pattern(part, chain[at]);
            }
        }
        reachable = next;
    }
    reachable[chain.len()]
}

fn unknown(kind: &str, name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let known: Vec<_> = known.collect();
    match nearest(name, &known) {
        Some(near) => format!("no {kind} {name:?}: did you mean {near}?"),
        None => format!("no {kind} {name:?}: there are {}", known.join(", ")),
    }
}

/// The name that is at most three edits away.
pub(crate) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|it| (edits(name, it), *it))
        .filter(|it| it.0 <= 3)
        .min()
        .map(|it| it.1)
}

fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_named_together() {
        let text = "colour = 1\n[rules]\ni-cout-read = \"off\"\ni-count-set = \"loud\"\n[contexts]\nreclaim = 1\n\
                    [[suppress]]\nfile = \"a\"\nwhere = \"b\"\n[[suppress]]\nreason = \"x\"\n";
        let error = Config::parse(text, "here").expect_err("it is wrong");
        assert_eq!(
            error.problems,
            [
                "unknown key \"colour\": there are rules, contexts and suppress",
                "contexts.reclaim is 1: it may be true or false",
                "rules.i-count-set is \"loud\": it may be off, on, note, warning or error",
                "no rule \"i-cout-read\": did you mean i-count-read?",
                "suppress 1: unknown key \"where\": there are rule, file, function, path and reason",
                "suppress 1: reason is missing: say why this is accepted",
                "suppress 2: file, function or path is missing: to silence a whole rule, set it to off",
            ]
        );
    }

    #[test]
    fn chains_match_with_gaps() {
        let chain = ["a_start", "b", "c", "d"];
        for (pattern, expected) in [
            ("... > b > ...", true),
            ("a_* > ... > d", true),
            ("... > b > d", false),
            ("a_start > b > c > d", true),
            ("b > ...", false),
            ("... > ... > ...", true),
        ] {
            let parts: Vec<&str> = pattern.split('>').map(str::trim).collect();
            assert_eq!(
                matches_chain(&parts, &chain),
                expected,
                "pattern: {pattern}"
            );
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("fs/*", "fs/ceph/addr.c", true),
            ("fs/*.c", "fs/ceph/addr.h", false),
            ("*addr*", "fs/ceph/addr.c", true),
            ("fs/ceph", "fs/ceph/addr.c", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(
                matches_pattern(pattern, text),
                expected,
                "{pattern} on {text}"
            );
        }
    }
}

//! What a rule reports: data only, no rendering and no tree access.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde::{Deserialize, Deserializer, Serialize};

use crate::tree::TreePath;

/// How much a finding matters; decides the exit code together with `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Worth knowing, never a failure by itself.
    Note,
    /// Wrong in most trees, or dangerous in rare ones.
    Warning,
    /// A deadlock or a use after free when the path runs.
    Error,
}

impl Severity {
    /// The name used in every output and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Reads [`Severity::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// How sure the chain of a finding is: that of its weakest hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Confidence {
    /// Somewhere only a name matched.
    Low,
    /// A type was inferred, or the callee is one of few.
    Medium,
    /// Only direct calls and entries of typed tables.
    High,
}

impl Confidence {
    /// The name used in every output and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// Reads [`Confidence::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High]
            .into_iter()
            .find(|it| it.as_str() == text)
    }
}

/// How a hop of a call chain is reached from the hop before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Via {
    /// The first hop: an entry point of the context.
    Root,
    /// The callee's name stands at the call.
    Direct,
    /// Through a function pointer member: `through` is `struct.member`.
    Ops,
    /// Passed as an argument to a function that calls it: `through` is that function.
    Callback,
    /// The call stands in the body of a macro: `through` is that macro.
    Macro,
}

impl Via {
    /// The name used in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Direct => "direct",
            Self::Ops => "ops",
            Self::Callback => "callback",
            Self::Macro => "macro",
        }
    }

    /// Reads [`Via::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Root,
            Self::Direct,
            Self::Ops,
            Self::Callback,
            Self::Macro,
        ]
        .into_iter()
        .find(|it| it.as_str() == text)
    }
}

/// The name of a rule or a context of this program.
pub type StaticName = &'static str;

/// One function on a call chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// The function that runs.
    pub function: String,
    /// Where it is called; for a root, where it is registered.
    pub file: TreePath,
    /// 1-based line in `file`.
    pub line: u32,
    /// The kind of the edge that leads here.
    pub via: Via,
    /// The `struct.member`, the iterator or the macro that the edge goes through; empty for direct calls.
    pub through: String,
}

/// A further place that a message speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// The file of the place.
    pub file: TreePath,
    /// 1-based.
    pub line: u32,
    /// What stands there, one sentence without final stop.
    pub message: String,
}

/// One finding: one call site or one access, whatever the number of contexts that reach it.
///
/// Order in every list: file, line, column, rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's name, as `lorelint rules` lists it.
    #[serde(deserialize_with = "name")]
    pub rule: StaticName,
    /// After the rule's modifiers.
    pub severity: Severity,
    /// That of the weakest hop of `path`.
    pub confidence: Confidence,
    /// Where the statement stands.
    pub file: TreePath,
    /// 1-based.
    pub line: u32,
    /// 1-based, in bytes.
    pub column: u32,
    /// The function that holds the statement.
    pub function: String,
    /// The statement on one line, white space folded.
    pub statement: String,
    /// Names of the contexts that reach it, sorted; empty for rules without a context.
    #[serde(deserialize_with = "names")]
    pub contexts: Vec<&'static str>,
    /// One shortest chain, from the context's root to `function`; empty for rules without a context.
    pub path: Vec<Hop>,
    /// What is wrong, one sentence without final stop.
    pub message: String,
    /// What to do instead; depends on the helpers that the tree declares.
    pub help: String,
    /// Other places that the message speaks of.
    pub related: Vec<Related>,
    /// Identity across versions: holds no line number and no path through the graph.
    pub fingerprint: Fingerprint,
    /// What it says where the chain of another of its contexts is shown: for a patch that brings that one.
    pub others: Vec<Shown>,
}

/// What a finding says of one of its contexts; the fields are those of [`Finding`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Whose chain is shown.
    #[serde(deserialize_with = "name")]
    pub context: StaticName,
    /// After the rule's modifiers, for this chain.
    pub severity: Severity,
    /// That of the weakest hop of `path`.
    pub confidence: Confidence,
    /// From the context's root.
    pub path: Vec<Hop>,
    /// This context comes first in it.
    pub message: String,
    /// Those of [`Finding::related`], which is at the same place.
    pub related: Vec<String>,
}

/// Identity of a finding: 32 lower-case hex digits over (rule, file's function, statement, ordinal).
///
/// Survives moves, re-indentation and a rename of any function on the chain; the ordinal counts
/// equal statements of one function from the top.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hashes the identity, without regard to white space; `ordinal` counts equal statements in `function` from 0.
    pub fn new(rule: &str, function: &str, statement: &str, ordinal: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        let statement = normal(statement);
        for part in [rule, function, &statement] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        hasher.update(&ordinal.to_le_bytes());
        Self(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// The 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a stored fingerprint; `None` unless it is 32 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 32
            && text
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        valid.then(|| Self(text.to_owned()))
    }
}

/// Whether a character stands in words of C.
pub(crate) fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// A statement without the white space that only lays it out: blanks stay between words alone.
pub fn normal(statement: &str) -> String {
    let mut out = String::with_capacity(statement.len());
    let mut words = statement.split_whitespace();
    out.extend(words.next());
    for word in words {
        if out.ends_with(is_word) && word.starts_with(is_word) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Something that was not understood; a clean verdict that depends on it says so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The file that was not wholly understood.
    pub file: TreePath,
    /// 1-based.
    pub line: u32,
    /// What was given up, for a person.
    pub what: String,
}

/// A remark on the run itself, such as a context root that the tree does not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// The rule that speaks, such as `context-root-missing`.
    #[serde(deserialize_with = "name")]
    pub rule: StaticName,
    /// One sentence.
    pub message: String,
}

/// The names of rules and contexts live as long as the program; one that was stored becomes such a name again.
fn name<'de, D: Deserializer<'de>>(from: D) -> Result<StaticName, D::Error> {
    String::deserialize(from).map(interned)
}

fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<&'static str>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?
        .into_iter()
        .map(interned)
        .collect())
}

fn interned(name: String) -> &'static str {
    static NAMES: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().expect("no panic while locked");
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let new: &'static str = name.leak();
    names.insert(new);
    new
}

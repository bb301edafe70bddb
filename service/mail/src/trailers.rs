//! Trailers, what a mail declares about its base, and the shortlog of a cover letter.

use serde::{Deserialize, Serialize};

use crate::MessageId;
use crate::subject::clean;

const MAX_TRAILERS: usize = 200;
pub(crate) const MAX_DECLARED: usize = 100;
const MAX_TITLES: usize = 1000;
/// Lines that are looked at: a mail of prerequisites must not cost more than a mail of text.
const MAX_LINES: usize = 50_000;

/// One `Key: value` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailer {
    /// As written.
    pub key: String,
    /// As written, unfolded; for `Fixes:` it starts with at least 7 hex digits.
    pub value: String,
}

/// What a mail says about the tree that it applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Declared {
    /// `base-commit:`, 7 to 64 lower-case hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
    /// `prerequisite-patch-id:`, hex, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisite_patch_ids: Vec<String>,
    /// `prerequisite-change-id:` as written, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prerequisite_change_ids: Vec<String>,
    /// Message ids of `Depends-on:` and `prerequisite-message-id:`, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<MessageId>,
    /// `change-id:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// Message id of `Supersedes:`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<MessageId>,
}

/// What the lines of a text outside of its diff say.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) trailers: Vec<Trailer>,
    pub(crate) declared: Declared,
    pub(crate) titles: Vec<String>,
    /// `n files changed` or a shortlog.
    pub(crate) summary: bool,
    /// Text of `git request-pull`.
    pub(crate) pull: bool,
    /// A line is quoted from another mail.
    pub(crate) quotes: bool,
}

impl Lines {
    /// Reads the lines that are not quoted; may be called for several pieces of a text.
    pub(crate) fn read(&mut self, text: &str) {
        let mut in_shortlog = false;
        for line in text.lines().take(MAX_LINES) {
            if in_shortlog {
                in_shortlog = self.shortlog_line(line);
            }
            let Some(first) = line.bytes().next() else {
                continue;
            };
            if first == b' ' && (line.contains(" changed, ") || line.ends_with(" changed")) {
                self.summary |= line.contains(" file changed") || line.contains(" files changed");
            }
            self.quotes |= line.starts_with("> ");
            if !first.is_ascii_alphabetic() {
                continue;
            }
            if is_shortlog_author(line) {
                in_shortlog = true;
            } else if is_pull_text(line) {
                self.pull = true;
            } else if let Some((key, value)) = line.split_once(':') {
                self.field(key, value.trim());
            }
        }
    }

    fn field(&mut self, key: &str, value: &str) {
        if key.len() > 40 || value.is_empty() || key.contains(' ') {
            return;
        }
        let declared = &mut self.declared;
        match key.to_ascii_lowercase().as_str() {
            "base-commit" => {
                let hex = value.split_whitespace().next().unwrap_or_default();
                if declared.base_commit.is_none() && is_commit_id(hex) {
                    declared.base_commit = Some(hex.to_owned());
                }
            }
            "prerequisite-patch-id" => {
                if is_commit_id(value) && declared.prerequisite_patch_ids.len() < MAX_DECLARED {
                    declared.prerequisite_patch_ids.push(value.to_owned());
                }
            }
            "prerequisite-change-id" => {
                if declared.prerequisite_change_ids.len() < MAX_DECLARED {
                    declared.prerequisite_change_ids.push(clean(value, 300));
                }
            }
            "change-id" => {
                // Gerrit's `Change-Id: I…` is another thing: it names one commit, not the series.
                if key == "change-id" && declared.change_id.is_none() {
                    declared.change_id = Some(clean(value, 300));
                }
            }
            "depends-on" | "prerequisite-message-id" => {
                if declared.depends_on.len() < MAX_DECLARED {
                    declared.depends_on.extend(named_message(value));
                }
                self.trailer(key, value);
            }
            "supersedes" => {
                if declared.supersedes.is_none() {
                    declared.supersedes = named_message(value);
                }
                self.trailer(key, value);
            }
            _ => self.trailer(key, value),
        }
    }

    fn trailer(&mut self, key: &str, value: &str) {
        let lower = key.to_ascii_lowercase();
        let known = lower.ends_with("-by")
            || matches!(
                lower.as_str(),
                "fixes"
                    | "closes"
                    | "link"
                    | "cc"
                    | "reported-and-tested-by"
                    | "depends-on"
                    | "suggested-by"
                    | "bug"
                    | "buglink"
                    | "change-id"
                    | "supersedes"
            );
        let hex_first = value
            .split(|it: char| !it.is_ascii_hexdigit())
            .next()
            .is_some_and(|it| it.len() >= 7);
        if known && (lower != "fixes" || hex_first) && self.trailers.len() < MAX_TRAILERS {
            self.trailers.push(Trailer {
                key: key.to_owned(),
                value: clean(value, 1000),
            });
        }
    }

    /// `  title` or the deeper indented rest of one; says whether the shortlog goes on.
    fn shortlog_line(&mut self, line: &str) -> bool {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if text.is_empty() || indent == 0 || self.titles.len() >= MAX_TITLES {
            return false;
        }
        self.summary = true;
        match self.titles.last_mut() {
            Some(last)
                if indent >= 4 && line.starts_with("    ") && !line.starts_with("      ") =>
            {
                last.push(' ');
                last.push_str(text);
            }
            _ => self.titles.push(text.to_owned()),
        }
        true
    }
}

/// The message that `<ID>`, or the address of an archive's page, names.
fn named_message(value: &str) -> Option<MessageId> {
    let id = match (value.find('<'), value.find('>')) {
        (Some(open), Some(close)) if open < close => &value[open..=close],
        // The id is the last part of an archive's address: https://…/r/ID/
        _ => value
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or(value),
    };
    MessageId::parse(id).filter(|it| it.as_str().contains('@'))
}

/// What `git request-pull` writes.
fn is_pull_text(line: &str) -> bool {
    line.starts_with("are available in the Git repository at")
        || line.starts_with("are available in the git repository at")
        || line.starts_with("for you to fetch changes up to")
}

/// `Dana Developer (12):`
fn is_shortlog_author(line: &str) -> bool {
    line.strip_suffix("):")
        .and_then(|it| it.rsplit_once(" ("))
        .is_some_and(|(_, count)| {
            !count.is_empty() && count.len() < 6 && count.bytes().all(|it| it.is_ascii_digit())
        })
}

/// 7 to 64 lower-case hex digits: anything else could be an option or a path to the program that gets it.
fn is_commit_id(text: &str) -> bool {
    (7..=64).contains(&text.len())
        && text
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

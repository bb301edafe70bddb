//! The baseline: findings that were there before, by fingerprint, so that only news are reported.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Fingerprint};

/// Known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Fingerprint, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fingerprint: String,
    rule: String,
    file: String,
    function: String,
    statement: String,
    #[serde(default)]
    reason: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    findings: Vec<Entry>,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON of this shape.
    #[error("baseline {origin} cannot be read: {source}; write it anew with --write-baseline")]
    Syntax {
        /// The file.
        origin: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// It is of another version.
    #[error("baseline {origin} has version {version}, this program reads version 1")]
    Version {
        /// The file.
        origin: String,
        /// As it says.
        version: u32,
    },
    /// An entry's fingerprint is none.
    #[error("baseline {origin}: {fingerprint:?} is no fingerprint (32 lower-case hex digits)")]
    Fingerprint {
        /// The file.
        origin: String,
        /// As it stands.
        fingerprint: String,
    },
}

impl Baseline {
    /// Reads JSON; `origin` names it in errors.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] when it is not what [`Baseline::to_json`] writes.
    pub fn parse(text: &str, origin: &str) -> Result<Self, BaselineError> {
        let document: Document =
            serde_json::from_str(text).map_err(|source| BaselineError::Syntax {
                origin: origin.to_owned(),
                source,
            })?;
        if document.version != 1 {
            return Err(BaselineError::Version {
                origin: origin.to_owned(),
                version: document.version,
            });
        }
        let mut entries = BTreeMap::new();
        for entry in document.findings {
            let Some(fingerprint) = Fingerprint::parse(&entry.fingerprint) else {
                return Err(BaselineError::Fingerprint {
                    origin: origin.to_owned(),
                    fingerprint: entry.fingerprint,
                });
            };
            entries.insert(fingerprint, entry);
        }
        Ok(Self { entries })
    }

    /// Lists these findings; reasons of entries that `self` has already are kept.
    #[must_use]
    pub fn renewed(&self, findings: &[Finding]) -> Self {
        let entries = findings
            .iter()
            .map(|it| {
                let known = self.entries.get(&it.fingerprint);
                let entry = Entry {
                    fingerprint: it.fingerprint.as_str().to_owned(),
                    rule: it.rule.to_owned(),
                    file: it.file.to_string(),
                    function: it.function.clone(),
                    statement: it.statement.clone(),
                    reason: known.map(|it| it.reason.clone()).unwrap_or_default(),
                };
                (it.fingerprint.clone(), entry)
            })
            .collect();
        Self { entries }
    }

    /// Whether the finding is known.
    pub fn knows(&self, finding: &Finding) -> bool {
        self.entries.contains_key(&finding.fingerprint)
    }

    /// JSON, sorted by file and function so that its own diffs are small.
    pub fn to_json(&self) -> String {
        let mut findings: Vec<Entry> = self.entries.values().cloned().collect();
        findings.sort_by(|a, b| {
            let key = |it: &Entry| {
                (
                    it.file.clone(),
                    it.function.clone(),
                    it.statement.clone(),
                    it.fingerprint.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        let document = Document {
            version: 1,
            findings,
        };
        let mut text = serde_json::to_string_pretty(&document)
            .expect("a document of texts can always be written");
        text.push('\n');
        text
    }
}

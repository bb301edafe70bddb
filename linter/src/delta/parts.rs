//! What a finding says where only a part of it is new, or fixed.

use super::MovedLines;
use super::same::is_same_chain;
use crate::finding::{Finding, Related, Severity, Shown};

/// The contexts of a finding that none of the others has.
pub(super) fn contexts_but(finding: &Finding, others: &[&Finding]) -> Vec<&'static str> {
    let is_there = |it: &&'static str| others.iter().any(|other| other.contexts.contains(it));
    let contexts = finding.contexts.iter().copied();
    contexts.filter(|it| !is_there(it)).collect()
}

/// What a finding says where only some of its contexts are meant: the chain of one of them is shown.
pub(super) fn only(finding: &Finding, meant: &[&'static str], what: &str) -> Finding {
    let mut part = finding.clone();
    if meant.len() == part.contexts.len() {
        return part;
    }
    let is_meant = |it: &Shown| meant.contains(&it.context);
    // The context that is shown is none of the others.
    let others = part.others.iter().filter(|it| is_meant(it)).count();
    let shown = (others == meant.len())
        .then(|| part.others.iter().find(|it| is_meant(it)).cloned())
        .flatten();
    if let Some(shown) = shown {
        let chains = shown.related.into_iter().map(|message| Related {
            file: part.file.clone(),
            line: part.line,
            message,
        });
        // The chains of the others come first.
        let others = part.others.len().min(part.related.len());
        let behind = part.related.split_off(others);
        part.related = chains.chain(behind).collect();
        part.severity = shown.severity;
        part.confidence = shown.confidence;
        part.path = shown.path;
        part.message = shown.message;
    }
    let verb = if meant.len() == 1 { "is" } else { "are" };
    let names = meant.join(" and ");
    part.message = format!("{}; only {names} {verb} {what}", part.message);
    part
}

/// A finding that is known, where it got worse: more severe than it was, or surer by what the patch does to its chain.
///
/// That a chain is surer which goes another way, none of it new, is no news.
pub(super) fn worse(new: &Finding, known: &[&Finding], moved: &MovedLines) -> Option<Finding> {
    let was = known.iter().max_by_key(|it| (it.severity, it.confidence))?;
    let is_surer = || {
        let has_new_hop = || new.path.iter().any(|it| moved.is_added(&it.file, it.line));
        new.severity == was.severity
            && new.severity == Severity::Error
            && new.confidence > was.confidence
            && (is_same_chain(was, new) || has_new_hop())
    };
    let before = if new.severity > was.severity {
        let of = was.confidence.as_str();
        format!("a {} of {of} confidence", was.severity.as_str())
    } else if is_surer() {
        format!("of {} confidence", was.confidence.as_str())
    } else {
        return None;
    };
    let mut worse = new.clone();
    worse.message = format!("{}; it was {before} before", worse.message);
    Some(worse)
}

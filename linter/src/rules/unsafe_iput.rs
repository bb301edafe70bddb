//! Calls `iput()` where the eviction below it can deadlock or sleep.

use std::fmt::Write as _;

use super::{Check, FunctionView, Reach, ReachedRelease, Rule, RuleFinding};
use crate::contexts::{CONTEXTS, Sink};
use crate::finding::{Confidence, Hop, Severity, Shown, Via};
use crate::kernel;
use crate::syntax::idioms::{Doubt, Release};

/// The rule.
pub(super) static RULE: Rule = Rule {
    name: "unsafe-iput",
    severity: Severity::Error,
    default_on: true,
    summary: "Calls iput() where the eviction below it can deadlock or sleep",
    docs: include_str!("unsafe_iput.md"),
    check: Check::Function(check),
};

/// A chain this long is hard to follow and easily runs through a branch that this caller never takes.
const LONG_CHAIN: usize = 10;

/// Nobody has found a deadlock behind more functions than this: some branch on the way excludes another.
const FAR_CHAIN: usize = 12;

/// Functions at each end of a further chain that are named.
const SHOWN_AT_ENDS: usize = 4;

/// At least so many functions run between the entry of writeback and a queue, as in `run_delalloc_compressed()`.
const CALLS_TO_A_QUEUE: usize = 3;

/// A context with what speaks against its chain.
struct Judged<'a> {
    reach: &'a Reach,
    confidence: Confidence,
    doubts: Vec<String>,
    is_excused: bool,
    /// Whether the chain is known not to lead to the inode.
    is_vain: bool,
}

fn check(view: &FunctionView<'_>, findings: &mut Vec<RuleFinding>) {
    for reached in view.releases {
        if reached.release.not_last.is_some() {
            continue;
        }
        let mut judged: Vec<Judged<'_>> = reached
            .reaches
            .iter()
            .filter(|it| it.context.sink == Sink::FinalIput)
            .map(|it| judge(reached, it))
            .collect();
        // The chain that is shown: one that a person believes, of the worst context, the surest, the first in the
        // documentation.
        judged.sort_by_key(|it| {
            (
                it.is_excused,
                std::cmp::Reverse((
                    it.confidence > Confidence::Low,
                    it.reach.context.severity,
                    it.confidence,
                )),
                CONTEXTS
                    .iter()
                    .position(|other| other.name == it.reach.context.name),
                it.reach.path.len(),
            )
        });
        // Such a chain is shown where there is no other.
        if judged.first().is_some_and(|it| !it.is_vain) {
            judged.retain(|it| !it.is_vain);
        }
        let offset = reached.release.offset;
        let mut all = (0..judged.len()).map(|at| shown(reached, &judged, at));
        if let Some(first) = all.next() {
            findings.push(RuleFinding {
                rule: RULE.name,
                severity: first.severity,
                confidence: first.confidence,
                offset,
                statement: reached.release.statement.clone(),
                message: first.message,
                help: help(view, &reached.release),
                contexts: names(&judged),
                path: first.path,
                related: first.related.into_iter().map(|it| (offset, it)).collect(),
                others: all.collect(),
            });
        }
    }
}

/// What is said where the chain at `at` is shown.
fn shown(reached: &ReachedRelease, judged: &[Judged<'_>], at: usize) -> Shown {
    let mut all: Vec<&Judged<'_>> = judged.iter().collect();
    all[..=at].rotate_right(1);
    Shown {
        context: all[0].reach.context.name,
        severity: severity(reached, all[0]),
        confidence: all[0].confidence,
        path: all[0].reach.path.clone(),
        message: message(reached, &all),
        related: all[1..].iter().map(|it| other_chain(it.reach)).collect(),
    }
}

/// Weighs what is known of the release against the chain that leads to it.
fn judge<'a>(reached: &ReachedRelease, reach: &'a Reach) -> Judged<'a> {
    let mut doubts = Vec::new();
    let mut confidence = reach.confidence;
    let mut lower = |to: Confidence, why: String| {
        confidence = confidence.min(to);
        doubts.push(why);
    };
    if let Some(why) = &reach.weakest {
        lower(reach.confidence, why.clone());
    }
    if let Some(function) = &reach.again {
        lower(
            Confidence::Low,
            format!("{function}() would run inside itself here: mostly a branch excludes that"),
        );
    }
    let keeper = reached.keeper.as_ref();
    let keeper = keeper.filter(|_| reach.context.waits_for_itself);
    if let Some(keeper) = keeper {
        lower(
            Confidence::Low,
            format!(
                "{keeper}() keeps an inode that is under writeback, so this iput() does not wait for it"
            ),
        );
    }
    if let Some(lookup) = &reached.kept_by {
        lower(
            Confidence::Low,
            format!(
                "{lookup}() keeps a reference of its own to the inodes that it finds: this is not the last one while it does"
            ),
        );
    }
    if let Some(why) = doubt_of(reached) {
        lower(Confidence::Medium, why);
    }
    if let Some(flag) = &reach.flag {
        lower(
            Confidence::Medium,
            format!("this runs only where {flag}, which is decided where it is set"),
        );
    }
    if let Some(contrary) = &reach.contrary {
        lower(
            Confidence::Medium,
            format!("{contrary}: this runs only where that has changed since"),
        );
    }
    if let Some(function) = &reach.failing {
        lower(
            Confidence::Medium,
            format!("{function}() makes its call only where something failed"),
        );
    }
    let vain = rare_call(kernel::VAIN_CALLS, &reach.path);
    if let Some(why) = vain {
        lower(Confidence::Low, why.to_owned());
    }
    for why in against_chain(reach) {
        lower(Confidence::Medium, why);
    }
    Judged {
        reach,
        confidence,
        doubts,
        is_excused: keeper.is_some() || reached.kept_by.is_some(),
        is_vain: vain.is_some(),
    }
}

/// What makes it less likely that the release itself runs, or drops the last reference.
fn doubt_of(reached: &ReachedRelease) -> Option<String> {
    Some(match &reached.release.doubt {
        Some(Doubt::OtherArmDefers(by)) => format!(
            "the other arm of this if hands the inode over with {by}(): what is left may be safe"
        ),
        // Where each last iput() evicts, it does so for an inode that was just looked up as well.
        Some(Doubt::Rejected(lookup)) if !reached.always_drops => format!(
            "this gives back what {lookup}() found just now, on a failure: mostly the inode stays cached"
        ),
        Some(Doubt::Bad) => {
            "this runs only where the inode that was looked up could not be read".to_owned()
        }
        Some(Doubt::Unhashed) => {
            "this runs only where the inode that was looked up has left the hash, as a bad one does"
                .to_owned()
        }
        _ => return None,
    })
}

/// What makes it less likely that this chain runs, whatever is dropped at its end.
fn against_chain(reach: &Reach) -> Vec<String> {
    let path = &reach.path;
    let mut doubts = Vec::new();
    let is_assertion = |it: &&Hop| it.via == Via::Macro && it.through.contains("assert");
    if let Some(hop) = path.iter().find(is_assertion) {
        let (macro_name, function) = (&hop.through, &hop.function);
        doubts.push(format!(
            "{macro_name}() calls {function}() only where it fails"
        ));
    }
    doubts.extend(rare_call(kernel::RARE_CALLS, path).map(str::to_owned));
    doubts.extend(mild_root(reach).map(str::to_owned));
    if call_count(reach) > FAR_CHAIN {
        doubts.push(format!(
            "{} calls lie between: one of their branches may exclude another",
            path.len() - 1
        ));
    }
    doubts
}

/// What is said of the first call of a chain that is one of these.
fn rare_call<'c>(calls: &'c [(&str, &str, &str)], path: &[Hop]) -> Option<&'c str> {
    path.windows(2).find_map(|pair| {
        let mut calls = calls.iter();
        let call = calls.find(|it| (it.0, it.1) == (&pair[0].function, &pair[1].function));
        call.map(|it| it.2)
    })
}

/// Why the chain's entry point is mostly no danger.
fn mild_root(reach: &Reach) -> Option<&'static str> {
    let root = reach.path.first().filter(|it| it.via == Via::Root)?;
    let mut roots = kernel::MILD_ROOTS.iter();
    roots.find(|it| it.0 == root.through).map(|it| it.1)
}

/// The functions of the chain; before a worker there are those that led to its queue.
fn call_count(reach: &Reach) -> usize {
    let is_worker = reach.path.first().is_some_and(|root| {
        let mut deferrals = kernel::DEFERRALS.iter();
        root.via == Via::Root && deferrals.any(|it| it.name == root.through)
    });
    reach.path.len() + if is_worker { CALLS_TO_A_QUEUE } else { 0 }
}

/// The chain of a further context, on one line: of a long one both ends.
fn other_chain(reach: &Reach) -> String {
    let functions: Vec<&str> = reach.path.iter().map(|it| it.function.as_str()).collect();
    let left_out = functions.len().saturating_sub(2 * SHOWN_AT_ENDS);
    let chain = if left_out > 1 {
        let (start, end) = (
            &functions[..SHOWN_AT_ENDS],
            &functions[SHOWN_AT_ENDS + left_out..],
        );
        format!(
            "{} > {left_out} more > {}",
            start.join(" > "),
            end.join(" > ")
        )
    } else {
        functions.join(" > ")
    };
    format!("{}: {chain}", reach.context.name)
}

fn names(judged: &[Judged<'_>]) -> Vec<&'static str> {
    let mut names: Vec<_> = judged.iter().map(|it| it.reach.context.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn severity(reached: &ReachedRelease, shown: &Judged<'_>) -> Severity {
    if shown.is_excused {
        return Severity::Note;
    }
    let weaker = shown.confidence == Confidence::Low
        || shown.reach.path.len() > LONG_CHAIN
        || shown.reach.failing.is_some()
        || shown.reach.flag.is_some()
        || mild_root(shown.reach).is_some()
        || matches!(
            reached.release.doubt,
            Some(Doubt::Rejected(_) | Doubt::Bad | Doubt::Unhashed)
        )
        || reached.release.error_label.is_some();
    // That each last iput() evicts makes no chain likelier that nobody believes.
    let worse = reached.always_drops && call_count(shown.reach) <= FAR_CHAIN;
    let step = i8::from(worse) - i8::from(weaker);
    match (shown.reach.context.severity, step) {
        (Severity::Note, 1) | (Severity::Error, -1) => Severity::Warning,
        (Severity::Warning, 1) => Severity::Error,
        (Severity::Warning, -1) => Severity::Note,
        (severity, _) => severity,
    }
}

fn message(reached: &ReachedRelease, judged: &[&Judged<'_>]) -> String {
    let mut message = format!("{}() may drop the last reference", reached.release.callee);
    let mut said = String::new();
    for (index, it) in judged.iter().enumerate() {
        let reach = it.reach;
        let separator = if index == 0 { " " } else { "; also " };
        message.push_str(separator);
        message.push_str(reach.context.place);
        let hazard = hazard(reached, reach);
        if hazard != said {
            message.push_str(": ");
            message.push_str(&hazard);
            said = hazard;
        }
        if index > 0
            && let Some(why) = mild_root(reach)
        {
            let _ = write!(message, " ({why})");
        }
        if reach.root_count > 1 {
            let _ = write!(message, " ({} entry points lead here)", reach.root_count);
        }
    }
    for doubt in &judged[0].doubts {
        message.push_str("; but ");
        message.push_str(doubt);
    }
    message
}

/// What the eviction waits for: of an inode that is not the context's own something else.
fn hazard(reached: &ReachedRelease, reach: &Reach) -> String {
    match (reach.context.hazard_of_other, &reached.release.other) {
        (Some(hazard), Some(other)) => format!("evict() of another inode ({other}) {hazard}"),
        _ => reach.context.hazard.to_owned(),
    }
}

fn help(view: &FunctionView<'_>, release: &Release) -> String {
    let not_last = if view.helpers.has("iput_not_last") {
        "use iput_not_last() and say why"
    } else {
        "say why in a comment `/* lorelint: not-last: reason */`"
    };
    // What another name for iput() takes need not be an inode.
    let grabs = |it: &&str| release.pointer.starts_with(&format!("{it}("));
    let (pointer, of) = match release.callee.as_str() {
        // To grab it once more is no way to give it back.
        kernel::IPUT if kernel::GRABS.iter().any(grabs) => {
            ("inode", format!(" for what {} gives", release.pointer))
        }
        kernel::IPUT => (release.pointer.as_str(), String::new()),
        alias => ("inode", format!(" for the inode of {alias}()")),
    };
    format!(
        "do not drop what may be the last reference here. Follow btrfs_add_delayed_iput(): {}{of}, otherwise keep \
         the reference and hand it to a worker that calls iput(): embed the work or list node in the \
         filesystem's inode, queue it on a workqueue of the super block that nothing in reclaim waits for, \
         and flush that before evict_inodes(). Unlike iput() this takes no NULL. If the caller provably holds \
         another reference, {not_last}",
        view.helpers.drop_unless_last(pointer)
    )
}

//! What a mail is, as far as itself and its parent tell.

use super::forest::Forest;
use super::head::{Content, Head, title_key};
use super::types::MessageClass;

/// Part of some series, or what else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A patch or a numbered cover letter.
    Part,
    /// A mail without diff and number that becomes a cover letter if a series hangs under it.
    Naked,
    /// No part, and why.
    Outside(MessageClass, &'static str),
}

/// The role of each node.
pub(super) fn roles(forest: &Forest<'_>) -> Vec<Role> {
    let has_patches = over_patches(forest);
    (0..forest.nodes.len())
        .map(|node| role(forest, node, has_patches[node]))
        .collect()
}

/// Which mails are answered by numbered patches of the same sender.
fn over_patches(forest: &Forest<'_>) -> Vec<bool> {
    let mut over = vec![false; forest.nodes.len()];
    for node in 0..forest.nodes.len() {
        let head = forest.head(node);
        let is_patch = head.content == Content::Diff && head.subject.is_numbered();
        if let (true, Some(parent)) = (is_patch && !head.subject.reply, forest.parent(node)) {
            over[parent] |= forest.who[parent] == forest.who[node];
        }
    }
    over
}

fn role(forest: &Forest<'_>, node: usize, has_patches: bool) -> Role {
    let head = forest.head(node);
    let subject = &head.subject;
    let answers = head.parent.is_some() || !head.references.is_empty();
    if head.content == Content::Broken {
        return Role::Outside(MessageClass::Error, "not a mail: it has no header");
    }
    if subject.reply {
        return Role::Outside(MessageClass::Comment, "the subject is that of a reply");
    }
    if head.ignore {
        return Role::Outside(MessageClass::Other, "the mail asks not to be tracked");
    }
    if subject.forward {
        return if answers {
            Role::Outside(MessageClass::Comment, "a forward inside a thread")
        } else {
            Role::Outside(MessageClass::Other, "a forwarded mail")
        };
    }
    if subject.is_notice() {
        return Role::Outside(
            MessageClass::Other,
            "a note that a patch was taken or could not be",
        );
    }
    let pull = subject.pull || (head.content == Content::Pull && !subject.is_numbered());
    // The patches of a pull request may follow it: then it is their cover letter, and they are a series.
    let announces = subject.number == Some(0) && has_patches;
    let is_part = head.content == Content::Diff && (subject.is_numbered() || subject.patch);
    if pull && !announces && !is_part {
        return Role::Outside(MessageClass::PullRequest, "asks to pull a branch");
    }
    if subject.number == Some(0) {
        return Role::Part;
    }
    match head.content {
        Content::Diff => with_diff(forest, node),
        Content::SeveralPatches => Role::Outside(
            MessageClass::Other,
            "several attached patches in one mail are no series",
        ),
        _ => without_diff(forest, node, answers),
    }
}

fn with_diff(forest: &Forest<'_>, node: usize) -> Role {
    let head = forest.head(node);
    let subject = &head.subject;
    let answers = head.parent.is_some() || !head.references.is_empty();
    let tagged = subject.patch || subject.is_numbered() || subject.rfc || subject.resend;
    if !tagged && answers {
        return Role::Outside(MessageClass::Comment, "a reply that shows a diff");
    }
    if !tagged && head.robot {
        return Role::Outside(MessageClass::Other, "a program's mail that shows a diff");
    }
    if let Some(parent) = forest.parent(node)
        && forest.who[parent] != forest.who[node]
        && head.quotes
        && same_subject(forest.head(parent), head)
    {
        return Role::Outside(
            MessageClass::Comment,
            "a reply by somebody else under the same subject",
        );
    }
    Role::Part
}

fn without_diff(forest: &Forest<'_>, node: usize, answers: bool) -> Role {
    let head = forest.head(node);
    let subject = &head.subject;
    if let Some(parent) = forest.parent(node)
        && same_subject(forest.head(parent), head)
    {
        return Role::Outside(
            MessageClass::Comment,
            "answers a mail under the same subject",
        );
    }
    if subject.is_numbered() {
        return Role::Outside(
            MessageClass::Other,
            "the subject counts it as a patch, but it has no diff",
        );
    }
    if !head.robot && (subject.patch || subject.rfc || head.content == Content::Summary) {
        return Role::Naked;
    }
    if answers {
        return Role::Outside(MessageClass::Comment, "answers another mail");
    }
    Role::Outside(MessageClass::Other, "no diff and no part of a series")
}

fn same_subject(one: &Head, other: &Head) -> bool {
    one.subject.number == other.subject.number
        && one.subject.version == other.subject.version
        && title_key(&one.subject.title) == title_key(&other.subject.title)
}

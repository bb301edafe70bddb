//! From a reviewed series to the replies that it gives: one a patch with findings that its series still has at its end.

use lorelint_mail::Message;

use crate::model::{
    Finding, OutboxDraft, OutboxState, PatchView, ReviewState, SeriesPage, SeriesState, Severity,
    Timestamp,
};
use crate::report::parse_diff;

use super::BotIdentity;
use super::compose::{PatchMail, Reply, ReplyInput, SeriesRef, compose};
use super::header::HeaderMessageId;
use super::policy::{Decision, ListRules, MailFacts, Reason, Recipients, SeriesFacts, decide};

/// What is known when a review has been stored.
#[derive(Debug)]
pub struct PlanInput<'a> {
    /// Who writes.
    pub bot: &'a BotIdentity,
    /// What the list allows.
    pub rules: &'a ListRules,
    /// The series as stored, with its review.
    pub page: &'a SeriesPage,
    /// The mails of its patches, in any order; a patch whose mail is not here gets no reply.
    pub mails: &'a [Message],
    /// Replies sent on the list in the last 24 hours.
    pub sent_today: u32,
    /// `Date:` of the replies.
    pub now: Timestamp,
}

/// The replies of one series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In patch order; what must not be sent is `rejected` and says why.
    pub drafts: Vec<OutboxDraft>,
    /// Patches with findings for which no mail can be written at all.
    pub unanswerable: Vec<(u32, Reason)>,
}

/// Composes and decides; the same input gives the same plan.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut sent_today = input.sent_today;
    for patch in &input.page.patches {
        let findings = lasting(&patch.new, &input.page.new);
        let mail = patch.mail.as_ref().and_then(|view| {
            let id = &view.summary.message_id;
            input
                .mails
                .iter()
                .find(|it| it.ids.iter().any(|own| own.as_str() == id))
        });
        let (Some(mail), false) = (mail, findings.is_empty()) else {
            continue;
        };
        let facts = MailFacts::of(mail);
        let decision = decide(
            input.bot,
            input.rules,
            &facts,
            series_facts(input.page, mail, sent_today),
        );
        let (recipients, state, reason) = match decision {
            Decision::Send(recipients) => {
                sent_today += 1;
                (Some(recipients), OutboxState::Approved, None)
            }
            Decision::Wait(recipients, reason) => {
                (Some(recipients), OutboxState::Pending, Some(reason))
            }
            Decision::Never(recipients, reason) => {
                (recipients, OutboxState::Rejected, Some(reason))
            }
        };
        let reply = recipients.and_then(|it| reply(input, patch, mail, &findings, &it));
        match reply {
            Some(reply) => plan.drafts.push(draft(input, reply, state, reason)),
            None => plan
                .unanswerable
                .push((patch.index, reason.unwrap_or(Reason::NoThread))),
        }
    }
    plan
}

/// What a patch brings and a later one of the series takes back is nobody's mail; notes are for the dashboard.
fn lasting(of_patch: &[Finding], of_series: &[Finding]) -> Vec<Finding> {
    let lasts = |finding: &&Finding| {
        finding.detail.severity > Severity::Note
            && of_series
                .iter()
                .any(|it| it.detail.fingerprint == finding.detail.fingerprint)
    };
    of_patch.iter().filter(lasts).cloned().collect()
}

fn series_facts(page: &SeriesPage, mail: &Message, sent_today: u32) -> SeriesFacts {
    SeriesFacts {
        is_rfc: mail.subject.rfc,
        is_applied: page
            .review
            .as_ref()
            .is_some_and(|it| it.state == ReviewState::Linted),
        is_superseded: page.summary.state == SeriesState::Superseded,
        sent_today,
    }
}

fn reply(
    input: &PlanInput<'_>,
    patch: &PatchView,
    mail: &Message,
    findings: &[Finding],
    recipients: &Recipients,
) -> Option<Reply> {
    let view = patch.mail.as_ref()?;
    let patch_mail = PatchMail {
        message_id: HeaderMessageId::parse(mail.id().as_str())?,
        references: references(mail),
        subject: mail.subject.raw.clone(),
        author: recipients.to.display_name().to_owned(),
        sent_at: view.summary.sent_at,
    };
    let review = input.page.review.as_ref();
    let mut base = review.and_then(|it| it.base.as_ref()).map_or_else(
        || "the tree as it is".to_owned(),
        |it| format!("{} at {}", it.tree, it.rev.get(..12).unwrap_or(&it.rev)),
    );
    if let Some(review) = review.filter(|it| it.state == ReviewState::Partial)
        && let Some(reason) = &review.reason
    {
        base = format!("{base}, and only in part: {reason}");
    }
    let series = SeriesRef {
        id: input.page.summary.id.0,
        version: input.page.summary.version,
        index: patch.index,
        total: input.page.summary.total,
        base,
        progress: input.page.progress(),
    };
    let files = parse_diff(&patch.diff);
    let reply_input = ReplyInput {
        bot: input.bot,
        patch: &patch_mail,
        series: &series,
        files: &files,
        findings,
        gap_count: review.map_or(0, |it| it.gaps.len()),
        now: input.now,
    };
    compose(&reply_input, recipients)
}

/// `References:`, or `In-Reply-To:` where a mail has only that.
fn references(mail: &Message) -> Vec<HeaderMessageId> {
    let ids = if mail.references.is_empty() {
        &mail.in_reply_to
    } else {
        &mail.references
    };
    ids.iter()
        .filter_map(|it| HeaderMessageId::parse(it.as_str()))
        .collect()
}

fn draft(
    input: &PlanInput<'_>,
    reply: Reply,
    state: OutboxState,
    reason: Option<Reason>,
) -> OutboxDraft {
    let reason = reason.map_or_else(
        || format!("The list's policy is {}.", input.rules.policy.as_str()),
        |it| it.sentence().to_owned(),
    );
    OutboxDraft {
        series: input.page.summary.id,
        list: input.rules.list.address().to_owned(),
        message_id: reply.message_id.as_str().to_owned(),
        in_reply_to: reply.in_reply_to.as_str().to_owned(),
        to: vec![reply.recipients.to.to_string()],
        cc: reply
            .recipients
            .cc
            .iter()
            .map(ToString::to_string)
            .collect(),
        subject: reply.subject.as_str().to_owned(),
        raw: reply.raw,
        state,
        reason,
    }
}

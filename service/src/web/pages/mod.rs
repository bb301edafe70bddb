//! One file a page: the query that it takes, the view that its template prints.

pub(crate) mod findings;
pub(crate) mod jobs;
pub(crate) mod lists;
pub(crate) mod message;
pub(crate) mod outbox;
pub(crate) mod rules;
pub(crate) mod series;
pub(crate) mod series_list;

use crate::bot::text::visible;
use crate::model::{OutboxState, PatchState, Person, ReviewState};

/// `Name <address>`, as a page shows a sender.
pub(crate) fn person(person: &Person) -> String {
    if person.name.is_empty() {
        visible(&person.address)
    } else {
        visible(&format!("{} <{}>", person.name, person.address))
    }
}

/// Text of several lines out of a mail.
pub(crate) fn mail_text(text: &str) -> String {
    let lines: Vec<String> = text.trim().lines().map(visible).collect();
    lines.join("\n")
}

/// The style of a review state.
pub(crate) const fn review_class(state: ReviewState) -> &'static str {
    match state {
        ReviewState::Linted => "good",
        ReviewState::Partial | ReviewState::DoesNotApply | ReviewState::Failed => "bad",
        ReviewState::Waiting | ReviewState::NoBase | ReviewState::NothingToLint => "plain",
    }
}

/// The style of a patch state.
pub(crate) const fn patch_class(state: PatchState) -> &'static str {
    match state {
        PatchState::Applied => "good",
        PatchState::DoesNotApply | PatchState::Missing => "bad",
        PatchState::Waiting | PatchState::Skipped => "plain",
    }
}

/// The style of an outbox state.
pub(crate) const fn outbox_class(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Sent => "good",
        OutboxState::Failed | OutboxState::Sending => "bad",
        OutboxState::Approved => "note",
        OutboxState::Pending | OutboxState::Rejected => "plain",
    }
}

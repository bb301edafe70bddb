//! What the service says on a list, and whether it says it: pure, `now` is a parameter.
//!
//! [`policy`] decides, [`compose()`] writes, [`header`] and [`text`] keep hostile mail out of both. Nothing here sends.

pub mod compose;
pub mod header;
pub mod plan;
pub mod policy;
pub mod quote;
pub mod text;

pub use compose::{PatchMail, Reply, ReplyInput, SeriesRef, compose};
pub use plan::{Plan, PlanInput, plan};
pub use policy::{Decision, ListRules, MailFacts, Reason, Recipients, SeriesFacts, decide};

use crate::bot::header::Mailbox;

/// Who the bot is: the same in every mail, from the configuration.
#[derive(Clone, Debug)]
pub struct BotIdentity {
    /// The `From:` of every mail; its domain is the right side of every Message-ID.
    pub from: Mailbox,
    /// A person or a list that people read: `Reply-To:`, false positives and opt-outs go there.
    pub contact: Mailbox,
    /// Where the dashboard is reachable, without trailing slash; `None` leaves links out.
    pub base_url: Option<String>,
}

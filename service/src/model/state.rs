//! Every state that is stored, each with the one text form of it.

macro_rules! states {
    ($($(#[$docs:meta])* $name:ident { $($(#[$variant_docs:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_docs])* $variant,)* }

        impl $name {
            /// All values, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The form in the database, in URLs and in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Reads the text form back; `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    )*};
}

states! {
    /// How much of a series is here, and whether it still counts.
    SeriesState {
        /// Parts are missing so far.
        Incomplete = "incomplete",
        /// All parts are here.
        Complete = "complete",
        /// A reroll of some parts; the older version's mails stand in for the rest.
        PartialReroll = "partial-reroll",
        /// The mails do not say how many parts there are.
        Open = "open",
        /// A newer version is here.
        Superseded = "superseded",
    }

    /// What has become of a series in the linter.
    ReviewState {
        /// In the queue, or not yet.
        Waiting = "waiting",
        /// Every patch applied and was linted.
        Linted = "linted",
        /// Some patches applied and were linted: the reason says what is missing.
        Partial = "partial",
        /// The first patch does not apply: nothing was linted.
        DoesNotApply = "does-not-apply",
        /// No configured tree holds a base for it.
        NoBase = "no-base",
        /// There is nothing to lint: a series without a diff.
        NothingToLint = "nothing-to-lint",
        /// The run itself failed; the reason says why, and it is tried again.
        Failed = "failed",
    }

    /// What is known of one place of a series.
    PatchState {
        /// No mail for this place has arrived.
        Missing = "missing",
        /// The mail is here and not linted yet.
        Waiting = "waiting",
        /// It applies.
        Applied = "applied",
        /// It does not apply: the reason says where.
        DoesNotApply = "does-not-apply",
        /// A patch before it is missing or does not apply.
        Skipped = "skipped",
    }

    /// A finding against the base of its series.
    FindingState {
        /// The patched tree has it, the tree before has not.
        New = "new",
        /// The tree before has it, the patched tree has not.
        Fixed = "fixed",
        /// Both have it.
        Unchanged = "unchanged",
    }

    /// What a mail is to the assembly of series.
    MailKind {
        /// Carries a diff of its own.
        Patch = "patch",
        /// Introduces a series.
        Cover = "cover",
        /// Answers another mail.
        Comment = "comment",
        /// Asks for a pull.
        PullRequest = "pull-request",
        /// No part of a series.
        Other = "other",
        /// Another copy of a mail that is here, mostly through another list.
        Duplicate = "duplicate",
        /// Bytes that are no mail.
        Error = "error",
    }

    /// The kinds of jobs; each has one file in `jobs/`.
    JobKind {
        /// Lints one series; the subject is the id of a series.
        LintSeries = "lint-series",
        /// Sends one reply; the subject is the id of an outbox row.
        SendReply = "send-reply",
    }

    /// Where a job stands.
    JobState {
        /// Waits for its time.
        Queued = "queued",
        /// A worker has it until its lease ends.
        Leased = "leased",
        /// Finished.
        Done = "done",
        /// Given up after its last attempt; its error stays readable.
        Dead = "dead",
    }

    /// Where a reply stands.
    OutboxState {
        /// Waits for a person, because the list's policy does not allow it by itself.
        Pending = "pending",
        /// May be sent.
        Approved = "approved",
        /// Handed to the mail server; a crash here leaves it so, and it is never sent twice by itself.
        Sending = "sending",
        /// The mail server took it.
        Sent = "sent",
        /// A person decided against it.
        Rejected = "rejected",
        /// The mail server refused it for good.
        Failed = "failed",
    }

    /// Whom the bot may answer on a list without asking anybody.
    ListPolicy {
        /// Nobody: every reply waits in the outbox.
        Silent = "silent",
        /// The author of the patch only.
        Author = "author",
        /// The author and the list.
        List = "list",
    }
}

// Nothing is mailed unless somebody asked for it.
#[expect(
    clippy::derivable_impls,
    reason = "the macro derives for all enums alike"
)]
impl Default for ListPolicy {
    fn default() -> Self {
        Self::Silent
    }
}

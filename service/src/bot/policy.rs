//! Whether a reply may go out, and to whom. Silence is the default; third parties never get mail.

use crate::model::ListPolicy;

use super::BotIdentity;
use super::header::{HeaderMessageId, Mailbox};

/// What one list's configuration says about replies.
#[derive(Clone, Debug)]
pub struct ListRules {
    /// The list's address.
    pub list: Mailbox,
    /// Whom the bot may answer on it.
    pub policy: ListPolicy,
    /// Replies in 24 hours; more wait for a person.
    pub max_per_day: u32,
    /// Addresses that asked for no mail, compared whole and without case.
    pub opted_out: Vec<String>,
}

/// What the policy needs to know of the mail that would be answered.
#[derive(Clone, Debug, Default)]
pub struct MailFacts {
    /// Without brackets, as it came.
    pub message_id: String,
    /// The name of the `From:` mailbox.
    pub from_name: Option<String>,
    /// The address of the `From:` mailbox.
    pub from_address: String,
    /// `Auto-Submitted:`, where present.
    pub auto_submitted: Option<String>,
    /// `Precedence:`, where present.
    pub precedence: Option<String>,
    /// Whether the name or address is that of a program.
    pub is_robot: bool,
    /// Whether list software passed it on (`List-Id:`, `X-Mailing-List:`): then `Precedence:` is the list's, not the author's.
    pub is_from_list: bool,
    /// Whether the mail has `X-Loop:`, an empty return path or any `X-Lorelint-` header.
    pub is_looped: bool,
}

impl MailFacts {
    /// What a parsed mail says of itself.
    pub fn of(mail: &lorelint_mail::Message) -> Self {
        let flags = &mail.flags;
        Self {
            message_id: mail.id().as_str().to_owned(),
            from_name: Some(mail.from.name.clone()),
            from_address: mail.from.email.clone(),
            auto_submitted: flags.auto_submitted.clone(),
            precedence: flags.precedence.clone(),
            is_robot: flags.robot_sender,
            is_from_list: !mail.list_ids.is_empty(),
            is_looped: flags.own || flags.null_sender || flags.x_loop.is_some(),
        }
    }
}

/// What the policy needs to know of the series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeriesFacts {
    /// Tagged RFC: the author asks about the idea, not about the code.
    pub is_rfc: bool,
    /// Every patch applied to the base that was chosen.
    pub is_applied: bool,
    /// A newer version has come: its own reply is the one that counts.
    pub is_superseded: bool,
    /// Replies sent on this list in the last 24 hours.
    pub sent_today: u32,
}

/// Why a reply waits or is not sent at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The list's policy is `silent`.
    SilentList,
    /// The list's daily number is used up.
    DailyLimit,
    /// The mail is the bot's own.
    OwnMail,
    /// The mail says that a program wrote it, or has passed here before.
    AutomaticMail,
    /// The sender's address is that of a known robot.
    OtherBot,
    /// `Precedence:` bulk, junk or list.
    BulkMail,
    /// The series is an RFC.
    Rfc,
    /// Not every patch applies: the findings may be the base's fault.
    NotApplied,
    /// A newer version of the series exists.
    Superseded,
    /// The author asked for no mail.
    OptedOut,
    /// The sender's address cannot be written to.
    NoAddress,
    /// The Message-ID cannot be repeated in a header.
    NoThread,
}

impl Reason {
    const ALL: [Self; 12] = [
        Self::SilentList,
        Self::DailyLimit,
        Self::OwnMail,
        Self::AutomaticMail,
        Self::OtherBot,
        Self::BulkMail,
        Self::Rfc,
        Self::NotApplied,
        Self::Superseded,
        Self::OptedOut,
        Self::NoAddress,
        Self::NoThread,
    ];

    /// The name used in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SilentList => "silent-list",
            Self::DailyLimit => "daily-limit",
            Self::OwnMail => "own-mail",
            Self::AutomaticMail => "automatic-mail",
            Self::OtherBot => "other-bot",
            Self::BulkMail => "bulk-mail",
            Self::Rfc => "rfc",
            Self::NotApplied => "not-applied",
            Self::Superseded => "superseded",
            Self::OptedOut => "opted-out",
            Self::NoAddress => "no-address",
            Self::NoThread => "no-thread",
        }
    }

    /// Reads [`Reason::as_str`] back; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// One sentence for the outbox page.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::SilentList => {
                "The list's policy is silent: nothing goes out until a person approves it."
            }
            Self::DailyLimit => "The list has had its replies for today.",
            Self::OwnMail => "The mail is this bot's own.",
            Self::AutomaticMail => {
                "A program wrote the mail (Auto-Submitted, X-Loop), or it has passed here before."
            }
            Self::OtherBot => "The sender is another robot.",
            Self::BulkMail => "The mail is marked as bulk (Precedence).",
            Self::Rfc => "The series is an RFC: its author asks about the idea.",
            Self::NotApplied => "Not every patch applied, so the findings may not be the author's.",
            Self::Superseded => "A newer version of the series exists.",
            Self::OptedOut => "The author asked for no mail from this bot.",
            Self::NoAddress => "The sender's address cannot be written to.",
            Self::NoThread => {
                "The mail's Message-ID cannot be repeated in a header, so a reply would not thread."
            }
        }
    }
}

/// To whom a reply would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients {
    /// The author of the patch mail.
    pub to: Mailbox,
    /// The list, where the policy has it; never anybody else.
    pub cc: Vec<Mailbox>,
}

/// What becomes of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes out.
    Send(Recipients),
    /// It is composed and waits in the outbox; a person may approve it.
    Wait(Recipients, Reason),
    /// It must not be sent by anybody; with the recipients that it would have had, where there are any.
    Never(Option<Recipients>, Reason),
}

/// Decides on the reply to one patch mail; the strictest reason wins.
pub fn decide(
    bot: &BotIdentity,
    rules: &ListRules,
    mail: &MailFacts,
    series: SeriesFacts,
) -> Decision {
    let cc = match rules.policy {
        ListPolicy::Author => Vec::new(),
        // What waits on a silent list is shown as it would go out once a person approves it.
        ListPolicy::Silent | ListPolicy::List => vec![rules.list.clone()],
    };
    let author = Mailbox::new(mail.from_name.as_deref(), &mail.from_address);
    // A list that rewrites senders puts its own address there.
    let author = author.filter(|it| !it.is_same(rules.list.address()));
    let recipients = author.map(|to| Recipients { to, cc });
    if let Some(reason) = never(bot, rules, mail, series) {
        return Decision::Never(recipients, reason);
    }
    let Some(recipients) = recipients else {
        return Decision::Never(None, Reason::NoAddress);
    };
    let waits_for = if series.is_rfc {
        Some(Reason::Rfc)
    } else if series.is_superseded {
        Some(Reason::Superseded)
    } else if rules.policy == ListPolicy::Silent {
        Some(Reason::SilentList)
    } else if series.sent_today >= rules.max_per_day {
        Some(Reason::DailyLimit)
    } else {
        None
    };
    match waits_for {
        Some(reason) => Decision::Wait(recipients, reason),
        None => Decision::Send(recipients),
    }
}

fn never(
    bot: &BotIdentity,
    rules: &ListRules,
    mail: &MailFacts,
    series: SeriesFacts,
) -> Option<Reason> {
    let from = mail.from_address.trim();
    if bot.from.is_same(from) || is_plus_address(&bot.from, from) {
        return Some(Reason::OwnMail);
    }
    // RFC 3834 section 5: `no` is the only value that a person's mail may carry.
    let is_auto = |it: &str| {
        !it.split(';')
            .next()
            .unwrap_or(it)
            .trim()
            .eq_ignore_ascii_case("no")
    };
    if mail.is_looped || mail.auto_submitted.as_deref().is_some_and(is_auto) {
        return Some(Reason::AutomaticMail);
    }
    if mail.is_robot {
        return Some(Reason::OtherBot);
    }
    // vger puts `Precedence: bulk` on every mail of every list.
    let bulk: &[&str] = if mail.is_from_list {
        &["junk"]
    } else {
        &["bulk", "junk", "list"]
    };
    let is_bulk = |it: &str| bulk.iter().any(|bulk| it.trim().eq_ignore_ascii_case(bulk));
    if mail.precedence.as_deref().is_some_and(is_bulk) {
        return Some(Reason::BulkMail);
    }
    if rules
        .opted_out
        .iter()
        .any(|it| it.trim().eq_ignore_ascii_case(from))
    {
        return Some(Reason::OptedOut);
    }
    if HeaderMessageId::parse(&mail.message_id).is_none() {
        return Some(Reason::NoThread);
    }
    (!series.is_applied).then_some(Reason::NotApplied)
}

/// `bot+anything@domain` is the bot as well.
fn is_plus_address(bot: &Mailbox, from: &str) -> bool {
    let Some((local, domain)) = from.rsplit_once('@') else {
        return false;
    };
    let base = local.split('+').next().unwrap_or(local);
    bot.is_same(&format!("{base}@{domain}"))
}

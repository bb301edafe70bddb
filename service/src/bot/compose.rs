//! Writes the reply to one patch as a kernel reviewer writes it: typed headers, plain text, one remark under each quoted line.

use std::fmt::Write as _;

use lettre::message::header::{self as lettre_header, ContentTransferEncoding, ContentType};
use lettre::message::{Body, Message};

use crate::model::{Finding, Severity, Timestamp};
use crate::report::{ChainRow, DiffFile, chain_rows};

use super::BotIdentity;
use super::header::{HeaderMessageId, HeaderText};
use super::policy::Recipients;
use super::quote::{Piece, quote};
use super::text::{sentence, visible, wrap};

/// Rows of a call chain in a mail.
const CHAIN_ROWS: usize = 8;
/// References kept in the header: the thread's first and its last ones.
const MAX_REFERENCES: usize = 20;
/// Remarks of one mail that are written out; more are counted and left to the dashboard.
const MAX_REMARKS: usize = 20;

/// The mail that is answered.
#[derive(Clone, Debug)]
pub struct PatchMail {
    /// Its id.
    pub message_id: HeaderMessageId,
    /// Its `References:`, oldest first; ids that a header cannot repeat are left out.
    pub references: Vec<HeaderMessageId>,
    /// Its whole subject, decoded.
    pub subject: String,
    /// The author's name as it is greeted in the attribution line.
    pub author: String,
    /// `Date:`, never later than the archive's.
    pub sent_at: Timestamp,
}

/// The series that the patch belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRef {
    /// The dashboard's id.
    pub id: i64,
    /// From 1.
    pub version: u32,
    /// Place of the patch, from 1.
    pub index: u32,
    /// Patches of the series.
    pub total: u32,
    /// What the series was linted against: tree and revision, one line.
    pub base: String,
    /// What became of the findings of the version before; `None` where there is none to compare with.
    pub progress: Option<String>,
}

/// Everything that decides the text of a reply.
#[derive(Debug)]
pub struct ReplyInput<'a> {
    /// Who writes.
    pub bot: &'a BotIdentity,
    /// What is answered.
    pub patch: &'a PatchMail,
    /// Where it belongs.
    pub series: &'a SeriesRef,
    /// The patch's diff.
    pub files: &'a [DiffFile],
    /// What the patch brings and the end of the series still has; order: file, line.
    pub findings: &'a [Finding],
    /// Files of the series that were not wholly understood.
    pub gap_count: usize,
    /// `Date:` of the reply.
    pub now: Timestamp,
}

/// One mail as it would go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Own id: the same for the same series version, patch and findings.
    pub message_id: HeaderMessageId,
    /// The id of the patch mail.
    pub in_reply_to: HeaderMessageId,
    /// `Re: …`.
    pub subject: HeaderText,
    /// Who gets it.
    pub recipients: Recipients,
    /// Plain text, LF.
    pub body: String,
    /// Headers, empty line, body; LF.
    pub raw: String,
}

/// Writes the reply; `None` where there is nothing to say.
pub fn compose(input: &ReplyInput<'_>, recipients: &Recipients) -> Option<Reply> {
    if input.findings.is_empty() {
        return None;
    }
    let message_id = own_message_id(input);
    let subject = reply_subject(&input.patch.subject);
    let body = body(input);
    let raw = render(input, recipients, &message_id, &subject, &body);
    Some(Reply {
        message_id,
        in_reply_to: input.patch.message_id.clone(),
        subject,
        recipients: recipients.clone(),
        body,
        raw,
    })
}

/// `Re: ` once, whatever the patch mail had.
fn reply_subject(subject: &str) -> HeaderText {
    let subject = HeaderText::new(subject);
    let is_reply = subject
        .as_str()
        .get(..3)
        .is_some_and(|it| it.eq_ignore_ascii_case("re:"));
    if is_reply {
        subject
    } else {
        HeaderText::new(&format!("Re: {subject}"))
    }
}

/// Names the patch mail and what is said of it, so that a retry is no second mail and a changed verdict is one.
fn own_message_id(input: &ReplyInput<'_>) -> HeaderMessageId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(input.patch.message_id.as_str().as_bytes());
    for finding in input.findings {
        hasher.update(&[0]);
        hasher.update(finding.detail.fingerprint.as_bytes());
    }
    let hash = hasher.finalize().to_hex();
    let SeriesRef { version, index, .. } = input.series;
    let domain = input.bot.from.domain();
    HeaderMessageId::parse(&format!(
        "lorelint-v{version}-p{index}-{}@{domain}",
        &hash[..20]
    ))
    .expect("digits, hex and the domain of a parsed address")
}

fn body(input: &ReplyInput<'_>) -> String {
    let mut out = attribution(input.patch);
    out.push('\n');
    let shown = &input.findings[..input.findings.len().min(MAX_REMARKS)];
    for piece in quote(input.files, shown) {
        match piece {
            Piece::Quoted(lines) => {
                for line in lines {
                    out.push_str(&line);
                    out.push('\n');
                }
            }
            Piece::Remarks(findings) => {
                for finding in findings {
                    out.push('\n');
                    out.push_str(&remark(finding));
                    out.pop();
                }
                out.push('\n');
            }
        }
    }
    out.push_str(&closing(input, input.findings.len() - shown.len()));
    out
}

/// `On Wed, 17 Sep 2025 12:44:04 +0000, Name wrote:`.
fn attribution(patch: &PatchMail) -> String {
    let date = rfc2822(patch.sent_at);
    let name = HeaderText::new(&patch.author);
    format!("On {date}, {name} wrote:")
}

fn rfc2822(at: Timestamp) -> String {
    at.to_jiff()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string()
}

/// What is wrong, how it is reached, what to do instead.
fn remark(finding: &Finding) -> String {
    let detail = &finding.detail;
    let mut out = String::new();
    let mut paragraph = |text: &str| {
        out.push_str(&wrap(text));
        out.push_str("\n\n");
    };
    let lead = match detail.severity {
        Severity::Error => "",
        Severity::Warning => "Please check: ",
        Severity::Note => "Note: ",
    };
    paragraph(&format!(
        "{lead}{} [{}]",
        sentence(&detail.message),
        detail.rule
    ));
    if !detail.in_diff {
        let place = format!("{}:{}", detail.file, detail.line);
        paragraph(&format!(
            "The statement is `{}` in {}() at {place}; this change is what makes the path exist.",
            detail.statement, detail.function
        ));
    }
    if !finding.seen_in_versions.is_empty() {
        let versions: Vec<String> = finding
            .seen_in_versions
            .iter()
            .map(|it| format!("v{it}"))
            .collect();
        paragraph(&format!(
            "{} had this as well; it is still here.",
            versions.join(", ")
        ));
        return out;
    }
    let chain = chain_rows(detail, CHAIN_ROWS);
    if !chain.is_empty() {
        paragraph("It is reached through:");
        out.push_str(&chain_text(&chain));
        out.push('\n');
    }
    for related in &detail.related {
        let place = format!("{}:{}", related.file, related.line);
        let line = wrap(&format!(
            "{place}: {}.",
            related.message.trim_end_matches('.')
        ));
        out.push_str(&line);
        out.push_str("\n\n");
    }
    if !detail.help.trim().is_empty() {
        out.push_str(&wrap(&sentence(&detail.help)));
        out.push_str("\n\n");
    }
    out
}

/// Indented rows, the places in one column where they fit.
fn chain_text(rows: &[ChainRow]) -> String {
    let cells: Vec<(String, String)> = rows.iter().map(chain_cells).collect();
    let width = cells
        .iter()
        .map(|it| it.0.chars().count())
        .max()
        .unwrap_or(0)
        .min(38);
    let mut out = String::new();
    for (left, right) in cells {
        let row = format!("    {left:<width$}  {right}");
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

fn chain_cells(row: &ChainRow) -> (String, String) {
    match row {
        ChainRow::Entry { through, place } if through.is_empty() => {
            (String::from("(entry)"), place.clone())
        }
        ChainRow::Entry { through, place } => (visible(through), place.clone()),
        ChainRow::Call {
            function,
            place,
            how,
        } if how.is_empty() => (format!("  {}()", visible(function)), place.clone()),
        ChainRow::Call {
            function,
            place,
            how,
        } => (
            format!("  {}()", visible(function)),
            format!("{place} ({})", visible(how)),
        ),
        ChainRow::Elided(count) => (format!("  [... {count} more ...]"), String::new()),
        ChainRow::Statement { text, place } => (format!("  {}", visible(text)), place.clone()),
    }
}

fn closing(input: &ReplyInput<'_>, left_out: usize) -> String {
    let BotIdentity {
        from: _,
        contact,
        base_url,
    } = input.bot;
    let mut out = String::new();
    let mut paragraph = |text: &str| {
        out.push_str(&wrap(text));
        out.push('\n');
    };
    if left_out > 0 {
        paragraph(&format!(
            "{left_out} more of the same kind are left out here.\n"
        ));
    }
    if input.gap_count > 0 {
        paragraph(&format!(
            "({} in the files concerned could not be read: there may be more.)\n",
            places(input.gap_count)
        ));
    }
    if let Some(progress) = &input.series.progress {
        paragraph(&format!("{}\n", sentence(progress)));
    }
    paragraph(&format!("Linted against {}.", input.series.base));
    if let Some(url) = base_url {
        paragraph(&format!("Whole series: {url}/series/{}", input.series.id));
    }
    let mut rules: Vec<&str> = input
        .findings
        .iter()
        .map(|it| it.detail.rule.as_str())
        .collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        match base_url {
            Some(url) => paragraph(&format!("{rule}: {url}/rules/{rule}")),
            None => paragraph(&format!("About {rule}: `lorelint explain {rule}`")),
        }
    }
    paragraph(&format!(
        "\nIf this is wrong, or is meant to be so, say why in a reply: {} reads it, and silences the finding. \
         To get no more of these mails, tell the same address.",
        contact.address()
    ));
    let _ = writeln!(
        out,
        "\n-- \nlorelint {}, a program; it lints for iput() and i_count",
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn places(count: usize) -> String {
    if count == 1 {
        "1 place".to_owned()
    } else {
        format!("{count} places")
    }
}

fn render(
    input: &ReplyInput<'_>,
    recipients: &Recipients,
    message_id: &HeaderMessageId,
    subject: &HeaderText,
    body: &str,
) -> String {
    let SeriesRef {
        id,
        version,
        index,
        total,
        ..
    } = input.series;
    let mut rules: Vec<&str> = input
        .findings
        .iter()
        .map(|it| it.detail.rule.as_str())
        .collect();
    rules.sort_unstable();
    rules.dedup();
    let seconds = u64::try_from(input.now.seconds()).unwrap_or_default();
    let mut builder = Message::builder()
        .from(input.bot.from.to_lettre())
        .reply_to(input.bot.contact.to_lettre())
        .to(recipients.to.to_lettre());
    for cc in &recipients.cc {
        builder = builder.cc(cc.to_lettre());
    }
    let message = builder
        .subject(subject.as_str())
        .date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
        .message_id(Some(message_id.bracketed()))
        .in_reply_to(input.patch.message_id.bracketed())
        .references(references(input.patch))
        .header(lettre_header::MIME_VERSION_1_0)
        .header(AutoSubmitted)
        .header(XLorelintSeries(format!("{id} v{version} {index}/{total}")))
        .header(XLorelintRules(
            HeaderText::new(&rules.join(" ")).to_string(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .header(encoding(body))
        .body(Body::dangerous_pre_encoded(
            body.as_bytes().to_vec(),
            encoding(body),
        ))
        .expect("From and To are set");
    String::from_utf8_lossy(&message.formatted()).replace("\r\n", "\n")
}

/// Kernel lists read plain text: 7bit where it suffices, else 8bit, never base64. Lines are bounded by the quoting.
fn encoding(body: &str) -> ContentTransferEncoding {
    if body.is_ascii() {
        ContentTransferEncoding::SevenBit
    } else {
        ContentTransferEncoding::EightBit
    }
}

/// The parent's references and the parent; RFC 5322 section 3.6.4. Long threads keep their root and their end.
fn references(patch: &PatchMail) -> String {
    let mut ids: Vec<&HeaderMessageId> = patch.references.iter().collect();
    ids.retain(|it| **it != patch.message_id);
    ids.push(&patch.message_id);
    if ids.len() > MAX_REFERENCES {
        let cut = ids.len() - MAX_REFERENCES;
        ids.drain(1..=cut);
    }
    let ids: Vec<String> = ids.iter().map(|it| it.bracketed()).collect();
    ids.join(" ")
}

/// RFC 3834: programs must not answer this mail.
#[derive(Clone)]
struct AutoSubmitted;
/// Which patch of which series is spoken of.
#[derive(Clone)]
struct XLorelintSeries(String);
/// Names of the rules that speak, for filters.
#[derive(Clone)]
struct XLorelintRules(String);

macro_rules! text_header {
    ($type:ty, $name:literal, $value:expr) => {
        impl lettre_header::Header for $type {
            fn name() -> lettre_header::HeaderName {
                lettre_header::HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("written only".into())
            }

            fn display(&self) -> lettre_header::HeaderValue {
                let value: fn(&Self) -> String = $value;
                lettre_header::HeaderValue::new(Self::name(), value(self))
            }
        }
    };
}

text_header!(AutoSubmitted, "Auto-Submitted", |_| "auto-generated"
    .to_owned());
text_header!(XLorelintSeries, "X-Lorelint-Series", |it| it.0.clone());
text_header!(XLorelintRules, "X-Lorelint-Rules", |it| it.0.clone());

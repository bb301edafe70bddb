//! Subjects: `Re: [list] [PATCH net-next v3 2/7] title` taken apart in one linear pass.

mod tags;

use serde::{Deserialize, Serialize};

use tags::Tags;

/// Longest subject kept: longer ones do not fit an index row.
const MAX_SUBJECT_BYTES: usize = 2000;
/// Reply prefixes in the wild are few; a mail with more is an attack on somebody's regular expression.
const MAX_PREFIXES: usize = 32;

/// A subject line, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, none of which excludes another"
)]
pub struct Subject {
    /// The whole line, decoded, unfolded, at most 2,000 bytes, without U+0000, CR and LF.
    pub raw: String,
    /// The line without reply prefixes and tags. Brackets after the PATCH tag that are no tags stay.
    pub title: String,
    /// Tags other than PATCH, RESEND, versions and numbers, as written, each once.
    pub prefixes: Vec<String>,
    /// `Re:` or one of its translations came first.
    pub reply: bool,
    /// `Fwd:` or one of its translations came first.
    pub forward: bool,
    /// A tag says PATCH.
    pub patch: bool,
    /// A tag says PULL.
    pub pull: bool,
    /// A tag says RFC.
    pub rfc: bool,
    /// A tag says RESEND or REPOST.
    pub resend: bool,
    /// The version, where one is written.
    pub version: Option<u32>,
    /// The `1` of `v5.1`.
    pub version_fraction: Option<u32>,
    /// The `n` of `n/m`; 0 is a cover letter.
    pub number: Option<u32>,
    /// The `m` of `n/m`; `None` with a number present means that `m` is no number.
    pub total: Option<u32>,
}

impl Subject {
    /// Understands a decoded subject line; any text is a subject.
    pub fn parse(line: &str) -> Self {
        let raw = one_line(line);
        let mut subject = Self {
            raw,
            ..Self::default()
        };
        let mut tags = Tags::default();
        let raw = subject.raw.clone();
        let mut rest = without_spam_mark(raw.trim());
        for _ in 0..MAX_PREFIXES {
            if !tags.patch
                && let Some((after, forward)) = strip_reply_prefix(rest)
            {
                subject.forward |= forward;
                subject.reply |= !forward;
                rest = after;
            } else if let Some(after) = tags.read_bracket(rest) {
                rest = after;
            } else {
                break;
            }
        }
        let rest = subject.read_title(rest.trim_start_matches([':', ' ']), &mut tags);
        rest.clone_into(&mut subject.title);
        subject.prefixes = tags.prefixes;
        subject.patch = tags.patch;
        subject.pull = tags.pull;
        subject.rfc = tags.rfc;
        subject.resend = tags.resend;
        subject.version = tags.version.map(|it| it.0);
        subject.version_fraction = tags.version.and_then(|it| it.1);
        subject.number = tags.number;
        subject.total = tags.total;
        subject
    }

    /// Numbers and versions that people write after the tags: `[PATCH] v3: x`, `[PATCH] 1/2: x`, `x (v2)`.
    fn read_title<'a>(&self, title: &'a str, tags: &mut Tags) -> &'a str {
        let mut title = title.trim();
        if !self.reply && starts_with_word(title, "GIT PULL") {
            tags.pull = true;
        }
        for _ in 0..2 {
            let Some((head, rest)) = title.split_once(':') else {
                break;
            };
            let mut probe = Tags::default();
            if head.len() > 12 || head.is_empty() || !probe.read_words(head) {
                break;
            }
            if probe.patch && !tags.patch && head.bytes().any(|it| it.is_ascii_lowercase()) {
                break; // "patch: x" may be a subsystem.
            }
            tags.merge(probe);
            title = rest.trim();
        }
        if tags.version.is_none()
            && let Some((_, last)) = title.rsplit_once(" (")
            && let Some(inner) = last.strip_suffix(')')
        {
            let mut probe = Tags::default();
            if probe.read_words(inner) && probe.number.is_none() && !probe.patch {
                tags.version = probe.version;
            }
        }
        title
    }

    /// Reads the version as that of a kernel, which it is in `[PATCH v6.1] x` sent to a stable list.
    pub(crate) fn version_is_kernel(&mut self) {
        if let (Some(major), Some(minor)) = (self.version, self.version_fraction) {
            self.version = None;
            self.version_fraction = None;
            self.prefixes.push(format!("v{major}.{minor}"));
        }
    }

    /// Whether the subject is that of a note about a patch that somebody took, or could not take.
    pub(crate) fn is_notice(&self) -> bool {
        let raw = self.raw.as_str();
        let verbs = [
            " has been added to ",
            " failed to apply to ",
            " added to ",
            " removed from ",
        ];
        let names_patch = raw.starts_with("Patch \"")
            || raw.starts_with("FAILED: ")
            || raw
                .split_whitespace()
                .any(|it| it.strip_suffix(".patch").is_some());
        !self.patch && !self.is_numbered() && names_patch && verbs.iter().any(|it| raw.contains(it))
    }

    /// Whether the mail has a place in a series: a number, 0 included.
    pub fn is_numbered(&self) -> bool {
        self.number.is_some()
    }
}

/// Unfolds, drops control characters, and cuts to the size that is kept.
pub(crate) fn one_line(text: &str) -> String {
    clean(text, MAX_SUBJECT_BYTES)
}

/// Replaces runs of white space and control characters by one blank and cuts at `max_bytes`.
pub(crate) fn clean(text: &str, max_bytes: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max_bytes));
    let mut blank = false;
    for it in text.chars() {
        if it.is_whitespace() || it.is_control() {
            blank = !out.is_empty();
            continue;
        }
        if out.len() + it.len_utf8() + usize::from(blank) > max_bytes {
            break;
        }
        if blank {
            out.push(' ');
            blank = false;
        }
        out.push(it);
    }
    out
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.get(..word.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(word))
        && !text[word.len()..].starts_with(|it: char| it.is_alphanumeric())
}

/// What mail programs put before a reply's subject; no subsystem of the kernel is called like that.
const REPLY_WORDS: &[&str] = &[
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "odp",
    "ynt",
    "回复",
    "回覆",
    "答复",
    "答覆",
    "отв",
    "ответ",
    "rép",
    "vá",
];
/// These are also names or words, so only their usual spelling counts.
const REPLY_WORDS_EXACT: &[&str] = &["R", "VS", "Vs", "RES", "Res", "RIF", "Rif"];
const FORWARD_WORDS: &[&str] = &[
    "fwd",
    "fw",
    "wg",
    "forwarded",
    "转发",
    "轉寄",
    "轉發",
    "пересл",
];

/// `***SPAM*** x`, `{Spam?} x`: what a filter on the way put before the subject.
fn without_spam_mark(text: &str) -> &str {
    let marked = |open: &str, close: &str| {
        let rest = text.strip_prefix(open)?;
        let (mark, rest) = rest.split_at_checked(rest.find(close).filter(|it| *it <= 20)?)?;
        let is_spam = mark.to_lowercase().contains("spam");
        is_spam.then(|| rest[close.len()..].trim_start())
    };
    marked("***", "***")
        .or_else(|| marked("{", "}"))
        .unwrap_or(text)
}

/// `Re: x`, `AW[2]: x`, `[Fwd: x` → the rest, and whether it is a forward.
fn strip_reply_prefix(text: &str) -> Option<(&str, bool)> {
    let bracketed = text.starts_with("[Fwd:") || text.starts_with("[fwd:");
    let text = if bracketed { &text[1..] } else { text };
    let end = text
        .char_indices()
        .take(12)
        .find(|(_, it)| matches!(it, ':' | '：'))?;
    let rest = &text[end.0 + end.1.len_utf8()..];
    let mut word = text[..end.0].trim();
    if let Some(open) = word.find(['[', '(', '^']) {
        let count = word[open..].trim_matches(['[', ']', '(', ')', '^']);
        if count.is_empty() || !count.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        word = word[..open].trim();
    }
    let lower = word.to_lowercase();
    if REPLY_WORDS.contains(&lower.as_str()) || REPLY_WORDS_EXACT.contains(&word) {
        return Some((rest.trim_start(), false));
    }
    FORWARD_WORDS
        .contains(&lower.as_str())
        .then(|| (rest.trim_start(), true))
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let it = Subject::parse(line);
        let number = match (it.number, it.total) {
            (Some(number), Some(total)) => format!(" {number}/{total}"),
            (Some(number), None) => format!(" {number}/n"),
            _ => String::new(),
        };
        let mut actual = String::new();
        for (set, word) in [
            (it.reply, "re "),
            (it.forward, "fwd "),
            (it.patch, "patch "),
            (it.pull, "pull "),
            (it.resend, "resend "),
        ] {
            if set {
                actual.push_str(word);
            }
        }
        if let Some(version) = it.version {
            actual = format!("{actual}v{version}");
        }
        actual.push_str(&number);
        let actual = format!("{actual} {:?} {}", it.prefixes, it.title);
        assert_eq!(actual.trim(), expected, "input: {line:?}");
    }

    #[test]
    fn numbers_and_versions_in_every_spelling() {
        check("[PATCH] x: y", "patch  [] x: y");
        check("[PATCH v2 3/7] x: y", "patch v2 3/7 [] x: y");
        check("[PATCHv2 1/2] x", "patch v2 1/2 [] x");
        check("[PATCH1/8] x", "patch  1/8 [] x");
        check("[v2PATCH1/4] x", "patch v2 1/4 [] x");
        check("[v2.3PATCH1/4] x", "patch v2 1/4 [] x");
        check("[PATCH100/123] x", "patch  100/123 [] x");
        check("[PATCH V6] x", "patch v6 [] x");
        check("[PATCH -v2] x", "patch v2 [] x");
        check("[v3 PATCH 1/1] x", "patch v3 1/1 [] x");
        check("[PATCH] v3: x", "patch v3 [] x");
        check("[PATCH] 1/2: x", "patch  1/2 [] x");
        check("[PATCH] title (v2)", "patch v2 [] title (v2)");
        check("[PATCH 0 of 2] x", "patch  0/2 [] x");
        check("[PATCH 00/33 v6] x", "patch v6 0/33 [] x");
        check("[PATCH 3/n] x", "patch  3/n [] x");
        check("[Patch 2/2]: x", "patch  2/2 [] x");
        check("[patch 02/09] x", "patch  2/9 [] x");
        check(
            "[PATCH v3 01/17] Support v2 hardware",
            "patch v3 1/17 [] Support v2 hardware",
        );
        check(
            "[PATCH] F81504/508/512 driver",
            "patch  [] F81504/508/512 driver",
        );
        check("[PATCH (v2)] x", "patch v2 [] x");
        check("[PATCH ver 3 (1/2)] x", "patch v3 1/2 [] x");
        check("[PATCH version2 #1/2] x", "patch v2 1/2 [] x");
        check("[PATCH v30.2.1 15/14] x", "patch v30 15/14 [] x");
        check("[PATCH v 2 1 / 2] x", "patch v2 1/2 [] x");
        check("[PATCH v0 v-1] x", "patch  [\"v-1\"] x");
        check("[PATCH 1/4294967295] x", "patch  [\"1/4294967295\"] x");
    }

    #[test]
    fn prefixes_keep_their_order_and_rfc_in_every_spelling_is_rfc() {
        check("[PATCH 6.18 000/430] x", "patch  0/430 [\"6.18\"] x");
        check("[PATCH v5.10] x", "patch  [\"v5.10\"] x");
        check("[PATCH v6.12-v6.6] x", "patch  [\"v6.12-v6.6\"] x");
        check("[PATCH v5.4 v2 1/2] x", "patch v2 1/2 [\"v5.4\"] x");
        check("[PATCH v2 v6.1] x", "patch v2 [\"v6.1\"] x");
        check("[PATCH 6.12.y 1/1] x", "patch  1/1 [\"6.12.y\"] x");
        check(
            "[PATCH net-next,bpf 1/2] x",
            "patch  1/2 [\"net-next\", \"bpf\"] x",
        );
        check("[RFC PATCH] x", "patch  [\"RFC\"] x");
        check("[PATCH RFC v2] x", "patch v2 [\"RFC\"] x");
        check("[RFC] [PATCH] x", "patch  [\"RFC\"] x");
        check("[RFC/PATCH] x", "patch  [\"RFC\"] x");
        check("[RESEND PATCH v2] x", "patch resend v2 [] x");
        check("[PATCH RESEND] x", "patch resend  [] x");
        check("[PATCH] [media] x[3]", "patch  [] [media] x[3]");
        check("[list] [PATCH 1/2] x", "patch  1/2 [\"list\"] x");
        check(
            "[PATCH AUTOSEL 6.12 03/17] x",
            "patch  3/17 [\"AUTOSEL\", \"6.12\"] x",
        );
    }

    #[test]
    fn replies_in_other_languages_are_replies() {
        check("Re: [PATCH] x", "re patch  [] x");
        check("AW: [PATCH v2 1/2] x", "re patch v2 1/2 [] x");
        check("Antw: Re: [PATCH] x", "re patch  [] x");
        check("回复：[PATCH] x", "re patch  [] x");
        check("答复: [PATCH] x", "re patch  [] x");
        check("Fwd: [PATCH] x", "fwd patch  [] x");
        check("Forwarded: Re: [PATCH] x", "re fwd patch  [] x");
        check("[list] Re: [PATCH] x", "re patch  [\"list\"] x");
        check("Re[2]: x", "re  [] x");
        check("***SPAM*** Re: [PATCH] x", "re patch  [] x");
        check("{Spam?} [PATCH 1/2] x", "patch  1/2 [] x");
        check("Vá: [PATCH] x", "re patch  [] x");
    }

    #[test]
    fn pull_requests_and_plain_subjects() {
        check("[GIT PULL] ceph", "pull  [] ceph");
        check("[GIT PULL v2] ceph", "pull v2 [] ceph");
        check(
            "dispatch: devicetree v2 inside",
            "[] dispatch: devicetree v2 inside",
        );
        check("", "[]");
        check("[", "[] [");
        check("[]", "[] []");
    }

    #[test]
    fn hostile_lengths_are_linear() {
        let many = "[PATCH ".repeat(100_000);
        assert!(Subject::parse(&many).raw.len() <= 2000);
        let many = "Re: ".repeat(100_000);
        assert!(Subject::parse(&many).reply);
        assert_eq!(Subject::parse("a\0b\r\nBcc: x").raw, "a b Bcc: x");
    }
}

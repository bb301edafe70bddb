//! The words inside the brackets of a subject.

/// Numbers above this are no series: the kernel's largest have about a thousand parts.
const MAX_NUMBER: u32 = 9999;
const MAX_VERSION: u32 = 999;
/// Tags kept per subject.
const MAX_TAGS: usize = 12;
const MAX_TAG_BYTES: usize = 60;
/// What people write before a version, the shortest first.
const VERSION_WORDS: [&str; 4] = ["v", "ver", "rev", "version"];

/// What the brackets said so far.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, none of which excludes another"
)]
pub(super) struct Tags {
    pub(super) prefixes: Vec<String>,
    pub(super) patch: bool,
    pub(super) pull: bool,
    pub(super) rfc: bool,
    pub(super) resend: bool,
    pub(super) version: Option<(u32, Option<u32>)>,
    pub(super) number: Option<u32>,
    pub(super) total: Option<u32>,
    git: bool,
}

impl Tags {
    /// Reads a leading `[...]`; `None` where there is none, or where it belongs to the title.
    pub(super) fn read_bracket<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let inner = text.strip_prefix('[')?;
        let close = inner.find([']', '['])?;
        if inner.as_bytes()[close] == b'[' {
            return None;
        }
        let (words, rest) = (&inner[..close], inner[close + 1..].trim_start());
        let mut probe = Self::default();
        let known = probe.read_words(words);
        // After PATCH only brackets full of known words are tags: `[PATCH] [media] x` is about `[media] x`.
        if self.patch && !known {
            return None;
        }
        if rest.is_empty() && !known {
            return None;
        }
        self.merge(probe);
        Some(rest)
    }

    /// Takes over what another bracket said; what was said first stays.
    pub(super) fn merge(&mut self, other: Self) {
        for tag in other.prefixes {
            self.add_prefix(&tag);
        }
        self.patch |= other.patch;
        self.pull |= other.pull;
        self.rfc |= other.rfc;
        self.resend |= other.resend;
        self.git |= other.git;
        self.merge_version(other.version);
        if self.number.is_none() && other.number.is_some() {
            self.number = other.number;
            self.total = other.total;
        }
    }

    /// Of two versions the whole one counts: in `v5.4 v2` the other names a kernel.
    fn merge_version(&mut self, other: Option<(u32, Option<u32>)>) {
        let (kept, kernel) = match (self.version, other) {
            (Some((major, Some(minor))), Some((_, None))) => (other, Some((major, minor))),
            (Some((_, None)), Some((major, Some(minor)))) => (self.version, Some((major, minor))),
            (mine, other) => (mine.or(other), None),
        };
        self.version = kept;
        if let Some((major, minor)) = kernel {
            self.add_prefix(&format!("v{major}.{minor}"));
        }
    }

    /// Reads blank- or comma-separated words; says whether all of them were known ones.
    pub(super) fn read_words(&mut self, words: &str) -> bool {
        let mut all_known = true;
        let mut any = false;
        let mut words = words
            .split(|it: char| it.is_whitespace() || it == ',')
            .filter(|it| !it.is_empty())
            .peekable();
        while let Some(word) = words.next() {
            any = true;
            let of = |it: &&str| it.eq_ignore_ascii_case("of") || *it == "/";
            if words.peek().is_some_and(of)
                && let Some(number) = digits(word)
            {
                let mut ahead = words.clone();
                ahead.next();
                if let Some(total) = ahead.next().and_then(digits) {
                    self.set_number(number, Some(total));
                    words = ahead;
                    continue;
                }
            }
            if VERSION_WORDS.iter().any(|it| word.eq_ignore_ascii_case(it))
                && let Some(version) = words.peek().and_then(|it| digits(it))
            {
                if (1..=MAX_VERSION).contains(&version) {
                    self.merge_version(Some((version, None)));
                }
                words.next();
                continue;
            }
            all_known &= self.read_word(word);
        }
        any && all_known
    }

    /// One word, which may glue several: `v2PATCH1/4`, `RFC/PATCH`.
    fn read_word(&mut self, word: &str) -> bool {
        let mut probe = Self::default();
        let mut rest = word.trim_end_matches(':');
        let bare = rest.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
        rest = bare.or(rest.strip_prefix('#')).unwrap_or(rest);
        let mut last_was_separator = true;
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(['/', '-', '_', '+', '.']) {
                last_was_separator = true;
                rest = after;
            } else if let Some(after) = probe.read_number(rest) {
                rest = after;
                last_was_separator = false;
            } else if let Some(after) = probe.read_version(rest) {
                rest = after;
                last_was_separator = false;
            } else if let Some(after) = probe.read_keyword(rest, last_was_separator) {
                rest = after;
                last_was_separator = false;
            } else {
                self.add_prefix(word);
                return false;
            }
        }
        if probe.git && !probe.pull {
            self.git = true;
            return true;
        }
        self.merge(probe);
        true
    }

    fn read_keyword<'a>(&mut self, text: &'a str, at_start: bool) -> Option<&'a str> {
        const KEYWORDS: [&str; 8] = [
            "PATCHES", "PATCH", "RFC", "RFT", "RESEND", "REPOST", "PULL", "GIT",
        ];
        let keyword = KEYWORDS.into_iter().find(|it| {
            text.get(..it.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(it))
        })?;
        let rest = &text[keyword.len()..];
        let glued = rest.starts_with(|it: char| it.is_alphabetic())
            && !rest.starts_with(['v', 'V'])
            && !rest
                .get(..5)
                .is_some_and(|it| it.eq_ignore_ascii_case("patch"));
        if glued || (!at_start && !keyword.starts_with("PATCH")) {
            return None;
        }
        match keyword {
            "PATCH" | "PATCHES" => self.patch = true,
            "RFC" => {
                self.rfc = true;
                self.add_prefix("RFC");
            }
            "RFT" => self.add_prefix("RFT"),
            "RESEND" | "REPOST" => self.resend = true,
            "PULL" => self.pull = true,
            _ => self.git = true,
        }
        Some(rest)
    }

    /// `v2`, `V2.3`, `ver2`; a zero or a silly number is no version, but still no prefix either.
    ///
    /// `v5.10` is a kernel: nobody sends a tenth repair of one version.
    fn read_version<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (version, rest) = VERSION_WORDS.iter().rev().find_map(|it| {
            let head = text.get(..it.len())?;
            let rest = head.eq_ignore_ascii_case(it).then(|| &text[it.len()..])?;
            leading_digits(rest)
        })?;
        let (fraction, mut rest) = match rest.strip_prefix('.').and_then(leading_digits) {
            Some((fraction, rest)) => (Some(fraction), rest),
            None => (None, rest),
        };
        if fraction.is_some_and(|it| it >= 10) {
            return None;
        }
        while let Some((_, after)) = rest.strip_prefix('.').and_then(leading_digits) {
            rest = after;
        }
        if rest.starts_with(|it: char| it.is_alphabetic())
            && !rest
                .get(..5)
                .is_some_and(|it| it.eq_ignore_ascii_case("patch"))
            && !rest
                .get(..3)
                .is_some_and(|it| it.eq_ignore_ascii_case("rfc"))
        {
            return None;
        }
        if (1..=MAX_VERSION).contains(&version) && self.version.is_none() {
            self.version = Some((version, fraction.filter(|it| *it <= MAX_VERSION)));
        }
        Some(rest)
    }

    /// `2/7`, `02/07`, `3/n`.
    fn read_number<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let (number, rest) = leading_digits(text)?;
        let rest = rest.strip_prefix('/')?;
        let (total, rest) = match leading_digits(rest) {
            Some((total, rest)) => (Some(total), rest),
            None => (
                None,
                rest.strip_prefix(['n', 'N', 'm', 'M', 'x', 'X', '?'])?,
            ),
        };
        if !rest.is_empty() && !rest.starts_with([':', '-', '_', '.']) {
            return None;
        }
        if number > MAX_NUMBER || total.is_some_and(|it| it > MAX_NUMBER) {
            return None;
        }
        self.set_number(number, total);
        Some(rest)
    }

    fn set_number(&mut self, number: u32, total: Option<u32>) {
        if self.number.is_none() && number <= MAX_NUMBER {
            self.number = Some(number);
            self.total = total.filter(|it| *it <= MAX_NUMBER);
        }
    }

    fn add_prefix(&mut self, tag: &str) {
        let tag = tag.trim_matches([':', ';']);
        let known = self.prefixes.iter().any(|it| it.eq_ignore_ascii_case(tag));
        if !known && !tag.is_empty() && tag.len() <= MAX_TAG_BYTES && self.prefixes.len() < MAX_TAGS
        {
            self.prefixes.push(tag.to_owned());
        }
    }
}

fn digits(text: &str) -> Option<u32> {
    let (value, rest) = leading_digits(text)?;
    rest.is_empty().then_some(value)
}

/// A number of at most nine digits, and what follows it.
fn leading_digits(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    if end == 0 || end > 9 {
        return None;
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

//! Header values as types that cannot hold CR, LF or any other control character.

use std::fmt;

/// The longest text that goes into one header, in characters; longer text is cut.
const MAX_HEADER_CHARS: usize = 900;

/// One line of header text: no control characters, no bidirectional overrides, white space folded, bounded.
///
/// Encoding of what is not ASCII (RFC 2047) is left to the mail builder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// Takes any text, such as a decoded Subject in which an encoded word hid `\r\nBcc:`.
    pub fn new(text: &str) -> Self {
        let words: Vec<String> = text
            .split(|it: char| it.is_whitespace() || it.is_control())
            .filter(|it| !it.is_empty())
            .map(|it| it.chars().filter(|it| !is_invisible(*it)).collect())
            .collect();
        Self(words.join(" ").chars().take(MAX_HEADER_CHARS).collect())
    }

    /// The line.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Characters that change how the characters around them are shown.
pub(crate) fn is_invisible(it: char) -> bool {
    matches!(it, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A Message-ID fit for a header: printable ASCII, one `@`, at most 236 bytes (a longer one was cut when it was stored); held without brackets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderMessageId(String);

impl HeaderMessageId {
    /// `None` for ids that cannot be repeated in a header as they are: white space, brackets, non-ASCII, too long.
    pub fn parse(text: &str) -> Option<Self> {
        let bare = text.trim();
        let bare = bare.strip_prefix('<').unwrap_or(bare);
        let bare = bare.strip_suffix('>').unwrap_or(bare);
        let (left, right) = bare.split_once('@')?;
        let printable = bare
            .bytes()
            .all(|it| it.is_ascii_graphic() && !matches!(it, b'<' | b'>' | b','));
        // Ids that the mail reader made up for mails without one end so.
        let is_real = right != "no-message-id.invalid";
        (!left.is_empty() && !right.is_empty() && printable && is_real && bare.len() <= 236)
            .then(|| Self(bare.to_owned()))
    }

    /// Without brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With brackets, as it stands in a header.
    pub fn bracketed(&self) -> String {
        format!("<{}>", self.0)
    }
}

/// One address with an optional name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: Option<HeaderText>,
    address: lettre::Address,
}

impl Mailbox {
    /// `None` unless `address` is one deliverable `local@domain`; a hostile name is cleaned.
    pub fn new(name: Option<&str>, address: &str) -> Option<Self> {
        let address: lettre::Address = address.trim().parse().ok()?;
        let clean = AsRef::<str>::as_ref(&address).is_ascii();
        let name = name
            .map(HeaderText::new)
            .filter(|it| !it.as_str().is_empty());
        clean.then_some(Self { name, address })
    }

    /// Reads `Name <local@domain>` or `local@domain`, as a person writes it in a configuration.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().strip_suffix('>') {
            Some(rest) => {
                let (name, address) = rest.rsplit_once('<')?;
                Self::new(Some(name.trim().trim_matches('"')), address)
            }
            None => Self::new(None, text),
        }
    }

    /// `local@domain`.
    pub fn address(&self) -> &str {
        self.address.as_ref()
    }

    /// The part after `@`.
    pub fn domain(&self) -> &str {
        self.address.domain()
    }

    /// The name, or the address where there is none.
    pub fn display_name(&self) -> &str {
        self.name
            .as_ref()
            .map_or_else(|| self.address(), HeaderText::as_str)
    }

    /// Whether both are the same mailbox; mail systems treat neither part as case-sensitive in practice.
    pub fn is_same(&self, address: &str) -> bool {
        self.address().eq_ignore_ascii_case(address.trim())
    }

    pub(crate) fn to_lettre(&self) -> lettre::message::Mailbox {
        let name = self.name.as_ref().map(|it| it.as_str().to_owned());
        lettre::message::Mailbox::new(name, self.address.clone())
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "{name} <{}>", self.address),
            None => write!(formatter, "{}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_text_cannot_hold_a_second_header() {
        let text = HeaderText::new("Re: x\r\nBcc: all@example.org\u{202e}\u{1b}[2J");
        assert_eq!(text.as_str(), "Re: x Bcc: all@example.org [2J");
    }

    #[test]
    fn message_ids_that_a_header_cannot_repeat_are_refused() {
        for bad in [
            "a b@c",
            "a@",
            "@c",
            "a>b@c",
            "\u{e9}@c",
            "a@c\r\nBcc: x@y",
            "noat",
        ] {
            assert_eq!(HeaderMessageId::parse(bad), None, "input: {bad:?}");
        }
        let good = HeaderMessageId::parse("<20250917.1-a@example.org>");
        assert_eq!(
            good.map(|it| it.bracketed()),
            Some("<20250917.1-a@example.org>".to_owned())
        );
    }

    #[test]
    fn an_address_that_is_no_address_is_no_mailbox() {
        assert_eq!(Mailbox::new(Some("x"), "a@b\r\nBcc: c@d"), None);
        assert_eq!(Mailbox::new(None, "nobody"), None);
        let mailbox = Mailbox::parse("Ana Example <ana@example.org>").map(|it| it.to_string());
        assert_eq!(mailbox, Some("Ana Example <ana@example.org>".to_owned()));
    }
}

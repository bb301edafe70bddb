//! What an IMAP server's bytes mean, as far as this program asks for it. Knows no connection.
//!
//! Source: RFC 3501, section 9 (grammar), 7.1 (status responses), 7.4.2 (FETCH).

/// Of a line without its literals.
pub(super) const MAX_LINE_BYTES: usize = 256 << 10;
/// Literals of one response: a FETCH of ours has one.
pub(super) const MAX_LITERALS: usize = 16;
/// Lists inside lists.
const MAX_DEPTH: usize = 32;

/// A piece of a response, as it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Literal(Vec<u8>),
}

/// One response: a line, with the literals in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) pieces: Vec<Piece>,
}

/// How many bytes of literal follow this line; `None` where it is the end of its response.
pub(super) fn literal_length(line: &[u8]) -> Option<u64> {
    let digits = line.strip_suffix(b"}")?;
    let open = digits.iter().rposition(|it| *it == b'{')?;
    let digits = &digits[open + 1..];
    // LITERAL+ and LITERAL- have a sign behind the number; a server does not send it, but may.
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // More digits than a number has are a size, too: one that is refused.
    Some(
        std::str::from_utf8(digits)
            .ok()?
            .parse()
            .unwrap_or(u64::MAX),
    )
}

/// One item of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Atom(&'a [u8]),
    /// Quoted or literal.
    Text(Vec<u8>),
}

/// Cuts a response into its items.
struct Tokens<'a> {
    pieces: &'a [Piece],
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let (piece, rest) = self.pieces.split_first()?;
            let text = match piece {
                Piece::Literal(bytes) => {
                    self.pieces = rest;
                    return Some(Token::Text(bytes.clone()));
                }
                Piece::Text(text) => text,
            };
            while text.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            let Some(first) = text.get(self.at) else {
                (self.pieces, self.at) = (rest, 0);
                continue;
            };
            let start = self.at;
            self.at += 1;
            return Some(match first {
                b'(' => Token::Open,
                b')' => Token::Close,
                b'"' => self.quoted(text),
                b'{' if literal_length(&text[start..]).is_some() => {
                    self.at = text.len();
                    continue;
                }
                _ => {
                    let is_end = |it: &u8| matches!(it, b' ' | b'(' | b')' | b'"');
                    // The brackets of BODY[HEADER.FIELDS (..)] belong to the atom.
                    let mut depth = 0_u32;
                    while let Some(byte) = text.get(self.at - 1) {
                        match byte {
                            b'[' => depth += 1,
                            b']' => depth = depth.saturating_sub(1),
                            _ => {}
                        }
                        if text.get(self.at).is_none_or(|it| depth == 0 && is_end(it)) {
                            break;
                        }
                        self.at += 1;
                    }
                    Token::Atom(&text[start..self.at])
                }
            });
        }
    }
}

impl<'a> Tokens<'a> {
    fn quoted(&mut self, text: &[u8]) -> Token<'a> {
        let mut value = Vec::new();
        while let Some(byte) = text.get(self.at) {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    value.extend(text.get(self.at));
                    self.at += 1;
                }
                byte => value.push(*byte),
            }
        }
        Token::Text(value)
    }

    /// The next value; a list counts as none.
    fn value(&mut self) -> Option<Token<'a>> {
        let first = self.next()?;
        if first != Token::Open {
            return Some(first);
        }
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Token::Open if depth >= MAX_DEPTH => return None,
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                _ => {}
            }
        }
        Some(Token::Close)
    }
}

/// What one message of a FETCH brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fetched {
    /// Its place in the folder, from 1.
    pub(super) sequence: u64,
    pub(super) uid: Option<u64>,
    pub(super) size: Option<u64>,
    /// `INTERNALDATE` as it stands.
    pub(super) date: Option<String>,
    pub(super) body: Option<Vec<u8>>,
}

/// What the server told without being asked for exactly that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Untagged {
    Exists(u64),
    Expunge(u64),
    Fetch(Box<Fetched>),
    /// Words of a CAPABILITY answer or code, upper case.
    Capability(Vec<String>),
    UidValidity(u64),
    /// The server is about to close.
    Bye(String),
    Other,
}

/// A whole response, understood as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Untagged(Untagged),
    /// `+`: the server waits for more of the command.
    Continue,
    /// The answer to a command: tag, whether it is OK, and the text.
    Done(String, bool, String),
}

impl Response {
    fn tokens(&self) -> Tokens<'_> {
        Tokens {
            pieces: &self.pieces,
            at: 0,
        }
    }

    /// The line up to the first literal.
    fn line(&self) -> String {
        match self.pieces.first() {
            Some(Piece::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        }
    }

    /// Its beginning, for a person.
    pub(super) fn start(&self) -> String {
        self.line().chars().take(100).collect()
    }

    /// Says what it is; `None` for what no server may send.
    pub(super) fn event(&self) -> Option<Event> {
        let line = self.line();
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match tag {
            "" => None,
            "+" => Some(Event::Continue),
            "*" => Some(Event::Untagged(self.untagged(rest))),
            tag => {
                let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let is_ok = word.eq_ignore_ascii_case("OK");
                let is_known =
                    is_ok || word.eq_ignore_ascii_case("NO") || word.eq_ignore_ascii_case("BAD");
                is_known.then(|| Event::Done(tag.to_owned(), is_ok, text.to_owned()))
            }
        }
    }

    fn untagged(&self, line: &str) -> Untagged {
        let mut words = line.split(' ').filter(|it| !it.is_empty());
        let first = words.next().unwrap_or("").to_ascii_uppercase();
        let second = words.next().unwrap_or("").to_ascii_uppercase();
        // RFC 3501: numbers have 32 bits.
        if let Ok(number) = first.parse::<u32>() {
            let number = u64::from(number);
            return match second.as_str() {
                "EXISTS" => Untagged::Exists(number),
                "EXPUNGE" => Untagged::Expunge(number),
                "FETCH" => self
                    .fetch(number)
                    .map_or(Untagged::Other, |it| Untagged::Fetch(Box::new(it))),
                _ => Untagged::Other,
            };
        }
        let upper = |words: &str| {
            let words = words.split(' ').filter(|it| !it.is_empty());
            words.map(str::to_ascii_uppercase).collect()
        };
        match (first.as_str(), second.as_str()) {
            ("BYE", _) => Untagged::Bye(line.to_owned()),
            ("CAPABILITY", _) => Untagged::Capability(upper(&line["CAPABILITY".len()..])),
            ("OK" | "PREAUTH", "[UIDVALIDITY") => words
                .next()
                .and_then(|it| read_number(it.trim_end_matches(']').as_bytes()))
                .map_or(Untagged::Other, Untagged::UidValidity),
            ("OK" | "PREAUTH", "[CAPABILITY") => {
                let code = line.split_once(']').map_or("", |it| it.0);
                let words = code.split_once("[CAPABILITY").map_or("", |it| it.1);
                Untagged::Capability(upper(words))
            }
            _ => Untagged::Other,
        }
    }

    fn fetch(&self, sequence: u64) -> Option<Fetched> {
        let mut tokens = self.tokens();
        // `* 12 FETCH (`
        while tokens.next()? != Token::Open {}
        let mut fetched = Fetched {
            sequence,
            ..Fetched::default()
        };
        loop {
            let name = match tokens.next()? {
                Token::Close => return Some(fetched),
                Token::Atom(name) => name.to_ascii_uppercase(),
                _ => return None,
            };
            let value = tokens.value()?;
            match (name.as_slice(), value) {
                (b"UID", Token::Atom(number)) => fetched.uid = read_number(number),
                (b"RFC822.SIZE", Token::Atom(number)) => fetched.size = read_number(number),
                (b"INTERNALDATE", Token::Text(date)) => {
                    fetched.date = Some(String::from_utf8_lossy(&date).into_owned());
                }
                (b"BODY[]" | b"RFC822", Token::Text(body)) => fetched.body = Some(body),
                _ => {}
            }
        }
    }
}

fn read_number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits)
        .ok()?
        .parse::<u32>()
        .ok()
        .map(u64::from)
}

/// Seconds since the epoch of `17-Jul-1996 02:44:25 -0700`.
pub(super) fn read_date(text: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut parts = text.split_ascii_whitespace();
    let (day, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let mut day = day.split('-');
    let (date, month, year) = (day.next()?, day.next()?, day.next()?);
    let month = MONTHS
        .match_indices(month)
        .find(|it| it.0 % 3 == 0 && month.len() == 3)?
        .0
        / 3
        + 1;
    let stamp = format!(
        "{year}-{month:02}-{:02}T{time}{}:{}",
        date.parse::<u8>().ok()?,
        zone.get(..3)?,
        zone.get(3..)?
    );
    let stamp: jiff::Timestamp = stamp.parse().ok()?;
    Some(stamp.as_second())
}

/// Lines end with LF in this program; in mail on the wire they end with CR LF.
pub(super) fn to_lf(bytes: &[u8]) -> Vec<u8> {
    let mut mail = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|it| *it == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => {
                mail.extend_from_slice(line);
                mail.push(b'\n');
            }
            None => mail.extend_from_slice(line),
        }
    }
    mail
}

/// A folder's name as a quoted string.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::{Event, Piece, Response, Untagged, literal_length, quote, read_date, to_lf};

    fn response(pieces: &[(&str, bool)]) -> Response {
        let pieces = pieces.iter().map(|(text, is_literal)| {
            let bytes = text.as_bytes().to_vec();
            if *is_literal {
                Piece::Literal(bytes)
            } else {
                Piece::Text(bytes)
            }
        });
        Response {
            pieces: pieces.collect(),
        }
    }

    fn event(line: &str) -> Option<Event> {
        response(&[(line, false)]).event()
    }

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        assert_eq!(literal_length(b"* 1 FETCH (BODY[] {12}"), Some(12));
        assert_eq!(literal_length(b"x {0}"), Some(0));
        assert_eq!(literal_length(b"x {12+}"), Some(12));
        assert_eq!(
            literal_length(b"x {99999999999999999999999}"),
            Some(u64::MAX)
        );
        for line in [&b"x"[..], b"x {}", b"x {-1}", b"x {1} ", b"x 1}", b"{x}"] {
            assert_eq!(literal_length(line), None, "{line:?}");
        }
    }

    #[test]
    fn a_fetch_is_read_whatever_the_order_of_its_items() {
        let response = response(&[
            ("* 7 FETCH (FLAGS (\\Seen (odd)) BODY[] {9}", false),
            ("a \"( )\" b", true),
            (" X-GM-LABELS (\"a\\\"b\" {2}", false),
            (")(", true),
            (
                ") INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 9 UID 33)",
                false,
            ),
        ]);
        let Some(Event::Untagged(Untagged::Fetch(fetched))) = response.event() else {
            panic!("no fetch: {response:?}");
        };
        assert_eq!(
            (fetched.sequence, fetched.uid, fetched.size),
            (7, Some(33), Some(9))
        );
        assert_eq!(fetched.body.as_deref(), Some(&b"a \"( )\" b"[..]));
        assert_eq!(fetched.date.as_deref(), Some("17-Jul-1996 02:44:25 -0700"));
    }

    #[test]
    fn what_is_no_fetch_is_left_out() {
        for line in [
            "* 7 FETCH",
            "* 7 FETCH (",
            "* 7 FETCH (UID",
            "* 7 FETCH (UID 1",
            "* 7 FETCH (FLAGS (\\Seen)",
            "* 7 FETCH (\"UID\" 1)",
            "* x FETCH (UID 1)",
        ] {
            assert_eq!(
                event(line),
                Some(Event::Untagged(Untagged::Other)),
                "{line}"
            );
        }
        let deep = format!("* 1 FETCH (FLAGS {}", "(".repeat(100_000));
        assert_eq!(event(&deep), Some(Event::Untagged(Untagged::Other)));
    }

    #[test]
    fn states_and_codes_are_told_apart() {
        let untagged = |line: &str| match event(line) {
            Some(Event::Untagged(it)) => it,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(untagged("* 12 EXISTS"), Untagged::Exists(12));
        assert_eq!(untagged("* 3 expunge"), Untagged::Expunge(3));
        assert_eq!(
            untagged("* OK [UIDVALIDITY 77] valid"),
            Untagged::UidValidity(77)
        );
        assert_eq!(untagged("* OK [UIDVALIDITY x] valid"), Untagged::Other);
        assert_eq!(
            untagged("* OK [CAPABILITY IMAP4rev1 idle] hello"),
            Untagged::Capability(vec!["IMAP4REV1".to_owned(), "IDLE".to_owned()])
        );
        assert_eq!(
            untagged("* CAPABILITY IMAP4rev1 IDLE"),
            Untagged::Capability(vec!["IMAP4REV1".to_owned(), "IDLE".to_owned()])
        );
        assert!(matches!(untagged("* BYE too busy"), Untagged::Bye(_)));
        assert_eq!(event("+ idling"), Some(Event::Continue));
        assert_eq!(
            event("a1 NO no such folder"),
            Some(Event::Done(
                "a1".to_owned(),
                false,
                "no such folder".to_owned()
            ))
        );
        for line in ["", "a1", "a1 MAYBE", "HTTP/1.1 400 Bad Request"] {
            assert_eq!(event(line), None, "{line}");
        }
    }

    #[test]
    fn dates_are_read_with_their_zone() {
        assert_eq!(read_date("17-Jul-1996 02:44:25 -0700"), Some(837_596_665));
        assert_eq!(read_date(" 1-Jan-1970 00:00:00 +0000"), Some(0));
        for text in [
            "",
            "17-Jul-1996",
            "17-Foo-1996 02:44:25 -0700",
            "99-Jul-1996 02:44:25 -0700",
            "1-Jul-1996 02:44:25 é",
        ] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }

    #[test]
    fn mail_on_the_wire_becomes_mail_here() {
        assert_eq!(to_lf(b"a\r\nb\nc\rd\r\n\r\n"), b"a\nb\nc\rd\n\n");
        assert_eq!(quote("a \"b\" \\c"), "\"a \\\"b\\\" \\\\c\"");
    }
}

//! What a news server's bytes mean: status lines, groups and articles. Knows no connection.
//!
//! Source: RFC 3977, sections 3.1 (responses, dot-stuffing), 6.1.1 (GROUP), 6.2.1 (ARTICLE).

/// RFC 3977 allows 512 bytes; servers put longer texts into some.
pub(super) const MAX_STATUS_BYTES: usize = 4 << 10;
/// Of a line inside an article. Mail may have 998 bytes a line; public-inbox sends what was sent to the list.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;

/// The first line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) code: u16,
    /// After the code.
    pub(super) text: String,
}

impl Status {
    /// Reads a status line; `None` when it does not begin with three digits.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let code = text.get(..3)?;
        let rest = text.get(3..)?;
        if !code.bytes().all(|it| it.is_ascii_digit())
            || !(rest.is_empty() || rest.starts_with(' '))
        {
            return None;
        }
        Some(Self {
            code: code.parse().ok()?,
            text: rest.trim().to_owned(),
        })
    }
}

/// The article numbers of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) low: u64,
    /// Lower than `low` in an empty group.
    pub(super) high: u64,
}

impl Group {
    /// Reads the text of a 211 answer: `count low high name`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_ascii_whitespace();
        // RFC 3977 demands 31 bits; more than 32 are nobody's numbers.
        let mut next = || numbers.next()?.parse::<u32>().ok().map(u64::from);
        let (count, low, high) = (next()?, next()?, next()?);
        // An empty group may be `0 0 0`, too.
        Some(if count == 0 {
            Self { low: 1, high: 0 }
        } else {
            Self { low, high }
        })
    }
}

/// An article that comes in line by line; lines end with LF here, as everywhere in this program.
#[derive(Debug)]
pub(super) struct Article {
    bytes: Vec<u8>,
    limit: usize,
}

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Part,
    /// The article ended before it.
    End,
    /// More than the article may have.
    TooMuch,
}

impl Article {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
        }
    }

    /// Adds a line, undoing the dot before a dot.
    pub(super) fn push(&mut self, line: &[u8]) -> Line {
        let line = match line.strip_prefix(b".") {
            Some(b"") => return Line::End,
            Some(stuffed) => stuffed,
            None => line,
        };
        if self.bytes.len() + line.len() + 1 > self.limit {
            return Line::TooMuch;
        }
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        Line::Part
    }

    /// The mail without the header lines that the news server put in: they differ from server to server, and the same
    /// mail through another source is to be the same bytes.
    pub(super) fn into_mail(self) -> Vec<u8> {
        let mut mail = Vec::with_capacity(self.bytes.len());
        let mut is_header = true;
        let mut is_dropped = false;
        for line in self.bytes.split_inclusive(|it| *it == b'\n') {
            if is_header {
                if line == b"\n" {
                    is_header = false;
                    is_dropped = false;
                } else if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                    is_dropped = is_of_news(line);
                }
            }
            if !is_dropped {
                mail.extend_from_slice(line);
            }
        }
        mail
    }
}

/// RFC 5536, sections 3.1.4, 3.1.5 and 3.2.14: of the way through the news system, not of the mail.
fn is_of_news(line: &[u8]) -> bool {
    [&b"Path:"[..], b"Newsgroups:", b"Xref:"]
        .iter()
        .any(|name| line.len() >= name.len() && line[..name.len()].eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::{Article, Group, Line, Status};

    #[test]
    fn a_status_line_begins_with_three_digits() {
        let status = Status::parse(b"211 3 1 3 list.example").expect("a status");
        assert_eq!(
            (status.code, status.text.as_str()),
            (211, "3 1 3 list.example")
        );
        assert_eq!(Status::parse(b"205").map(|it| it.code), Some(205));
        for line in [
            &b""[..],
            b"20",
            b"2000 x",
            b"2x0 y",
            b"-12 x",
            b"\xff\xfe\xfd\xfc",
            b"+20 x",
        ] {
            assert_eq!(Status::parse(line), None, "{line:?}");
        }
    }

    #[test]
    fn wrong_counts_of_a_group_do_no_harm() {
        let parse = |text: &str| Group::parse(text).map(|it| (it.low, it.high));
        assert_eq!(parse("3 5 7 list"), Some((5, 7)));
        assert_eq!(parse("0 0 0 list"), Some((1, 0)));
        // The count is an estimate: numbers decide.
        assert_eq!(parse("99 5 7 list"), Some((5, 7)));
        for text in ["", "3 1", "3 1 x", "-3 1 2", "3 1 99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    fn read(lines: &[&str], limit: usize) -> (Vec<u8>, Line) {
        let mut article = Article::new(limit);
        let mut last = Line::Part;
        for line in lines {
            last = article.push(line.as_bytes());
            if last != Line::Part {
                break;
            }
        }
        (article.into_mail(), last)
    }

    #[test]
    fn dots_are_unstuffed_and_a_lone_one_is_the_end() {
        let (mail, last) = read(&["From: a", "", "..", "..x", "x.", ".", "not read"], 99);
        assert_eq!(last, Line::End);
        assert_eq!(mail, b"From: a\n\n.\n.x\nx.\n");
    }

    #[test]
    fn an_article_is_bounded() {
        let (_, last) = read(&["Subject: x", "", "a line of it"], 20);
        assert_eq!(last, Line::TooMuch);
    }

    #[test]
    fn header_lines_of_the_news_system_go_and_others_stay() {
        let lines = [
            "Path: server!not-for-mail",
            "Subject: x",
            "Xref: server list:1",
            " folded",
            "Newsgroups: list",
            "X-Path: y",
            "",
            "Path: in the text",
            ".",
        ];
        let (mail, _) = read(&lines, 999);
        assert_eq!(mail, b"Subject: x\nX-Path: y\n\nPath: in the text\n");
    }
}

//! The replacement of a macro, taken apart once: what stays as it is, and what arguments are put in the place of.

use super::definition::literal_end;
use super::text::{skip_blank, word_end};
use crate::lex::is_word_byte;

/// A piece of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What stays as it is, by its bounds.
    Text(u32, u32),
    /// `##`, without the blanks around it.
    Paste,
    /// `#parameter`, by its number.
    String(usize),
    /// A parameter, by its number: that of what remains of the arguments comes after the others.
    Parameter(usize),
    /// The same, with a `##` before it or behind it.
    Operand {
        number: usize,
        /// Whether, where it stands for nothing, a comma before it goes as well: `, ##__VA_ARGS__`.
        drops_comma: bool,
    },
}

/// Takes a replacement without comments and line breaks apart.
pub(super) fn parts(
    (params, rest): (Option<&[Vec<u8>]>, Option<&[u8]>),
    body: &[u8],
) -> Box<[Part]> {
    let number_of = |word: &[u8]| {
        let params = params?;
        if rest == Some(word) {
            return Some(params.len());
        }
        params.iter().position(|it| it == word)
    };
    let mut parts = Parts::default();
    let (mut at, mut pasting) = (0, false);
    while at < body.len() {
        let byte = body[at];
        if byte == b'#' && body.get(at + 1) == Some(&b'#') {
            parts.0.push(Part::Paste);
            pasting = true;
            at = skip_blank(body, at + 2);
            continue;
        }
        if byte == b'#' {
            let start = skip_blank(body, at + 1);
            let end = word_end(body, start);
            if let Some(number) = number_of(&body[start..end]) {
                parts.0.push(Part::String(number));
                at = end;
                continue;
            }
        }
        let end = if is_word_byte(byte) {
            word_end(body, at)
        } else if byte == b'"' || byte == b'\'' {
            literal_end(body, at)
        } else {
            let plain = |it: &u8| !is_word_byte(*it) && !matches!(it, b'#' | b'"' | b'\'');
            at + 1 + body[at + 1..].iter().take_while(|it| plain(it)).count()
        };
        let number = Some(&body[at..end]).filter(|_| is_word_byte(byte));
        match number.and_then(number_of) {
            Some(number) => {
                let next = skip_blank(body, end).min(body.len());
                parts.0.push(if pasting || body[next..].starts_with(b"##") {
                    Part::Operand {
                        number,
                        drops_comma: pasting && rest == Some(&body[at..end]),
                    }
                } else {
                    Part::Parameter(number)
                });
            }
            None => parts.text(at, end),
        }
        at = end;
        pasting = false;
    }
    parts.0.into()
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    /// Adds what stays as it is, to what stands right before it.
    fn text(&mut self, start: usize, end: usize) {
        let (start, end) = (start as u32, end as u32);
        match self.0.last_mut() {
            Some(Part::Text(_, last)) if *last == start => *last = end,
            _ => self.0.push(Part::Text(start, end)),
        }
    }
}

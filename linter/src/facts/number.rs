//! Values of constant expressions, from their text.

use crate::lex::{Sym, is_word_byte};

/// Expressions nest this deep at most.
const MAX_DEPTH: u32 = 32;
/// Longer ones are no constants that anybody compares.
const MAX_BYTES: usize = 512;

/// Reads names and uses of macros in an expression.
pub(crate) trait Meaning {
    /// The number that a name stands for.
    fn name(&self, name: Sym) -> Option<i64>;
    /// The number that `name(args)` stands for.
    fn call(&self, name: Sym, args: &[i64]) -> Option<i64>;
}

/// The number that an expression stands for in every way to read it; `None` where that is not certain.
///
/// Numbers are taken as 64 bits wide, so what depends on the width (`~`, shifts beyond 62) has no value.
pub(crate) fn number(text: &[u8], meaning: &dyn Meaning) -> Option<i64> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut parser = Parser {
        text,
        at: 0,
        meaning,
    };
    let value = parser.binary(0, 0)?;
    parser.skip();
    (parser.at == text.len()).then_some(value)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    meaning: &'a dyn Meaning,
}

/// Operators by how tightly they bind, longer ones first.
const OPERATORS: &[(&[u8], u8)] = &[
    (b"||", 1),
    (b"&&", 2),
    (b"==", 6),
    (b"!=", 6),
    (b"<<", 8),
    (b">>", 8),
    (b"<=", 7),
    (b">=", 7),
    (b"|", 3),
    (b"^", 4),
    (b"&", 5),
    (b"<", 7),
    (b">", 7),
    (b"+", 9),
    (b"-", 9),
    (b"*", 10),
    (b"/", 10),
    (b"%", 10),
];

impl Parser<'_> {
    fn skip(&mut self) {
        while let Some(byte) = self.text.get(self.at) {
            if byte.is_ascii_whitespace() || *byte == b'\\' {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn peek(&mut self) -> u8 {
        self.skip();
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn binary(&mut self, least: u8, depth: u32) -> Option<i64> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut left = self.unary(depth + 1)?;
        loop {
            self.skip();
            let rest = &self.text[self.at..];
            let operator = OPERATORS.iter().find(|it| rest.starts_with(it.0));
            let Some((spelled, tightness)) = operator.filter(|it| it.1 > least) else {
                return Some(left);
            };
            self.at += spelled.len();
            let right = self.binary(*tightness, depth + 1)?;
            left = apply(spelled, left, right)?;
        }
    }

    fn unary(&mut self, depth: u32) -> Option<i64> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek() {
            b'-' => {
                self.at += 1;
                self.unary(depth + 1)?.checked_neg()
            }
            b'+' => {
                self.at += 1;
                self.unary(depth + 1)
            }
            b'!' => {
                self.at += 1;
                Some(i64::from(self.unary(depth + 1)? == 0))
            }
            b'(' => {
                self.at += 1;
                let value = self.binary(0, depth + 1)?;
                self.take(b')')?;
                Some(value)
            }
            byte if byte.is_ascii_digit() => self.literal(),
            byte if is_word_byte(byte) => self.named(depth),
            _ => None,
        }
    }

    fn word(&mut self) -> &[u8] {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|it| is_word_byte(**it)).count();
        self.at += length;
        &rest[..length]
    }

    fn literal(&mut self) -> Option<i64> {
        let word = String::from_utf8_lossy(self.word()).to_ascii_lowercase();
        let digits = word.trim_end_matches(['u', 'l']);
        match digits.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16).ok(),
            None if digits.len() > 1 && digits.starts_with('0') => {
                i64::from_str_radix(digits, 8).ok()
            }
            None => digits.parse().ok(),
        }
    }

    fn named(&mut self, depth: u32) -> Option<i64> {
        let name = Sym::of(self.word());
        if self.peek() != b'(' {
            return self.meaning.name(name);
        }
        self.at += 1;
        let mut args = Vec::new();
        // `_AC(1, UL)` pastes its arguments: the number is the first.
        let pastes = [b"_AC".as_slice(), b"__AC"].map(Sym::of).contains(&name);
        loop {
            args.push(self.binary(0, depth + 1)?);
            if pastes {
                self.take(b',')?;
                self.skip();
                self.word();
                self.take(b')')?;
                return args.pop();
            }
            if self.take(b',').is_none() {
                break;
            }
        }
        self.take(b')')?;
        self.meaning.call(name, &args)
    }
}

fn apply(operator: &[u8], left: i64, right: i64) -> Option<i64> {
    let shift = u32::try_from(right).ok().filter(|it| *it < 63);
    Some(match operator {
        b"||" => i64::from(left != 0 || right != 0),
        b"&&" => i64::from(left != 0 && right != 0),
        b"==" => i64::from(left == right),
        b"!=" => i64::from(left != right),
        b"<=" => i64::from(left <= right),
        b">=" => i64::from(left >= right),
        b"<" => i64::from(left < right),
        b">" => i64::from(left > right),
        b"|" => left | right,
        b"^" => left ^ right,
        b"&" => left & right,
        b"<<" => left.checked_mul(1i64.checked_shl(shift?)?)?,
        b">>" => left >> shift?,
        b"+" => left.checked_add(right)?,
        b"-" => left.checked_sub(right)?,
        b"*" => left.checked_mul(right)?,
        b"/" => left.checked_div(right)?,
        _ => left.checked_rem(right)?,
    })
}

/// One item of an enum's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Enumerator {
    /// A name with the expression that it is given.
    Named(Sym, Option<Vec<u8>>),
    /// The use of a macro that may make several: its name and what stands in its parentheses.
    Made(Vec<u8>, Vec<u8>),
    /// A directive, or anything else: nobody knows how many it makes.
    Unclear,
}

/// The enumerators of an enum's text; `body` is the offset of its brace.
pub(crate) fn enumerators(item: &[u8], body: usize) -> Vec<Enumerator> {
    let text = crate::syntax::text::fold_bytes(item.get(body..).unwrap_or_default());
    let Some((_, inside)) = text.split_once('{') else {
        return Vec::new();
    };
    listed(inside.rsplit_once('}').map_or(inside, |it| it.0))
}

/// The enumerators of a list without its braces.
pub(crate) fn listed(inside: &str) -> Vec<Enumerator> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0u32, 0);
    for (at, byte) in inside.bytes().enumerate().chain([(inside.len(), b',')]) {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 || at == inside.len() => {
                let one = inside[start..at].trim();
                if !one.is_empty() {
                    found.push(enumerator(one));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

fn enumerator(text: &str) -> Enumerator {
    let is_name = |it: &str| !it.is_empty() && it.bytes().all(is_word_byte);
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.as_bytes().trim_ascii().to_vec())),
        None => (text, None),
    };
    if is_name(name) {
        return Enumerator::Named(Sym::of(name), value);
    }
    let made = text.strip_suffix(')').and_then(|it| it.split_once('('));
    match made.map(|(name, args)| (name.trim(), args)) {
        Some((name, args)) if is_name(name) => Enumerator::Made(name.into(), args.into()),
        _ => Enumerator::Unclear,
    }
}

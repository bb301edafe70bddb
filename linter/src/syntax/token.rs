//! The tokens of cleaned C, for the direct reading.

use crate::lex::{name_length, space_length};

/// What a token is, as far as the direct reading tells tokens apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    End,
    Name,
    Number,
    Text,
    Character,
    /// `true`, `false`, `NULL`.
    Constant,
    /// A built-in type of one word.
    Primitive,
    /// `unsigned`, `long` and the like.
    Size,
    /// `static`, `extern`, `inline`.
    Storage,
    /// `const`, `volatile`.
    Qualifier,
    Struct,
    Union,
    Enum,
    If,
    Else,
    While,
    Do,
    For,
    Switch,
    Case,
    Default,
    Goto,
    Break,
    Continue,
    Return,
    Sizeof,
    Offsetof,
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Semicolon,
    Comma,
    Colon,
    Question,
    Dot,
    Arrow,
    Ellipsis,
    Assign,
    /// `+=` and the like.
    AssignOp,
    Increment,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Ampersand,
    Pipe,
    Caret,
    Tilde,
    Not,
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    ShiftLeft,
    ShiftRight,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Appends the tokens of a text; `None` where one is not among those that are understood here.
pub(super) fn tokens(text: &[u8], out: &mut Vec<Token>) -> Option<()> {
    let mut at = 0;
    loop {
        at += space_length(&text[at..]);
        let Some(&byte) = text.get(at) else {
            out.push(Token {
                kind: Kind::End,
                start: at as u32,
                end: at as u32,
            });
            return Some(());
        };
        let (kind, end) = if byte.is_ascii_alphabetic() || byte == b'_' {
            let end = word_end(text, at);
            let is_prefix = matches!(text.get(end), Some(b'"' | b'\''));
            (word(&text[at..end]).filter(|_| !is_prefix)?, end)
        } else if byte.is_ascii_digit() {
            (Kind::Number, number_end(text, at)?)
        } else if byte == b'"' {
            (Kind::Text, literal_end(text, at)?)
        } else if byte == b'\'' {
            let end = literal_end(text, at)?;
            (end > at + 2).then_some((Kind::Character, end))?
        } else {
            let (kind, length) = punctuation(&text[at..])?;
            (kind, at + length)
        };
        out.push(Token {
            kind,
            start: at as u32,
            end: end as u32,
        });
        at = end;
    }
}

fn word_end(text: &[u8], start: usize) -> usize {
    start + name_length(&text[start..])
}

/// The end of an integer; other numbers are left to the grammar.
fn number_end(text: &[u8], start: usize) -> Option<usize> {
    let end = word_end(text, start);
    let word = &text[start..end];
    let suffix = word
        .iter()
        .rev()
        .take_while(|it| matches!(it, b'u' | b'U' | b'l' | b'L'))
        .count();
    let digits = &word[..word.len() - suffix];
    let is_plain = match digits.strip_prefix(b"0x").or(digits.strip_prefix(b"0X")) {
        Some(hex) => !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit),
        None => digits.iter().all(u8::is_ascii_digit),
    };
    // `0x1e+1` is one number for the grammar.
    let next = text.get(end);
    let may_go_on = matches!(next, Some(b'.' | b'\'' | b'$' | 0x80..))
        || (matches!(word.last(), Some(b'e' | b'E')) && matches!(next, Some(b'+' | b'-')));
    (is_plain && !may_go_on).then_some(end)
}

/// One past the quote that ends a literal.
fn literal_end(text: &[u8], start: usize) -> Option<usize> {
    let quote = text[start];
    let mut at = start + 1;
    loop {
        match *text.get(at)? {
            b'\n' | b'\r' | 0x80.. => return None,
            b'\\' => {
                match *text.get(at + 1)? {
                    b'x' => text
                        .get(at + 2)
                        .filter(|it| it.is_ascii_hexdigit())
                        .map(drop)?,
                    b'u' | b'U' | b'\n' | b'\r' | 0x80.. => return None,
                    _ => {}
                }
                at += 2;
            }
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// `None` for words that mean something special to the grammar and are rare.
fn word(word: &[u8]) -> Option<Kind> {
    Some(match word {
        b"if" => Kind::If,
        b"else" => Kind::Else,
        b"while" => Kind::While,
        b"do" => Kind::Do,
        b"for" => Kind::For,
        b"switch" => Kind::Switch,
        b"case" => Kind::Case,
        b"default" => Kind::Default,
        b"goto" => Kind::Goto,
        b"break" => Kind::Break,
        b"continue" => Kind::Continue,
        b"return" => Kind::Return,
        b"sizeof" => Kind::Sizeof,
        b"offsetof" => Kind::Offsetof,
        b"struct" => Kind::Struct,
        b"union" => Kind::Union,
        b"enum" => Kind::Enum,
        b"static" | b"extern" | b"inline" | b"__inline" | b"__inline__" => Kind::Storage,
        b"const" | b"volatile" => Kind::Qualifier,
        b"unsigned" | b"signed" | b"long" | b"short" => Kind::Size,
        b"true" | b"false" | b"NULL" => Kind::Constant,
        b"bool" | b"char" | b"int" | b"float" | b"double" | b"void" | b"size_t" | b"ssize_t"
        | b"ptrdiff_t" | b"intptr_t" | b"uintptr_t" | b"charptr_t" | b"nullptr_t"
        | b"max_align_t" | b"int8_t" | b"int16_t" | b"int32_t" | b"int64_t" | b"uint8_t"
        | b"uint16_t" | b"uint32_t" | b"uint64_t" | b"char8_t" | b"char16_t" | b"char32_t"
        | b"char64_t" => Kind::Primitive,
        b"TRUE" | b"FALSE" | b"nullptr" | b"typedef" | b"auto" | b"register" | b"asm"
        | b"defined" | b"alignof" | b"alignas" | b"restrict" | b"constexpr" | b"noreturn"
        | b"thread_local" => return None,
        [b'_', rest @ ..] if is_special(rest) => return None,
        _ => Kind::Name,
    })
}

/// Words of the grammar that begin with `_`, without it.
fn is_special(rest: &[u8]) -> bool {
    matches!(
        rest,
        b"_asm"
            | b"_asm__"
            | b"_attribute"
            | b"_attribute__"
            | b"_extension__"
            | b"_alignof"
            | b"_alignof__"
            | b"alignof"
            | b"Alignof"
            | b"Alignas"
            | b"Atomic"
            | b"Generic"
            | b"Noreturn"
            | b"Nonnull"
            | b"_restrict"
            | b"_restrict__"
            | b"_volatile__"
            | b"_thread"
            | b"_forceinline"
            | b"_based"
            | b"_cdecl"
            | b"_clrcall"
            | b"_stdcall"
            | b"_fastcall"
            | b"_thiscall"
            | b"_vectorcall"
            | b"_uptr"
            | b"_sptr"
            | b"unaligned"
            | b"_unaligned"
            | b"_declspec"
            | b"_try"
            | b"_except"
            | b"_finally"
            | b"_leave"
    )
}

fn punctuation(text: &[u8]) -> Option<(Kind, usize)> {
    let second = text.get(1).copied().unwrap_or(0);
    let third = text.get(2).copied().unwrap_or(0);
    Some(match (text[0], second) {
        (b'(', _) => (Kind::OpenParen, 1),
        (b')', _) => (Kind::CloseParen, 1),
        (b'[', b'[') | (b'.', b'0'..=b'9') | (b':', b':') | (b'/', b'/' | b'*') => return None,
        (b'[', _) => (Kind::OpenBracket, 1),
        (b']', _) => (Kind::CloseBracket, 1),
        (b'{', _) => (Kind::OpenBrace, 1),
        (b'}', _) => (Kind::CloseBrace, 1),
        (b';', _) => (Kind::Semicolon, 1),
        (b',', _) => (Kind::Comma, 1),
        (b':', _) => (Kind::Colon, 1),
        (b'?', _) => (Kind::Question, 1),
        (b'.', b'.') if third == b'.' => (Kind::Ellipsis, 3),
        (b'.', _) => (Kind::Dot, 1),
        (b'-', b'>') => (Kind::Arrow, 2),
        (b'+', b'+') | (b'-', b'-') => (Kind::Increment, 2),
        (b'&', b'&') => (Kind::And, 2),
        (b'|', b'|') => (Kind::Or, 2),
        (b'<', b'<') | (b'>', b'>') if third == b'=' => (Kind::AssignOp, 3),
        (b'<', b'<') => (Kind::ShiftLeft, 2),
        (b'>', b'>') => (Kind::ShiftRight, 2),
        (b'=', b'=') => (Kind::Equal, 2),
        (b'!', b'=') => (Kind::NotEqual, 2),
        (b'<', b'=') => (Kind::LessEqual, 2),
        (b'>', b'=') => (Kind::GreaterEqual, 2),
        (b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^', b'=') => (Kind::AssignOp, 2),
        (b'=', _) => (Kind::Assign, 1),
        (b'+', _) => (Kind::Plus, 1),
        (b'-', _) => (Kind::Minus, 1),
        (b'*', _) => (Kind::Star, 1),
        (b'/', _) => (Kind::Slash, 1),
        (b'%', _) => (Kind::Percent, 1),
        (b'&', _) => (Kind::Ampersand, 1),
        (b'|', _) => (Kind::Pipe, 1),
        (b'^', _) => (Kind::Caret, 1),
        (b'~', _) => (Kind::Tilde, 1),
        (b'!', _) => (Kind::Not, 1),
        (b'<', _) => (Kind::Less, 1),
        (b'>', _) => (Kind::Greater, 1),
        _ => return None,
    })
}

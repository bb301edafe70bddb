//! The struct that a macro's body writes before an initialiser: `static const struct x name = { .member = … }`.

use crate::lex::{Sym, is_word_byte};

/// What is known of the type of an initialiser in a macro's body that sets a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Tag(Sym),
    Unknown,
}

/// The types in whose initialisers a body sets `member`.
pub(super) fn holders(body: &[u8], member: Sym) -> Vec<Holder> {
    let mut found = Vec::new();
    // Of the declaration under way, and of the initialiser that is read.
    let (mut tag, mut of) = (None, None);
    let (mut depth, mut at, mut prev, mut word) = (0u32, 0, 0u8, &b""[..]);
    while at < body.len() {
        let byte = body[at];
        if is_word_byte(byte) {
            let length = body[at..].iter().take_while(|it| is_word_byte(**it));
            let end = at + length.count();
            let before = std::mem::replace(&mut word, &body[at..end]);
            if prev == b'.' && Sym::of(word) == member {
                found.push(match of {
                    Some(tag) if depth == 1 => Holder::Tag(tag),
                    _ => Holder::Unknown,
                });
            } else if depth == 0 && before == b"struct" && prev == b'a' {
                tag = Some(Sym::of(word));
            }
            (prev, at) = (b'a', end);
            continue;
        }
        match byte {
            b'{' => {
                if depth == 0 {
                    of = tag.filter(|_| prev == b'=');
                }
                depth += 1;
            }
            b'}' => depth = depth.saturating_sub(1),
            b';' if depth == 0 => tag = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() && byte != b'\\' {
            prev = byte;
        }
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[Option<&str>]) {
        let found = holders(body.as_bytes(), Sym::of("write"));
        let tag = |it: Option<&str>| it.map_or(Holder::Unknown, |it| Holder::Tag(Sym::of(it)));
        let expected: Vec<Holder> = expected.iter().copied().map(tag).collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn the_type_before_an_initialiser_is_found() {
        check(
            "static const struct knob name = { \\\n\t.open = o, .write = w }",
            &[Some("knob")],
        );
        check(
            "struct x *f(void); struct knob n##_ops = { .write = w };",
            &[Some("knob")],
        );
        check(
            "struct knob a = { .write = w }; struct box b = { .write = v }",
            &[Some("knob"), Some("box")],
        );
    }

    #[test]
    fn where_none_is_written_it_is_unknown() {
        check("{ .name = #n, .write = w }", &[None]);
        check(".write = w", &[None]);
        check("static struct knob a = { .ops = { .write = w } }", &[None]);
        check("(struct knob) { .write = w }", &[None]);
        check("static knob_t a = { .write = w }", &[None]);
    }
}

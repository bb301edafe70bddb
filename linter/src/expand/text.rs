//! Textual expansion: parameters, `#`, `##`, nested uses; bounded in depth and size.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use super::definition::{Definition, comment_end, flatten, literal_end};
use super::replacement::Part;
use crate::lex::{Sym, is_annotation, is_control, is_word_byte, word_length};

/// Macros nest this deep at most.
const MAX_DEPTH: usize = 40;
/// One use grows to this many bytes at most.
pub(super) const MAX_BYTES: usize = 256 << 10;
/// Longer arguments are code: what they use is not expanded before they are put in their place.
pub(super) const MAX_WORDY_ARGUMENT: usize = 256;

/// Where definitions come from.
pub(crate) trait Definitions {
    /// The definition that `name` has where the expansion stands.
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>>;
    /// As [`Definitions::find`] where that finds nothing, of a name before arguments that may have been pasted: only what
    /// makes functions or tables is wanted.
    fn find_chosen(&self, _name: &[u8]) -> Option<Arc<Definition>> {
        None
    }
    /// Whether the macro of this name makes functions or tables.
    fn makes(&self, name: &[u8]) -> bool;
    /// Whether what is wanted of an expansion may depend on what this name stands for, outside of arguments.
    fn matters(&self, _name: &[u8]) -> bool {
        true
    }
    /// Says that an argument is expanded before it is put in its place.
    fn expands(&self, _argument: &[u8]) {}
}

/// Expands uses.
pub(crate) struct Expander<'a> {
    definitions: &'a dyn Definitions,
    left: Cell<usize>,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(definitions: &'a dyn Definitions) -> Self {
        Self {
            definitions,
            left: Cell::new(MAX_BYTES),
        }
    }

    /// The text that `name(args)` stands for; `None` where it would grow beyond all bounds.
    pub(crate) fn expand_use(
        &self,
        name: &[u8],
        definition: &Definition,
        args: &[u8],
    ) -> Option<Vec<u8>> {
        self.expand(name, definition, &split(args))
    }

    /// As [`Expander::expand_use`], of arguments that were taken apart.
    pub(super) fn expand(
        &self,
        name: &[u8],
        definition: &Definition,
        args: &[Vec<u8>],
    ) -> Option<Vec<u8>> {
        let mut active = vec![Sym::of(name)];
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let body = self.substitute(definition, &args, &mut active)?;
        self.rescan(&body, &mut active, false)
    }

    /// How much of [`MAX_BYTES`] is gone.
    pub(super) fn spent(&self) -> usize {
        MAX_BYTES - self.left.get()
    }

    fn take(&self, bytes: usize) -> Option<()> {
        self.left.set(self.left.get().checked_sub(bytes)?);
        Some(())
    }

    /// The replacement with the arguments in the place of the parameters.
    fn substitute(
        &self,
        definition: &Definition,
        args: &[&[u8]],
        active: &mut Vec<Sym>,
    ) -> Option<Vec<u8>> {
        self.take(definition.body.len())?;
        let body = &definition.body;
        let mut out: Vec<u8> = Vec::with_capacity(body.len() * 2);
        // Of the arguments that are no operands, the texts.
        let mut expanded: Vec<(usize, Cow<'_, [u8]>)> = Vec::new();
        for part in &definition.parts {
            match *part {
                Part::Text(start, end) => {
                    out.extend_from_slice(&body[start as usize..end as usize]);
                }
                Part::Paste => trim_end(&mut out),
                Part::String(number) => stringify(&argument(definition, args, number), &mut out),
                Part::Operand {
                    number,
                    drops_comma,
                } => {
                    let value = argument(definition, args, number);
                    if drops_comma && value.is_empty() && out.last() == Some(&b',') {
                        out.pop();
                    }
                    self.take(value.len())?;
                    out.extend_from_slice(&value);
                }
                Part::Parameter(number) => {
                    let known = expanded.iter().position(|it| it.0 == number);
                    let known = if let Some(known) = known {
                        known
                    } else {
                        let value = argument(definition, args, number);
                        expanded.push((number, self.argument_text(value, active)?));
                        expanded.len() - 1
                    };
                    let value = &expanded[known].1;
                    self.take(value.len())?;
                    out.extend_from_slice(value);
                }
            }
        }
        Some(out)
    }

    /// An argument that is no operand of `##` is expanded before it is put in its place: in it, the macro that it is
    /// given to, the last of those under way, means itself again.
    fn argument_text<'t>(
        &self,
        value: Cow<'t, [u8]>,
        active: &mut Vec<Sym>,
    ) -> Option<Cow<'t, [u8]>> {
        self.definitions.expands(&value);
        if value.len() > MAX_WORDY_ARGUMENT || value.contains(&b';') || active.len() > MAX_DEPTH {
            return Some(value);
        }
        let given_to = active.pop();
        let expanded = self.rescan(&value, active, true);
        active.extend(given_to);
        Some(Cow::Owned(expanded?))
    }

    /// Expands the uses in a text: all of them outside of braces, inside only those that make something.
    fn rescan(&self, text: &[u8], active: &mut Vec<Sym>, objects: bool) -> Option<Vec<u8>> {
        self.take(text.len() / 4)?;
        let mut out = Vec::with_capacity(text.len());
        let (mut at, mut copied, mut depth) = (0, 0, 0u32);
        while at < text.len() {
            let byte = text[at];
            if byte == b'"' || byte == b'\'' {
                at = literal_end(text, at);
                continue;
            }
            if !is_word_byte(byte) {
                depth = match byte {
                    b'{' => depth + 1,
                    b'}' => depth.saturating_sub(1),
                    _ => depth,
                };
                at += 1;
                continue;
            }
            let start = at;
            at = word_end(text, start);
            if let Some((expanded, next)) = self.word(text, (start, at), depth, active, objects)? {
                out.extend_from_slice(&text[copied..start]);
                out.extend_from_slice(&expanded);
                (at, copied) = (next, next);
            }
        }
        out.extend_from_slice(&text[copied..]);
        Some(out)
    }

    /// What the word at `start..end` expands to and where the text goes on; `None` where it stays.
    #[allow(
        clippy::option_option,
        clippy::match_same_arms,
        clippy::too_many_arguments,
        reason = "out of room, or nothing to do, or a text with its end"
    )]
    fn word(
        &self,
        text: &[u8],
        (start, end): (usize, usize),
        depth: u32,
        active: &mut Vec<Sym>,
        objects: bool,
    ) -> Option<Option<(Vec<u8>, usize)>> {
        let word = &text[start..end];
        let open = skip_blank(text, end);
        let is_use = text.get(open) == Some(&b'(');
        if (!is_use && !objects) || word[0].is_ascii_digit() || active.len() > MAX_DEPTH {
            return Some(None);
        }
        let name = Sym::of(word);
        if active.contains(&name)
            || is_annotation(word)
            || is_control(word)
            || (depth > 0 && !self.definitions.makes(word))
            || (!objects && !self.definitions.matters(word))
        {
            return Some(None);
        }
        let mut found = self.definitions.find(word);
        if found.is_none() && !objects && depth == 0 && is_apart(&text[..start]) {
            found = self.definitions.find_chosen(word);
        }
        let Some(definition) = found else {
            return Some(None);
        };
        active.push(name);
        let result = match &definition.params {
            Some(_) if is_use => {
                let close = close_of(text, open);
                let args = arguments(&text[open + 1..close.saturating_sub(1).max(open + 1)]);
                self.substitute(&definition, &args, active)
                    .map(|it| (it, close))
            }
            Some(_) => {
                active.pop();
                return Some(None);
            }
            // An alias of a macro that takes arguments, or a word.
            None if objects || is_single_word(&definition.body) => {
                Some((definition.body.clone(), end))
            }
            None => {
                active.pop();
                return Some(None);
            }
        };
        let expanded = result.and_then(|(body, next)| {
            // The alias and its arguments are read together.
            if definition.params.is_none() && is_use {
                let close = close_of(text, open);
                let whole = [&body[..], &text[end..close]].concat();
                return Some((self.rescan(&whole, active, objects)?, close));
            }
            let made = self.rescan(&body, active, objects)?;
            // `CONCATENATE(f, 2)(x)`: what was made is a name, and its arguments follow.
            let open = skip_blank(text, next);
            if is_single_word(&made) && text.get(open) == Some(&b'(') {
                let close = close_of(text, open);
                let whole = [made.trim_ascii(), &text[open..close]].concat();
                return Some((self.rescan(&whole, active, objects)?, close));
            }
            Some((made, next))
        });
        active.pop();
        Some(Some(expanded?))
    }
}

/// Whether a name behind this text may be that of a macro which makes something: it is no function that has a type.
pub(super) fn is_apart(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    matches!(before.last(), None | Some(b';' | b'}' | b')')) || before.ends_with(b"static")
}

pub(super) fn is_single_word(body: &[u8]) -> bool {
    let word = body.trim_ascii();
    !word.is_empty() && word.iter().all(|it| is_word_byte(*it)) && !word[0].is_ascii_digit()
}

/// The argument for a parameter.
fn argument<'a>(definition: &Definition, args: &[&'a [u8]], param: usize) -> Cow<'a, [u8]> {
    let count = definition.params.as_ref().map_or(0, Vec::len);
    if definition.rest.is_some() && param == count {
        let rest = args.get(count..).unwrap_or_default();
        return Cow::Owned(rest.join(&b", "[..]));
    }
    Cow::Borrowed(args.get(param).copied().unwrap_or_default())
}

fn stringify(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend(
        value
            .iter()
            .filter(|it| !matches!(it, b'"' | b'\\' | b'\n')),
    );
    out.push(b'"');
}

fn trim_end(out: &mut Vec<u8>) {
    while out.last().is_some_and(u8::is_ascii_whitespace) {
        out.pop();
    }
}

pub(super) fn skip_blank(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

pub(super) fn word_end(text: &[u8], at: usize) -> usize {
    at + word_length(text.get(at..).unwrap_or_default())
}

/// One past the parenthesis that closes the one at `open`.
pub(crate) fn close_of(text: &[u8], open: usize) -> usize {
    let (mut depth, mut at) = (0u32, open);
    while at < text.len() {
        match text[at] {
            b'"' | b'\'' => {
                at = literal_end(text, at);
                continue;
            }
            b'(' => depth += 1,
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'/' => {
                at = comment_end(text, at).unwrap_or(at + 1);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// The arguments between two parentheses, on one line each; none where there is nothing.
pub(crate) fn split(args: &[u8]) -> Vec<Vec<u8>> {
    let args = flatten(args);
    arguments(&args).into_iter().map(<[u8]>::to_vec).collect()
}

/// As [`split`], of a text that is on one line and without comments.
fn arguments(args: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut depth, mut start, mut at) = (Vec::new(), 0u32, 0, 0);
    while at < args.len() {
        match args[at] {
            b'"' | b'\'' => {
                at = literal_end(args, at);
                continue;
            }
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                found.push(args[start..at].trim_ascii());
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    let last = args[start.min(args.len())..].trim_ascii();
    if !found.is_empty() || !last.is_empty() {
        found.push(last);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(&'static [&'static str]);

    impl Definitions for Fixed {
        fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
            let name = String::from_utf8_lossy(name).into_owned();
            let it = self.0.iter().find(|it| {
                it.strip_prefix("#define ")
                    .and_then(|it| it.strip_prefix(&name))
                    .is_some_and(|it| it.starts_with(['(', ' ']))
            })?;
            let head = "#define ".len() + name.len();
            let body = if it.as_bytes()[head] == b'(' {
                it.find(')')? + 1
            } else {
                head
            };
            Definition::read(it.as_bytes(), body).map(Arc::new)
        }

        fn makes(&self, _: &[u8]) -> bool {
            true
        }
    }

    fn expand(defines: &'static [&'static str], name: &str, args: &str) -> Option<String> {
        let fixed = Fixed(defines);
        let definition = fixed.find(name.as_bytes())?;
        let text =
            Expander::new(&fixed).expand_use(name.as_bytes(), &definition, args.as_bytes())?;
        Some(
            String::from_utf8_lossy(&text)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    #[test]
    fn pastes_names() {
        let made = expand(
            &["#define MAKE(n, t) static t get_##n(void) { return n##_##t(#n); }"],
            "MAKE",
            "foo, int",
        );
        assert_eq!(
            made.as_deref(),
            Some("static int get_foo(void) { return foo_int(\"foo\"); }")
        );
    }

    #[test]
    fn follows_nested_uses_and_variadic_ones() {
        let defines = &[
            "#define OUTER(n, ...) INNER(x_##n, ##__VA_ARGS__)",
            "#define INNER(n, args...) int n(args) { }",
        ];
        assert_eq!(
            expand(defines, "OUTER", "a, int b, int c").as_deref(),
            Some("int x_a(int b, int c) { }")
        );
        assert_eq!(
            expand(defines, "OUTER", "a").as_deref(),
            Some("int x_a() { }")
        );
    }

    #[test]
    fn expands_arguments_before_they_are_passed_on() {
        let defines = &[
            "#define PASTE(a, b) PASTE_(a, b)",
            "#define PASTE_(a, b) a##b",
            "#define NAME one",
            "#define MAKE() void PASTE(NAME, _two)(void) { }",
        ];
        assert_eq!(
            expand(defines, "MAKE", "").as_deref(),
            Some("void one_two(void) { }")
        );
    }

    #[test]
    fn reads_a_made_name_with_the_arguments_behind_it() {
        let defines = &[
            "#define COPY(d, ...) JOIN(copy_, COUNT(__VA_ARGS__))(d, __VA_ARGS__)",
            "#define JOIN(a, b) JOIN_(a, b)",
            "#define JOIN_(a, b) a##b",
            "#define COUNT(x) 1",
            "#define copy_1(d, n) sized_copy(d, n)",
        ];
        assert_eq!(
            expand(defines, "COPY", "to, 8").as_deref(),
            Some("sized_copy(to, 8)")
        );
    }

    #[test]
    fn reads_a_macro_among_its_own_arguments() {
        let defines = &[
            "#define PASTE(a, b) PASTE_(a, b)",
            "#define PASTE_(a, b) a##b",
            "#define MAKE(n) void PASTE(x_, PASTE(n, PASTE(_, two)))(void) { }",
            "#define LOOP(n) int n; LOOP(n)",
        ];
        assert_eq!(
            expand(defines, "MAKE", "one").as_deref(),
            Some("void x_one_two(void) { }")
        );
        assert_eq!(
            expand(defines, "LOOP", "LOOP(a)").as_deref(),
            Some("int int a; LOOP(a); LOOP( int a; LOOP(a))")
        );
    }

    #[test]
    fn does_not_follow_itself() {
        assert_eq!(
            expand(&["#define LOOP(n) int n; LOOP(n)"], "LOOP", "a").as_deref(),
            Some("int a; LOOP(a)")
        );
    }

    #[test]
    fn gives_up_where_it_would_explode() {
        let defines = &[
            "#define A(x) B(x) B(x) B(x) B(x) B(x) B(x) B(x) B(x)",
            "#define B(x) C(x) C(x) C(x) C(x) C(x) C(x) C(x) C(x)",
            "#define C(x) D(x) D(x) D(x) D(x) D(x) D(x) D(x) D(x)",
            "#define D(x) E(x) E(x) E(x) E(x) E(x) E(x) E(x) E(x)",
            "#define E(x) F(x) F(x) F(x) F(x) F(x) F(x) F(x) F(x)",
            "#define F(x) some_rather_long_name_that_fills_the_room(x);",
        ];
        assert_eq!(expand(defines, "A", "1"), None);
    }
}

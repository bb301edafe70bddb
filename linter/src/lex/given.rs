//! Parameters that a function stores or hands on: what its callers pass may end in a member.

use super::body::{ARROW, Token, WORD, is_word};
use super::directive::Turn;
use super::item::{Pair, Ref, RefKind};
use super::scan::Scanner;
use super::{Sym, variables, words};

/// Marks the value of a pair that is a parameter of the function, by its place; names have 30 bits.
const STORED: u32 = 1 << 30;
/// Marks the value of a pair whose member is no member but a function that the parameter is handed on to.
const HANDED: u32 = 1 << 31;
/// Marks the value of a pair for a parameter that is called, or that names a member which is.
const APPLIED: u32 = STORED | HANDED;
/// Stands for the member of such a pair where the parameter names one.
const MEMBER: u32 = 1;
/// Parameters and arguments have this many bits for their places.
const PLACE_BITS: u32 = 8;
/// Brackets inside brackets are read this deep.
const MAX_DEPTH: usize = 64;

/// What a function does with a parameter that may be a pointer to a function. Names are as [`Sym::short`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It puts the parameter at `place` into `member`.
    Stored { place: u32, member: u32 },
    /// It passes the parameter at `place` to `callee`, as the argument at `to`.
    Handed { place: u32, callee: u32, to: u32 },
    /// It calls the parameter at `place`, or, if it is a macro, the `member` that this names.
    Applied { place: u32, member: bool },
}

impl Given {
    /// What a pair says, if it is about a parameter.
    pub(crate) fn of([name, value]: Pair) -> Option<Self> {
        let mask = (1 << PLACE_BITS) - 1;
        let place = value & mask;
        if value & APPLIED == APPLIED {
            let member = name == MEMBER;
            return Some(Self::Applied { place, member });
        }
        if value & HANDED != 0 {
            let to = (value >> PLACE_BITS) & mask;
            return Some(Self::Handed {
                place,
                callee: name,
                to,
            });
        }
        let member = name;
        (value & STORED != 0).then_some(Self::Stored { place, member })
    }

    /// The parameter's place in the function's head, from 0.
    pub(crate) fn place(self) -> u32 {
        match self {
            Self::Stored { place, .. }
            | Self::Handed { place, .. }
            | Self::Applied { place, .. } => place,
        }
    }
}

/// A name that stands alone among the arguments of a call, or a member; names are as [`Sym::short`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Argument {
    pub(crate) callee: u32,
    /// Its place among the arguments, from 0.
    pub(crate) place: u32,
    pub(crate) name: u32,
    pub(crate) is_member: bool,
}

/// The pair for a parameter, by its place, that is put into a member.
pub(super) fn stored(member: u32, place: u32) -> Pair {
    [member, STORED | place.min((1 << PLACE_BITS) - 1)]
}

/// The pair for a parameter, by its place, that is called, or names a member that is.
pub(super) fn applied(place: u32, is_member: bool) -> Pair {
    let name = if is_member { MEMBER } else { 0 };
    [name, APPLIED | place.min((1 << PLACE_BITS) - 1)]
}

/// Adds pairs for the parameters of a function that may be pointers to functions: one for each that it calls, one for
/// each member that is set to one, and one for each call that gets one. `head` stands between the parentheses of its
/// head, `body` in its braces.
pub(super) fn mark(head: &[u8], body: &[u8], refs: &[Ref], pairs: &mut Vec<Pair>) {
    let mut params: Vec<(u32, u32)> = Vec::new();
    each_pointer(head, |place, name| {
        params.push((Sym::of(name).short(), place));
    });
    let is_named = |kind, name: u32| refs.contains(&Ref::of_short(kind, name));
    if params.is_empty() {
        return;
    }
    let set_to = |value: u32| {
        let set = pairs.iter().filter(move |it| it[1] == value);
        set.filter_map(|it| variables::set(it[0]))
    };
    let is_called = |name: u32| {
        is_named(RefKind::Call, name) || set_to(name).any(|it| is_named(RefKind::Call, it))
    };
    let called = params.iter().filter(|it| is_called(it.0));
    let called: Vec<Pair> = called.map(|it| applied(it.1, false)).collect();
    pairs.extend(called);
    params.retain(|it| it.1 < 1 << PLACE_BITS && is_named(RefKind::Mention, it.0));
    if params.is_empty() {
        return;
    }
    for at in 0..pairs.len() {
        let [member, value] = pairs[at];
        let stored = params.iter().filter(|it| it.0 == value);
        let Some(place) = stored.map(|it| it.1).next() else {
            continue;
        };
        pairs.push(self::stored(member, place));
        // `hook = param; object->member = hook;`
        if let Some(local) = variables::set(member) {
            let through = pairs.iter().filter(|it| it[1] == local);
            let members = through.map(|it| it[0]);
            let members = members.filter(|it| variables::set(*it).is_none());
            let members: Vec<u32> = members.collect();
            pairs.extend(members.into_iter().map(|it| self::stored(it, place)));
        }
    }
    each_argument(body, 0, |argument| {
        let is_handed = |it: &&(u32, u32)| !argument.is_member && it.0 == argument.name;
        let handed = params.iter().filter(is_handed);
        if argument.place < 1 << PLACE_BITS {
            let to = argument.place << PLACE_BITS;
            pairs.extend(handed.map(|it| [argument.callee, HANDED | to | it.1]));
        }
    });
}

/// Adds pairs for what the body of a macro hands on of its parameters, which stand in their order; where it is open,
/// what follows them as well.
pub(super) fn mark_macro((params, is_open): (&[u32], bool), body: &[u8], pairs: &mut Vec<Pair>) {
    /// Arguments behind the last parameter that are followed.
    const MAX_REST: u32 = 8;
    let rest = Sym::of("__VA_ARGS__").short();
    let mask = (1 << PLACE_BITS) - 1;
    each_argument(body, 0, |argument| {
        if argument.is_member {
            return;
        }
        let mut add = |place: u32, to: u32| {
            if place <= mask && to <= mask {
                pairs.push([argument.callee, HANDED | to << PLACE_BITS | place]);
            }
        };
        let place = params.iter().position(|it| *it == argument.name);
        if let Some(place) = place {
            add(place as u32, argument.place);
        } else if is_open && argument.name == rest {
            for it in 0..MAX_REST {
                add(params.len() as u32 + it, argument.place + it);
            }
        }
    });
}

/// Whether a word, as [`Sym::short`], stands alone in parentheses before arguments: `(word)(…)`.
pub(super) fn is_called_in_parens(word: u32, text: &[u8]) -> bool {
    memchr::memchr_iter(b')', text).any(|at| {
        let name = last_word(text[..at].trim_ascii_end());
        text[at + 1..].trim_ascii_start().starts_with(b"(")
            && !name.is_empty()
            && Sym::of(name).short() == word
    })
}

/// Calls `found` with the places and names of parameters that may be pointers to functions: `int (*name)(…)`,
/// `int name(…)`, or of a type that goes by one word.
fn each_pointer<'t>(head: &'t [u8], mut found: impl FnMut(u32, &'t [u8])) {
    let (mut depth, mut start, mut place) = (0u32, 0, 0);
    let mut take = |place: u32, param: &'t [u8]| {
        if let Some(name) = pointer_in(param) {
            found(place, name);
        }
    };
    for at in memchr::memchr3_iter(b'(', b')', b',', head) {
        match head[at] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => {
                take(place, &head[start..at]);
                start = at + 1;
                place += 1;
            }
            _ => {}
        }
    }
    take(place, &head[start..]);
}

fn pointer_in(param: &[u8]) -> Option<&[u8]> {
    let param = param.trim_ascii();
    // Nearly all parameters are of this kind.
    if param.starts_with(b"struct ") && !param.ends_with(b")") {
        return None;
    }
    if let Some(open) = memchr::memchr(b'(', param) {
        let inner = param[open + 1..].trim_ascii_start();
        return Some(match inner.strip_prefix(b"*") {
            Some(name) => first_word(name.trim_ascii_start()),
            None => last_word(&param[..open]),
        });
    }
    let of = first_word(param);
    let rest = param[of.len()..].trim_ascii_start();
    if of == b"const" {
        return pointer_in(rest);
    }
    let name = rest.strip_prefix(b"*").unwrap_or(rest).trim_ascii_start();
    let is_pointer = !of.is_empty() && !name.is_empty() && !is_plain(of);
    (is_pointer && first_word(name).len() == name.len()).then_some(name)
}

/// Whether a function with this head may return a pointer to a function: of a type that goes by one word, or as
/// `int (*name(…))(…)`.
pub(crate) fn may_return_function(head: &[u8]) -> bool {
    let rest = head.strip_prefix(b"static ").unwrap_or(head);
    let of = first_word(rest);
    if words::is_type_word(of) && !words::is_inline(of) {
        // Nearly all functions are of this kind.
        return rest[of.len()..].trim_ascii_start().starts_with(b"(");
    }
    let Some(open) = memchr::memchr(b'(', head) else {
        return false;
    };
    if head[open + 1..].trim_ascii_start().starts_with(b"*") {
        return true;
    }
    let words = head[..open].split(|it| !is_word(*it));
    let words = words.filter(|it| !it.is_empty()).rev().skip(1);
    let is_storage = |it: &[u8]| {
        words::is_inline(it)
            || it.starts_with(b"__")
            || matches!(
                it,
                b"static" | b"const" | b"extern" | b"noinline" | b"asmlinkage"
            )
    };
    let mut words = words.filter(|it| !is_storage(it));
    // `module_init()` makes a function in every source that returns another.
    let is_boot = |it: &[u8]| matches!(it, b"initcall_t" | b"exitcall_t");
    let of = words.next().filter(|it| !is_plain(it) && !is_boot(it));
    of.is_some() && words.next().is_none()
}

fn first_word(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|it| !is_word(*it));
    &text[..end.unwrap_or(text.len())]
}

/// The word that a text ends with.
pub(crate) fn last_word(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_end();
    let start = text.iter().rposition(|it| !is_word(*it));
    &text[start.map_or(0, |it| it + 1)..]
}

/// Whether a type's word says that its values are no pointers to functions.
fn is_plain(of: &[u8]) -> bool {
    words::is_type_word(of)
        || matches!(
            of,
            b"u8"
                | b"u16"
                | b"u32"
                | b"u64"
                | b"s8"
                | b"s16"
                | b"s32"
                | b"s64"
                | b"__u8"
                | b"__u16"
                | b"__u32"
                | b"__u64"
                | b"__le16"
                | b"__le32"
                | b"__le64"
                | b"__be16"
                | b"__be32"
                | b"__be64"
                | b"size_t"
                | b"ssize_t"
                | b"loff_t"
                | b"off_t"
                | b"gfp_t"
                | b"dev_t"
                | b"pgoff_t"
                | b"sector_t"
                | b"umode_t"
                | b"fmode_t"
                | b"uint8_t"
                | b"uint16_t"
                | b"uint32_t"
                | b"uint64_t"
                | b"atomic_t"
                | b"spinlock_t"
        )
}

/// What a bracket that is open belongs to.
#[derive(Clone, Copy)]
enum Bracket {
    /// The arguments of a call by this name, at the place where it is read.
    Call(u32, u32),
    /// Only groups: what it belongs to is what the one around it does.
    Group,
    /// Holds no arguments of a call by name.
    Other,
}

/// Calls `found` with every name that stands alone among the arguments of a call by name, from `from` on.
///
/// What stands in an argument's own parentheses counts, and what `?` chooses between.
pub(crate) fn each_argument(text: &[u8], from: usize, mut found: impl FnMut(Argument)) {
    let scanner = Scanner::over(text);
    let mut open: Vec<Bracket> = Vec::new();
    // What was open at each `#if` around.
    let mut arms: Vec<Vec<Bracket>> = Vec::new();
    // The last word, where that may be called by its name.
    let mut word = (0, 0);
    scanner.each_token(from, |token, prev| match token {
        Token::Word(start, end) => {
            let is_member = matches!(prev, ARROW | b'.');
            let mut at = scanner.skip_space(end);
            if scanner.byte(at) == b'[' {
                at = scanner.behind_subscripts(at).unwrap_or(at);
            }
            let next = scanner.byte(at);
            let is_name = !text[start].is_ascii_digit();
            let is_alone = is_name && matches!(next, b',' | b')' | b':' | b'?' | b'#');
            let around = open.iter().rev().find(|it| !matches!(it, Bracket::Group));
            if is_alone && let Some(Bracket::Call(callee, place)) = around {
                found(Argument {
                    callee: *callee,
                    place: *place,
                    name: Sym::of(&text[start..end]).short(),
                    is_member,
                });
            }
            word = if is_member { (0, 0) } else { (start, end) };
        }
        Token::Literal => word = (0, 0),
        Token::Byte(b'(') if open.len() < MAX_DEPTH => {
            let name = &text[word.0..word.1];
            open.push(match prev {
                WORD if name.is_empty() || words::is_control(name) => Bracket::Other,
                WORD if words::is_read(name) => Bracket::Group,
                WORD => Bracket::Call(Sym::of(name).short(), 0),
                b')' | b']' => Bracket::Other,
                _ => Bracket::Group,
            });
        }
        Token::Byte(b'{') if open.len() < MAX_DEPTH => open.push(Bracket::Other),
        Token::Byte(b')' | b'}') => drop(open.pop()),
        Token::Byte(b',') => {
            if let Some(Bracket::Call(_, place)) = open.last_mut() {
                *place += 1;
            }
        }
        Token::Turn(Turn::Begins) if arms.len() < MAX_DEPTH => arms.push(open.clone()),
        Token::Turn(Turn::Begins) => arms.push(Vec::new()),
        Token::Turn(Turn::NextArm) => {
            // What stands in another arm takes the place of the first one's.
            if let Some(before) = arms.last().filter(|_| arms.len() <= MAX_DEPTH) {
                open.clone_from(before);
            }
        }
        Token::Turn(Turn::Ends) => drop(arms.pop()),
        Token::Arrow | Token::Byte(_) => {}
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Vec<(String, u32, String)> {
        let words = text.split(|it: char| !(it.is_alphanumeric() || it == '_'));
        let words: Vec<&str> = words.collect();
        let name = |short: u32| {
            let mut named = words.iter().filter(|it| Sym::of(it).short() == short);
            *named.next().expect("it stands in the text")
        };
        let mut found = Vec::new();
        each_argument(text.as_bytes(), 0, |it| {
            let arrow = if it.is_member { "->" } else { "" };
            let argument = format!("{arrow}{}", name(it.name));
            found.push((name(it.callee).to_owned(), it.place, argument));
        });
        found
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, u32, &str)]) {
        let found = arguments(text);
        let found: Vec<(&str, u32, &str)> = found
            .iter()
            .map(|it| (it.0.as_str(), it.1, it.2.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn names_among_arguments_have_their_places() {
        check("f(a, b);", &[("f", 0, "a"), ("f", 1, "b")]);
        check(
            "f(g(a, 1), x->y, \"(,\", b);",
            &[("g", 0, "a"), ("f", 1, "->y"), ("f", 3, "b")],
        );
        check(
            "f(1, (fn_t)a); f((a));",
            &[("f", 1, "fn_t"), ("f", 1, "a"), ("f", 0, "a")],
        );
        check(
            "f(&a, c ? d : e)",
            &[("f", 0, "a"), ("f", 1, "c"), ("f", 1, "d"), ("f", 1, "e")],
        );
    }

    #[test]
    fn what_is_no_call_by_name_has_no_arguments() {
        check("x->f(a); (*f)(a); if (a) return (b);", &[]);
        check("f(({ a, b; }), c);", &[("f", 1, "c")]);
    }

    #[test]
    fn parameters_that_may_be_functions_are_found() {
        let head = "struct x *x, void (*end)(struct x *, int), end_t *done, u64 count, const end_t last, int each(int)";
        let mut found = Vec::new();
        each_pointer(head.as_bytes(), |place, name| {
            found.push((place, String::from_utf8_lossy(name).into_owned()));
        });
        let expected = [(1, "end"), (2, "done"), (4, "last"), (5, "each")];
        let expected: Vec<_> = expected.iter().map(|it| (it.0, it.1.to_owned())).collect();
        assert_eq!(found, expected);
    }
}

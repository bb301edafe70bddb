//! The walk over a file's top level.

mod heads;
mod room;

use std::hash::{BuildHasher as _, Hasher as _};

use rustc_hash::FxBuildHasher;

use self::room::Room;
use super::body::{ARROW, Reading, is_word};
use super::directive::{Conditional, define_lines};
use super::item::{FileScan, Item, ItemKind, Pair, Ref, RefKind, flags};
use super::{Sym, words};

/// Texts beyond this size are read up to here: the largest header of Linux, which a program wrote, has 24 MB.
pub(crate) const MAX_BYTES: usize = 64 << 20;

/// Reads a file's items. Never fails; time is linear in the size.
pub(crate) fn scan(src: &[u8]) -> FileScan {
    let mut scanner = Scanner::within(Room::take(), &src[..src.len().min(MAX_BYTES)]);
    let mut at = 0;
    while at < scanner.src.len() {
        at = scanner.item(at);
    }
    mark_declared(&mut scanner.out.items, &mut scanner.declared);
    scanner.out.counting = counting(src, &scanner.out.items);
    scanner.out.defines = defines(src);
    super::variables::settle(&mut scanner.out);
    let found = scanner.out.clone();
    scanner.leave();
    found
}

/// Marks the functions that are also declared without a body, for all files to see.
fn mark_declared(items: &mut [Item], declared: &mut [Sym]) {
    if declared.is_empty() {
        return;
    }
    declared.sort_unstable();
    let functions = items.iter_mut().filter(|it| it.kind == ItemKind::Function);
    for item in functions.filter(|it| declared.binary_search(&it.name).is_ok()) {
        item.flags |= flags::DECLARED;
    }
}

/// A hash of all `#define` lines, wherever they stand: what names stand for depends on nothing else in a file but
/// its enumerators.
fn defines(src: &[u8]) -> u32 {
    let mut hasher = rustc_hash::FxHasher::default();
    define_lines(src).for_each(|it| hasher.write(it));
    hasher.finish() as u32
}

/// The items that hold `i_count`; items are in order of their end.
fn counting(src: &[u8], items: &[Item]) -> Vec<u32> {
    let mut found: Vec<u32> = memchr::memmem::find_iter(src, b"i_count")
        .filter_map(|at| {
            let next = items.partition_point(|it| it.end as usize <= at);
            let holds = items.get(next)?.start as usize <= at;
            holds.then_some(next as u32)
        })
        .collect();
    found.dedup();
    found
}

pub(super) struct Scanner<'a> {
    pub(super) src: &'a [u8],
    pub(super) out: FileScan,
    pub(super) conditionals: Vec<Conditional>,
    /// Of the item under way.
    pub(super) refs: Vec<Ref>,
    /// Of the item under way.
    pub(super) pairs: Vec<Pair>,
    /// Of the item under way.
    pub(super) calls: u32,
    /// Whether the function under way may return a function.
    pub(super) returns: bool,
    /// Where the next definition begins, after a bracket at top level that nothing closes.
    cut: Option<usize>,
    /// The functions that are declared without a body.
    declared: Vec<Sym>,
    /// Room for [`Head::groups`].
    groups: Vec<Group>,
}

/// A `word(…)` group in an item's head.
#[derive(Clone, Copy)]
struct Group {
    word: (usize, usize),
    open: usize,
    close: usize,
}

/// What has been read of an item before its `{`, `=` or `;`.
#[derive(Default)]
struct Head {
    start: usize,
    words: u32,
    /// How many of them say only how the thing is stored.
    storage: u32,
    last_word: (usize, usize),
    /// Words that are neither keywords of storage nor tags' keywords.
    plain: u32,
    groups: Vec<Group>,
    /// The name in `(*name)(…)`.
    pointer: Option<(usize, usize)>,
    tag: Sym,
    /// The struct without a tag whose body was read, by its place among the items.
    untagged: Option<usize>,
    /// Set between `struct`, `union` or `enum` and its body.
    compound: Option<(usize, usize)>,
    is_enum: bool,
    flags: u8,
    typedef: bool,
    depth: u32,
}

impl Item {
    pub(super) fn new(
        kind: ItemKind,
        name: Sym,
        (start, body, end): (usize, usize, usize),
        flags: u8,
    ) -> Self {
        Self {
            name,
            tag: Sym::NONE,
            start: start as u32,
            end: end as u32,
            body: body as u32,
            refs_end: 0,
            pairs_end: 0,
            head_hash: 0,
            rest_hash: 0,
            kind,
            flags,
        }
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn over(src: &'a [u8]) -> Self {
        Self::within(Room::default(), src)
    }
}

impl Scanner<'_> {
    fn sym(&self, (start, end): (usize, usize)) -> Sym {
        Sym::of(&self.src[start..end])
    }

    /// Stores an item with the refs and pairs gathered since the last one.
    pub(super) fn push_item(&mut self, mut item: Item) {
        self.refs.sort_unstable();
        self.refs.dedup();
        self.out.refs.append(&mut self.refs);
        self.out.pairs.append(&mut self.pairs);
        item.refs_end = self.out.refs.len() as u32;
        item.pairs_end = self.out.pairs.len() as u32;
        let bounds = [item.start, item.body, item.end].map(|it| (it as usize).min(self.src.len()));
        let hash = |from: usize, to: usize| {
            let text = self.src.get(from..to).unwrap_or_default();
            (FxBuildHasher.hash_one(text) >> 32) as u32
        };
        item.head_hash = hash(bounds[0], bounds[1]);
        item.rest_hash = hash(bounds[1], bounds[2]);
        self.out.items.push(item);
    }

    /// Reads one top-level item from `at`; returns where the next one starts, always beyond `at`.
    fn item(&mut self, at: usize) -> usize {
        self.refs.clear();
        self.pairs.clear();
        self.calls = 0;
        let at = self.skip_space(at);
        let mut head = Head {
            start: at,
            groups: std::mem::take(&mut self.groups),
            ..Head::default()
        };
        let next = self.item_of(&mut head, at);
        head.groups.clear();
        self.groups = head.groups;
        next
    }

    /// As [`Self::item`], of a head that begins at `at`.
    fn item_of(&mut self, head: &mut Head, mut at: usize) -> usize {
        while at < self.src.len() {
            let byte = self.src[at];
            if is_word(byte) {
                let end = self.word_end(at);
                if self.begins_next_item(head, at, end) || self.follows_use(head, at, end) {
                    self.macro_use(head, head.groups[0].close);
                    return at;
                }
                if self.follows_constant(head, at) {
                    return at;
                }
                self.head_word(head, at, end);
                at = self.skip_space(end);
                continue;
            }
            match byte {
                b'#' => {
                    if head.words == 0 {
                        return self.directive_between_items(at) + 1;
                    }
                    at = self.directive(at, &mut head.depth);
                }
                b'(' => at = self.head_group(head, at),
                b'[' => at = self.balanced(at, b'[', b']'),
                // What closes nothing ends whatever came before it.
                b'}' if self.is_column_0(at) => return at + 1,
                b'{' => match self.head_brace(head, at) {
                    (next, true) => return next,
                    (next, false) => at = next,
                },
                b'=' => return self.object(head, at),
                b';' => return self.head_end(head, at),
                b'"' | b'\'' => at = self.literal_end(at),
                _ => at += 1,
            }
            if let Some(next) = self.cut.take() {
                let line = memchr::memchr_iter(b'\n', &self.src[..head.start]).count() as u32 + 1;
                self.out.unclosed.get_or_insert(line);
                return next;
            }
            at = self.skip_space(at);
        }
        if head.words == 1 && head.groups.len() == 1 {
            self.macro_use(head, self.src.len());
        }
        self.src.len()
    }

    /// A macro use without semicolon ends where a declaration begins on a later line.
    fn begins_next_item(&self, head: &Head, at: usize, end: usize) -> bool {
        let [group] = head.groups[..] else {
            return false;
        };
        head.words == 1
            && head.flags == 0
            && head.pointer.is_none()
            && memchr::memchr(b'\n', &self.src[group.close..at]).is_some()
            && !words::is_annotation(&self.src[group.word.0..group.word.1])
            && (words::is_type_word(&self.src[at..end])
                || !words::is_annotation(&self.src[at..end]))
    }

    /// Macros without arguments may stand for declarations, each on a line of its own before a use of another macro.
    fn follows_constant(&self, head: &Head, at: usize) -> bool {
        let is_line = |(start, end)| self.is_column_0(start) && self.is_constant(start, end);
        let (start, end) = head.last_word;
        head.words > 0
            && head.groups.is_empty()
            && self.is_column_0(at)
            && self.is_constant(start, end)
            && self.is_constant(at, self.word_end(at))
            && self.byte(self.skip_space(self.word_end(at))) == b'('
            && (head.words == 1
                || head.words == head.plain
                    && is_line((start, end))
                    && is_line((head.start, self.word_end(head.start))))
    }

    /// Uses of macros may stand in a row, on one line and without semicolons.
    fn follows_use(&self, head: &Head, at: usize, end: usize) -> bool {
        let [group] = head.groups[..] else {
            return false;
        };
        head.words == 1
            && head.flags == 0
            && head.pointer.is_none()
            && self.is_constant(group.word.0, group.word.1)
            && self.is_constant(at, end)
            && self.byte(self.skip_space(end)) == b'('
    }

    /// Whether a word is spelled as constants and most macros are.
    fn is_constant(&self, start: usize, end: usize) -> bool {
        let word = &self.src[start..end];
        word.len() > 1 && !word.iter().any(u8::is_ascii_lowercase)
    }

    fn head_word(&mut self, head: &mut Head, start: usize, end: usize) {
        let word = &self.src[start..end];
        match word {
            b"static" => {
                head.flags |= flags::STATIC;
                head.storage += 1;
            }
            b"typedef" => head.typedef = true,
            b"struct" | b"union" | b"enum" => {
                head.compound = Some((start, start));
                head.is_enum = word == b"enum";
                head.words += 1;
                return;
            }
            b"const" | b"volatile" | b"extern" => {}
            b"__weak" => head.flags |= flags::WEAK,
            _ if words::is_inline(word) => head.flags |= flags::INLINE,
            _ => {
                if let Some(compound) = &mut head.compound
                    && compound.0 == compound.1
                    && !word.starts_with(b"__")
                {
                    *compound = (start, end);
                    head.tag = Sym::of(word);
                    head.last_word = (start, end);
                } else if !self.is_annotated(head, start, end) {
                    head.last_word = (start, end);
                }
                head.plain += 1;
            }
        }
        head.words += 1;
    }

    /// Whether a word says how what was named before it is stored: `struct example table __read_mostly = …`.
    fn is_annotated(&self, head: &Head, start: usize, end: usize) -> bool {
        let (from, to) = head.last_word;
        let is_open = self.byte(self.skip_space(end)) == b'(';
        // What a typedef ends with is its name: `typedef __u32 __bitwise __le32;`
        (!head.typedef || is_open)
            && head.plain >= 2
            && head.compound != Some((from, to))
            && self.src[start..end].starts_with(b"__")
            && !words::is_type_word(&self.src[from..to])
            && (!is_open || words::is_annotation(&self.src[start..end]))
    }

    fn head_group(&mut self, head: &mut Head, open: usize) -> usize {
        let close = self.balanced(open, b'(', b')');
        let inner = self.skip_space(open + 1);
        let word = head.last_word;
        let directly_behind = word.1 > word.0 && self.skip_space(word.1) == open;
        if self.byte(inner) == b'*'
            && head.pointer.is_none()
            && (!directly_behind || self.is_type_position(close))
        {
            let mut at = self.skip_space(inner + 1);
            while self.src[at.min(self.src.len())..].starts_with(b"const ") || self.byte(at) == b'*'
            {
                at = self.skip_space(at + if self.byte(at) == b'*' { 1 } else { 6 });
            }
            let end = self.word_end(at);
            let next = self.skip_space(end);
            if end > at && self.byte(next) == b'(' {
                // `int (*name(…))[4]`: a function that returns a pointer to an array or to a function.
                self.name_group(head, (at, end), close);
            } else if end > at {
                head.pointer = Some((at, end));
            }
        } else if directly_behind {
            let end = self.word_end(inner);
            let is_name = end > inner && self.skip_space(end) + 1 == close;
            if is_name
                && words::is_type_word(&self.src[word.0..word.1])
                && self.is_type_position(close)
            {
                // `int (name)(…)`: nobody's macro.
                self.name_group(head, (inner, end), close);
            } else {
                head.groups.push(Group { word, open, close });
            }
        }
        // A tag followed by a group is a return type.
        head.compound = head.compound.filter(|_| {
            self.byte(self.skip_space(close)) == b'{'
                && words::is_annotation(&self.src[word.0..word.1])
        });
        close
    }

    /// A function's name that stands in parentheses of its own, behind its type.
    fn name_group(&self, head: &mut Head, word: (usize, usize), close: usize) {
        let open = self.skip_space(word.1);
        head.words += 1;
        head.plain += 1;
        head.groups.push(Group { word, open, close });
    }

    /// `int (*name)(…)`, `int (*name)[4]`: the word before the parenthesis is a type if another bracket follows.
    fn is_type_position(&self, close: usize) -> bool {
        matches!(self.byte(self.skip_space(close)), b'(' | b'[')
    }

    /// One past the bracket that closes the one at `at`; names inside are gathered.
    ///
    /// Where a definition begins before that, [`Scanner::cut`] says so. A brace in column 0 closes the bracket:
    /// it is the body of what the bracket belongs to.
    fn balanced(&mut self, at: usize, open: u8, close: u8) -> usize {
        let mut reading = Reading {
            prev: open,
            ..Reading::default()
        };
        let mut depth = 1u32;
        let mut at = self.skip_space(at + 1);
        while at < self.src.len() {
            let byte = self.src[at];
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            } else if byte == b'#' && self.is_line_start(at) {
                let mut ignored = 0;
                at = self.directive(at, &mut ignored);
                at = self.skip_space(at);
                continue;
            } else if self.is_column_0(at) {
                if is_word(byte) && self.begins_definition(at, false) {
                    self.cut = Some(at);
                    return at;
                }
                if byte == b'{' && is_word(reading.prev_byte()) {
                    return at;
                }
            }
            at = self.token(at, &mut reading);
            at = self.skip_space(at);
        }
        self.src.len()
    }

    fn is_line_start(&self, at: usize) -> bool {
        self.src[..at]
            .iter()
            .rev()
            .find(|it| !matches!(it, b' ' | b'\t'))
            .is_none_or(|it| *it == b'\n')
    }

    /// Handles `{` in a head: `(next, true)` when the item ended there.
    fn head_brace(&mut self, head: &mut Head, open: usize) -> (usize, bool) {
        if let Some(compound) = head.compound.take() {
            self.refs.clear();
            self.pairs.clear();
            let name = if compound.1 > compound.0 {
                self.sym(compound)
            } else {
                Sym::NONE
            };
            let (close, _) = self.type_body(open);
            let bits = if head.is_enum { flags::ENUM } else { 0 };
            let item = Item::new(ItemKind::Type, name, (head.start, open, close), bits);
            self.push_item(item);
            let is_untagged = name == Sym::NONE && !head.is_enum && !head.typedef;
            head.untagged = is_untagged.then_some(self.out.items.len() - 1);
            if is_word(self.byte(close)) && self.is_column_0(close) {
                // A definition begins where the type should have ended.
                return (close, true);
            }
            head.words = 2;
            head.last_word = (close, close);
            return (close, false);
        }
        let Some(group) = self.function_group(head) else {
            let (close, _) = self.block(open);
            return (close, true);
        };
        self.refs.clear();
        self.pairs.clear();
        self.calls = 0;
        self.returns = super::given::may_return_function(&self.src[head.start..open]);
        let (close, balanced) = self.block(open);
        let returns = std::mem::take(&mut self.returns);
        let params = self.src.get(group.open + 1..group.close - 1);
        if let Some(params) = params {
            let body = &self.src[open..close];
            super::given::mark(params, body, &self.refs, &mut self.pairs);
        }
        let mut bits = head.flags;
        if head.words == 1 || self.is_macro_head(head, group) {
            bits |= flags::MACRO_HEAD;
        }
        if !balanced {
            bits |= flags::UNBALANCED;
        }
        if returns {
            bits |= flags::RETURNS;
        }
        self.out.call_sites += self.calls;
        let item = Item::new(
            ItemKind::Function,
            self.sym(group.word),
            (head.start, open, close),
            bits,
        );
        self.push_item(Item {
            tag: head.tag,
            ..item
        });
        (close, true)
    }

    /// Reads from `{` to its `}`; the flag says whether the braces were balanced.
    fn block(&mut self, open: usize) -> (usize, bool) {
        let mut reading = Reading {
            prev: b'{',
            ..Reading::default()
        };
        let (mut depth, mut at) = (1u32, self.skip_space(open + 1));
        // Braces inside that were opened in column 0: their ends stand there too.
        let mut flush = 0u32;
        let conditionals = self.conditionals.len();
        // An `#else` that belongs to an `#if` before the brace: the other arm may well begin with a head.
        let mut is_split = false;
        while at < self.src.len() {
            match self.src[at] {
                b'#' if self.is_line_start(at) => {
                    let before = self.conditionals.len();
                    at = self.directive_inside(at, &mut depth, &mut reading);
                    at = self.skip_space(at);
                    is_split |= before <= conditionals && self.conditionals.len() <= before;
                    continue;
                }
                byte if is_word(byte)
                    && !is_split
                    && self.is_column_0(at)
                    && self.begins_definition(at, true) =>
                {
                    return (at, false);
                }
                b'{' => {
                    depth += 1;
                    flush += u32::from(self.is_column_0(at));
                }
                b'}' => {
                    // In column 0 a brace closes the item whatever the `#if` arms did to the count.
                    let closes_item = self.is_column_0(at) && flush == 0 && !self.goes_on(at + 1);
                    flush -= u32::from(self.is_column_0(at) && flush > 0);
                    if depth <= 1 || closes_item {
                        self.conditionals
                            .truncate(conditionals.min(self.conditionals.len()));
                        return (at + 1, depth <= 1);
                    }
                    depth -= 1;
                }
                _ => {}
            }
            at = self.token(at, &mut reading);
            at = self.skip_space(at);
        }
        (self.src.len(), false)
    }

    /// Where the name begins that the pointer at `star` declares: `* const name`, `**name`.
    fn declared_name(&self, star: usize) -> usize {
        let mut at = star;
        loop {
            let end = self.word_end(at);
            let word = &self.src[at..end];
            at = match self.byte(at) {
                b'*' => self.skip_space(at + 1),
                _ if word == b"const" || word.starts_with(b"__") => self.skip_space(end),
                _ => return at,
            };
        }
    }

    /// Reads a type's body: the members that are pointers to functions, and the types inside it.
    fn type_body(&mut self, open: usize) -> (usize, bool) {
        let (mut depth, mut at) = (1u32, self.skip_space(open + 1));
        let mut inner: Vec<(usize, usize, usize, u32)> = Vec::new();
        let mut compound: Option<(usize, usize)> = None;
        while at < self.src.len() {
            match self.src[at] {
                b'#' if self.is_line_start(at) => {
                    at = self.directive(at, &mut depth);
                }
                b'{' => {
                    depth += 1;
                    if let Some((start, end)) = compound.take() {
                        inner.push((start, end, at, depth));
                    }
                    at += 1;
                }
                b'}' => {
                    let column_0 = at > 0 && self.src[at - 1] == b'\n';
                    if let Some(&(start, end, body, _)) = inner.last().filter(|it| it.3 == depth) {
                        inner.pop();
                        let refs = std::mem::take(&mut self.refs);
                        let name = self.sym((start, end));
                        self.push_item(Item::new(ItemKind::Type, name, (start, body, at + 1), 0));
                        self.refs = refs;
                    }
                    if depth <= 1 || column_0 {
                        return (at + 1, depth <= 1);
                    }
                    depth -= 1;
                    at += 1;
                }
                b'(' => {
                    let star = self.skip_space(at + 1);
                    if self.byte(star) == b'*' {
                        let name = self.declared_name(star);
                        let end = self.word_end(name);
                        if end > name {
                            self.refs
                                .push(Ref::new(RefKind::Declares, Sym::of(&self.src[name..end])));
                        }
                    }
                    at += 1;
                }
                b'"' | b'\'' => at = self.literal_end(at),
                b';' => {
                    compound = None;
                    at += 1;
                }
                byte if is_word(byte) => {
                    if self.is_column_0(at) && self.begins_definition(at, true) {
                        return (at, false);
                    }
                    let end = self.word_end(at);
                    match &self.src[at..end] {
                        b"struct" | b"union" => {
                            let tag = self.skip_space(end);
                            let tag_end = self.word_end(tag);
                            compound = (tag_end > tag).then_some((tag, tag_end));
                        }
                        _ => {}
                    }
                    at = end;
                }
                _ => at += 1,
            }
            at = self.skip_space(at);
        }
        (self.src.len(), false)
    }

    /// An object with an initialiser; `=` is at `at`.
    fn object(&mut self, head: &Head, equals: usize) -> usize {
        self.refs.clear();
        self.pairs.clear();
        let mut reading = Reading {
            prev: b'=',
            ..Reading::default()
        };
        let (mut depth, mut at) = (0u32, self.skip_space(equals + 1));
        let body = at;
        while at < self.src.len() {
            match self.src[at] {
                b'#' if self.is_line_start(at) => {
                    at = self.directive_inside(at, &mut depth, &mut reading);
                    at = self.skip_space(at);
                    continue;
                }
                b'{' | b'(' => depth += 1,
                b'}' if self.is_column_0(at) => {
                    depth = 0;
                    let next = self.skip_space(at + 1);
                    if is_word(self.byte(next)) && self.is_column_0(next) {
                        at += 1;
                        break;
                    }
                }
                b'}' | b')' => depth = depth.saturating_sub(1),
                byte if is_word(byte)
                    && self.is_column_0(at)
                    && self.begins_definition(at, false) =>
                {
                    break;
                }
                b'0'..=b'9' => {
                    at = self.numbers(at, &mut reading);
                    continue;
                }
                b';' if depth == 0 => {
                    at += 1;
                    break;
                }
                _ => {}
            }
            at = self.token(at, &mut reading);
            at = self.skip_space(at);
        }
        self.push_object(head, body, at);
        at
    }

    fn push_object(&mut self, head: &Head, body: usize, end: usize) {
        let made = self.object_in_group(head);
        let word = made.map_or_else(|| head.pointer.unwrap_or(head.last_word), |it| it.0);
        if word.1 <= word.0 {
            return;
        }
        let bits = head.flags
            | if head.pointer.is_some() {
                flags::POINTER
            } else {
                0
            };
        let name = self.sym(word);
        let item = Item::new(ItemKind::Object, name, (head.start, body, end), bits);
        let of = head.untagged.and_then(|it| self.out.items.get_mut(it));
        let tag = of.map_or(head.tag, |it| {
            it.name = it.untagged_name(name);
            it.name
        });
        let tag = made.map_or(tag, |it| it.1);
        self.push_item(Item { tag, ..item });
    }

    /// `;` at top level: a declaration of some kind.
    fn head_end(&mut self, head: &Head, at: usize) -> usize {
        let end = at + 1;
        if head.typedef {
            let word = head.pointer.unwrap_or_else(|| {
                head.groups.first().map_or(head.last_word, |it| {
                    if head.last_word == it.word {
                        it.word
                    } else {
                        head.last_word
                    }
                })
            });
            if word.1 > word.0 {
                self.refs.clear();
                self.pairs.clear();
                let item = Item::new(
                    ItemKind::Typedef,
                    self.sym(word),
                    (head.start, at, end),
                    if head.pointer.is_some() {
                        flags::POINTER
                    } else {
                        0
                    },
                );
                self.push_item(Item {
                    tag: head.tag,
                    ..item
                });
            }
        } else if head.words == head.storage + 1 && head.groups.len() == 1 && head.pointer.is_none()
        {
            self.macro_use(head, end);
        } else if head
            .groups
            .iter()
            .all(|it| words::is_annotation(&self.src[it.word.0..it.word.1]))
            && (head.words >= 2 || head.pointer.is_some())
        {
            self.refs.clear();
            self.pairs.clear();
            self.push_object(head, at, end);
        } else if head.flags & flags::STATIC == 0
            && head.pointer.is_none()
            && let Some(group) = self.function_group(head)
        {
            self.declared.push(self.sym(group.word));
        }
        end
    }

    fn macro_use(&mut self, head: &Head, end: usize) {
        let group = head.groups[0];
        let item = Item::new(
            ItemKind::MacroUse,
            self.sym(group.word),
            (head.start, group.open, end),
            head.flags,
        );
        self.push_item(item);
    }
}

// `ARROW` is part of what `Reading::prev` may hold; the top level never sees one.
const _: u8 = ARROW;

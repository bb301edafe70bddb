//! Makes kernel C readable for the grammar without moving a byte: annotations, preprocessor lines,
//! iterator macros and types as macro arguments become what the grammar knows, of the same length.

use super::directives::blank_directives;
use crate::lex::{is_word_byte as is_word, space_length, word_length, words};

/// Returns the text with everything that breaks the grammar overwritten in place.
///
/// Every byte keeps its offset; newlines stay. `#if` arms are kept where each is whole statements, else
/// only the first.
pub(crate) fn clean(text: &[u8]) -> Vec<u8> {
    clean_arm(text, 0).0
}

/// As [`clean`], where the `read`-th arms are read instead, and as how many these are.
pub(crate) fn clean_arm(text: &[u8], read: usize) -> (Vec<u8>, usize) {
    let mut out = text.to_vec();
    blank_comments(&mut out);
    let arms = blank_directives(&mut out, read);
    Cleaner { out: &mut out }.run();
    (out, arms)
}

pub(super) fn blank(out: &mut [u8]) {
    for byte in out {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Comments become blanks, so that later passes see only code, strings and line ends.
fn blank_comments(out: &mut [u8]) {
    let mut at = 0;
    while let Some(hit) = memchr::memchr3(b'/', b'"', b'\'', &out[at..]).map(|it| at + it) {
        match out[hit] {
            b'/' if out.get(hit + 1) == Some(&b'*') => {
                let end = memchr::memmem::find(&out[hit + 2..], b"*/")
                    .map_or(out.len(), |it| hit + it + 4);
                blank(&mut out[hit..end]);
                at = end;
            }
            b'/' if out.get(hit + 1) == Some(&b'/') => {
                let end = memchr::memchr(b'\n', &out[hit..]).map_or(out.len(), |it| hit + it);
                blank(&mut out[hit..end]);
                at = end;
            }
            b'/' => at = hit + 1,
            quote => at = literal_end(out, hit, quote),
        }
    }
}

pub(super) fn literal_end(text: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// Annotation words without arguments that expand to nothing or to attributes.
#[expect(clippy::too_many_lines, reason = "a list of words")]
fn is_blank_word(word: &[u8]) -> bool {
    // Few words begin as these do.
    if !matches!(word.first(), Some(b'_' | b'n' | b'a')) {
        return false;
    }
    matches!(
        word,
        b"__user"
            | b"__kernel"
            | b"__iomem"
            | b"__rcu"
            | b"__force"
            | b"__percpu"
            | b"__nocast"
            | b"__safe"
            | b"__private"
            | b"__init"
            | b"__exit"
            | b"__initdata"
            | b"__exitdata"
            | b"__initconst"
            | b"__exitconst"
            | b"__devinit"
            | b"__net_init"
            | b"__net_exit"
            | b"__net_initdata"
            | b"__meminit"
            | b"__meminitdata"
            | b"__cpuinit"
            | b"__ref"
            | b"__refdata"
            | b"__init_or_module"
            | b"__initdata_or_module"
            | b"__initconst_or_module"
            | b"__ro_after_init"
            | b"__read_mostly"
            | b"__must_check"
            | b"__maybe_unused"
            | b"__always_unused"
            | b"__unused"
            | b"__used"
            | b"__cold"
            | b"__hot"
            | b"__weak"
            | b"__visible"
            | b"__noreturn"
            | b"noinline"
            | b"noinline_for_stack"
            | b"__pure"
            | b"__attribute_const__"
            | b"__const"
            | b"__malloc"
            | b"__packed"
            | b"__deprecated"
            | b"__sched"
            | b"__latent_entropy"
            | b"notrace"
            | b"noinstr"
            | b"asmlinkage"
            | b"__cacheline_aligned"
            | b"__kprobes"
            | b"____cacheline_aligned"
            | b"____cacheline_aligned_in_smp"
            | b"__cacheline_aligned_in_smp"
            | b"__lockfunc"
            | b"__page_aligned_data"
            | b"__page_aligned_bss"
            | b"__bitwise"
            | b"__flatten"
            | b"__no_sanitize_address"
            | b"__no_kcsan"
            | b"__no_kasan_or_inline"
            | b"__nokcsan"
            | b"__noendbr"
            | b"__gnu_inline"
            | b"__noscs"
            | b"__always_inline"
            | b"__designated_init"
            | b"__mayalias"
            | b"__ksym"
            | b"__kconfig"
            | b"__bpf_kfunc"
            | b"__irq_entry"
            | b"__softirq_entry"
            | b"__randomize_layout"
            | b"__no_randomize_layout"
            | b"__cpuidle"
            | b"__nonstring"
            | b"__counted"
            | b"__noclone"
            | b"__fix_address"
            | b"__compiletime_object"
            | b"__nostackprotector"
            | b"__no_stack_protector"
            | b"__noinitretpoline"
            | b"__uninitialized"
            | b"__signed__"
            | b"__stdcall"
            | b"__efiapi"
            | b"__fastcall"
            | b"__diagnose_as"
            | b"__hyp_text"
            | b"__section_init"
            | b"__ref_ok"
    )
}

struct Cleaner<'a> {
    out: &'a mut Vec<u8>,
}

impl Cleaner<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.out.get(at).copied().unwrap_or(0)
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while self.byte(at).is_ascii_whitespace() || self.byte(at) == b'\\' {
            at += 1;
        }
        at.min(self.out.len())
    }

    fn word_end(&self, at: usize) -> usize {
        at + word_length(self.out.get(at..).unwrap_or_default())
    }

    fn run(&mut self) {
        let (mut at, mut depth) = (0, 0u32);
        let (mut prev, mut parens) = (b';', 0u32);
        // Those that are open, each with whether a word stands before it.
        let mut open: Vec<(usize, bool)> = Vec::new();
        while at < self.out.len() {
            let byte = self.out[at];
            if byte.is_ascii_whitespace() {
                at += space_length(&self.out[at..]);
                continue;
            }
            if byte == b'"' || byte == b'\'' {
                at = literal_end(self.out, at, byte);
                prev = b'"';
                continue;
            }
            if is_word(byte) {
                let end = self.word_end(at);
                let statement = depth > 0
                    && parens == 0
                    && matches!(prev, b';' | b'{' | b'}' | b':' | b')' | b'e');
                if self.word(at, end, statement, depth > 0) {
                    // `else` and `do` are followed by statements.
                    let word = &self.out[at..end];
                    prev = if matches!(word, b"else" | b"do") {
                        b'e'
                    } else {
                        b'w'
                    };
                    if depth > 0
                        && matches!(
                            word,
                            b"struct"
                                | b"union"
                                | b"enum"
                                | b"unsigned"
                                | b"char"
                                | b"const"
                                | b"void"
                                | b"long"
                                | b"int"
                        )
                    {
                        let in_call = open
                            .last()
                            .is_some_and(|it| it.1 && !self.is_operator_before(it.0));
                        self.type_argument(at, in_call, prev_significant(self.out, at));
                    }
                }
                at = end;
                continue;
            }
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                b'(' => {
                    parens += 1;
                    open.push((at, prev == b'w'));
                }
                b')' => {
                    parens = parens.saturating_sub(1);
                    open.pop();
                }
                _ => {}
            }
            if matches!(byte, b'{' | b';') && depth > 0 && parens > 0 {
                // A statement expression: statements inside parentheses.
                prev = byte;
                at += 1;
                continue;
            }
            prev = byte;
            at += 1;
        }
    }

    /// `sizeof (`, `if (` …: the parenthesis does not hold macro arguments.
    fn is_operator_before(&self, open: usize) -> bool {
        let end = self.out[..open]
            .iter()
            .rposition(|it| !it.is_ascii_whitespace())
            .map_or(0, |it| it + 1);
        let start = self.out[..end]
            .iter()
            .rposition(|it| !is_word(*it))
            .map_or(0, |it| it + 1);
        words::is_control(&self.out[start..end])
    }

    /// Handles one word; false where it was blanked.
    fn word(&mut self, start: usize, end: usize, statement: bool, in_body: bool) -> bool {
        if is_blank_word(&self.out[start..end]) {
            blank(&mut self.out[start..end]);
            return false;
        }
        let open = self.skip_space(end);
        if self.byte(open) != b'(' {
            if !in_body && self.is_storage_macro(start, end, open) {
                blank(&mut self.out[start..end]);
                return false;
            }
            return !(statement && in_body && self.is_static_macro(start, end, open));
        }
        let word = &self.out[start..end];
        if statement && in_body && matches!(word, b"typeof" | b"__typeof__") {
            self.typeof_declaration(start, end, open);
            return true;
        }
        if words::is_annotation(word)
            && !matches!(
                word,
                b"__attribute__"
                    | b"asm"
                    | b"__asm__"
                    | b"typeof"
                    | b"__typeof__"
                    | b"static_assert"
                    | b"_Static_assert"
            )
        {
            let close = self.close(open);
            blank(&mut self.out[start..close]);
            return false;
        }
        if in_body && statement && !words::is_control(word) && end - start >= 5 {
            let close = self.close(open);
            let next = self.byte(self.skip_space(close));
            let is_iterator = memchr::memmem::find(word, b"for_each").is_some()
                || memchr::memmem::find(word, b"foreach").is_some();
            if next == b'{' || (is_iterator && next != b';') {
                self.out[start..start + 5].copy_from_slice(b"while");
                blank(&mut self.out[start + 5..end]);
                return true;
            }
        }
        if in_body && !words::is_control(&self.out[start..end]) {
            return self.macro_use(start, open, statement);
        }
        true
    }

    /// `typeof(value) name = …`: the grammar takes it for a call. What type it is, the value tells.
    fn typeof_declaration(&mut self, start: usize, end: usize, open: usize) {
        let close = self.close(open);
        let mut next = self.skip_space(close);
        while self.byte(next) == b'*' {
            next = self.skip_space(next + 1);
        }
        if is_word(self.byte(next)) {
            blank(&mut self.out[end..close]);
            self.out[start..end].fill(b' ');
            self.out[start..start + 3].copy_from_slice(b"int");
        }
    }

    /// `STATIC int name(…)`: a word before a type is a macro for how a function is stored.
    fn is_storage_macro(&self, start: usize, end: usize, next: usize) -> bool {
        let is_type = |word: &[u8]| {
            words::is_type_word(word)
                && !matches!(word, b"const" | b"volatile" | b"static" | b"extern")
                && !words::is_inline(word)
        };
        !words::is_type_word(&self.out[start..end]) && is_type(&self.out[next..self.word_end(next)])
    }

    /// `static DEFINE_X(…);` in a body: without the word it is a call. Blanks it where that is what stands here.
    fn is_static_macro(&mut self, start: usize, end: usize, next: usize) -> bool {
        if &self.out[start..end] != b"static" || !is_word(self.byte(next)) {
            return false;
        }
        let open = self.skip_space(self.word_end(next));
        let is_macro = self.byte(open) == b'('
            && !words::is_control(&self.out[next..self.word_end(next)])
            && self.byte(self.skip_space(self.close(open))) == b';';
        if is_macro {
            blank(&mut self.out[start..end]);
        }
        is_macro
    }

    /// What macros with arguments stand for that the grammar takes for something else: attributes of a local,
    /// statements without a semicolon, types. False where the use was blanked.
    fn macro_use(&mut self, start: usize, open: usize, statement: bool) -> bool {
        if !statement {
            // `char *name __free(kfree) = …`
            if !is_word(prev_significant(self.out, start)) || self.is_operator_before(start) {
                return true;
            }
            let end = self.out.len().min(open + words::MAX_ATTRIBUTE_BYTES);
            let close = memchr::memchr(b')', &self.out[open..end]).map_or(end, |it| open + it + 1);
            let next = self.skip_space(close);
            let is_attribute = self.byte(next) == b'=' && self.byte(next + 1) != b'=';
            if is_attribute {
                blank(&mut self.out[start..close]);
            }
            return !is_attribute;
        }
        let close = self.close(open);
        let next = self.skip_space(close);
        if !is_word(self.byte(next)) || next == close {
            return true;
        }
        let is_same_line = memchr::memchr(b'\n', &self.out[open..next]).is_none();
        let after = self.byte(self.skip_space(self.word_end(next)));
        if is_same_line && matches!(after, b'=' | b';' | b',' | b'[') {
            // `LIST_OF(struct box) boxes;`
            self.out[open..close].fill(b'_');
        } else {
            self.out[close] = b';';
        }
        true
    }

    fn close(&self, open: usize) -> usize {
        let (mut depth, mut at) = (0u32, open);
        while at < self.out.len() {
            match self.out[at] {
                b'"' | b'\'' => {
                    at = literal_end(self.out, at, self.out[at]);
                    continue;
                }
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        self.out.len()
    }

    /// `(p, struct foo *, m)`: a type among the arguments of a macro becomes one word.
    fn type_argument(&mut self, start: usize, in_call: bool, prev: u8) {
        if !in_call || !matches!(prev, b',' | b'(') {
            return;
        }
        let mut end = start;
        let mut last_word = start;
        loop {
            let next = self.skip_space(end);
            if is_word(self.byte(next)) {
                last_word = self.word_end(next);
                end = last_word;
            } else if self.byte(next) == b'*' {
                end = next + 1;
            } else {
                if !matches!(self.byte(next), b',' | b')') || (last_word == start) {
                    return;
                }
                break;
            }
        }
        if !self.out[start..last_word]
            .iter()
            .any(u8::is_ascii_whitespace)
        {
            self.out[start] = b'_';
        }
        for at in start..last_word {
            if self.out[at].is_ascii_whitespace() {
                self.out[at] = b'_';
            }
        }
        for at in start..end {
            if self.out[at] == b'*' {
                self.out[at] = if at < last_word { b'_' } else { b' ' };
            }
        }
    }
}

fn prev_significant(text: &[u8], at: usize) -> u8 {
    text[..at]
        .iter()
        .rev()
        .find(|it| !it.is_ascii_whitespace())
        .copied()
        .unwrap_or(0)
}

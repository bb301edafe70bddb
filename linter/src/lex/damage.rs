//! Where the next definition begins, whatever was left open before it.

use super::body::is_word;
use super::scan::Scanner;
use super::words;

/// The head of a definition is looked for in this many bytes.
const MAX_HEAD_BYTES: usize = 2048;

impl Scanner<'_> {
    pub(super) fn is_column_0(&self, at: usize) -> bool {
        at > 0 && self.src[at - 1] == b'\n'
    }

    /// Whether a definition begins here, at a line's first byte: two words at least, arguments or a value, a brace.
    ///
    /// Nothing inside of brackets, initialisers and bodies is written like that, so what was open is damaged.
    pub(super) fn begins_definition(&self, start: usize, functions_only: bool) -> bool {
        let end = self.src.len().min(start + MAX_HEAD_BYTES);
        let (mut at, mut words, mut has_group) = (start, 0u32, false);
        while at < end {
            let byte = self.src[at];
            if is_word(byte) {
                let word_end = self.word_end(at);
                let word = &self.src[at..word_end];
                if words::is_control(word) && !words::is_annotation(word) {
                    return false;
                }
                words += 1;
                at = word_end;
            } else if byte == b'(' {
                if words < 2 {
                    return false;
                }
                has_group = true;
                let Some(close) = self.plain_group(at, end) else {
                    return false;
                };
                at = close;
            } else if byte == b'{' {
                return words >= 2 && (has_group || !functions_only);
            } else if byte == b'=' {
                let value = self.skip_space(at + 1);
                return words >= 2
                    && !functions_only
                    && words::is_type_word(&self.src[start..self.word_end(start)])
                    && self.byte(value) == b'{';
            } else if matches!(byte, b'*' | b'[' | b']') {
                at += 1;
            } else {
                return false;
            }
            at = self.skip_space(at);
        }
        false
    }

    /// Whether a body goes on behind a brace in column 0 that is not its last by count: a label follows, another
    /// brace, or what is indented.
    pub(super) fn goes_on(&self, from: usize) -> bool {
        let at = self.skip_space(from);
        let byte = self.byte(at);
        if at >= self.src.len() || byte == b'#' || byte == b';' {
            return false;
        }
        if !self.is_column_0(at) || byte == b'}' {
            return self.src[from..at].contains(&b'\n');
        }
        let colon = self.skip_space(self.word_end(at));
        is_word(byte) && self.byte(colon) == b':'
    }

    /// One past the parenthesis that closes the one at `at`, where neither a statement nor a block lies between.
    fn plain_group(&self, at: usize, end: usize) -> Option<usize> {
        let (mut depth, mut at) = (0u32, at);
        while at < end {
            match self.src[at] {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                b';' | b'{' | b'}' | b'"' => return None,
                _ => {}
            }
            at = self.skip_space(at + 1);
        }
        None
    }
}

//! Plain text of a mail: wrapping, and making hostile characters visible.

use std::fmt::Write as _;

use super::header::is_invisible;

/// Column at which prose is wrapped; quoted diff never is.
pub const WRAP_COLUMNS: usize = 72;

/// Shows control characters as `^X` and invisible ones as `<U+XXXX>`, so that a terminal obeys none of them; tabs stay.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '\t' => out.push(it),
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                out.push('^');
                out.push(char::from((it as u8) ^ 0x40));
            }
            _ if it.is_control() || is_invisible(it) => {
                let _ = write!(out, "<U+{:04X}>", u32::from(it));
            }
            _ => out.push(it),
        }
    }
    out
}

/// Wraps prose at [`WRAP_COLUMNS`]; paragraphs are split by empty lines, lines that start with white space are kept as they are.
///
/// A word longer than a line stands alone on its line: ids and paths must stay in one piece.
pub fn wrap(prose: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut current = String::new();
    for line in prose.lines() {
        let line = visible(line.trim_end());
        let is_block = line.starts_with([' ', '\t']);
        if line.is_empty() || is_block {
            flush(&mut current, &mut lines);
            lines.push(line);
            continue;
        }
        for word in words(&line) {
            let width = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && width > WRAP_COLUMNS {
                flush(&mut current, &mut lines);
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
    }
    flush(&mut current, &mut lines);
    lines.join("\n")
}

/// Words between blanks; code in back quotes that fits a line is one word.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches(' ');
    while !rest.is_empty() {
        let code = rest
            .strip_prefix('`')
            .and_then(|it| it.find('`'))
            .map(|it| it + 2);
        let code = code.filter(|end| *end < WRAP_COLUMNS).unwrap_or(0);
        let end = rest[code..].find(' ').map_or(rest.len(), |it| it + code);
        words.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(' ');
    }
    words
}

fn flush(current: &mut String, lines: &mut Vec<String>) {
    if !current.is_empty() {
        lines.push(std::mem::take(current));
    }
}

/// A sentence: final stop added where none is, and a capital unless the first word is a name of the code.
pub fn sentence(text: &str) -> String {
    let text = text.trim();
    let first = text.split(' ').next().unwrap_or(text);
    let is_word = first.len() > 1 && first.bytes().all(|it| it.is_ascii_lowercase());
    let text = if is_word {
        format!("{}{}", text[..1].to_ascii_uppercase(), &text[1..])
    } else {
        text.to_owned()
    };
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) {
        text
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_sent() {
        assert_eq!(
            visible("a\u{1b}[31mb\u{202e}c\t\u{9b}"),
            "a^[[31mb<U+202E>c\t<U+009B>"
        );
    }

    #[test]
    fn prose_is_wrapped_and_blocks_are_kept() {
        let long = "word ".repeat(20);
        let wrapped = wrap(&format!("{long}\n\n    if (a) {{ {long} }}\nend"));
        let widths: Vec<usize> = wrapped.lines().map(|it| it.chars().count()).collect();
        assert_eq!(widths, [69, 29, 0, 115, 3]);
    }

    #[test]
    fn code_stays_on_one_line() {
        let prose = "Follow what btrfs_add_delayed_iput() does in its own inode.c: `if (atomic_add_unless(&x, -1, 1)) return;`, no more.";
        let wrapped = wrap(prose);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(
            lines,
            [
                "Follow what btrfs_add_delayed_iput() does in its own inode.c:",
                "`if (atomic_add_unless(&x, -1, 1)) return;`, no more.",
            ]
        );
    }
}

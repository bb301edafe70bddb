//! Bytes as they arrive, cut into lines and counted blocks. Never holds more than one piece of the bounded size.

/// A line that is longer than the protocol's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of more than {limit} bytes")]
pub(in crate::ingest) struct Overlong {
    limit: usize,
}

/// What has arrived and was not taken yet.
#[derive(Debug, Default)]
pub(in crate::ingest) struct LineBuffer {
    bytes: Vec<u8>,
    /// Bytes before this were taken.
    start: usize,
    /// No line ends before this.
    searched: usize,
}

impl LineBuffer {
    /// Adds what arrived.
    pub(in crate::ingest) fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 && self.start >= self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next line without its CR LF or LF; `None` while it has no end yet.
    ///
    /// # Errors
    ///
    /// [`Overlong`] as soon as more than `limit` bytes have no end.
    pub(in crate::ingest) fn line(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Overlong> {
        let found = memchr::memchr(b'\n', &self.bytes[self.searched..]);
        let Some(found) = found else {
            self.searched = self.bytes.len();
            return if self.bytes.len() - self.start > limit {
                Err(Overlong { limit })
            } else {
                Ok(None)
            };
        };
        let end = self.searched + found;
        let line = &self.bytes[self.start..end];
        if line.len() > limit {
            return Err(Overlong { limit });
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.start = end + 1;
        self.searched = self.start;
        Ok(Some(line))
    }

    /// Takes up to `count` bytes of those that are here.
    pub(in crate::ingest) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = self.bytes.len().min(from + count);
        self.searched = self.start;
        &self.bytes[from..self.start]
    }
}

#[cfg(test)]
mod tests {
    use super::LineBuffer;

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = b"one\r\ntwo\n\r\nthr\ree\r\nrest";
        for piece in 1..text.len() {
            let mut buffer = LineBuffer::default();
            let mut lines = Vec::new();
            for bytes in text.chunks(piece) {
                buffer.feed(bytes);
                while let Some(line) = buffer.line(10).expect("short lines") {
                    lines.push(String::from_utf8(line).expect("ASCII"));
                }
            }
            assert_eq!(lines, ["one", "two", "", "thr\ree"], "in pieces of {piece}");
            assert_eq!(buffer.take(100), b"rest");
        }
    }

    #[test]
    fn a_line_without_end_is_refused_at_the_bound() {
        let mut buffer = LineBuffer::default();
        buffer.feed(&[b'x'; 10]);
        assert_eq!(buffer.line(10), Ok(None));
        buffer.feed(b"x");
        assert!(buffer.line(10).is_err());
        let mut buffer = LineBuffer::default();
        buffer.feed(b"xxxxxxxxxxx\n");
        assert!(buffer.line(10).is_err());
    }

    #[test]
    fn counted_bytes_may_hold_line_ends() {
        let mut buffer = LineBuffer::default();
        buffer.feed(b"{4}\r\na\nb\n)\r\n");
        assert_eq!(buffer.line(9), Ok(Some(b"{4}".to_vec())));
        assert_eq!(buffer.take(4), b"a\nb\n");
        assert_eq!(buffer.line(9), Ok(Some(b")".to_vec())));
    }
}

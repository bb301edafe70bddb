//! mbox files and standard input, read piece by piece.
//!
//! The position is an offset and a hash of the file's beginning: a file that only grew is read from where the last
//! run ended, any other from its start; the store knows what it has.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::source::{MailSource, RawMail, RawStep, SourceError};

/// How much is read at once; a single mail may be larger.
const PIECE_BYTES: usize = 4 << 20;
/// What is longer than this without a `From ` line is no mail.
const MAX_PENDING_BYTES: usize = 96 << 20;
/// How much of the beginning tells one file from another.
const HEAD_BYTES: usize = 4096;

/// A mailbox opened at a position.
pub(super) struct Mbox {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    /// Bytes read that no step has given out yet.
    pending: Vec<u8>,
    /// Offset of `pending` in the input.
    offset: u64,
    /// The first bytes of the file; `None` for standard input, which has no position.
    head: Option<Vec<u8>>,
    is_at_end: bool,
}

impl Mbox {
    pub(super) fn open(path: &Path, position: Option<&str>) -> Result<Self, SourceError> {
        let cannot = |source| SourceError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(cannot)?;
        let size = file.metadata().map_err(cannot)?.len();
        let mut head = Vec::new();
        Read::by_ref(&mut file)
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .map_err(cannot)?;
        let offset = position
            .and_then(parse_position)
            .filter(|(at, hash)| *at <= size && head_hash(&head, *at) == *hash)
            .map_or(0, |(at, _)| at);
        file.seek(SeekFrom::Start(offset)).map_err(cannot)?;
        Ok(Self {
            path: path.to_owned(),
            input: Box::new(file),
            pending: Vec::new(),
            offset,
            head: Some(head),
            is_at_end: false,
        })
    }

    pub(super) fn stdin() -> Self {
        Self {
            path: "standard input".into(),
            input: Box::new(std::io::stdin()),
            pending: Vec::new(),
            offset: 0,
            head: None,
            is_at_end: false,
        }
    }

    fn fill(&mut self) -> Result<(), SourceError> {
        let count = Read::by_ref(&mut self.input)
            .take(PIECE_BYTES as u64)
            .read_to_end(&mut self.pending)
            .map_err(|source| SourceError::Read {
                path: self.path.clone(),
                source,
            })?;
        self.is_at_end = count < PIECE_BYTES;
        Ok(())
    }

    /// Cuts the whole mails off `pending`; at the end of the input the last one is whole, too.
    fn cut(&mut self) -> Result<RawStep, SourceError> {
        let mut step = RawStep::default();
        let split = lorelint_mail::mbox::split(&self.pending);
        let garbage = split.leading_garbage;
        let mut entries: Vec<_> = split.collect();
        let used = match entries.last() {
            Some(last) if !self.is_at_end => {
                let used = last.offset;
                entries.pop();
                used
            }
            None if !self.is_at_end && self.pending.len() < MAX_PENDING_BYTES => 0,
            _ => self.pending.len(),
        };
        if used > 0 && garbage > 0 {
            let leading = &self.pending[..garbage];
            if self.head.is_none() && entries.is_empty() && self.offset == 0 {
                // Standard input may be one bare mail.
                let mail = RawMail {
                    bytes: leading.to_vec(),
                    place: "0".to_owned(),
                    archived: None,
                };
                step.mails
                    .extend((!leading.trim_ascii().is_empty()).then_some(mail));
            } else if entries.is_empty() && self.offset == 0 {
                return Err(SourceError::NotOne {
                    path: self.path.clone(),
                    wanted: "mbox",
                    reason: "no line in it begins a mail (\"From ADDRESS DATE\")".to_owned(),
                });
            } else if !leading.trim_ascii().is_empty() {
                let reason = format!("{garbage} bytes that belong to no mail");
                step.unreadable.push((self.offset.to_string(), reason));
            }
        }
        step.mails.extend(entries.into_iter().map(|it| RawMail {
            place: (self.offset + it.offset as u64).to_string(),
            bytes: it.mail.into_owned(),
            archived: None,
        }));
        self.pending.drain(..used);
        self.offset += used as u64;
        step.position = self
            .head
            .as_ref()
            .map(|head| format!("{}:{}", self.offset, head_hash(head, self.offset)));
        Ok(step)
    }
}

impl MailSource for Mbox {
    fn next_step(&mut self, _limit: usize) -> Result<Option<RawStep>, SourceError> {
        if self.is_at_end {
            return Ok(None);
        }
        loop {
            self.fill()?;
            let before = self.offset;
            let step = self.cut()?;
            if self.offset > before || self.is_at_end {
                return Ok(Some(step));
            }
        }
    }
}

fn head_hash(head: &[u8], offset: u64) -> String {
    let known = usize::try_from(offset)
        .unwrap_or(HEAD_BYTES)
        .min(head.len());
    blake3::hash(&head[..known]).to_hex()[..16].to_owned()
}

fn parse_position(text: &str) -> Option<(u64, String)> {
    let (offset, hash) = text.split_once(':')?;
    Some((offset.parse().ok()?, hash.to_owned()))
}

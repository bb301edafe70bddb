//! The seam for sources of mail: each kind is one file and one arm of [`SourceSpec::open`].

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::net::{Access, ServerAddress};
use super::{imap, maildir, mbox, mirror, nntp, public_inbox};

/// One mail as its source has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMail {
    /// As it came; never changed on the way to the database.
    pub bytes: Vec<u8>,
    /// Where in the source it is, for a person.
    pub place: String,
    /// When the archive got it, in seconds since the epoch, where the source knows that.
    pub archived: Option<i64>,
}

/// Some mails and the position after them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawStep {
    /// Oldest first.
    pub mails: Vec<RawMail>,
    /// Mails that the source took back, as they were.
    pub removed: Vec<Vec<u8>>,
    /// Places and reasons of what cannot be read as bytes at all.
    pub unreadable: Vec<(String, String)>,
    /// Entries without a mail.
    pub skipped: u64,
    /// Where the next run goes on; `None` where the source has no position of its own.
    pub position: Option<String>,
}

/// A place that mails come from, opened at a position.
pub trait MailSource: Send {
    /// The next mails: about `limit`, fewer where they are large; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source itself cannot be read on; what was returned before stays good.
    fn next_step(&mut self, limit: usize) -> Result<Option<RawStep>, SourceError>;

    /// How many entries are still to come, where that is known.
    fn remaining(&self) -> Option<u64> {
        None
    }

    /// Waits at the end until there is more, at most `limit`; `false` when nothing came or the source cannot tell.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the source is gone.
    fn wait(&mut self, limit: Duration) -> Result<bool, SourceError> {
        let _ = limit;
        Ok(false)
    }
}

/// A larger mail is not read: no list carries such a mail.
pub(super) const MAX_MAIL_BYTES: usize = 64 << 20;
/// Bytes of mail in one step: bounds the memory of a run however large the mails are.
pub(super) const STEP_BYTES: usize = 4 << 20;

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The text names no kind of source.
    #[error(
        "unknown source {text:?}: use public-inbox:DIR or public-inbox:URL, mbox:FILE, maildir:DIR, \
         nntp[s]://HOST/GROUP, imap[s]://USER@HOST/FOLDER or - for standard input"
    )]
    Unknown {
        /// As it was given.
        text: String,
    },
    /// The text names a server, but wrongly.
    #[error("the source is no {scheme}://USER@HOST:PORT/FOLDER: {reason}")]
    Address {
        /// Such as `imap`.
        scheme: &'static str,
        /// What is wrong; never the address itself, for it may hold a password.
        reason: String,
    },
    /// A server does not give what it should.
    #[error("{server}: {doing}: {reason}")]
    Server {
        /// Host and port.
        server: String,
        /// What was tried.
        doing: String,
        /// What went wrong.
        reason: String,
    },
    /// Reading it broke the reader: one source must not stop the others.
    #[error("the reader failed on {name}; this is a bug of lorelint")]
    Broken {
        /// As [`SourceSpec`] is written.
        name: String,
    },
    /// A file or directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is of another kind.
    #[error("{path} is no {wanted}: {reason}")]
    NotOne {
        /// The file or directory.
        path: PathBuf,
        /// Such as `mbox`.
        wanted: &'static str,
        /// What was seen.
        reason: String,
    },
    /// A git repository of an archive cannot be read.
    #[error("cannot read the archive {path}: {reason}")]
    Git {
        /// The repository.
        path: PathBuf,
        /// What git says.
        reason: String,
    },
}

/// Which source, as written on the command line and in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// `public-inbox:DIR`: a v2 archive, or one bare repository of it.
    PublicInbox(PathBuf),
    /// `public-inbox:URL` with http, https or file: mirrored by `git` beside the database.
    Remote(String),
    /// `mbox:FILE`
    Mbox(PathBuf),
    /// `maildir:DIR`
    Maildir(PathBuf),
    /// `nntp://HOST/GROUP` or `nntps://HOST/GROUP`
    Nntp(ServerAddress),
    /// `imap://USER@HOST/FOLDER` or `imaps://USER@HOST/FOLDER`
    Imap(ServerAddress),
    /// `-`: an mbox or one mail on standard input.
    Stdin,
}

impl SourceSpec {
    /// Reads the text form.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unknown`] for any other text, [`SourceError::Address`] for a server that is written wrongly.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let unknown = || SourceError::Unknown {
            text: text.to_owned(),
        };
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(unknown)?;
        if rest.is_empty() {
            return Err(unknown());
        }
        match kind {
            "public-inbox" if is_url(rest) => Ok(Self::Remote(rest.to_owned())),
            "public-inbox" => Ok(Self::PublicInbox(rest.into())),
            "mbox" => Ok(Self::Mbox(rest.into())),
            "maildir" => Ok(Self::Maildir(rest.into())),
            "nntp" | "nntps" => ServerAddress::parse(text, ("nntp", 119), ("nntps", 563))
                .map(Self::Nntp)
                .map_err(|reason| SourceError::Address {
                    scheme: "nntp",
                    reason,
                }),
            "imap" | "imaps" => ServerAddress::parse(text, ("imap", 143), ("imaps", 993))
                .map(Self::Imap)
                .map_err(|reason| SourceError::Address {
                    scheme: "imap",
                    reason,
                }),
            _ => Err(unknown()),
        }
    }

    /// Opens the source where an earlier run ended; from the start where there was none or where it changed since.
    /// Archives of other machines are kept in `mirrors`.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when there is nothing to read.
    pub(super) fn open(
        &self,
        position: Option<&str>,
        (mirrors, access): (&Path, &Access),
    ) -> Result<Box<dyn MailSource>, SourceError> {
        Ok(match self {
            Self::Remote(url) => {
                let path = mirror::sync(url, mirrors, access)?;
                Box::new(public_inbox::PublicInbox::open(&path, position)?)
            }
            Self::PublicInbox(path) => Box::new(public_inbox::PublicInbox::open(path, position)?),
            Self::Mbox(path) => Box::new(mbox::Mbox::open(path, position)?),
            Self::Maildir(path) => Box::new(maildir::Maildir::open(path)?),
            Self::Nntp(address) => Box::new(nntp::Nntp::open(address, access, position)?),
            Self::Imap(address) => Box::new(imap::Imap::open(address, access, position)?),
            Self::Stdin => Box::new(mbox::Mbox::stdin()),
        })
    }
}

impl SourceSpec {
    /// Whether more may come in later than a run finds.
    pub fn can_grow(&self) -> bool {
        !matches!(self, Self::Mbox(_) | Self::Stdin)
    }
}

fn is_url(text: &str) -> bool {
    let known = ["http://", "https://", "file://"]
        .iter()
        .any(|it| text.starts_with(it));
    known && !text.contains(|it: char| it.is_whitespace() || it.is_control())
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublicInbox(path) => write!(formatter, "public-inbox:{}", path.display()),
            Self::Remote(url) => write!(formatter, "public-inbox:{url}"),
            Self::Mbox(path) => write!(formatter, "mbox:{}", path.display()),
            Self::Maildir(path) => write!(formatter, "maildir:{}", path.display()),
            Self::Nntp(address) | Self::Imap(address) => address.fmt(formatter),
            Self::Stdin => formatter.write_str("-"),
        }
    }
}

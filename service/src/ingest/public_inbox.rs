//! public-inbox v2 archives on this machine: `git/N.git`, one commit a mail, the mail in the file `m`.
//!
//! The position is the last commit read of each epoch. A purge rewrites history: the last commit is no ancestor any
//! more, so the whole epoch is read again, and the store knows the mails by their content.
//! Source: public-inbox-v2-format(5).

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::source::{MailSource, RawMail, RawStep, STEP_BYTES, SourceError};

/// A larger blob is not read: no list carries such a mail.
const MAX_BLOB_BYTES: u64 = 64 << 20;
/// Commits of one epoch; public-inbox starts a new epoch at about 1 GiB, long before this.
const MAX_COMMITS: usize = 20_000_000;

/// A repository is opened anew after this many bytes or commits: it maps its packs, and what was read once of a mapped
/// pack stays in memory until then. An epoch may have a pack of 1 GiB.
const REOPEN_BYTES: usize = 64 << 20;
const REOPEN_COMMITS: usize = 100_000;

/// An archive opened at a position.
pub(super) struct PublicInbox {
    epochs: VecDeque<Epoch>,
    /// Epoch number to the last commit read.
    seen: BTreeMap<u32, String>,
    current: Option<Open>,
}

struct Epoch {
    number: u32,
    path: PathBuf,
    /// About how many mails are to be read of it; exact when it is opened.
    about: u64,
}

struct Open {
    number: u32,
    path: PathBuf,
    repo: gix::Repository,
    /// Newest first: the oldest is taken from the end.
    commits: Vec<gix::ObjectId>,
    /// Bytes of mail since `repo` was opened.
    read_bytes: usize,
}

enum Entry {
    Mail(RawMail),
    Removed(Vec<u8>),
    Unreadable(String, String),
    Nothing,
}

impl PublicInbox {
    pub(super) fn open(path: &Path, position: Option<&str>) -> Result<Self, SourceError> {
        let mut epochs = epochs(path)?;
        let seen = parse_position(position.unwrap_or_default());
        for epoch in &mut epochs {
            epoch.about = about(epoch, seen.get(&epoch.number));
        }
        Ok(Self {
            epochs,
            seen,
            current: None,
        })
    }

    /// Makes `current` an epoch with something to read; `false` at the end.
    fn advance(&mut self) -> Result<bool, SourceError> {
        loop {
            if self
                .current
                .as_ref()
                .is_some_and(|it| !it.commits.is_empty())
            {
                return Ok(true);
            }
            let Some(epoch) = self.epochs.pop_front() else {
                return Ok(false);
            };
            let last = self
                .seen
                .get(&epoch.number)
                .and_then(|it| gix::ObjectId::from_hex(it.as_bytes()).ok());
            self.current = Some(Open::new(epoch, last)?);
        }
    }
}

impl MailSource for PublicInbox {
    fn next_step(&mut self, limit: usize) -> Result<Option<RawStep>, SourceError> {
        if !self.advance()? {
            return Ok(None);
        }
        let Some(open) = &mut self.current else {
            return Ok(None);
        };
        let mut step = RawStep::default();
        let (mut count, mut size) = (0, 0);
        while count < limit && size < STEP_BYTES {
            let Some(commit) = open.commits.pop() else {
                break;
            };
            count += 1;
            match open.entry(commit)? {
                Entry::Mail(mail) => {
                    size += mail.bytes.len();
                    step.mails.push(mail);
                }
                Entry::Removed(bytes) => {
                    size += bytes.len();
                    step.removed.push(bytes);
                }
                Entry::Unreadable(place, reason) => step.unreadable.push((place, reason)),
                Entry::Nothing => step.skipped += 1,
            }
            if open.commits.is_empty() || count == limit || size >= STEP_BYTES {
                self.seen.insert(open.number, commit.to_string());
            }
        }
        open.read_bytes += size;
        if open.read_bytes >= REOPEN_BYTES {
            open.reopen()?;
        }
        step.position = Some(format_position(&self.seen));
        Ok(Some(step))
    }

    fn remaining(&self) -> Option<u64> {
        let later: u64 = self.epochs.iter().map(|it| it.about).sum();
        self.current
            .as_ref()
            .map(|it| it.commits.len() as u64 + later)
    }
}

impl Open {
    fn new(epoch: Epoch, last: Option<gix::ObjectId>) -> Result<Self, SourceError> {
        let cannot = |reason: String| SourceError::Git {
            path: epoch.path.clone(),
            reason,
        };
        let mut repo = open_repository(&epoch.path)?;
        let mut commits = Vec::new();
        // An epoch that was made but got no mail yet has no branch.
        let head = repo.head().map_err(|it| cannot(it.to_string()))?;
        let mut next = if head.is_unborn() {
            None
        } else {
            Some(
                repo.head_id()
                    .map_err(|it| cannot(it.to_string()))?
                    .detach(),
            )
        };
        while let Some(id) = next {
            if Some(id) == last {
                break;
            }
            if commits.len() >= MAX_COMMITS {
                return Err(cannot(format!("more than {MAX_COMMITS} commits")));
            }
            commits.push(id);
            if commits.len() % REOPEN_COMMITS == 0 {
                repo = open_repository(&epoch.path)?;
            }
            let commit = repo.find_commit(id).map_err(|it| cannot(it.to_string()))?;
            next = commit.parent_ids().next().map(gix::Id::detach);
        }
        Ok(Self {
            number: epoch.number,
            path: epoch.path,
            repo,
            commits,
            read_bytes: 0,
        })
    }

    fn reopen(&mut self) -> Result<(), SourceError> {
        self.repo = open_repository(&self.path)?;
        self.read_bytes = 0;
        Ok(())
    }

    fn entry(&self, id: gix::ObjectId) -> Result<Entry, SourceError> {
        let cannot = |reason: String| SourceError::Git {
            path: self.path.clone(),
            reason,
        };
        let place = format!("{}:{id}", self.number);
        let commit = self
            .repo
            .find_commit(id)
            .map_err(|it| cannot(it.to_string()))?;
        let archived = commit.time().ok().map(|it| it.seconds);
        let tree = commit.tree().map_err(|it| cannot(it.to_string()))?;
        let mail = tree.find_entry("m").map(|it| it.object_id());
        let removed = tree.find_entry("d").map(|it| it.object_id());
        let Some(blob) = mail.or(removed) else {
            return Ok(Entry::Nothing);
        };
        let header = match self.repo.find_header(blob) {
            Ok(header) => header,
            Err(error) => return Ok(Entry::Unreadable(place, error.to_string())),
        };
        if header.size() > MAX_BLOB_BYTES {
            let reason = format!("{} bytes are more than {MAX_BLOB_BYTES}", header.size());
            return Ok(Entry::Unreadable(place, reason));
        }
        let bytes = match self.repo.find_object(blob) {
            Ok(object) => object.detach().data,
            Err(error) => return Ok(Entry::Unreadable(place, error.to_string())),
        };
        // A purged mail stays as a commit with an empty file.
        if bytes.is_empty() {
            return Ok(Entry::Nothing);
        }
        if mail.is_none() {
            return Ok(Entry::Removed(bytes));
        }
        Ok(Entry::Mail(RawMail {
            bytes,
            place,
            archived,
        }))
    }
}

fn open_repository(path: &Path) -> Result<gix::Repository, SourceError> {
    let mut repo =
        gix::open_opts(path, gix::open::Options::isolated()).map_err(|it| SourceError::Git {
            path: path.to_owned(),
            reason: it.to_string(),
        })?;
    repo.object_cache_size_if_unset(4 << 20);
    Ok(repo)
}

/// The epochs of an archive, oldest first; a bare repository is an archive of one epoch.
fn epochs(path: &Path) -> Result<VecDeque<Epoch>, SourceError> {
    let not_one = |reason: String| SourceError::NotOne {
        path: path.to_owned(),
        wanted: "public-inbox archive",
        reason,
    };
    let folder = path.join("git");
    if !folder.is_dir() {
        if path.join("objects").is_dir() {
            let number = path
                .file_stem()
                .and_then(|it| it.to_str())
                .and_then(|it| it.parse().ok())
                .unwrap_or(0);
            return Ok(VecDeque::from([Epoch {
                number,
                path: path.to_owned(),
                about: 0,
            }]));
        }
        return Err(not_one("there is no git/0.git in it".to_owned()));
    }
    let cannot = |source| SourceError::Read {
        path: folder.clone(),
        source,
    };
    let mut epochs = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let number = path
            .file_name()
            .and_then(|it| it.to_str())
            .and_then(|it| it.strip_suffix(".git"))
            .and_then(|it| it.parse::<u32>().ok());
        if let Some(number) = number {
            epochs.insert(number, path);
        }
    }
    if epochs.is_empty() {
        return Err(not_one("there is no N.git in its directory git".to_owned()));
    }
    Ok(epochs
        .into_iter()
        .map(|(number, path)| Epoch {
            number,
            path,
            about: 0,
        })
        .collect())
}

/// Mails to be read of an epoch whose history is not known yet: a mail is a commit, a tree and a blob.
///
/// What cannot be read counts for nothing here, and is named when the epoch's turn comes.
fn about(epoch: &Epoch, last: Option<&String>) -> u64 {
    let Ok(repo) = open_repository(&epoch.path) else {
        return 0;
    };
    let head = repo.head_id().ok().map(|it| it.to_string());
    if head.is_none() || head.as_ref() == last {
        return 0;
    }
    repo.objects.packed_object_count().unwrap_or(0) / 3
}

/// `0=COMMIT 1=COMMIT`; what cannot be read counts as not seen.
fn parse_position(text: &str) -> BTreeMap<u32, String> {
    text.split(' ')
        .filter_map(|it| it.split_once('='))
        .filter_map(|(number, commit)| Some((number.parse().ok()?, commit.to_owned())))
        .collect()
}

fn format_position(seen: &BTreeMap<u32, String>) -> String {
    let mut text = String::new();
    for (number, commit) in seen {
        let space = if text.is_empty() { "" } else { " " };
        write!(text, "{space}{number}={commit}").expect("writing to a string never fails");
    }
    text
}

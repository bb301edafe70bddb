//! Folders on a mail server: `imap://user@host/folder` and `imaps://user@host/folder`, opened for reading only.
//!
//! The position is `UIDVALIDITY:UID` of the last mail. Another UIDVALIDITY means that the server gave new numbers: the
//! folder is read from its start, and the store knows what it has. Mails are counted by place, because UIDs may have
//! gaps of any size.

mod core;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use self::core::{Fetched, read_date, to_lf};
use self::session::Session;
use super::net::{Access, ServerAddress, WireError};
use super::source::{MAX_MAIL_BYTES, MailSource, RawMail, RawStep, STEP_BYTES, SourceError};

/// Mails whose sizes are asked for at once.
const WINDOW: u64 = 500;

/// A folder, read from a UID on.
pub(super) struct Imap {
    address: ServerAddress,
    session: Session,
    /// The last UID that was read.
    last: u64,
    /// The place of the first mail that was not looked at.
    next: u64,
}

impl Imap {
    pub(super) fn open(
        address: &ServerAddress,
        access: &Access,
        position: Option<&str>,
    ) -> Result<Self, SourceError> {
        let session = Session::open(address, access)
            .map_err(|error| failed(address, "opening the folder", &error))?;
        let last = position
            .and_then(|it| it.split_once(':'))
            .filter(|it| it.0.parse() == Ok(session.uid_validity))
            .and_then(|it| it.1.parse().ok())
            .unwrap_or(0);
        let mut source = Self {
            address: address.clone(),
            session,
            last,
            next: 1,
        };
        source.next = source
            .place_after_last()
            .map_err(|error| failed(address, "looking for the last mail read", &error))?;
        Ok(source)
    }

    /// The first place whose UID is after the last one read: places are in the order of UIDs.
    fn place_after_last(&mut self) -> Result<u64, WireError> {
        let (mut low, mut high) = (1, self.session.exists + 1);
        if self.last == 0 {
            return Ok(low);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            let answer = self.session.fetch(false, (middle, middle), "UID")?;
            let uid = answer.iter().find(|it| it.sequence == middle);
            match uid.and_then(|it| it.uid) {
                Some(uid) if uid <= self.last => low = middle + 1,
                Some(_) => high = middle,
                // A server that does not know its own places: everything is asked for.
                None => return Ok(1),
            }
        }
        Ok(low)
    }

    /// Places of mails that were deleted meanwhile move the later ones forward.
    fn follow_deletions(&mut self) {
        for place in std::mem::take(&mut self.session.expunged) {
            if place < self.next {
                self.next -= 1;
            }
        }
    }

    fn read(&mut self, limit: usize) -> Result<RawStep, WireError> {
        let count = WINDOW.min(limit as u64).max(1);
        let end = self.session.exists.min(self.next.saturating_add(count - 1));
        let answers = self
            .session
            .fetch(false, (self.next, end), "UID RFC822.SIZE")?;
        // A server may tell of other mails unasked, and in any order.
        let sizes: BTreeMap<u64, u64> = answers
            .iter()
            .filter(|it| (self.next..=end).contains(&it.sequence))
            .filter_map(|it| Some((it.uid.filter(|uid| *uid > self.last)?, it.size?)))
            .collect();
        let mut step = RawStep::default();
        let (mut wanted, mut total) = (Vec::new(), 0_u64);
        let mut taken = 0;
        for (uid, size) in &sizes {
            if *size > MAX_MAIL_BYTES as u64 {
                let reason = format!("{size} bytes are more than {MAX_MAIL_BYTES}");
                step.unreadable.push((uid.to_string(), reason));
            } else if total > 0 && total + size > STEP_BYTES as u64 {
                break;
            } else {
                total += size;
                wanted.push(*uid);
            }
            taken += 1;
            self.last = *uid;
        }
        // All of the window but the rest of `sizes` is done with; a server that answers nonsense still ends.
        self.next = (end + 1)
            .saturating_sub(sizes.len() as u64 - taken)
            .max(self.next + 1);
        if let (Some(first), Some(last)) = (wanted.first(), wanted.last()) {
            let items = "UID INTERNALDATE BODY.PEEK[]";
            let mut found: BTreeMap<u64, Fetched> = BTreeMap::new();
            for it in self.session.fetch(true, (*first, *last), items)? {
                found.extend(it.uid.filter(|_| it.body.is_some()).map(|uid| (uid, it)));
            }
            for uid in wanted {
                match found.remove(&uid) {
                    Some(it) => step.mails.push(mail(uid, it)),
                    // Deleted between the two commands.
                    None => step.skipped += 1,
                }
            }
        }
        step.position = Some(format!("{}:{}", self.session.uid_validity, self.last));
        self.follow_deletions();
        Ok(step)
    }
}

fn mail(uid: u64, fetched: Fetched) -> RawMail {
    RawMail {
        bytes: to_lf(&fetched.body.unwrap_or_default()),
        place: uid.to_string(),
        archived: fetched.date.as_deref().and_then(read_date),
    }
}

impl MailSource for Imap {
    fn next_step(&mut self, limit: usize) -> Result<Option<RawStep>, SourceError> {
        if self.next > self.session.exists {
            return Ok(None);
        }
        let before = self.last;
        self.read(limit).map(Some).map_err(|error| {
            let doing = format!("reading after UID {before}");
            failed(&self.address, &doing, &error)
        })
    }

    fn remaining(&self) -> Option<u64> {
        Some((self.session.exists + 1).saturating_sub(self.next))
    }

    fn wait(&mut self, limit: Duration) -> Result<bool, SourceError> {
        if !self.session.can("IDLE") {
            return Ok(false);
        }
        let waited = self
            .session
            .poll()
            .and_then(|()| {
                self.follow_deletions();
                Ok(self.next <= self.session.exists || self.session.idle(limit)?)
            })
            .map_err(|error| failed(&self.address, "waiting for new mail", &error))?;
        self.follow_deletions();
        Ok(waited)
    }
}

fn failed(address: &ServerAddress, doing: &str, error: &WireError) -> SourceError {
    SourceError::Server {
        server: address.server(),
        doing: doing.to_owned(),
        reason: error.to_string(),
    }
}

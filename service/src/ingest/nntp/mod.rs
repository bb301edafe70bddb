//! News servers, as public-inbox-nntpd is one: `nntp://host/group` and `nntps://host/group`.
//!
//! The position is the last article number that was asked for. A group whose numbers end before it was made anew and
//! is read from its start; the store knows what it has.

mod core;

use std::collections::VecDeque;
use std::fmt::Write as _;

use self::core::{Article, Group, Line, MAX_LINE_BYTES, MAX_STATUS_BYTES, Status};
use super::net::{Access, ServerAddress, Wire, WireError};
use super::source::{MAX_MAIL_BYTES, MailSource, RawMail, RawStep, STEP_BYTES, SourceError};

/// Articles asked for at once, so that a far server is not waited for once an article.
const PIPELINE: usize = 50;

/// A group, read from a number on.
pub(super) struct Nntp {
    address: ServerAddress,
    access: Access,
    wire: Option<Wire>,
    /// Asked for and not answered yet.
    pending: VecDeque<u64>,
    /// The first number that was not asked for.
    next: u64,
    high: u64,
}

enum Fetched {
    Mail(Vec<u8>),
    Missing,
    TooLarge,
}

impl Nntp {
    pub(super) fn open(
        address: &ServerAddress,
        access: &Access,
        position: Option<&str>,
    ) -> Result<Self, SourceError> {
        let mut source = Self {
            address: address.clone(),
            access: access.clone(),
            wire: None,
            pending: VecDeque::new(),
            next: 0,
            high: 0,
        };
        let group = source.connect()?;
        let last: u64 = position.and_then(|it| it.parse().ok()).unwrap_or(0);
        source.next = if last > group.high {
            group.low
        } else {
            group.low.max(last.saturating_add(1))
        };
        source.high = group.high;
        Ok(source)
    }

    fn connect(&mut self) -> Result<Group, SourceError> {
        self.pending.clear();
        let (wire, group) = greet(&self.address, &self.access)
            .map_err(|error| failed(&self.address, "opening the group", &error))?;
        self.wire = Some(wire);
        Ok(group)
    }

    /// Asks for as many articles as may be on their way at once.
    fn ask(&mut self, wire: &mut Wire, room: usize) -> Result<(), WireError> {
        let mut commands = String::new();
        while self.pending.len() < PIPELINE.min(room) && self.next <= self.high {
            write!(commands, "ARTICLE {}\r\n", self.next).expect("writing to a string never fails");
            self.pending.push_back(self.next);
            self.next += 1;
        }
        if commands.is_empty() {
            return Ok(());
        }
        wire.send(commands.as_bytes())
    }

    /// Reads answers until the step is full. What came before an error stays in `step`.
    fn read(
        &mut self,
        wire: &mut Wire,
        limit: usize,
        step: &mut RawStep,
    ) -> Result<bool, WireError> {
        let (mut count, mut size) = (0, 0);
        while count < limit && size < STEP_BYTES {
            // Half a pipeline is let run dry, so that commands leave in groups.
            if self.pending.len() <= PIPELINE / 2 {
                self.ask(wire, limit - count)?;
            }
            let Some(number) = self.pending.front().copied() else {
                break;
            };
            let fetched = fetch(wire)?;
            self.pending.pop_front();
            count += 1;
            step.position = Some(number.to_string());
            match fetched {
                Fetched::Mail(bytes) => {
                    size += bytes.len();
                    step.mails.push(RawMail {
                        bytes,
                        place: number.to_string(),
                        archived: None,
                    });
                }
                Fetched::Missing => step.skipped += 1,
                Fetched::TooLarge => {
                    let reason = format!("more than {MAX_MAIL_BYTES} bytes");
                    step.unreadable.push((number.to_string(), reason));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl MailSource for Nntp {
    fn next_step(&mut self, limit: usize) -> Result<Option<RawStep>, SourceError> {
        if self.pending.is_empty() && self.next > self.high {
            return Ok(None);
        }
        if self.wire.is_none() {
            // The rest of an article that was too large is not worth reading: a new connection is quicker.
            self.next = self.pending.front().copied().unwrap_or(self.next);
            self.connect()?;
        }
        let Some(mut wire) = self.wire.take() else {
            return Ok(None);
        };
        let mut step = RawStep::default();
        match self.read(&mut wire, limit, &mut step) {
            Ok(true) => self.wire = Some(wire),
            Ok(false) => {}
            // What has come is good; the next step meets the error again if it stays.
            Err(_) if step.position.is_some() => {}
            Err(error) => {
                let number = self.pending.front().copied().unwrap_or(self.next);
                let doing = format!("reading article {number}");
                return Err(failed(&self.address, &doing, &error));
            }
        }
        Ok(Some(step))
    }

    fn remaining(&self) -> Option<u64> {
        let next = self.pending.front().copied().unwrap_or(self.next);
        Some((self.high + 1).saturating_sub(next))
    }
}

fn failed(address: &ServerAddress, doing: &str, error: &WireError) -> SourceError {
    SourceError::Server {
        server: address.server(),
        doing: doing.to_owned(),
        reason: error.to_string(),
    }
}

fn greet(address: &ServerAddress, access: &Access) -> Result<(Wire, Group), WireError> {
    let mut wire = Wire::connect(address, access)?;
    expect(status(&mut wire)?, &[200, 201])?;
    // A transit server needs it; a reading server may not know it.
    command(&mut wire, "MODE READER")?;
    if let Some(login) = access.login(address) {
        if !address.is_encrypted && !address.is_loopback() {
            return Err(WireError::Refused(
                "nothing yet: a password is sent only with nntps://".to_owned(),
            ));
        }
        let user = expect(
            command(&mut wire, &format!("AUTHINFO USER {}", login.user))?,
            &[281, 381],
        )?;
        if user.code == 381 {
            let password = format!("AUTHINFO PASS {}", login.password);
            expect(command(&mut wire, &password)?, &[281])?;
        }
    }
    let status = expect(
        command(&mut wire, &format!("GROUP {}", address.folder))?,
        &[211],
    )?;
    let group = Group::parse(&status.text)
        .ok_or_else(|| WireError::Violation(format!("GROUP gave {:?}", status.text)))?;
    Ok((wire, group))
}

fn command(wire: &mut Wire, text: &str) -> Result<Status, WireError> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(WireError::Violation(
            "a user or password with a line end cannot be sent".to_owned(),
        ));
    }
    wire.send(format!("{text}\r\n").as_bytes())?;
    status(wire)
}

fn status(wire: &mut Wire) -> Result<Status, WireError> {
    let line = wire.line(MAX_STATUS_BYTES)?;
    Status::parse(&line).ok_or_else(|| {
        let start = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        WireError::Violation(format!("{start:?} is no status"))
    })
}

fn expect(status: Status, codes: &[u16]) -> Result<Status, WireError> {
    if codes.contains(&status.code) {
        Ok(status)
    } else {
        Err(WireError::Refused(format!(
            "{} {}",
            status.code, status.text
        )))
    }
}

fn fetch(wire: &mut Wire) -> Result<Fetched, WireError> {
    let status = status(wire)?;
    match status.code {
        220 => {}
        // No such number, or no article behind it any more.
        420 | 422 | 423 | 430 => return Ok(Fetched::Missing),
        _ => {
            return Err(WireError::Refused(format!(
                "{} {}",
                status.code, status.text
            )));
        }
    }
    let mut article = Article::new(MAX_MAIL_BYTES);
    loop {
        let line = match wire.line(MAX_LINE_BYTES) {
            Err(WireError::Overlong(_)) => return Ok(Fetched::TooLarge),
            line => line?,
        };
        match article.push(&line) {
            Line::Part => {}
            Line::End => return Ok(Fetched::Mail(article.into_mail())),
            Line::TooMuch => return Ok(Fetched::TooLarge),
        }
    }
}

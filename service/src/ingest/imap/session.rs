//! The commands that this program gives, over a connection.

use std::time::Duration;

use super::core::{
    Event, Fetched, MAX_LINE_BYTES, MAX_LITERALS, Piece, Response, Untagged, literal_length, quote,
};
use crate::ingest::net::{Access, Login, ServerAddress, Wire, WireError};
use crate::ingest::source::{MAX_MAIL_BYTES, STEP_BYTES};

/// Responses that one command may bring; a FETCH of ours asks for some hundreds.
const MAX_RESPONSES: usize = 100_000;
/// RFC 2177: a client says something at least every 29 minutes.
const MAX_IDLE: Duration = Duration::from_mins(28);

/// An open folder.
pub(super) struct Session {
    wire: Wire,
    tag: u64,
    capabilities: Vec<String>,
    /// Mails in the folder, as last told.
    pub(super) exists: u64,
    pub(super) uid_validity: u64,
    /// Places of mails that went since they were last taken.
    pub(super) expunged: Vec<u64>,
}

impl Session {
    /// Connects, logs in where there is a login, and opens the folder for reading.
    pub(super) fn open(address: &ServerAddress, access: &Access) -> Result<Self, WireError> {
        let mut session = Self {
            wire: Wire::connect(address, access)?,
            tag: 0,
            capabilities: Vec::new(),
            exists: 0,
            uid_validity: 0,
            expunged: Vec::new(),
        };
        let greeting = session.response(STEP_BYTES)?;
        let start = greeting.start();
        match greeting.event() {
            Some(Event::Untagged(Untagged::Bye(text))) => return Err(WireError::Refused(text)),
            Some(Event::Untagged(it)) => session.note(it),
            _ => return Err(no_response(&start)),
        }
        session.ask_capabilities()?;
        if !start.starts_with("* PREAUTH") {
            match access.login(address) {
                Some(login) => session.log_in(address, login)?,
                None if session.can("AUTH=ANONYMOUS") => session.log_in_anonymously()?,
                None => {
                    return Err(WireError::Refused(
                        "nothing yet: it wants a login; add one for this host to [[logins]]"
                            .to_owned(),
                    ));
                }
            }
            session.ask_capabilities()?;
        }
        let examine = format!("EXAMINE {}", quote(&address.folder));
        session.command(examine.as_bytes(), &mut Vec::new())?;
        if session.uid_validity == 0 {
            return Err(WireError::Violation(
                "the folder has no UIDVALIDITY".to_owned(),
            ));
        }
        Ok(session)
    }

    fn ask_capabilities(&mut self) -> Result<(), WireError> {
        if self.capabilities.is_empty() {
            self.command(b"CAPABILITY", &mut Vec::new())?;
        }
        Ok(())
    }

    fn log_in(&mut self, address: &ServerAddress, login: &Login) -> Result<(), WireError> {
        if !address.is_encrypted && !address.is_loopback() {
            return Err(WireError::Refused(
                "nothing yet: a password is sent only with imaps://".to_owned(),
            ));
        }
        let is_plain = |text: &str| text.bytes().all(|it| it == b' ' || it.is_ascii_graphic());
        // What a server can do may be another set after the login.
        self.capabilities.clear();
        // Quoted strings first: public-inbox-imapd does not know literals.
        if is_plain(&login.user) && is_plain(&login.password) {
            let command = format!("LOGIN {} {}", quote(&login.user), quote(&login.password));
            return self.command(command.as_bytes(), &mut Vec::new());
        }
        let tag = self.next_tag();
        let (user, password) = (&login.user, &login.password);
        let lines = [
            format!("{tag} LOGIN {{{}}}\r\n", user.len()),
            format!("{user} {{{}}}\r\n", password.len()),
        ];
        for line in lines {
            self.wire.send(line.as_bytes())?;
            self.until_continue(&tag)?;
        }
        self.wire.send(format!("{password}\r\n").as_bytes())?;
        self.until_done(&tag, &mut Vec::new())
    }

    /// RFC 4505: a trace, `lorelint` in base64, instead of a name.
    fn log_in_anonymously(&mut self) -> Result<(), WireError> {
        let tag = self.next_tag();
        self.capabilities.clear();
        self.wire
            .send(format!("{tag} AUTHENTICATE ANONYMOUS\r\n").as_bytes())?;
        self.until_continue(&tag)?;
        self.wire.send(b"bG9yZWxpbnQ=\r\n")?;
        self.until_done(&tag, &mut Vec::new())
    }

    /// Asks for items of mails; `range` is of UIDs where `is_uid`, else of places.
    pub(super) fn fetch(
        &mut self,
        is_uid: bool,
        (first, last): (u64, u64),
        items: &str,
    ) -> Result<Vec<Fetched>, WireError> {
        let uid = if is_uid { "UID " } else { "" };
        let command = format!("{uid}FETCH {first}:{last} ({items})");
        let mut fetched = Vec::new();
        self.command(command.as_bytes(), &mut fetched)?;
        Ok(fetched)
    }

    /// Asks the server to tell of changes since the last command.
    pub(super) fn poll(&mut self) -> Result<(), WireError> {
        self.command(b"NOOP", &mut Vec::new())
    }

    /// Whether the server said that it knows `word`, upper case.
    pub(super) fn can(&self, word: &str) -> bool {
        self.capabilities.iter().any(|it| it == word)
    }

    /// Waits until the folder has other mails than before, at most `limit`; says whether it has.
    pub(super) fn idle(&mut self, limit: Duration) -> Result<bool, WireError> {
        let before = self.exists;
        let tag = self.next_tag();
        self.wire.send(format!("{tag} IDLE\r\n").as_bytes())?;
        self.until_continue(&tag)?;
        let end = std::time::Instant::now() + limit.min(MAX_IDLE);
        while self.exists == before {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let Some(line) = self.wire.line_within(MAX_LINE_BYTES, left)? else {
                break;
            };
            let response = self.rest_of(line, STEP_BYTES)?;
            match response.event() {
                Some(Event::Untagged(Untagged::Bye(text))) => return Err(WireError::Refused(text)),
                Some(Event::Untagged(it)) => self.note(it),
                _ => return Err(no_response(&response.start())),
            }
        }
        self.wire.send(b"DONE\r\n")?;
        self.until_done(&tag, &mut Vec::new())?;
        Ok(self.exists != before)
    }

    fn next_tag(&mut self) -> String {
        self.tag += 1;
        format!("a{}", self.tag)
    }

    fn command(&mut self, text: &[u8], fetched: &mut Vec<Fetched>) -> Result<(), WireError> {
        let tag = self.next_tag();
        let mut line = format!("{tag} ").into_bytes();
        line.extend_from_slice(text);
        line.extend_from_slice(b"\r\n");
        self.wire.send(&line)?;
        self.until_done(&tag, fetched)
    }

    fn until_done(&mut self, tag: &str, fetched: &mut Vec<Fetched>) -> Result<(), WireError> {
        // A step's mails, and one more that may be the largest.
        let mut room = STEP_BYTES + MAX_MAIL_BYTES;
        for _ in 0..MAX_RESPONSES {
            let response = self.response(room)?;
            match response.event() {
                Some(Event::Done(done, true, _)) if done == tag => return Ok(()),
                Some(Event::Done(done, false, text)) if done == tag => {
                    return Err(WireError::Refused(text));
                }
                Some(Event::Untagged(Untagged::Bye(text))) => return Err(WireError::Refused(text)),
                Some(Event::Untagged(Untagged::Fetch(it))) => {
                    room = room.saturating_sub(it.body.as_ref().map_or(0, Vec::len));
                    fetched.push(*it);
                }
                Some(Event::Untagged(it)) => self.note(it),
                _ => return Err(no_response(&response.start())),
            }
        }
        let reason = format!("more than {MAX_RESPONSES} responses to one command");
        Err(WireError::Violation(reason))
    }

    fn until_continue(&mut self, tag: &str) -> Result<(), WireError> {
        for _ in 0..MAX_RESPONSES {
            let response = self.response(STEP_BYTES)?;
            match response.event() {
                Some(Event::Continue) => return Ok(()),
                Some(Event::Untagged(Untagged::Bye(text))) => return Err(WireError::Refused(text)),
                Some(Event::Untagged(it)) => self.note(it),
                Some(Event::Done(done, _, text)) if done == tag => {
                    return Err(WireError::Refused(text));
                }
                _ => return Err(no_response(&response.start())),
            }
        }
        Err(WireError::Violation(
            "it does not let a command go on".to_owned(),
        ))
    }

    fn note(&mut self, told: Untagged) {
        match told {
            Untagged::Exists(count) => self.exists = count,
            Untagged::Expunge(place) => {
                self.exists = self.exists.saturating_sub(1);
                self.expunged.push(place);
            }
            Untagged::Capability(words) => self.capabilities = words,
            Untagged::UidValidity(value) => self.uid_validity = value,
            Untagged::Fetch(_) | Untagged::Bye(_) | Untagged::Other => {}
        }
    }

    fn response(&mut self, room: usize) -> Result<Response, WireError> {
        let line = self.wire.line(MAX_LINE_BYTES)?;
        self.rest_of(line, room)
    }

    /// Takes the literals that a line announces, at most `room` bytes, and what follows them.
    fn rest_of(&mut self, line: Vec<u8>, mut room: usize) -> Result<Response, WireError> {
        let mut response = Response::default();
        let mut line = line;
        loop {
            let length = literal_length(&line);
            response.pieces.push(Piece::Text(line));
            let Some(length) = length else {
                return Ok(response);
            };
            if response.pieces.len() > 2 * MAX_LITERALS {
                let reason = format!("more than {MAX_LITERALS} literals in one response");
                return Err(WireError::Violation(reason));
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > room {
                let reason = format!("a literal of {length} bytes where {room} may come");
                return Err(WireError::Violation(reason));
            }
            room -= length;
            response
                .pieces
                .push(Piece::Literal(self.wire.take(length)?));
            line = self.wire.line(MAX_LINE_BYTES)?;
        }
    }
}

fn no_response(start: &str) -> WireError {
    WireError::Violation(format!("{start:?} is no response"))
}

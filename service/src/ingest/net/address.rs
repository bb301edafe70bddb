//! `scheme://user@host:port/folder`, and what is needed to log in there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Longer texts are no addresses.
const MAX_LENGTH: usize = 1_000;

/// A server and the group or folder on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// Whether the connection begins with TLS.
    pub is_encrypted: bool,
    /// Whom to log in as; `None` takes the one that the configuration names for the host.
    pub user: Option<String>,
    /// Name or address, without brackets.
    pub host: String,
    /// Of the address, else the usual one.
    pub port: u16,
    /// The group or folder, percent-decoded; never empty, printable ASCII.
    pub folder: String,
    scheme: &'static str,
}

impl ServerAddress {
    /// Reads `text` with the scheme `plain` or `encrypted`, each with its usual port.
    ///
    /// # Errors
    ///
    /// One sentence on what is wrong; it never repeats a password.
    pub(in crate::ingest) fn parse(
        text: &str,
        plain: (&'static str, u16),
        encrypted: (&'static str, u16),
    ) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("it has no ://")?;
        let (scheme, port) = [plain, encrypted]
            .into_iter()
            .find(|it| it.0 == scheme)
            .ok_or("its scheme is another")?;
        if text.len() > MAX_LENGTH || !text.bytes().all(|it| it.is_ascii_graphic()) {
            return Err("it is too long, or holds blanks or other than ASCII".to_owned());
        }
        let (authority, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = match authority.rsplit_once('@') {
            Some((user, server)) => (Some(user), server),
            None => (None, authority),
        };
        if user.is_some_and(|it| it.contains(':')) {
            return Err(
                "a password has no place in it: sources are shown on pages; \
                put it into a file that [[logins]] names"
                    .to_owned(),
            );
        }
        let (host, given) = split_port(server).ok_or("its port is no number")?;
        let folder = decode(folder).ok_or("its %XX are no printable ASCII")?;
        if host.is_empty() || folder.is_empty() {
            return Err("it lacks a host or, after the host's slash, a group or folder".to_owned());
        }
        Ok(Self {
            is_encrypted: scheme == encrypted.0,
            user: match user {
                Some(user) => Some(decode(user).ok_or("its user is no printable ASCII")?),
                None => None,
            },
            host: host.to_owned(),
            port: given.unwrap_or(port),
            folder,
            scheme,
        })
    }

    /// Whether everything stays on this machine.
    pub(in crate::ingest) fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self
                .host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|it| it.is_loopback())
    }

    /// Host and port as a person writes them.
    pub(in crate::ingest) fn server(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn split_port(server: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if let Some(rest) = server.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        (host, after.strip_prefix(':'))
    } else {
        match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        }
    };
    match port {
        Some(port) => Some((host, Some(port.parse().ok()?))),
        None => Some((host, None)),
    }
}

fn decode(text: &str) -> Option<String> {
    let mut decoded = String::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            u8::from_str_radix(digits, 16).ok()?
        } else {
            byte
        };
        decoded.push(char::from(byte));
        if !(byte == b' ' || byte.is_ascii_graphic()) {
            return None;
        }
    }
    Some(decoded)
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |text: &str| text.replace('%', "%25").replace(' ', "%20");
        write!(formatter, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            write!(formatter, "{}@", encode(user).replace('@', "%40"))?;
        }
        write!(formatter, "{}/{}", self.server(), encode(&self.folder))
    }
}

/// A user of a server, with the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// As in the source's address.
    pub host: String,
    /// The name.
    pub user: String,
    /// Never shown.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Login({}@{}:<hidden>)", self.user, self.host)
    }
}

/// What sources may use beside their own address.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// For servers that want a login.
    pub logins: Vec<Login>,
    /// Certificates (PEM) that are trusted beside those of the system.
    pub certificates: Option<PathBuf>,
    /// How long a run waits at its end for a server that can tell of new mail; `None` does not wait.
    pub wait: Option<Duration>,
}

impl Access {
    /// The login for a server, where there is one.
    pub(in crate::ingest) fn login(&self, address: &ServerAddress) -> Option<&Login> {
        self.logins.iter().find(|it| {
            it.host.eq_ignore_ascii_case(&address.host)
                && address.user.as_ref().is_none_or(|user| *user == it.user)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ServerAddress;

    fn parse(text: &str) -> Result<ServerAddress, String> {
        ServerAddress::parse(text, ("imap", 143), ("imaps", 993))
    }

    #[test]
    fn the_parts_of_an_address_are_told_apart() {
        let address = parse("imaps://me@mail.example/Lists/linux%20fs").expect("an address");
        assert_eq!(
            (address.host.as_str(), address.port, address.is_encrypted),
            ("mail.example", 993, true)
        );
        assert_eq!(address.folder, "Lists/linux fs");
        assert_eq!(
            address.to_string(),
            "imaps://me@mail.example:993/Lists/linux%20fs"
        );
        let address = parse("imap://[::1]:1143/INBOX").expect("an address");
        assert_eq!((address.host.as_str(), address.port), ("::1", 1143));
        assert!(address.is_loopback());
        assert_eq!(address.to_string(), "imap://[::1]:1143/INBOX");
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_the_password() {
        for text in [
            "imap://host",
            "imap://host/",
            "imap:///INBOX",
            "imap://host:port/INBOX",
            "imap://host:99999/INBOX",
            "pop3://host/INBOX",
            "imap://host/a%0d%0aLOGOUT",
            "imap://host/a%2",
            "imap://host/a b",
            "imap://ho\u{e9}st/INBOX",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("imap://me:hunter2@host/INBOX").expect_err("a password");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

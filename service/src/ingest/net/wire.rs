//! A connection that is bounded in time: each read, and each answer as a whole.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Access, LineBuffer, Overlong, ServerAddress};

/// To connect to one address of a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// Without a byte for this long a server counts as gone.
const SILENCE_TIMEOUT: Duration = Duration::from_mins(1);
/// For one answer, so that a server that drips bytes does not hold a source for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(10);

/// Why a server could not be talked to.
#[derive(Debug, thiserror::Error)]
pub(in crate::ingest) enum WireError {
    #[error("{0}")]
    Io(#[source] std::io::Error),
    #[error("the server ended the connection")]
    Closed,
    #[error("the server is silent")]
    Silent,
    #[error("the server's answer is not what the protocol allows: {0}")]
    Violation(String),
    #[error("the server sent {0}")]
    Overlong(#[from] Overlong),
    #[error("the server says: {0}")]
    Refused(String),
}

impl From<std::io::Error> for WireError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            // A server that goes without a farewell of TLS.
            | ErrorKind::UnexpectedEof => Self::Closed,
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Silent,
            _ => Self::Io(error),
        }
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// An open connection.
pub(in crate::ingest) struct Wire {
    stream: Stream,
    buffer: LineBuffer,
    piece: Vec<u8>,
    deadline: Instant,
}

impl Wire {
    /// Connects to the first address of the server that answers.
    ///
    /// # Errors
    ///
    /// [`WireError::Io`] when none does, or its certificate is not trusted.
    pub(in crate::ingest) fn connect(
        address: &ServerAddress,
        access: &Access,
    ) -> Result<Self, WireError> {
        let mut last = std::io::Error::new(ErrorKind::NotFound, "the name has no address");
        let mut connected = None;
        for target in (address.host.as_str(), address.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&target, CONNECT_TIMEOUT) {
                Ok(stream) => {
                    connected = Some(stream);
                    break;
                }
                Err(error) => last = error,
            }
        }
        let stream = connected.ok_or(last)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(SILENCE_TIMEOUT))?;
        stream.set_read_timeout(Some(SILENCE_TIMEOUT))?;
        let stream = if address.is_encrypted {
            Stream::Tls(Box::new(encrypt(address, access, stream)?))
        } else {
            Stream::Plain(stream)
        };
        Ok(Self {
            stream,
            buffer: LineBuffer::default(),
            piece: vec![0; 64 << 10],
            deadline: Instant::now() + ANSWER_TIMEOUT,
        })
    }

    /// Sends bytes; the time for the answer begins here.
    pub(in crate::ingest) fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.deadline = Instant::now() + ANSWER_TIMEOUT;
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream,
        };
        stream.write_all(bytes)?;
        stream.flush()?;
        Ok(())
    }

    /// Takes the next line; waits for it.
    pub(in crate::ingest) fn line(&mut self, limit: usize) -> Result<Vec<u8>, WireError> {
        loop {
            if let Some(line) = self.buffer.line(limit)? {
                return Ok(line);
            }
            self.fill(SILENCE_TIMEOUT)?;
        }
    }

    /// Takes the next line if one comes within `limit` of time; `None` otherwise.
    pub(in crate::ingest) fn line_within(
        &mut self,
        limit: usize,
        time: Duration,
    ) -> Result<Option<Vec<u8>>, WireError> {
        let end = Instant::now() + time;
        self.deadline = end + ANSWER_TIMEOUT;
        loop {
            if let Some(line) = self.buffer.line(limit)? {
                return Ok(Some(line));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            match self.fill(left) {
                Err(WireError::Silent) => {}
                other => other?,
            }
        }
    }

    /// Takes exactly `count` bytes; waits for them.
    pub(in crate::ingest) fn take(&mut self, count: usize) -> Result<Vec<u8>, WireError> {
        // Not reserved at once: the count is only the server's word.
        let mut bytes = Vec::new();
        while bytes.len() < count {
            let piece = self.buffer.take(count - bytes.len());
            if piece.is_empty() {
                self.fill(SILENCE_TIMEOUT)?;
            } else {
                bytes.extend_from_slice(piece);
            }
        }
        Ok(bytes)
    }

    /// Takes everything until the server ends the connection, at most `limit` bytes.
    pub(in crate::ingest) fn rest(&mut self, limit: usize) -> Result<Vec<u8>, WireError> {
        let mut bytes = Vec::new();
        loop {
            let room = limit - bytes.len();
            let piece = self.buffer.take(room + 1);
            if piece.len() > room {
                let reason = format!("more than {limit} bytes");
                return Err(WireError::Violation(reason));
            }
            if !piece.is_empty() {
                bytes.extend_from_slice(piece);
                continue;
            }
            match self.fill(SILENCE_TIMEOUT) {
                Err(WireError::Closed) => return Ok(bytes),
                other => other?,
            }
        }
    }

    fn fill(&mut self, silence: Duration) -> Result<(), WireError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let reason = format!("no whole answer in {} s", ANSWER_TIMEOUT.as_secs());
            return Err(WireError::Violation(reason));
        }
        let timeout = Some(silence.min(left).max(Duration::from_millis(1)));
        let count = match &mut self.stream {
            Stream::Plain(stream) => {
                stream.set_read_timeout(timeout)?;
                stream.read(&mut self.piece)
            }
            Stream::Tls(stream) => {
                stream.sock.set_read_timeout(timeout)?;
                stream.read(&mut self.piece)
            }
        };
        match count {
            Ok(0) => Err(WireError::Closed),
            Ok(count) => {
                self.buffer.feed(&self.piece[..count]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn encrypt(
    address: &ServerAddress,
    access: &Access,
    stream: TcpStream,
) -> Result<StreamOwned<ClientConnection, TcpStream>, WireError> {
    let invalid = |reason: String| std::io::Error::new(ErrorKind::InvalidInput, reason);
    let mut roots = RootCertStore::empty();
    // Certificates of the system that cannot be read are left out; what then fails is the handshake.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &access.certificates {
        let cannot = |error: String| invalid(format!("{}: {error}", file.display()));
        for certificate in
            CertificateDer::pem_file_iter(file).map_err(|it| cannot(it.to_string()))?
        {
            let certificate = certificate.map_err(|it| cannot(it.to_string()))?;
            roots
                .add(certificate)
                .map_err(|it| cannot(it.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|it| invalid(it.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(address.host.clone()).map_err(|it| invalid(it.to_string()))?;
    let connection =
        ClientConnection::new(Arc::new(config), name).map_err(|it| invalid(it.to_string()))?;
    let mut stream = StreamOwned::new(connection, stream);
    // Here, so that a certificate that is not trusted is named before anything is sent.
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

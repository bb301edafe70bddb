//! Replies by SMTP.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use super::{Outgoing, SendError, Sender};
use crate::config::SmtpConfig;

const TIMEOUT: Duration = Duration::from_mins(1);

/// One mail server.
#[derive(Debug)]
pub struct Smtp {
    config: SmtpConfig,
}

impl Smtp {
    /// Talks to the configured server; connects for each mail.
    pub fn new(config: SmtpConfig) -> Self {
        Self { config }
    }

    fn transport(&self) -> Result<SmtpTransport, SendError> {
        let config = &self.config;
        let mut builder = SmtpTransport::builder_dangerous(&config.host)
            .port(config.port)
            .timeout(Some(TIMEOUT));
        if config.is_encrypted {
            let parameters = TlsParameters::new(config.host.clone())
                .map_err(|error| SendError::Temporary(error.to_string()))?;
            builder = builder.tls(Tls::Required(parameters));
        }
        if let Some((user, password)) = &config.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(builder.build())
    }
}

impl Sender for Smtp {
    fn send(&self, mail: &Outgoing) -> Result<(), SendError> {
        let address = |text: &str| {
            text.parse::<lettre::Address>()
                .map_err(|error| SendError::Permanent(format!("{text}: {error}")))
        };
        let to = mail
            .to
            .iter()
            .map(|it| address(it.address()))
            .collect::<Result<Vec<_>, _>>()?;
        let envelope = Envelope::new(Some(address(mail.from.address())?), to)
            .map_err(|error| SendError::Permanent(error.to_string()))?;
        let transport = self.transport()?;
        // A server that is down is told apart here: nothing has been sent yet.
        match transport.test_connection() {
            Ok(true) => {}
            Ok(false) => {
                return Err(SendError::Temporary(
                    "the server does not answer".to_owned(),
                ));
            }
            Err(error) => return Err(SendError::Temporary(error.to_string())),
        }
        let raw = mail.raw.replace("\r\n", "\n").replace('\n', "\r\n");
        // The transport ends the last line itself, whether it is ended or not.
        let raw = raw.strip_suffix("\r\n").unwrap_or(&raw);
        match transport.send_raw(&envelope, raw.as_bytes()) {
            Ok(response) if response.is_positive() => Ok(()),
            Ok(response) => Err(SendError::Permanent(format!("{response:?}"))),
            Err(error) if error.is_permanent() => Err(SendError::Permanent(error.to_string())),
            Err(error) if error.is_transient() => Err(SendError::Temporary(error.to_string())),
            Err(error) => Err(SendError::Unknown(error.to_string())),
        }
    }
}

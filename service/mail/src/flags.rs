//! Headers that say who or what sent a mail.

use serde::{Deserialize, Serialize};

use crate::headers::Headers;
use crate::subject::clean;
use crate::{Address, encoded_words};

/// What decides whether a mail may be answered, and whether a program wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, none of which excludes another"
)]
pub struct Flags {
    /// `Auto-Submitted:` other than `no`.
    pub auto_submitted: Option<String>,
    /// `Precedence:`.
    pub precedence: Option<String>,
    /// `X-Loop:`.
    pub x_loop: Option<String>,
    /// `Return-Path: <>`, as bounces have.
    pub null_sender: bool,
    /// `X-Patchwork-Hint: ignore`.
    pub hint_ignore: bool,
    /// Any `X-Lorelint-*` header: this project's own mail coming back.
    pub own: bool,
    /// The sender's name or address is that of a program.
    pub robot_sender: bool,
}

impl Flags {
    pub(crate) fn read(headers: &Headers<'_>, from: &Address) -> Self {
        let text = |name: &str| {
            headers
                .first(name)
                .map(|it| clean(&encoded_words::decode(it), 200).to_lowercase())
                .filter(|it| !it.is_empty())
        };
        Self {
            auto_submitted: text("Auto-Submitted").filter(|it| !it.starts_with("no")),
            precedence: text("Precedence"),
            x_loop: text("X-Loop"),
            null_sender: headers
                .first("Return-Path")
                .is_some_and(|it| it.trim_ascii() == b"<>"),
            hint_ignore: text("X-Patchwork-Hint").is_some_and(|it| it == "ignore"),
            own: headers.has_prefix("X-Lorelint-"),
            robot_sender: is_robot(from),
        }
    }

    /// Whether a program sent the mail and nobody reads an answer.
    pub fn is_automatic(&self) -> bool {
        self.own
            || self.null_sender
            || self.robot_sender
            || self.auto_submitted.is_some()
            || self.x_loop.is_some()
            || matches!(self.precedence.as_deref(), Some("junk" | "auto_reply"))
    }
}

/// Names that programs give themselves; people called Abbot and Talbot must not match.
fn is_robot(from: &Address) -> bool {
    let local = from
        .email
        .split('@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let name = from.name.to_lowercase();
    let word = |text: &str| {
        text.split(|it: char| !it.is_alphanumeric()).any(|it| {
            matches!(
                it,
                "bot" | "robot" | "noreply" | "daemon" | "postmaster" | "syzbot" | "lkp"
            )
        })
    };
    word(&local)
        || word(&name)
        || local == "no-reply"
        || local.starts_with("do-not-reply")
        || local.contains("-bot+")
}

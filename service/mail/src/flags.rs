//! Headers that say who or what sent a mail.

use serde::{Deserialize, Serialize};

/// What decides whether a mail may be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
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

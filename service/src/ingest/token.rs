//! The secrets of tokens: made here, shown once, known by their hash afterwards.

use std::fmt::Write as _;

/// Tells what it is, where one is found by accident.
const PREFIX: &str = "lorelint_";

/// A new secret of 256 random bits.
///
/// # Errors
///
/// What the system says when it has no randomness to give.
pub fn new_token() -> std::io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(std::io::Error::other)?;
    let mut text = PREFIX.to_owned();
    for byte in random {
        write!(text, "{byte:02x}").expect("writing to a string never fails");
    }
    Ok(text)
}

/// What the database keeps of a secret. A quick hash is enough: the secret is random, not a password.
pub fn token_hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

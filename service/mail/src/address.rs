//! Addresses and address lists.

use serde::{Deserialize, Serialize};

/// One mailbox. Neither field holds U+0000, CR or LF.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// Display name, decoded; empty where there is none.
    pub name: String,
    /// `local@domain` as written; empty only where the header has none.
    pub email: String,
}

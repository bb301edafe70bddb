//! Row ids as types of their own, so that a finding's id cannot stand where a series' id is wanted.

use std::fmt;

macro_rules! row_id {
    ($($(#[$docs:meta])* $name:ident;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// Reads a decimal row id; `None` for anything that is no positive number.
            pub fn parse(text: &str) -> Option<Self> {
                text.parse::<i64>().ok().filter(|id| *id > 0).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

row_id! {
    /// One version of one series; stays the same while further mails of it arrive.
    SeriesId;
    /// One stored mail (one content), whatever the number of lists that carried it.
    MailId;
    /// One finding of one review of one series; a new review gives new ids, the fingerprint stays.
    FindingId;
    /// One job of the queue.
    JobId;
    /// One mail that the service would send.
    OutboxId;
    /// One mailing list.
    ListId;
    /// One token with which mails are handed over.
    TokenId;
}

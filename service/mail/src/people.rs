//! Who sent a mail, with what mailing lists did to `From:` undone.

use crate::address::{VIA, parse_list};
use crate::headers::Headers;
use crate::subject::clean;
use crate::{Address, encoded_words};

/// The address headers of a mail.
pub(crate) struct People {
    pub(crate) from: Address,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) reply_to: Vec<Address>,
}

impl People {
    pub(crate) fn read(headers: &Headers<'_>) -> Self {
        let list = |name: &str| {
            headers
                .all(name)
                .take(16)
                .flat_map(parse_list)
                .take(1000)
                .collect::<Vec<_>>()
        };
        let from = headers
            .first("From")
            .and_then(|it| {
                parse_list(it).into_iter().next().or_else(|| {
                    let name = clean(&encoded_words::decode(it), 300);
                    (!name.is_empty()).then(|| Address {
                        name,
                        email: String::new(),
                    })
                })
            })
            .unwrap_or_default();
        let mut people = Self {
            from,
            to: list("To"),
            cc: list("Cc"),
            reply_to: list("Reply-To"),
        };
        let original = list("X-Original-From").into_iter().next();
        people.restore(original);
        people
    }

    /// Whether the mail went to the list of the stable kernels.
    pub(crate) fn has_stable_list(&self) -> bool {
        let mut recipients = self.to.iter().chain(&self.cc);
        recipients.any(|it| it.email.to_ascii_lowercase().starts_with("stable@"))
    }

    /// Lists whose members' domains forbid forwarding send as `Name via list <list@…>`.
    fn restore(&mut self, original: Option<Address>) {
        let name = self.from.name.clone();
        let via = name.rfind(VIA);
        let relay = self.from.email.to_ascii_lowercase().starts_with("devnull+");
        if via.is_none() && !relay {
            return;
        }
        let real_name = via
            .map_or(name.as_str(), |at| &name[..at])
            .trim_matches(['\'', '"', ' ']);
        let is_real = |it: &&Address| !it.email.eq_ignore_ascii_case(&self.from.email);
        let same_name = |it: &&Address| is_real(it) && it.name.eq_ignore_ascii_case(real_name);
        let only = |list: &[Address]| match list {
            [only] if is_real(&only) => Some(only.clone()),
            _ => None,
        };
        let found = original
            .or_else(|| self.reply_to.iter().find(same_name).cloned())
            .or_else(|| only(&self.reply_to))
            .or_else(|| self.cc.iter().find(same_name).cloned());
        // Where nothing tells, the name stays as the list wrote it: the address is not theirs, and only it tells them
        // apart.
        if let Some(mut real) = found {
            if real.name.is_empty() {
                real_name.clone_into(&mut real.name);
            }
            self.from = real;
        }
    }
}

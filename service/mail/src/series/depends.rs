//! Which series of an assembly another one stands on.

use std::collections::HashMap;

use super::types::{Assembly, Series};
use crate::MessageId;

/// Series that one may stand on, one on the other: more are a mistake or an attack.
const MAX_DEPENDENCIES: usize = 50;

impl Assembly {
    /// The series that `series` says it depends on, and those that they depend on: in the order in which they are to
    /// be applied, each once, at most 50. Messages that are not here are passed over: see [`Series::depends_on`].
    pub fn dependencies<'a>(&'a self, series: &'a Series) -> Vec<&'a Series> {
        if series.depends_on.is_empty() {
            return Vec::new();
        }
        let mut walk = Walk {
            sent_by: HashMap::new(),
            seen: vec![series.key.as_str()],
            order: Vec::new(),
        };
        for it in &self.series {
            for part in it.own_parts() {
                walk.sent_by.entry(&part.id).or_insert(it);
            }
        }
        walk.add(series);
        walk.order
    }
}

struct Walk<'a> {
    /// The series that sent a message itself.
    sent_by: HashMap<&'a MessageId, &'a Series>,
    seen: Vec<&'a str>,
    order: Vec<&'a Series>,
}

impl<'a> Walk<'a> {
    fn add(&mut self, series: &'a Series) {
        for id in &series.depends_on {
            let Some(other) = self.sent_by.get(id).copied() else {
                continue;
            };
            // A circle ends where it began; the depth is bounded with the number.
            let is_known = self.seen.contains(&other.key.as_str());
            if is_known || self.seen.len() > MAX_DEPENDENCIES {
                continue;
            }
            self.seen.push(&other.key);
            self.add(other);
            self.order.push(other);
        }
    }
}

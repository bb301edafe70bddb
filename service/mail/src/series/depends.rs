//! Which series of an assembly another one stands on.

use super::types::{Assembly, Series};
use crate::MessageId;

/// Series that one may stand on, one on the other: more are a mistake or an attack.
const MAX_DEPENDENCIES: usize = 50;

impl Assembly {
    /// The series that `series` says it depends on, and those that they depend on: in the order in which they are to
    /// be applied, each once, at most 50. Messages that are not here are passed over: see [`Series::depends_on`].
    pub fn dependencies<'a>(&'a self, series: &'a Series) -> Vec<&'a Series> {
        let mut order = Vec::new();
        let mut on_the_way = vec![series.key.as_str()];
        self.add_dependencies(series, &mut on_the_way, &mut order);
        order
    }

    fn add_dependencies<'a>(
        &'a self,
        series: &'a Series,
        on_the_way: &mut Vec<&'a str>,
        order: &mut Vec<&'a Series>,
    ) {
        for id in &series.depends_on {
            let Some(other) = self.series_with(id) else {
                continue;
            };
            // A circle ends where it began; the depth is bounded with the number.
            let is_known = on_the_way.contains(&other.key.as_str());
            if is_known || on_the_way.len() > MAX_DEPENDENCIES {
                continue;
            }
            on_the_way.push(&other.key);
            self.add_dependencies(other, on_the_way, order);
            order.push(other);
        }
    }

    /// The series that sent the message itself.
    fn series_with(&self, id: &MessageId) -> Option<&Series> {
        let mut series = self.series.iter();
        series.find(|it| it.own_parts().any(|part| part.id == *id))
    }
}

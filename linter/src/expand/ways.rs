//! The ways in which an expansion may go where names in it have several definitions: each is tried.

use std::cell::{Cell, RefCell};

use crate::lex::Sym;

/// Of one use so many ways are tried.
const MAX_WAYS: usize = 16;

/// Which definitions are meant this time.
#[derive(Default)]
pub(crate) struct Ways {
    /// The names that have several, in the order in which they were met, each with how many.
    met: RefCell<Vec<(Sym, usize)>>,
    /// The number of this way: its digits are the definitions of those names, the first one's lowest.
    way: Cell<usize>,
    /// Whether a name with several was met since somebody said that none was.
    has_met: Cell<bool>,
}

impl Ways {
    /// Calls `expand` once for each way that the names go which it meets.
    pub(crate) fn each(&self, mut expand: impl FnMut()) {
        self.met.borrow_mut().clear();
        let mut way = 0;
        while way < self.count() {
            self.way.set(way);
            expand();
            way += 1;
        }
        self.way.set(0);
    }

    /// Whether names mean what they mean first.
    pub(super) fn is_first(&self) -> bool {
        self.way.get() == 0
    }

    fn count(&self) -> usize {
        let met = self.met.borrow();
        let all = met
            .iter()
            .fold(1, |all: usize, it| all.saturating_mul(it.1));
        all.min(MAX_WAYS)
    }

    /// Which of so many definitions of a name is meant.
    pub(crate) fn choose(&self, name: Sym, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        self.has_met.set(true);
        let (mut rest, mut met) = (self.way.get(), self.met.borrow_mut());
        for (known, count) in met.iter() {
            if *known == name {
                return rest % count;
            }
            rest /= count;
        }
        met.push((name, count));
        rest % count
    }

    /// Whether `of` meets a name that has several definitions.
    pub(super) fn are_met_by<R>(&self, of: impl FnOnce() -> R) -> (R, bool) {
        let before = self.has_met.replace(false);
        let result = of();
        let has_met = self.has_met.replace(before);
        self.has_met.set(before || has_met);
        (result, has_met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_tried_once() {
        let (ways, mut seen) = (Ways::default(), Vec::new());
        let [one, two, three] = ["one", "two", "three"].map(Sym::of);
        ways.each(|| {
            let first = ways.choose(one, 2);
            // What is met depends on the way so far.
            let second = if first == 1 { ways.choose(two, 3) } else { 0 };
            seen.push((first, second, ways.choose(three, 1), ways.choose(one, 2)));
        });
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(
            seen,
            [(0, 0, 0, 0), (1, 0, 0, 1), (1, 1, 0, 1), (1, 2, 0, 1)]
        );
    }

    #[test]
    fn ways_beyond_number_are_not_all_tried() {
        let (ways, mut count) = (Ways::default(), 0);
        ways.each(|| {
            for name in 0..40_u32 {
                ways.choose(Sym::of(name.to_le_bytes()), 5);
            }
            count += 1;
        });
        assert_eq!(count, MAX_WAYS);
    }
}

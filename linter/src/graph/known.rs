//! Edges and numbers that were computed for one tree, to be taken for the next where nothing that they depend on has
//! changed.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::ItemId;
use super::resolve::Edge;
use super::values::{Entry, Known};
use crate::lex::Sym;
use crate::rows::Lent;
use crate::warm::Memo;

/// The edges of functions, as this run computed them or as they lie in the cache.
#[derive(Default)]
pub(crate) struct KnownEdges {
    computed: FxHashMap<ItemId, Arc<Vec<Edge>>>,
    /// Those that lie in `stored` and were asked for.
    read: Memo<ItemId, Vec<Edge>>,
    stored: Option<Lent>,
    /// Where each function's edges lie in `stored`, in the order of functions.
    places: Vec<(ItemId, u32, u32)>,
    /// What names stand for.
    numbers: Numbers,
    /// What the entries stand for that edges enter their callees with.
    entered: Entered,
    /// Whether parameters decide something.
    deciding: Deciding,
}

/// Functions and their parameters, with whether the parameter decides about a call.
pub(crate) type Deciding = FxHashMap<(ItemId, u16), bool>;

/// What is known at entries.
pub(crate) type Entered = FxHashMap<Entry, Arc<Vec<Known>>>;

/// The number that a name stands for in a file, by its slot; `None` where it stands for none.
pub(crate) type Numbers = FxHashMap<(Sym, u32), Option<i64>>;

impl KnownEdges {
    pub(crate) fn of(
        computed: FxHashMap<ItemId, Arc<Vec<Edge>>>,
        numbers: Numbers,
        (entered, deciding): (Entered, Deciding),
    ) -> Self {
        Self {
            computed,
            numbers,
            entered,
            deciding,
            ..Self::default()
        }
    }

    /// The edges of a function, where they were asked for.
    pub(crate) fn get(&self, id: ItemId) -> Option<Arc<Vec<Edge>>> {
        if let Some(found) = self.computed.get(&id) {
            return Some(Arc::clone(found));
        }
        if let Some(found) = self.read.known(id) {
            return Some(found);
        }
        let at = self.places.binary_search_by_key(&id, |it| it.0).ok()?;
        let (_, start, end) = self.places[at];
        let bytes = self.stored.as_ref()?.bytes();
        let bytes = bytes.get(start as usize..end as usize)?;
        let edges = Arc::new(postcard::from_bytes(bytes).ok()?);
        Some(self.read.get_shared(id, || edges))
    }

    /// What names stand for, as far as somebody asked.
    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// What is known at an entry that an edge has.
    pub(crate) fn entered(&self, entry: Entry) -> Option<Arc<Vec<Known>>> {
        self.entered.get(&entry).cloned()
    }

    /// Whether parameters decide something, as far as somebody asked.
    pub(crate) fn deciding(&self) -> &Deciding {
        &self.deciding
    }

    /// The functions whose edges are known.
    pub(crate) fn functions(&self) -> impl Iterator<Item = ItemId> {
        let computed = self.computed.keys().copied();
        computed.chain(self.places.iter().map(|it| it.0))
    }

    /// Two sections, for [`KnownEdges::read`]; `None` where something cannot be written.
    pub(crate) fn write(&self) -> Option<[Vec<u8>; 2]> {
        let mut functions: Vec<ItemId> = self.functions().collect();
        functions.sort_unstable();
        functions.dedup();
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for id in functions {
            let start = values.len();
            values.extend(postcard::to_stdvec(&*self.get(id)?).ok()?);
            places.push((
                id,
                u32::try_from(start).ok()?,
                u32::try_from(values.len()).ok()?,
            ));
        }
        let entered = self.entered.iter().map(|it| (*it.0, &**it.1));
        let entered: Vec<(Entry, &Vec<Known>)> = entered.collect();
        let known = (places, &self.numbers, entered, &self.deciding);
        Some([postcard::to_stdvec(&known).ok()?, values])
    }

    /// Takes what [`KnownEdges::write`] wrote.
    pub(crate) fn read(bytes: &[u8], lists: &Lent) -> Option<Self> {
        let (places, numbers, entered, deciding) = postcard::from_bytes(bytes).ok()?;
        let entered: Vec<(Entry, Vec<Known>)> = entered;
        let shared = entered.into_iter().map(|it| (it.0, Arc::new(it.1)));
        Some(Self {
            stored: Some(lists.clone()),
            places,
            numbers,
            entered: shared.collect(),
            deciding,
            ..Self::default()
        })
    }
}

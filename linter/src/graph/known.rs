//! Edges and numbers that were computed for one tree, to be taken for the next where nothing that they depend on has
//! changed.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::ItemId;
use super::resolve::Edge;
use crate::lex::Sym;
use crate::warm::Memo;

/// The edges of functions, as this run computed them or as they lie in the cache.
#[derive(Default)]
pub(crate) struct KnownEdges {
    computed: FxHashMap<ItemId, Arc<Vec<Edge>>>,
    /// Those that lie in `stored` and were asked for.
    read: Memo<ItemId, Vec<Edge>>,
    stored: Vec<u8>,
    /// Where each function's edges lie in `stored`, in the order of functions.
    places: Vec<(ItemId, u32, u32)>,
    /// What names stand for.
    numbers: Numbers,
}

/// The number that a name stands for in a file, by its slot; `None` where it stands for none.
pub(crate) type Numbers = FxHashMap<(Sym, u32), Option<i64>>;

impl KnownEdges {
    pub(crate) fn of(computed: FxHashMap<ItemId, Arc<Vec<Edge>>>, numbers: Numbers) -> Self {
        Self {
            computed,
            numbers,
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
        let bytes = self.stored.get(start as usize..end as usize)?;
        let edges = Arc::new(postcard::from_bytes(bytes).ok()?);
        Some(self.read.get_shared(id, || edges))
    }

    /// What names stand for, as far as somebody asked.
    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The functions whose edges are known.
    pub(crate) fn functions(&self) -> impl Iterator<Item = ItemId> {
        let computed = self.computed.keys().copied();
        computed.chain(self.places.iter().map(|it| it.0))
    }

    /// All of them, for [`KnownEdges::read`]; `None` where something cannot be written.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
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
        postcard::to_stdvec(&(places, values, &self.numbers)).ok()
    }

    /// Takes what [`KnownEdges::write`] wrote.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (places, stored, numbers) = postcard::from_bytes(bytes).ok()?;
        Some(Self {
            stored,
            places,
            numbers,
            ..Self::default()
        })
    }
}

//! What was learned from file contents, kept for the next tree that has the same files.

use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::facts::{FunctionFacts, ObjectFacts, TypeFacts};
use crate::graph::image::Image;
use crate::syntax::counts::CountAccess;
use crate::syntax::idioms::{Release, Wrapper};
use crate::tree::BlobId;

/// More values than this in one memo, and it starts anew: about two kernels' worth.
const MAX_VALUES: usize = 400_000;
const SHARDS: usize = 64;

/// A file's content: the first half of its git blob id, or of its BLAKE3 hash where git does not know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContentKey(u128);

impl ContentKey {
    pub(crate) fn of_blob(blob: BlobId) -> Self {
        Self(u128::from_le_bytes(
            blob.0[..16].try_into().expect("a blob id has twenty bytes"),
        ))
    }

    pub(crate) fn of_text(text: &[u8]) -> Self {
        let hash = blake3::hash(text);
        Self(u128::from_le_bytes(
            hash.as_bytes()[..16]
                .try_into()
                .expect("a hash has 32 bytes"),
        ))
    }
}

/// An item of a content.
pub(crate) type ItemKey = (ContentKey, u32);

/// Values computed once per key, from many threads.
pub(crate) struct Memo<K, V> {
    shards: Vec<Mutex<FxHashMap<K, Arc<V>>>>,
}

impl<K: Hash + Eq + Copy, V> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    fn shard(&self, key: &K) -> &Mutex<FxHashMap<K, Arc<V>>> {
        &self.shards[(FxBuildHasher.hash_one(key) >> 58) as usize]
    }

    /// The value for `key`, if somebody asked before.
    pub(crate) fn known(&self, key: K) -> Option<Arc<V>> {
        self.shard(&key)
            .lock()
            .expect("no panic while locked")
            .get(&key)
            .cloned()
    }

    /// The value for `key`; two threads may compute it at once, one result is kept.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> V) -> Arc<V> {
        if let Some(value) = self.known(key) {
            return value;
        }
        let value = Arc::new(compute());
        Arc::clone(
            self.shard(&key)
                .lock()
                .expect("no panic while locked")
                .entry(key)
                .or_insert(value),
        )
    }

    pub(crate) fn values(&self) -> Vec<Arc<V>> {
        self.shards
            .iter()
            .flat_map(|it| {
                it.lock()
                    .expect("no panic while locked")
                    .values()
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|it| it.lock().expect("no panic while locked").len())
            .sum()
    }

    fn trim(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().expect("no panic while locked");
            if shard.len() > MAX_VALUES / SHARDS {
                shard.clear();
            }
        }
    }
}

/// What the rules need of one function, before anybody asks who reaches it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pub(crate) accesses: Vec<CountAccess>,
    pub(crate) releases: Vec<Release>,
    /// Whether the grammar could take it at all.
    pub(crate) is_parsed: bool,
}

/// All of it. Values depend on contents alone, so trees share them and nothing can go stale.
pub(crate) struct Warm {
    /// What was read last, by the plan that it was read for.
    image: Mutex<Option<(u64, Arc<Image>)>>,
    pub(crate) texts: Memo<ContentKey, Vec<u8>>,
    pub(crate) functions: Memo<ItemKey, FunctionFacts>,
    pub(crate) signatures: Memo<ItemKey, FunctionFacts>,
    pub(crate) types: Memo<ItemKey, TypeFacts>,
    pub(crate) objects: Memo<ItemKey, ObjectFacts>,
    pub(crate) wrappers: Memo<ItemKey, Option<Wrapper>>,
    pub(crate) bodies: Memo<(ItemKey, u64), Body>,
}

impl Warm {
    pub(crate) fn new() -> Self {
        Self {
            image: Mutex::default(),
            texts: Memo::new(),
            functions: Memo::new(),
            signatures: Memo::new(),
            types: Memo::new(),
            objects: Memo::new(),
            wrappers: Memo::new(),
            bodies: Memo::new(),
        }
    }

    /// What was read last for a plan.
    pub(crate) fn image(&self, plan: u64) -> Option<Arc<Image>> {
        let image = self.image.lock().expect("no panic while locked");
        let (_, image) = image.as_ref().filter(|it| it.0 == plan)?;
        Some(Arc::clone(image))
    }

    pub(crate) fn keep_image(&self, plan: u64, image: &Arc<Image>) {
        *self.image.lock().expect("no panic while locked") = Some((plan, Arc::clone(image)));
    }

    /// Lets go of what has grown beyond its bound.
    pub(crate) fn trim(&self) {
        self.texts.trim();
        self.functions.trim();
        self.signatures.trim();
        self.types.trim();
        self.objects.trim();
        self.wrappers.trim();
        self.bodies.trim();
    }
}

//! Values that are computed once per key, from many threads.

use std::hash::{BuildHasher as _, Hash};
use std::sync::{Arc, Mutex, MutexGuard};

use rustc_hash::{FxBuildHasher, FxHashMap};

const SHARDS: usize = 64;

/// Values that are cheap to clone.
pub(crate) struct Copies<K, V> {
    shards: Vec<Mutex<FxHashMap<K, V>>>,
}

impl<K: Hash + Eq + Copy, V: Clone> Copies<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, FxHashMap<K, V>> {
        let shard = &self.shards[(FxBuildHasher.hash_one(key) >> 58) as usize];
        shard.lock().expect("no panic while locked")
    }

    /// The value for `key`, if somebody asked before.
    pub(crate) fn known(&self, key: K) -> Option<V> {
        self.shard(&key).get(&key).cloned()
    }

    /// The value for `key`; two threads may compute it at once, one result is kept.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> V) -> V {
        if let Some(value) = self.known(key) {
            return value;
        }
        let value = compute();
        self.shard(&key).entry(key).or_insert(value).clone()
    }

    /// All keys with their values, in no order.
    pub(crate) fn pairs(&self) -> Vec<(K, V)> {
        let mut pairs = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().expect("no panic while locked");
            pairs.extend(shard.iter().map(|it| (*it.0, it.1.clone())));
        }
        pairs
    }

    /// Starts anew where there are more than about `most`.
    pub(super) fn trim(&self, most: usize) {
        for shard in &self.shards {
            let mut shard = shard.lock().expect("no panic while locked");
            if shard.len() > most / SHARDS {
                shard.clear();
            }
        }
    }
}

/// Values that are shared.
pub(crate) struct Memo<K, V>(Copies<K, Arc<V>>);

impl<K: Hash + Eq + Copy, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Hash + Eq + Copy, V> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self(Copies::new())
    }

    /// The value for `key`, if somebody asked before.
    pub(crate) fn known(&self, key: K) -> Option<Arc<V>> {
        self.0.known(key)
    }

    /// The value for `key`; two threads may compute it at once, one result is kept.
    pub(crate) fn get(&self, key: K, compute: impl FnOnce() -> V) -> Arc<V> {
        self.0.get(key, || Arc::new(compute()))
    }

    /// As [`Memo::get`], of a value that others hold as well.
    pub(crate) fn get_shared(&self, key: K, compute: impl FnOnce() -> Arc<V>) -> Arc<V> {
        self.0.get(key, compute)
    }

    pub(crate) fn values(&self) -> Vec<Arc<V>> {
        self.0.pairs().into_iter().map(|it| it.1).collect()
    }

    /// All keys with their values, in no order.
    pub(crate) fn pairs(&self) -> Vec<(K, Arc<V>)> {
        self.0.pairs()
    }

    pub(super) fn trim(&self, most: usize) {
        self.0.trim(most);
    }
}

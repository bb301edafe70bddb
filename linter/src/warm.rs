//! What was learned from file contents, kept for the next tree that has the same files.

mod memo;

use std::sync::{Arc, OnceLock};

pub(crate) use memo::{Copies, Memo};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::facts::{FunctionFacts, MemberSetting, ObjectFacts, TypeFacts};
use crate::lex::{Argument, FileScan};
use crate::rows::Lent;
use crate::syntax::counts::CountAccess;
use crate::syntax::idioms::{Release, Wrapper};
use crate::tree::{BlobId, TreePath, TreeSource};

/// More values than this in one memo, and it starts anew: about two kernels' worth.
const MAX_VALUES: usize = 400_000;
/// As [`MAX_VALUES`], for readings of whole files: some hundred kilobytes each.
const MAX_SCANS: usize = 512;

/// A file's content: the first half of its git blob id, or of its BLAKE3 hash where git does not know it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct ContentKey(u128);

impl ContentKey {
    pub(crate) fn of_blob(blob: BlobId) -> Self {
        Self(u128::from_le_bytes(
            blob.0[..16].try_into().expect("a blob id has twenty bytes"),
        ))
    }

    /// A key that says which file it is, not what is in it: for a single reading of a tree.
    pub(crate) fn of_number(file: usize) -> Self {
        Self(file as u128 + 1)
    }

    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
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

/// What an item of a content says, from this run or from the cache.
pub(crate) struct Learned<V> {
    memo: Memo<LearnedKey, V>,
    known: Arc<OnceLock<Known>>,
    kind: u8,
}

/// Content, item, and what else the value depends on.
type LearnedKey = (ContentKey, u32, u64);

impl<V: Serialize + DeserializeOwned> Learned<V> {
    fn new(kind: u8, known: &Arc<OnceLock<Known>>) -> Self {
        Self {
            memo: Memo::new(),
            known: Arc::clone(known),
            kind,
        }
    }

    /// The value for `key`; two threads may compute it at once, one result is kept.
    pub(crate) fn get(&self, key: ItemKey, compute: impl FnOnce() -> V) -> Arc<V> {
        self.get_with((key, 0), compute)
    }

    /// As [`Learned::get`], of a value that depends on more than the item.
    pub(crate) fn get_with(
        &self,
        (item, more): (ItemKey, u64),
        compute: impl FnOnce() -> V,
    ) -> Arc<V> {
        let key = (item.0, item.1, more);
        self.memo.get(key, || {
            let known = self.known.get().and_then(|it| it.find(self.kind, key));
            known.unwrap_or_else(compute)
        })
    }

    /// The value for `key`, which says the same as `old`, if somebody asked for either.
    pub(crate) fn same_as(&self, key: ItemKey, old: ItemKey) -> Option<Arc<V>> {
        let full = (key.0, key.1, 0);
        if let Some(found) = self.memo.known(full) {
            return Some(found);
        }
        let found = self.peek(old)?;
        Some(self.memo.get_shared(full, || found))
    }

    /// The value for `key`, if this run or the one that the cache is of asked for it.
    pub(crate) fn peek(&self, key: ItemKey) -> Option<Arc<V>> {
        let key = (key.0, key.1, 0);
        let known = || self.known.get()?.find(self.kind, key).map(Arc::new);
        self.memo.known(key).or_else(known)
    }

    /// Appends all values and where they lie.
    fn write(&self, rows: &mut Vec<Row>, values: &mut Vec<u8>) -> Option<()> {
        for (key, value) in self.memo.pairs() {
            let start = values.len();
            values.extend(postcard::to_stdvec(&*value).ok()?);
            rows.push((self.kind, key, start as u64, values.len() as u64));
        }
        Some(())
    }
}

/// Kind, key, and the bounds of the value.
type Row = (u8, LearnedKey, u64, u64);

/// What the cache knows of items: rows by kind and key, and values that are read when somebody asks.
pub(crate) struct Known {
    rows: Lent,
    values: Lent,
}

/// Bytes of a row: kind, content, item, the rest of the key, start, end.
const ROW: usize = 1 + 16 + 4 + 8 + 8 + 8;

impl Known {
    /// Takes what [`Warm::write`] wrote.
    pub(crate) fn read(rows: &Lent, values: &Lent) -> Option<Self> {
        rows.bytes().len().is_multiple_of(ROW).then(|| Self {
            rows: rows.clone(),
            values: values.clone(),
        })
    }

    fn row(&self, index: usize) -> &[u8] {
        &self.rows.bytes()[index * ROW..][..ROW]
    }

    fn find<V: DeserializeOwned>(&self, kind: u8, key: LearnedKey) -> Option<V> {
        let wanted = row_key(kind, key);
        let (mut low, mut high) = (0, self.rows.bytes().len() / ROW);
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.row(middle)[..wanted.len()].cmp(&wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.value(middle),
            }
        }
        None
    }

    fn value<V: DeserializeOwned>(&self, index: usize) -> Option<V> {
        let row = self.row(index);
        let number = |at: usize| {
            let bytes = row[at..at + 8].try_into().expect("a row has these bytes");
            usize::try_from(u64::from_le_bytes(bytes)).ok()
        };
        let values = self.values.bytes();
        postcard::from_bytes(values.get(number(ROW - 16)?..number(ROW - 8)?)?).ok()
    }
}

/// Big-endian, so that bytes sort as the key does.
fn row_key(kind: u8, key: LearnedKey) -> [u8; ROW - 16] {
    let mut bytes = [0; ROW - 16];
    bytes[0] = kind;
    bytes[1..17].copy_from_slice(&key.0.0.to_be_bytes());
    bytes[17..21].copy_from_slice(&key.1.to_be_bytes());
    bytes[21..].copy_from_slice(&key.2.to_be_bytes());
    bytes
}

/// What the rules need of one function, before anybody asks who reaches it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) accesses: Vec<CountAccess>,
    pub(crate) releases: Vec<Release>,
    /// How often the grammar sees a member `i_count`, whoever's.
    pub(crate) counters: u32,
    /// How often the lexical reading of a function sees a call of `iput()`, and such a member.
    pub(crate) lexical: (u32, u32),
    /// Whether the grammar could take it at all.
    pub(crate) is_parsed: bool,
}

/// All of it. Values depend on contents alone, so trees share them and nothing can go stale.
pub(crate) struct Warm {
    known: Arc<OnceLock<Known>>,
    pub(crate) texts: Memo<ContentKey, Vec<u8>>,
    /// How many lines end before each block of a text, see [`Index::position`](crate::graph::Index::position).
    pub(crate) lines: Memo<ContentKey, Vec<u32>>,
    /// What stands alone among the arguments of an item's calls.
    pub(crate) arguments: Memo<ItemKey, Vec<Argument>>,
    /// Of files that patches changed: each state of a series has them again.
    pub(crate) scans: Memo<ContentKey, FileScan>,
    pub(crate) functions: Learned<FunctionFacts>,
    pub(crate) signatures: Learned<FunctionFacts>,
    pub(crate) types: Learned<TypeFacts>,
    pub(crate) objects: Learned<ObjectFacts>,
    pub(crate) wrappers: Learned<Option<Wrapper>>,
    pub(crate) bodies: Learned<Body>,
    pub(crate) settings: Learned<Vec<MemberSetting>>,
}

impl Warm {
    pub(crate) fn new() -> Self {
        let known = Arc::default();
        Self {
            texts: Memo::new(),
            lines: Memo::new(),
            arguments: Memo::new(),
            scans: Memo::new(),
            functions: Learned::new(0, &known),
            signatures: Learned::new(1, &known),
            types: Learned::new(2, &known),
            objects: Learned::new(3, &known),
            wrappers: Learned::new(4, &known),
            bodies: Learned::new(5, &known),
            settings: Learned::new(6, &known),
            known,
        }
    }

    /// The bytes of a file of this content; none where it cannot be read.
    pub(crate) fn text(
        &self,
        tree: &dyn TreeSource,
        (path, content): (&TreePath, ContentKey),
    ) -> Arc<Vec<u8>> {
        let read = || tree.read(path).ok().flatten();
        self.texts.get(content, || read().unwrap_or_default())
    }

    /// Takes what an earlier run learned; only the first call has an effect.
    pub(crate) fn know(&self, known: Known) {
        drop(self.known.set(known));
    }

    /// All that was learned, in two sections for [`Known::read`]; `None` where a value cannot be written.
    pub(crate) fn write(&self) -> Option<[Vec<u8>; 2]> {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        self.functions.write(&mut rows, &mut values)?;
        self.signatures.write(&mut rows, &mut values)?;
        self.types.write(&mut rows, &mut values)?;
        self.objects.write(&mut rows, &mut values)?;
        self.wrappers.write(&mut rows, &mut values)?;
        self.bodies.write(&mut rows, &mut values)?;
        self.settings.write(&mut rows, &mut values)?;
        rows.sort_unstable();
        let mut bytes = Vec::with_capacity(rows.len() * ROW);
        for (kind, key, start, end) in rows {
            bytes.extend(row_key(kind, key));
            bytes.extend(start.to_le_bytes());
            bytes.extend(end.to_le_bytes());
        }
        Some([bytes, values])
    }

    /// Lets go of what has grown beyond its bound.
    pub(crate) fn trim(&self) {
        self.texts.trim(MAX_VALUES);
        self.lines.trim(MAX_VALUES);
        self.arguments.trim(MAX_VALUES);
        self.scans.trim(MAX_SCANS);
        self.functions.memo.trim(MAX_VALUES);
        self.signatures.memo.trim(MAX_VALUES);
        self.types.memo.trim(MAX_VALUES);
        self.objects.memo.trim(MAX_VALUES);
        self.wrappers.memo.trim(MAX_VALUES);
        self.bodies.memo.trim(MAX_VALUES);
        self.settings.memo.trim(MAX_VALUES);
    }
}

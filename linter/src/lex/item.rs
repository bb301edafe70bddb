//! What the lexical reading yields for one file.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::Sym;

/// The kinds of top-level items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ItemKind {
    /// A function definition; `body` is its `{`.
    Function,
    /// A variable or table; `body` is its initialiser, or the end where there is none.
    Object,
    /// `struct`, `union` or `enum` with a body; `name` is its tag.
    Type,
    /// `typedef …;`
    Typedef,
    /// `#define`; `body` is its replacement.
    Macro,
    /// `NAME(args)` at top level, with or without a semicolon; `name` is the macro's.
    MacroUse,
}

/// Bits of [`Item::flags`].
pub(crate) mod flags {
    /// `static` stands in the head.
    pub(crate) const STATIC: u8 = 1;
    /// `inline` or a spelling of it stands in the head.
    pub(crate) const INLINE: u8 = 2;
    /// A macro whose body names members of what is initialised: `.member = value`.
    pub(crate) const FILLS: u8 = 2;
    /// A macro that takes arguments.
    pub(crate) const FUNCTION_LIKE: u8 = 4;
    /// A function that may return one.
    pub(crate) const RETURNS: u8 = 4;
    /// A type that is an enum.
    pub(crate) const ENUM: u8 = 4;
    /// A function that another file's may replace: `__weak` stands in the head.
    pub(crate) const WEAK: u8 = 8;
    /// A macro that pastes tokens: the names in its body are not the names it makes.
    pub(crate) const PASTES: u8 = 8;
    /// A function whose head is a macro use: the macro decides its name.
    pub(crate) const MACRO_HEAD: u8 = 16;
    /// A macro that uses one of its parameters as a macro or a function: `#define APPLY(f, x) f(x)`.
    pub(crate) const APPLIES: u8 = 16;
    /// The braces did not balance: the end was guessed.
    pub(crate) const UNBALANCED: u8 = 32;
    /// A function that is declared without its body and without `static` as well, as in the other arm of an `#if`.
    pub(crate) const DECLARED: u8 = 64;
    /// A pointer to a function, or an array of them.
    pub(crate) const POINTER: u8 = 64;
    /// A macro that pastes a name which is called, or handed on.
    pub(crate) const CALLS_MADE: u8 = 64;
    /// A macro whose body defines a function or a table.
    pub(crate) const MAKES: u8 = 128;
}

/// One top-level item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// See [`ItemKind`]; never [`Sym::NONE`] for functions.
    pub(crate) name: Sym,
    /// The struct tag that stands in the head, or what a struct without one is known by, or [`Sym::NONE`].
    pub(crate) tag: Sym,
    /// First byte.
    pub(crate) start: u32,
    /// One past the last byte.
    pub(crate) end: u32,
    /// See [`ItemKind`].
    pub(crate) body: u32,
    /// End of its refs; they start where those of the item before end.
    pub(crate) refs_end: u32,
    /// Likewise for its pairs.
    pub(crate) pairs_end: u32,
    /// A hash of the text before `body`.
    pub(crate) head_hash: u32,
    /// A hash of the text from `body` on.
    pub(crate) rest_hash: u32,
    pub(crate) kind: ItemKind,
    pub(crate) flags: u8,
}

impl Item {
    /// Whether an object is called by its own name: an array of pointers, or one pointer.
    pub(crate) fn is_called_by_name(&self) -> bool {
        self.tag == Sym::NONE || self.flags & flags::POINTER != 0
    }

    /// What a struct without a tag is known by, as the type of a variable: nobody writes it, and other variables of that
    /// name are of another type where its members differ.
    pub(super) fn untagged_name(&self, variable: Sym) -> Sym {
        Sym((variable.0 ^ u64::from(self.rest_hash)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// How an item names something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefKind {
    /// `name(`
    Call = 0,
    /// `->name(`, `.name(`, or a member whose value is taken.
    Member = 1,
    /// A name in the position of a value.
    Mention = 2,
    /// A member that is a pointer to a function: in a type where it is declared so, in code where it is called.
    Declares = 3,
}

/// A name with its kind in 32 bits: two bits of kind, 30 of hash.
#[derive(FromBytes, IntoBytes, Immutable, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Ref(u32);

impl Ref {
    pub(crate) fn new(kind: RefKind, name: Sym) -> Self {
        Self::of_short(kind, name.short())
    }

    /// As [`Ref::new`], of a name given as [`Sym::short`].
    pub(crate) fn of_short(kind: RefKind, name: u32) -> Self {
        Self(((kind as u32) << 30) | name)
    }

    pub(crate) fn kind(self) -> RefKind {
        match self.0 >> 30 {
            0 => RefKind::Call,
            1 => RefKind::Member,
            2 => RefKind::Mention,
            _ => RefKind::Declares,
        }
    }

    /// As [`Sym::short`].
    pub(crate) fn name(self) -> u32 {
        self.0 & 0x3fff_ffff
    }
}

/// A member set to a named value: `.member = value` or `->member = value`, both as [`Sym::short`].
pub(crate) type Pair = [u32; 2];

/// The lexical reading of one file. Items are in order of their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileScan {
    pub(crate) items: Vec<Item>,
    /// Sorted and unique within an item.
    pub(crate) refs: Vec<Ref>,
    pub(crate) pairs: Vec<Pair>,
    /// Bounds of the names in `#include "…"` and `<…>`.
    pub(crate) includes: Vec<(u32, u32)>,
    /// The same names, each with a line feed behind it.
    pub(crate) named: String,
    /// Whether one of them is a source's.
    pub(crate) includes_unit: bool,
    /// `name(` seen in function bodies, each time.
    pub(crate) call_sites: u32,
    /// 1-based line of the first item that holds a bracket which nothing closes.
    pub(crate) unclosed: Option<u32>,
    /// A hash of all `#define` lines.
    pub(crate) defines: u32,
    /// The items in whose text `i_count` stands, by index.
    pub(crate) counting: Vec<u32>,
}

impl FileScan {
    /// Empties it; what it took stays for the next file.
    pub(super) fn clear(&mut self) {
        let Self {
            items,
            refs,
            pairs,
            includes,
            named,
            includes_unit,
            call_sites,
            unclosed,
            defines,
            counting,
        } = self;
        items.clear();
        refs.clear();
        pairs.clear();
        includes.clear();
        named.clear();
        counting.clear();
        (*includes_unit, *call_sites, *unclosed, *defines) = (false, 0, None, 0);
    }

    /// The refs of item `index`.
    pub(crate) fn refs(&self, index: usize) -> &[Ref] {
        let start = if index == 0 {
            0
        } else {
            self.items[index - 1].refs_end
        };
        &self.refs[start as usize..self.items[index].refs_end as usize]
    }

    /// The pairs of item `index`.
    pub(crate) fn pairs(&self, index: usize) -> &[Pair] {
        let start = if index == 0 {
            0
        } else {
            self.items[index - 1].pairs_end
        };
        &self.pairs[start as usize..self.items[index].pairs_end as usize]
    }
}

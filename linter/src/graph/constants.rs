//! Numbers that names stand for: constants that are `#define`d, and enumerators.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::index::ItemId;
use super::resolve::Resolver;
use crate::facts::number::{Enumerator, Meaning, enumerators, listed, number};
use crate::lex::{Item, ItemKind, Sym, define_lines, flags, word_length};

/// Names that stand for names are followed this deep.
const MAX_DEPTH: u32 = 8;
/// Headers that are looked at for an enumerator.
const MAX_HEADERS: usize = 4000;

/// Uses of macros in one enum that are expanded.
const MAX_EXPANSIONS: usize = 256;
/// Replacements beyond this size are no numbers.
const MAX_BODY: usize = 512;

/// The replacements of a file's `#define`s without arguments, one behind the other, as they are written.
#[derive(Default)]
struct Defines {
    text: Vec<u8>,
    places: FxHashMap<Sym, Vec<Range<usize>>>,
}

impl Defines {
    fn of(source: &[u8]) -> Self {
        let mut found = Self::default();
        for line in define_lines(source) {
            let line = line.trim_ascii_start();
            let length = word_length(line);
            if length == 0 || line.get(length) == Some(&b'(') {
                continue;
            }
            let body = &line[length..line.len().min(length + MAX_BODY)];
            let start = found.text.len();
            found.text.extend_from_slice(body);
            let places = found.places.entry(Sym::of(&line[..length]));
            places.or_default().push(start..found.text.len());
        }
        found
    }

    /// The replacements of one name, on one line each; where it stands for itself, that is none.
    fn of_name(&self, name: Sym) -> impl Iterator<Item = Vec<u8>> {
        let places = self.places.get(&name).into_iter().flatten();
        let bodies = places.map(|it| on_one_line(&self.text[it.clone()]));
        bodies.filter(move |it| Sym::of(it) != name)
    }
}

/// A macro's replacement without continuations and comments.
fn on_one_line(body: &[u8]) -> Vec<u8> {
    let bytes = body.iter().map(|it| if *it == b'\\' { b' ' } else { *it });
    let bytes: Vec<u8> = bytes.collect();
    crate::syntax::text::fold_bytes(&bytes).into_bytes()
}

/// What a file says of the numbers that names stand for, as it is written.
#[derive(Default)]
pub(crate) struct Written {
    defines: Defines,
    enums: Vec<Vec<Enumerator>>,
    /// What stands in them.
    enumerators: FxHashSet<Sym>,
    /// Whether a macro makes others.
    makes_enumerators: bool,
}

impl Written {
    fn new(defines: Defines, enums: Vec<Vec<Enumerator>>) -> Self {
        let named = |it: &Enumerator| match it {
            Enumerator::Named(name, _) => Some(*name),
            _ => None,
        };
        let mut all = enums.iter().flatten();
        Self {
            enumerators: all.clone().filter_map(named).collect(),
            makes_enumerators: all.any(|it| matches!(it, Enumerator::Made(..))),
            defines,
            enums,
        }
    }

    fn may_enumerate(&self, name: Sym) -> bool {
        self.makes_enumerators || self.enumerators.contains(&name)
    }
}

/// The enumerators of a file; `None` where the value is not certain.
pub(crate) type Enumerators = FxHashMap<Sym, Option<i64>>;

impl Resolver<'_, '_> {
    /// The number that a name stands for in a file, where all that it can mean there say the same.
    pub(crate) fn number_of(&self, name: Sym, file: usize) -> Option<i64> {
        self.numbers.get((name, file as u32), || {
            let at = At {
                file,
                depth: 0,
                in_enum: false,
            };
            let look_up = || self.number_at(name, at);
            match &self.reuse {
                Some(reuse) => reuse.number((name, file as u32), look_up),
                None => look_up(),
            }
        })
    }

    /// Looks in the file itself, then in the headers that it includes, nearest first.
    fn number_at(&self, name: Sym, at: At) -> Option<i64> {
        if at.depth > MAX_DEPTH {
            return None;
        }
        let mut seen: FxHashSet<usize> = FxHashSet::from_iter([at.file]);
        let mut from = vec![at.file];
        while !from.is_empty() && seen.len() < MAX_HEADERS {
            let mut values: Vec<Option<i64>> = Vec::new();
            for file in &from {
                let written = self.written(*file);
                let bodies = written.defines.of_name(name);
                values.extend(bodies.map(|it| number(&it, &self.names(at, &[]))));
                // What an enumerator is given is read without a look at other enumerators.
                if !at.in_enum && written.may_enumerate(name) {
                    values.extend(self.enumerators_of(*file).get(&name).copied());
                }
            }
            if let Some(first) = values.first() {
                return first.filter(|_| values.iter().all(|it| it == first));
            }
            let mut headers = Vec::new();
            for file in from {
                let direct = self.direct_includes(file);
                let direct = direct.iter().map(|it| *it as usize);
                headers.extend(direct.filter(|it| seen.insert(*it)));
            }
            from = headers;
        }
        None
    }

    fn macro_body(&self, definition: ItemId) -> Vec<u8> {
        let item = self.index.item(definition);
        let body = (item.body - item.start) as usize;
        let text = self.index.item_text(definition);
        on_one_line(text.get(body..).unwrap_or_default())
    }

    fn names<'a>(&'a self, at: At, bound: &'a [(Sym, i64)]) -> Names<'a> {
        let inside = At {
            depth: at.depth + 1,
            ..at
        };
        let of_name = move |name: Sym| {
            let known = bound.iter().find(|it| it.0 == name).map(|it| it.1);
            known.or_else(|| self.number_at(name, inside))
        };
        let of_call = move |name: Sym, args: &[i64]| self.called(name, args, inside);
        Names {
            of_name: Box::new(of_name),
            of_call: Box::new(of_call),
        }
    }

    /// The number that a use of a function-like macro stands for, such as `BIT(3)`.
    fn called(&self, name: Sym, args: &[i64], at: At) -> Option<i64> {
        if at.depth > MAX_DEPTH {
            return None;
        }
        let macros = self.macros_in(name, at.file);
        let mut values = Vec::new();
        for definition in &macros {
            let facts = self.facts(*definition);
            let params = facts.params.iter().map(|it| it.0);
            let bound: Vec<(Sym, i64)> = params.zip(args.iter().copied()).collect();
            if bound.len() != facts.params.len() || bound.len() != args.len() {
                return None;
            }
            let body = self.macro_body(*definition);
            values.push(number(&body, &self.names(at, &bound))?);
        }
        let first = *values.first()?;
        values.iter().all(|it| *it == first).then_some(first)
    }

    fn written(&self, file: usize) -> Arc<Written> {
        self.written.get(file as u32, || {
            let items = self.index.items(file);
            let is_enum = |it: &Item| it.kind == ItemKind::Type && it.flags & flags::ENUM != 0;
            let enums: Vec<Item> = items.map(|it| it.1).filter(is_enum).collect();
            let made = self.index.file(file).made.as_ref();
            self.index.with_text(file, |text| {
                let enumerators = |it: &Item| {
                    let own = text.get(it.start as usize..it.end as usize);
                    let made = made.filter(|made| made.holds(it.start));
                    let text =
                        made.map_or(own.unwrap_or_default(), |made| made.text(it.start, it.end));
                    enumerators(text, (it.body - it.start) as usize)
                };
                Written::new(Defines::of(text), enums.iter().map(enumerators).collect())
            })
        })
    }

    fn enumerators_of(&self, file: usize) -> Arc<Enumerators> {
        self.enumerators
            .get(file as u32, || self.enumerators_in(file))
    }

    fn enumerators_in(&self, file: usize) -> Enumerators {
        let at = At {
            file,
            depth: 1,
            in_enum: true,
        };
        let mut found = Enumerators::default();
        for listed_here in &self.written(file).enums {
            let mut next = Some(0i64);
            let mut left = VecDeque::from(listed_here.clone());
            let mut expansion_count = 0;
            while let Some(one) = left.pop_front() {
                let (name, value) = match one {
                    Enumerator::Named(name, value) => (name, value),
                    Enumerator::Made(name, args) if expansion_count < MAX_EXPANSIONS => {
                        expansion_count += 1;
                        match self.expanded((&name, &args), file) {
                            Some(made) => {
                                let made = crate::syntax::text::fold_bytes(&made);
                                listed(&made)
                                    .into_iter()
                                    .rev()
                                    .for_each(|it| left.push_front(it));
                            }
                            None => next = None,
                        }
                        continue;
                    }
                    Enumerator::Made(..) | Enumerator::Unclear => {
                        next = None;
                        continue;
                    }
                };
                if let Some(value) = &value {
                    let known = Bound {
                        values: &found,
                        others: &|name| self.number_at(name, at),
                    };
                    next = number(value, &known);
                }
                let twin = found.insert(name, next);
                if twin.is_some_and(|it| it != next) {
                    // The arms of an `#if` number it differently.
                    found.insert(name, None);
                }
                next = next.and_then(|it| it.checked_add(1));
            }
        }
        found
    }
}

/// Where a name stands.
#[derive(Clone, Copy)]
struct At {
    file: usize,
    depth: u32,
    in_enum: bool,
}

type OfCall<'a> = dyn Fn(Sym, &[i64]) -> Option<i64> + 'a;

/// What names stand for in one file.
struct Names<'a> {
    of_name: Box<dyn Fn(Sym) -> Option<i64> + 'a>,
    of_call: Box<OfCall<'a>>,
}

impl Meaning for Names<'_> {
    fn name(&self, name: Sym) -> Option<i64> {
        (self.of_name)(name)
    }

    fn call(&self, name: Sym, args: &[i64]) -> Option<i64> {
        (self.of_call)(name, args)
    }
}

/// What names stand for in an enum.
struct Bound<'a> {
    values: &'a Enumerators,
    others: &'a dyn Fn(Sym) -> Option<i64>,
}

impl Meaning for Bound<'_> {
    fn name(&self, name: Sym) -> Option<i64> {
        let known = self.values.get(&name).copied();
        known.unwrap_or_else(|| (self.others)(name))
    }

    fn call(&self, _: Sym, _: &[i64]) -> Option<i64> {
        None
    }
}

//! Uses of one macro that differ in words alone are expanded once: with marks for the words, which are put in after.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::definition::Definition;
use super::makers::{Macros, Place};
use super::names;
use super::text::{Definitions, Expander, MAX_BYTES, MAX_WORDY_ARGUMENT, is_single_word, split};
use super::view::View;
use crate::graph::image::ReadFile;
use crate::lex::{Sym, is_annotation, is_control};
use crate::warm::Copies;

/// What a mark begins with: a byte that a name may have and UTF-8 has not; a use with it is expanded as it is. The
/// number of the argument follows, as a letter.
const MARK: u8 = 0xff;
const FIRST: u8 = b'A';
/// Arguments beyond that keep their words.
const MAX_MARKS: usize = 26;

/// The macros that were expanded with marks, by definition and arguments; `None` where that does not say what others
/// expand to.
pub(super) type Templates = Copies<(Place, Sym), Option<Arc<Template>>>;

/// What a macro expands to, with marks for the words that it is given.
pub(super) struct Template {
    text: Vec<u8>,
    /// Names that were looked for and have marks in them.
    joined: Vec<Vec<u8>>,
    /// Those among them that would be followed if they were macros that make something.
    chosen: Vec<Vec<u8>>,
    /// Names of which files may have their own definition, with the one that was meant.
    local: Vec<(Vec<u8>, Option<Arc<Definition>>)>,
    /// The macros that were meant, as [`Sym::short`].
    used: Vec<u32>,
    /// Of the arguments that were expanded, the most bytes and the most marks.
    widest: (usize, usize),
    /// How much room it took.
    spent: usize,
}

/// Arguments with marks for those that are words and no macros.
struct Pattern<'a> {
    args: Vec<Vec<u8>>,
    words: Vec<&'a [u8]>,
}

impl<'a> Pattern<'a> {
    fn of(args: &'a [Vec<u8>], is_macro: impl Fn(&[u8]) -> bool) -> Self {
        let mut words: Vec<&[u8]> = Vec::new();
        let marked = args.iter().map(|it| {
            let is_plain = is_single_word(it)
                && words.len() < MAX_MARKS
                && !is_annotation(it)
                && !is_control(it)
                && !is_macro(it);
            if !is_plain {
                return it.clone();
            }
            words.push(it);
            vec![MARK, FIRST + words.len() as u8 - 1]
        });
        let args = marked.collect();
        Self { args, words }
    }

    /// A text with the words in the places of their marks.
    fn filled(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() * 2);
        let mut copied = 0;
        for at in memchr::memchr_iter(MARK, text) {
            let word = text
                .get(at + 1)
                .and_then(|it| self.words.get(usize::from(it.wrapping_sub(FIRST))));
            if let Some(word) = word {
                out.extend_from_slice(&text[copied..at]);
                out.extend_from_slice(word);
                copied = at + 2;
            }
        }
        out.extend_from_slice(&text[copied..]);
        out
    }
}

/// The definitions of a view, which says what was asked of it.
pub(super) struct Watched<'a, 'v, 't> {
    view: &'a View<'v, 't>,
    marks: FxHashMap<Sym, Arc<Definition>>,
    found: RefCell<FxHashMap<Vec<u8>, Option<Arc<Definition>>>>,
    joined: RefCell<Vec<Vec<u8>>>,
    /// As [`Template::chosen`].
    chosen: RefCell<Vec<Vec<u8>>>,
    /// Whether a macro was met that makes something and has a pasted name.
    has_chosen: Cell<bool>,
    /// Whether a definition has what a mark begins with.
    has_mark: Cell<bool>,
    /// As [`Template::widest`].
    widest: Cell<(usize, usize)>,
}

impl<'a, 'v, 't> Watched<'a, 'v, 't> {
    pub(super) fn new(view: &'a View<'v, 't>) -> Self {
        Self {
            view,
            marks: FxHashMap::default(),
            found: RefCell::default(),
            joined: RefCell::default(),
            chosen: RefCell::default(),
            has_chosen: Cell::new(false),
            has_mark: Cell::new(false),
            widest: Cell::default(),
        }
    }

    /// Some names, or uses of them where they are not bare, stand for arguments that have not been put in, numbered
    /// from `first` on.
    pub(super) fn with_marks(view: &'a View<'v, 't>, words: &[(Sym, bool)], first: usize) -> Self {
        let mark =
            |number: usize, is_bare| Arc::new(Definition::constant(names::place(number), is_bare));
        let marks = words.iter().zip(first..);
        let marks = marks.map(|((it, is_bare), number)| (*it, mark(number, *is_bare)));
        Self {
            marks: marks.collect(),
            ..Self::new(view)
        }
    }

    /// The names that were looked for.
    pub(super) fn asked(&self) -> Vec<Sym> {
        self.found.borrow().keys().map(Sym::of).collect()
    }

    /// Whether a name has a mark in it, which is noted unless it is nothing else.
    fn is_marked(&self, name: &[u8]) -> bool {
        let is_marked = memchr::memchr(MARK, name).is_some();
        if is_marked && name.len() > 2 {
            self.joined.borrow_mut().push(name.to_vec());
        }
        is_marked
    }
}

impl Definitions for Watched<'_, '_, '_> {
    fn find(&self, name: &[u8]) -> Option<Arc<Definition>> {
        if self.is_marked(name) {
            return None;
        }
        if !self.marks.is_empty()
            && let Some(mark) = self.marks.get(&Sym::of(name))
        {
            return Some(Arc::clone(mark));
        }
        // It may mean something else on another way.
        let found = self.view.find(name);
        let mut all = self.found.borrow_mut();
        if !all.contains_key(name) {
            let mut texts = found.iter().map(|it| &it.body);
            let has_mark = texts.any(|it| memchr::memchr(MARK, it).is_some());
            self.has_mark.set(self.has_mark.get() || has_mark);
            all.insert(name.to_vec(), found.clone());
        }
        found
    }

    fn find_chosen(&self, name: &[u8]) -> Option<Arc<Definition>> {
        if memchr::memchr(MARK, name).is_some() {
            self.chosen.borrow_mut().push(name.to_vec());
            return None;
        }
        let is_chosen = self.view.is_chosen(Sym::of(name));
        self.has_chosen.set(self.has_chosen.get() || is_chosen);
        self.view.find_chosen(name)
    }

    fn expands(&self, argument: &[u8]) {
        let marks = memchr::memchr_iter(MARK, argument).count();
        let (most_bytes, most_marks) = self.widest.get();
        self.widest
            .set((most_bytes.max(argument.len()), most_marks.max(marks)));
    }

    fn makes(&self, name: &[u8]) -> bool {
        self.is_marked(name);
        self.view.makes(name)
    }

    fn matters(&self, name: &[u8]) -> bool {
        self.is_marked(name);
        self.view.matters(name)
    }
}

/// What does not depend on which of several definitions is meant.
fn sure<R>(view: &View<'_, '_>, of: impl FnOnce() -> Option<R>) -> Option<R> {
    match &view.ways {
        None => of(),
        Some(ways) => {
            let (result, has_met) = ways.are_met_by(of);
            result.filter(|_| !has_met)
        }
    }
}

impl Macros<'_> {
    /// The text that a use stands for, by the definition at a place: see [`Expander::expand_use`].
    pub(super) fn expanded(
        &self,
        view: &View<'_, '_>,
        (name, place, definition): (&[u8], Place, &Definition),
        args: &[u8],
    ) -> Option<Vec<u8>> {
        let args = split(args);
        let direct = || Expander::new(view).expand(name, definition, &args);
        let texts = args.iter().chain([&definition.body]);
        let has_mark = texts
            .into_iter()
            .any(|it| memchr::memchr(MARK, it).is_some());
        if !view.is_plain() || has_mark {
            return direct();
        }
        let pattern = Pattern::of(&args, |word| self.all.defines(Sym::of(word).short()));
        let saw_arch = view.saw_arch.get();
        let key = (place, Sym::of(pattern.args.join(&b", "[..])));
        let template = self.templates.get(key, || {
            let of = || self.template(view, (name, definition), &pattern);
            let template = sure(view, of);
            template.map(Arc::new)
        });
        let template = template.filter(|it| {
            let holds = || self.holds(it, &pattern, view).then_some(());
            sure(view, holds).is_some()
        });
        view.saw_arch.set(saw_arch);
        let Some(template) = template else {
            return direct();
        };
        view.use_more(&template.used);
        if !self.knows_all {
            for it in &template.chosen {
                self.chosen.note(Sym::of(pattern.filled(it)).short());
            }
        }
        let expanded = Some(pattern.filled(&template.text));
        debug_assert!(
            expanded == direct(),
            "a template of {} says something else of {}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(&args.join(&b", "[..]))
        );
        expanded
    }

    fn template(
        &self,
        view: &View<'_, '_>,
        (name, definition): (&[u8], &Definition),
        pattern: &Pattern<'_>,
    ) -> Option<Template> {
        view.saw_arch.set(false);
        let watched = Watched::new(view);
        let expander = Expander::new(&watched);
        let text = expander.expand(name, definition, &pattern.args)?;
        let (spent, widest) = (expander.spent(), watched.widest.get());
        let depends = view.saw_arch.get() || watched.has_mark.get() || watched.has_chosen.get();
        if depends || widest.0 > MAX_WORDY_ARGUMENT {
            return None;
        }
        let found = watched.found.into_inner();
        let used = found.iter().filter(|it| it.1.is_some());
        let used = used.map(|it| Sym::of(it.0).short()).collect();
        let is_local = |it: &(Vec<u8>, _)| !self.is_of_all(view.files, Sym::of(&it.0));
        let mut joined = watched.joined.into_inner();
        joined.sort_unstable();
        joined.dedup();
        let mut chosen = watched.chosen.into_inner();
        chosen.sort_unstable();
        chosen.dedup();
        Some(Template {
            text,
            joined,
            chosen,
            local: found.into_iter().filter(is_local).collect(),
            used,
            widest,
            spent,
        })
    }

    /// Whether a template says what a use in a file expands to.
    fn holds(&self, template: &Template, pattern: &Pattern<'_>, view: &View<'_, '_>) -> bool {
        let longest = pattern
            .words
            .iter()
            .map(|it| it.len())
            .max()
            .unwrap_or_default();
        let (bytes, marks) = template.widest;
        let is_small = bytes + marks * longest <= MAX_WORDY_ARGUMENT
            && template.spent.saturating_mul(longest.max(2)) <= MAX_BYTES;
        let is_macro = |it: &Vec<u8>| self.all.defines(Sym::of(pattern.filled(it)).short());
        let is_meant =
            |(name, meant): &(Vec<u8>, Option<Arc<Definition>>)| match (view.find(name), meant) {
                (Some(it), Some(meant)) => Arc::ptr_eq(&it, meant),
                (it, meant) => it.is_none() && meant.is_none(),
            };
        view.saw_arch.set(false);
        is_small
            && !template.joined.iter().any(is_macro)
            && template.local.iter().all(is_meant)
            && !view.saw_arch.get()
    }

    /// Whether a name means the same in all files that are no headers of the kernel's own: it is defined there alone, or
    /// nowhere.
    fn is_of_all(&self, files: &[ReadFile], name: Sym) -> bool {
        self.places(files, name).iter().all(|it| {
            let file = &files[it.0 as usize].source;
            let path = file.path.as_str();
            file.is_shared
                && !file.is_foreign
                && path.starts_with("include/")
                && !path.starts_with("include/trace/")
        })
    }
}

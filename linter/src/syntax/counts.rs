//! Accesses of `struct inode`'s `i_count` in one function, typed by what they do to the counter.
//!
//! `i_count` is an `atomic_t`, and nothing else of that name is: an atomic operation on `&E->i_count`
//! needs no further typing. Anything else (`++`, assignments, addresses that leave) counts only where
//! `E` is declared as `struct inode`, because pvrusb2 and squashfs have plain members of that name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Node;
use super::flow::{self, Event, EventKind};
use super::nodes::{Field, Kind};
use super::text::{call_argument, call_name, fold, is_number, squeeze, statement_of};
use crate::kernel::RAISES;

/// [`CountAccess::form`] of an address that a function returns.
pub(crate) const RETURNED: &str = "return";
/// The same of one that is put into a member.
pub(crate) const KEPT: &str = "=";
/// The same of a macro that stands for the counter or its address.
pub(crate) const STOOD_FOR: &str = "#define";

/// What an access does to the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum CountOp {
    /// Looks at it.
    Read,
    /// Raises it, whatever it was.
    Grab,
    /// Raises it unless it is zero.
    GrabUnless,
    /// Raises it by a helper of the VFS, which is for inodes that somebody holds: it counts only behind a drop.
    Take,
    /// Lowers it, to zero if need be.
    Drop,
    /// Lowers it and takes a lock when it reaches zero: an open-coded `iput()`.
    DropAndLock,
    /// Lowers it unless that was the last reference.
    DropUnlessLast,
    /// Overwrites it.
    Set,
    /// Exchanges it or computes it anew.
    Exchange,
    /// Its address goes where this function cannot see.
    Escape,
}

/// One access of `i_count`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CountAccess {
    /// What it does.
    pub(crate) op: CountOp,
    /// How it is written: `atomic_dec_and_test`, `++`, `.counter`.
    pub(crate) form: String,
    /// Whether it goes around the atomic API: `.counter`, `arch_atomic_*`, `++`.
    pub(crate) raw: bool,
    /// The inode's expression without white space, such as `inode` or `ci->netfs.inode`.
    pub(crate) inode: String,
    /// The same as a pointer: `inode` or `&ci->netfs.inode`.
    pub(crate) pointer: String,
    /// Where the access starts, in bytes of the text handed in.
    pub(crate) offset: usize,
    /// The statement (or the condition) that holds it, on one line.
    pub(crate) statement: String,
    /// Whether that inode's `i_lock` is held on every way here, the caller's lock included.
    pub(crate) locked: bool,
    /// Offset of a drop that may have reached zero on some way here, without `i_lock` since.
    pub(crate) after_drop: Option<usize>,
    /// Whether the function hands something to a queue or a list further down.
    pub(crate) handed_over: bool,
}

/// Finds the accesses in one function or macro body; `text` is what `root` was parsed from, or a
/// text of the same offsets. Sorted by offset.
pub(crate) fn accesses(root: Node<'_>, text: &[u8]) -> Vec<CountAccess> {
    if memchr::memmem::find(text, b"i_count").is_none() {
        return Vec::new();
    }
    let mut reader = Reader {
        text,
        types: declared_types(root, text),
        aliases: BTreeMap::new(),
        found: Vec::new(),
    };
    root.preorder().for_each(|node| reader.node(node));
    let mut found = reader.found;
    found.sort_by_key(|it| it.offset);
    found.dedup_by_key(|it| it.offset);
    recognise_exchange_loops(&mut found, text, root);
    let mut events = flow::events(root, text);
    let last_hand_over = events
        .iter()
        .filter(|it| it.kind == EventKind::HandOver)
        .map(|it| it.offset)
        .max();
    events.extend(found.iter().enumerate().map(|(index, it)| Event {
        offset: it.offset,
        kind: EventKind::Count(index),
    }));
    flow::run(root, text, events, &mut found);
    found.retain(|it| it.op != CountOp::Take || it.after_drop.is_some());
    for access in &mut found {
        access.handed_over = last_hand_over.is_some_and(|it| it > access.offset);
    }
    found
}

/// How many members of the name `i_count` the grammar sees, whoever's they are.
pub(crate) fn members(root: Node<'_>, text: &[u8]) -> u32 {
    let mut count = 0;
    if memchr::memmem::find(text, b"i_count").is_some() {
        root.preorder().for_each(|node| {
            let field = node.field(Field::Member);
            count += u32::from(
                node.kind() == Kind::FieldExpression
                    && field.is_some_and(|it| &text[it.byte_range()] == b"i_count"),
            );
        });
    }
    count
}

struct Reader<'a> {
    text: &'a [u8],
    types: BTreeMap<String, String>,
    /// Local pointers that hold `&E->i_count`, with `E`.
    aliases: BTreeMap<String, Named>,
    found: Vec<CountAccess>,
}

/// An inode as [`CountAccess`] names it.
#[derive(Clone)]
struct Named {
    inode: String,
    pointer: String,
}

impl Reader<'_> {
    fn node(&mut self, node: Node<'_>) {
        match node.kind() {
            Kind::FieldExpression => self.member(node),
            Kind::CallExpression => {
                self.alias_call(node);
                self.taking_call(node);
            }
            Kind::InitDeclarator | Kind::AssignmentExpression => self.alias_of_alias(node),
            _ => {}
        }
    }

    /// `E->i_count` or `E.i_count`, wherever it stands.
    fn member(&mut self, node: Node<'_>) {
        let Some(field) = node.field(Field::Member) else {
            return;
        };
        if &self.text[field.byte_range()] != b"i_count" {
            return;
        }
        let Some(argument) = node.field(Field::Argument) else {
            return;
        };
        let object = squeeze(argument, self.text);
        let operator = &self.text[argument.end_byte()..field.start_byte()];
        let is_pointer = memchr::memchr(b'>', operator).is_some();
        let object = without_parens(&object);
        let inode = Named {
            inode: strip_parens(object).to_owned(),
            pointer: format!("{}{object}", if is_pointer { "" } else { "&" }),
        };
        let is_inode = self.type_of(&inode.inode);
        if is_inode == Some(false) {
            return;
        }
        let outer = outermost_parens(node);
        let Some(parent) = outer.parent() else {
            return;
        };
        match parent.kind() {
            Kind::FieldExpression if self.field_is(parent, b"counter") => {
                self.raw_counter(parent, inode);
            }
            Kind::PointerExpression if self.text[parent.start_byte()] == b'&' => {
                self.address(parent, inode, is_inode == Some(true));
            }
            Kind::UpdateExpression | Kind::AssignmentExpression if is_inode == Some(true) => {
                if let Some((op, form)) = self.plain_write(parent, outer) {
                    self.push(parent, inode, (op, form), true);
                }
            }
            _ => self.value_of_macro(parent, inode),
        }
    }

    /// Whether the expression is a `struct inode`; `None` where its type is not in sight.
    fn type_of(&self, inode: &str) -> Option<bool> {
        self.types.get(inode).map(|it| it == "struct inode")
    }

    fn field_is(&self, node: Node<'_>, name: &[u8]) -> bool {
        node.field(Field::Member)
            .is_some_and(|it| &self.text[it.byte_range()] == name)
    }

    /// `E->i_count.counter`.
    fn raw_counter(&mut self, counter: Node<'_>, inode: Named) {
        let outer = outermost_parens(counter);
        let parent = outer.parent();
        if let Some(parent) = parent {
            if let Some((op, form)) = self.plain_write(parent, outer) {
                return self.push(parent, inode, (op, form), true);
            }
            if parent.kind() == Kind::PointerExpression
                && self.text[parent.start_byte()] == b'&'
                && let Some((call, name)) = self.enclosing_call(parent)
            {
                let op = classify(&name, call, self.text).unwrap_or(CountOp::Exchange);
                return self.push(call, inode, (op, name), true);
            }
            if let Some((call, name)) = self.enclosing_call(outer)
                && name == "WRITE_ONCE"
                && call_argument(call, 0) == Some(outer)
            {
                return self.push(call, inode, (CountOp::Set, name), true);
            }
        }
        self.push(counter, inode, (CountOp::Read, ".counter".to_owned()), true);
    }

    /// `++`, `--` and assignments whose target is `target`.
    fn plain_write(&self, parent: Node<'_>, target: Node<'_>) -> Option<(CountOp, String)> {
        match parent.kind() {
            Kind::UpdateExpression => {
                let operator = parent.field(Field::Operator)?;
                let form = fold(operator, self.text);
                let op = if form == "++" {
                    CountOp::Grab
                } else {
                    CountOp::Drop
                };
                Some((op, form))
            }
            Kind::AssignmentExpression => {
                if parent.field(Field::Left)? != target {
                    return None;
                }
                let operator = fold(parent.field(Field::Operator)?, self.text);
                let op = match operator.as_str() {
                    "+=" => CountOp::Grab,
                    "-=" => CountOp::Drop,
                    _ => CountOp::Set,
                };
                Some((op, operator))
            }
            _ => None,
        }
    }

    /// `&E->i_count`: an operation on it, a local pointer to it, or an address that leaves.
    fn address(&mut self, address: Node<'_>, inode: Named, is_inode: bool) {
        let mut outer = outermost_parens(address);
        while let Some(cast) = outer
            .parent()
            .filter(|it| it.kind() == Kind::CastExpression)
        {
            outer = outermost_parens(cast);
        }
        if let Some((call, name)) = self.enclosing_call(outer) {
            if let Some(op) = classify(&name, call, self.text) {
                let raw = name.starts_with("arch_") || name.starts_with("raw_");
                return self.push(call, inode, (op, name), raw);
            }
            if is_inode {
                self.push(call, inode, (CountOp::Escape, name), true);
            }
            return;
        }
        let Some(parent) = outer.parent() else {
            return;
        };
        match set_in(parent) {
            Some((target, _)) => {
                if is_inode && target.kind() == Kind::FieldExpression {
                    let kept = (CountOp::Escape, KEPT.to_owned());
                    self.push(parent, inode.clone(), kept, true);
                }
                self.name(target, inode);
            }
            None if parent.kind() == Kind::ReturnStatement && is_inode => {
                self.push(parent, inode, (CountOp::Escape, RETURNED.to_owned()), true);
            }
            None if is_inode && is_in_braces(parent) => {
                self.push(parent, inode, (CountOp::Escape, KEPT.to_owned()), true);
            }
            None => self.value_of_macro(parent, inode),
        }
    }

    /// The counter or its address as a statement: what a macro's body stands for.
    fn value_of_macro(&mut self, parent: Node<'_>, inode: Named) {
        if parent.kind() == Kind::ExpressionStatement {
            self.push(parent, inode, (CountOp::Escape, STOOD_FOR.to_owned()), true);
        }
    }

    /// A local pointer that is given what another one holds.
    fn alias_of_alias(&mut self, node: Node<'_>) {
        if let Some((target, value)) = set_in(node)
            && let Some(inode) = self.aliases.get(&squeeze(value, self.text)).cloned()
        {
            self.name(target, inode);
        }
    }

    /// From here on a local pointer holds the address of this inode's counter.
    fn name(&mut self, target: Node<'_>, inode: Named) {
        let name = squeeze(target, self.text);
        let name = name.trim_start_matches('*').to_owned();
        self.aliases.insert(name, inode);
    }

    /// An operation on a local pointer that holds the counter's address.
    fn alias_call(&mut self, call: Node<'_>) {
        if self.aliases.is_empty() {
            return;
        }
        let Some(name) = call_name(call, self.text) else {
            return;
        };
        let Some(op) = classify(&name, call, self.text) else {
            return;
        };
        let inode = (0..3)
            .filter_map(|index| call_argument(call, index))
            .find_map(|it| self.aliases.get(&squeeze(it, self.text)).cloned());
        if let Some(inode) = inode {
            let raw = name.starts_with("arch_") || name.starts_with("raw_");
            self.push(call, inode, (op, name.into_owned()), raw);
        }
    }

    /// `ihold(inode)`.
    fn taking_call(&mut self, call: Node<'_>) {
        let name = call_name(call, self.text).filter(|it| RAISES.contains(&it.as_ref()));
        if let (Some(name), Some(argument)) = (name, call_argument(call, 0)) {
            let pointer = without_parens(&squeeze(argument, self.text)).to_owned();
            let object = pointer.strip_prefix('&').unwrap_or(&pointer);
            let inode = Named {
                inode: strip_parens(object).to_owned(),
                pointer: pointer.clone(),
            };
            self.push(call, inode, (CountOp::Take, name.into_owned()), false);
        }
    }

    /// The call that has `argument` as an argument of its own.
    fn enclosing_call<'t>(&self, argument: Node<'t>) -> Option<(Node<'t>, String)> {
        let list = argument
            .parent()
            .filter(|it| it.kind() == Kind::ArgumentList)?;
        let call = list
            .parent()
            .filter(|it| it.kind() == Kind::CallExpression)?;
        Some((call, call_name(call, self.text)?.into_owned()))
    }

    fn push(&mut self, at: Node<'_>, inode: Named, (op, form): (CountOp, String), raw: bool) {
        self.found.push(CountAccess {
            op,
            form,
            raw,
            inode: inode.inode,
            pointer: inode.pointer,
            offset: at.start_byte(),
            statement: statement_of(at, self.text),
            locked: false,
            after_drop: None,
            handed_over: false,
        });
    }
}

/// What a function of the atomic or refcount API does to the counter in its arguments.
///
/// Sources: `include/linux/atomic/atomic-instrumented.h`, `include/linux/refcount.h`,
/// `include/asm-generic/rwonce.h`, `Documentation/atomic_t.txt`.
fn classify(name: &str, call: Node<'_>, text: &[u8]) -> Option<CountOp> {
    let bare = name
        .trim_start_matches("arch_")
        .trim_start_matches("raw_")
        .trim_start_matches("__");
    match bare {
        "READ_ONCE" | "smp_load_acquire" | "data_race" => return Some(CountOp::Read),
        "WRITE_ONCE" | "smp_store_release" | "smp_store_mb" => return Some(CountOp::Set),
        _ => {}
    }
    if ["cmpxchg", "xchg", "try_cmpxchg"].iter().any(|it| {
        bare.strip_prefix(it)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    }) {
        return Some(CountOp::Exchange);
    }
    let operation = bare
        .strip_prefix("atomic_")
        .or_else(|| bare.strip_prefix("refcount_"))
        .or_else(|| bare.strip_prefix("atomic64_"))
        .or_else(|| bare.strip_prefix("atomic_long_"))?;
    let operation = ["_relaxed", "_acquire", "_release"]
        .iter()
        .find_map(|it| operation.strip_suffix(it))
        .unwrap_or(operation);
    let operation = operation.strip_prefix("fetch_").unwrap_or(operation);
    let constant = |index| call_argument(call, index).and_then(|it| is_number(it, text));
    let is_negative = |index| {
        call_argument(call, index)
            .is_some_and(|it| squeeze(it, text).trim_start_matches('(').starts_with('-'))
    };
    Some(match operation {
        "read" => CountOp::Read,
        "set" | "init" => CountOp::Set,
        "inc_not_zero" | "inc_unless_negative" | "add_not_zero" => CountOp::GrabUnless,
        "add" | "add_return" | "add_negative" if is_negative(0) => CountOp::Drop,
        "inc" | "inc_return" | "inc_and_test" | "add" | "add_return" | "add_negative" => {
            CountOp::Grab
        }
        "add_unless" => match (constant(1), constant(2)) {
            (Some(-1), Some(1)) => CountOp::DropUnlessLast,
            _ if is_negative(1) => CountOp::Drop,
            _ => CountOp::GrabUnless,
        },
        "dec_not_one" => CountOp::DropUnlessLast,
        "sub" | "sub_return" if is_negative(0) => CountOp::Grab,
        "sub" | "sub_return" => CountOp::Drop,
        it if it.starts_with("dec_and_") && (it.contains("lock")) => CountOp::DropAndLock,
        it if it.starts_with("dec") || it.starts_with("sub_and_test") => CountOp::Drop,
        _ => CountOp::Exchange,
    })
}

/// A hand-written loop around compare-and-exchange that never takes the last reference does what
/// `atomic_add_unless(&i_count, -1, 1)` does.
fn recognise_exchange_loops(found: &mut [CountAccess], text: &[u8], root: Node<'_>) {
    if !found.iter().any(|it| it.op == CountOp::Exchange) {
        return;
    }
    let body = squeeze(root, text);
    for access in found.iter_mut().filter(|it| it.op == CountOp::Exchange) {
        let statement: String = access.statement.split_whitespace().collect();
        let Some(old) = statement
            .split([',', '('])
            .filter_map(|it| it.split(')').next())
            .find_map(|it| it.strip_suffix("-1"))
        else {
            continue;
        };
        let skips_last = ["==1", "!=1", ">1", "<=1", "<2", ">=2"]
            .iter()
            .any(|it| body.contains(&format!("{old}{it}")));
        if skips_last {
            access.op = CountOp::DropUnlessLast;
        }
    }
}

/// Declared types of parameters and locals: name to type, as in `struct inode`.
fn declared_types(root: Node<'_>, text: &[u8]) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    root.preorder().for_each(|node| {
        if !matches!(node.kind(), Kind::Declaration | Kind::ParameterDeclaration) {
            return;
        }
        let Some(of) = node.field(Field::Type) else {
            return;
        };
        let of = fold(of, text);
        for declarator in node.fields(Field::Declarator) {
            if let Some(name) = flow::declared_name(declarator, text) {
                types.insert(name, of.clone());
            }
        }
    });
    types
}

/// Whether what stands in a node is a value of an initialiser in braces.
fn is_in_braces(node: Node<'_>) -> bool {
    matches!(node.kind(), Kind::InitializerPair | Kind::InitializerList)
}

/// What a declaration or an assignment sets, and to what.
fn set_in(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    match node.kind() {
        Kind::InitDeclarator => node.field(Field::Declarator).zip(node.field(Field::Value)),
        Kind::AssignmentExpression => node.field(Field::Left).zip(node.field(Field::Right)),
        _ => None,
    }
}

fn outermost_parens(mut node: Node<'_>) -> Node<'_> {
    while let Some(parent) = node
        .parent()
        .filter(|it| it.kind() == Kind::ParenthesizedExpression)
    {
        node = parent;
    }
    node
}

/// `(x)` without its parentheses, and `&x` without its operator: the inode either way.
pub(super) fn strip_parens(text: &str) -> &str {
    let mut text = text;
    loop {
        text = without_parens(text);
        match text.strip_prefix('&') {
            Some(inner) => text = inner,
            None => return text,
        }
    }
}

/// `((x))` without its parentheses.
pub(super) fn without_parens(text: &str) -> &str {
    let mut text = text;
    let inner = |text: &'_ str| -> Option<usize> {
        let inner = text.strip_prefix('(')?.strip_suffix(')')?;
        is_balanced(inner).then_some(inner.len())
    };
    while let Some(length) = inner(text) {
        text = &text[1..=length];
    }
    text
}

fn is_balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

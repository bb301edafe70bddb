//! Calls, stores, parameters and locals of one function or macro.

use std::cell::RefCell;

use rustc_hash::FxHashSet;

use super::arms::add_other_arms;
use super::conditions::conditions;
use crate::lex::{Sym, may_return_function, uncommented};

use super::expr::{Text, callable, declared, each_child, expr, type_ref};
use super::initializer::{addressed, initializer};
use super::unread::{add_unread_calls, declared_pointer, is_within, not_done};
use super::{Call, Callee, Expr, FunctionFacts, Step, Store, TypeRef};
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::{self, Node, Tree, clean};

/// Statements nest this deep at most; the stack holds it.
const MAX_DEPTH: u32 = 400;

/// A function's tree with the texts that it was read from.
pub(crate) struct ParsedItem {
    pub(crate) clean: Vec<u8>,
    pub(crate) tree: Option<Tree>,
    /// As how many arms those `#if`s are read that split a statement: of such, the first one was.
    arms: usize,
    macro_head: bool,
}

/// Parses a function. `body` is the offset of its `{`; a head that is a macro use is replaced.
pub(crate) fn parse_function(item: &[u8], body: usize, macro_head: bool) -> ParsedItem {
    parse_arm(item, (body, macro_head), 0)
}

/// As [`parse_function`], where the `read`-th arms are read of `#if`s that split a statement.
fn parse_arm(item: &[u8], (body, macro_head): (usize, bool), read: usize) -> ParsedItem {
    let (mut clean, arms) = clean::clean_arm(item, read);
    if macro_head && body >= 8 {
        let head = b"int f() ";
        clean[..8].copy_from_slice(head);
        for byte in &mut clean[8..body] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    let tree = syntax::parse(&clean);
    ParsedItem {
        clean,
        tree,
        arms,
        macro_head,
    }
}

/// Parses a macro's body as if it were a function's, of the same offsets.
pub(crate) fn parse_macro(item: &[u8], body: usize) -> ParsedItem {
    const HEAD: &[u8] = b"int f() {";
    let mut text = item.to_vec();
    let head = body.min(text.len());
    text[..head].fill(b' ');
    if head >= HEAD.len() {
        text[..HEAD.len()].copy_from_slice(HEAD);
    }
    for byte in &mut text[head..] {
        if *byte == b'\\' {
            *byte = b' ';
        }
    }
    blank_pasting(&mut text[head..]);
    text.extend_from_slice(b"\n;}");
    let clean = clean::clean(&text);
    let tree = syntax::parse(&clean);
    ParsedItem {
        clean,
        tree,
        arms: 1,
        macro_head: false,
    }
}

/// Reads a function.
pub(crate) fn function_facts(item: &[u8], body: usize, macro_head: bool) -> FunctionFacts {
    facts_of(&parse_function(item, body, macro_head), item, body)
}

thread_local! {
    /// Room for what is read of one function after the other.
    static ROOM: RefCell<FunctionFacts> = RefCell::default();
}

/// Reads a function that is parsed.
pub(crate) fn facts_of(parsed: &ParsedItem, item: &[u8], body: usize) -> FunctionFacts {
    let mut room = ROOM.take();
    read_into(&mut room, parsed, item, body);
    let facts = room.take_packed();
    ROOM.set(room);
    facts
}

/// Adds what a function says to empty facts.
fn read_into(facts: &mut FunctionFacts, parsed: &ParsedItem, item: &[u8], body: usize) {
    read_arm(facts, parsed, item, body);
    for read in 1..parsed.arms {
        let other = parse_arm(item, (body, parsed.macro_head), read);
        let mut more = FunctionFacts::default();
        read_arm(&mut more, &other, item, body);
        add_other_arms(facts, more);
    }
    if parsed.tree.is_some() {
        mark_stack_objects(facts);
        add_unread_calls((item, &parsed.clean), body, facts);
    }
}

fn read_arm(facts: &mut FunctionFacts, parsed: &ParsedItem, item: &[u8], body: usize) {
    let Some(tree) = &parsed.tree else { return };
    let text = Text {
        original: item,
        clean: &parsed.clean,
        shift: 0,
    };
    let mut walk = Walk {
        text,
        facts,
        not_done: not_done(&parsed.clean, 0),
        returns: may_return_function(&item[..body]),
        copied: FxHashSet::default(),
    };
    walk.visit(tree.root_node(), 0);
    // What is copied from the stack is not gone.
    let copied = walk.copied;
    facts.on_stack.retain(|it| !copied.contains(it));
    conditions(text, tree.root_node(), &facts.params, &mut facts.conditions);
}

/// Finds the stores into objects that are gone when the function returns.
fn mark_stack_objects(facts: &mut FunctionFacts) {
    let on_stack: FxHashSet<Sym> = facts.on_stack.iter().copied().collect();
    for store in &mut facts.stores {
        let root = store.object.root();
        store.on_stack = root.is_some_and(|it| on_stack.contains(&it));
    }
}

/// Reads a macro: its parameters, and its body as if it were a function's.
pub(crate) fn macro_facts(item: &[u8], body: usize) -> FunctionFacts {
    const HEAD: &[u8] = b"int f() {";
    let mut facts = FunctionFacts {
        params: macro_params(&item[..body]),
        ..FunctionFacts::default()
    };
    let mut original = HEAD.to_vec();
    original.extend(
        item[body..]
            .iter()
            .map(|it| if *it == b'\\' { b' ' } else { *it }),
    );
    original.extend_from_slice(b"\n;}");
    blank_pasting(&mut original);
    let clean = clean::clean(&original);
    let Some(tree) = syntax::parse(&clean) else {
        return facts;
    };
    let text = Text {
        original: &original,
        clean: &clean,
        shift: HEAD.len() as u32,
    };
    let params = std::mem::take(&mut facts.params);
    Walk {
        text,
        facts: &mut facts,
        not_done: not_done(&clean, 0),
        returns: false,
        copied: FxHashSet::default(),
    }
    .visit(tree.root_node(), 0);
    facts.params = params;
    let function = tree
        .root_node()
        .children()
        .find(|it| it.kind() == Kind::FunctionDefinition);
    let last = function
        .and_then(|it| it.field(Field::Body))
        .and_then(|it| {
            it.children()
                .filter(|it| {
                    it.kind() == Kind::ExpressionStatement && it.children().next().is_some()
                })
                .last()
        });
    for call in &mut facts.calls {
        call.offset += body as u32;
        call.end += body as u32;
    }
    add_unread_calls((item, &[]), body, &mut facts);
    facts.result = last.map_or(Expr::Unknown, |it| expr(text, it));
    facts.take_packed()
}

/// `, ##__VA_ARGS__` and `#x` are no C; what `a##b` names is only known where the macro is used.
fn blank_pasting(text: &mut [u8]) {
    let mut at = 0;
    while let Some(hash) = memchr::memchr(b'#', &text[at..]).map(|it| at + it) {
        at = hash + 1;
        let is_paste = text.get(at) == Some(&b'#');
        if !is_paste {
            text[hash] = b' ';
            continue;
        }
        at += 1;
        let before = text[..hash].trim_ascii_end();
        let joins = before
            .last()
            .is_some_and(|it| crate::lex::is_word_byte(*it));
        let (start, blanks) = (
            before.len(),
            text[at..]
                .iter()
                .take_while(|it| matches!(it, b' ' | b'\t'))
                .count(),
        );
        let joins = joins
            && text
                .get(at + blanks)
                .is_some_and(|it| crate::lex::is_word_byte(*it));
        text[start..at + blanks].fill(if joins { b'_' } else { b' ' });
    }
}

fn macro_params(head: &[u8]) -> Vec<(crate::lex::Sym, TypeRef)> {
    let Some(open) = head.iter().position(|it| *it == b'(') else {
        return Vec::new();
    };
    uncommented(&head[open + 1..])
        .split(|it| matches!(it, b',' | b')'))
        .map(<[u8]>::trim_ascii)
        .filter(|it| !it.is_empty())
        .map(|it| {
            let name = if it.starts_with(b"...") {
                b"__VA_ARGS__".as_slice()
            } else {
                it.strip_suffix(b"...").unwrap_or(it)
            };
            (crate::lex::Sym::of(name), TypeRef::Unknown)
        })
        .collect()
}

/// Whether what is called is a name in parentheses, and nothing else.
fn is_bracketed(function: Node<'_>) -> bool {
    function.kind() == Kind::ParenthesizedExpression
        && function
            .children()
            .next()
            .is_some_and(|it| it.kind() == Kind::Identifier)
}

/// Whether a declarator declares a pointer.
fn is_pointer(mut node: Node<'_>) -> bool {
    for _ in 0..8 {
        if node.kind() == Kind::PointerDeclarator {
            return true;
        }
        match node.field(Field::Declarator) {
            Some(inner) => node = inner,
            None => return false,
        }
    }
    false
}

/// Different values that one function returns are followed up to so many.
const MAX_RETURNED: usize = 64;

struct Walk<'a, 'f> {
    text: Text<'a>,
    facts: &'f mut FunctionFacts,
    /// Where nothing is called: `section("x")` in an attribute is no call, whatever it is taken for.
    not_done: Vec<std::ops::Range<usize>>,
    /// Whether it may be a function that is returned.
    returns: bool,
    /// The variables whose values others get.
    copied: FxHashSet<Sym>,
}

impl Walk<'_, '_> {
    fn visit(&mut self, node: Node<'_>, depth: u32) {
        if depth > MAX_DEPTH {
            return;
        }
        match node.kind() {
            Kind::Error => self.facts.errors.push(self.text.offset(node)),
            Kind::FunctionDefinition if depth <= 2 => {
                if let Some(of) = node.field(Field::Type) {
                    self.facts.returns = type_ref(self.text, of);
                }
            }
            Kind::FunctionDeclarator
                if self.facts.params.is_empty() && self.facts.calls.is_empty() =>
            {
                self.params(node);
            }
            Kind::Declaration => self.declaration(node),
            Kind::CallExpression => self.call(node),
            Kind::ReturnStatement if self.returns => self.returned(node),
            Kind::AssignmentExpression => {
                if let (Some(left), Some(right)) =
                    (node.field(Field::Left), node.field(Field::Right))
                {
                    self.assignment(left, right);
                }
            }
            _ => {}
        }
        let tells = |it: &Node<'_>| !it.is_single() || it.kind() == Kind::Error;
        for child in node.children().filter(tells) {
            self.visit(child, depth + 1);
        }
    }

    fn returned(&mut self, node: Node<'_>) {
        let mut pending: Vec<Expr> = each_child(node, |it| expr(self.text, it));
        while let Some(value) = pending.pop() {
            let returned = &mut self.facts.returned;
            match value {
                Expr::Name(_) | Expr::Member(..)
                    if returned.len() < MAX_RETURNED && !returned.contains(&value) =>
                {
                    returned.push(value);
                }
                Expr::Either(first, second) => pending.extend([*first, *second]),
                _ => {}
            }
        }
    }

    fn params(&mut self, declarator: Node<'_>) {
        let Some(list) = declarator.field(Field::Parameters) else {
            return;
        };
        for param in list
            .children()
            .filter(|it| it.kind() == Kind::ParameterDeclaration)
        {
            let of = param
                .field(Field::Type)
                .map_or(TypeRef::Unknown, |it| type_ref(self.text, it));
            let name = param
                .field(Field::Declarator)
                .and_then(|it| declared(self.text, it));
            if let Some((name, _)) = name {
                self.facts.params.push((name, of));
            }
        }
    }

    fn declaration(&mut self, node: Node<'_>) {
        let of = node
            .field(Field::Type)
            .map_or(TypeRef::Unknown, |it| type_ref(self.text, it));
        let is_static = self.text.of(node).starts_with(b"static");
        let declarators: Vec<Node<'_>> = node.fields(Field::Declarator).collect();
        for declarator in declarators {
            let Some((name, _)) = declared(self.text, declarator) else {
                continue;
            };
            self.facts.locals.push((name, of));
            if of != TypeRef::Unknown && !is_static && !is_pointer(declarator) {
                self.facts.on_stack.push(name);
            }
            if let Some(value) = declarator.field(Field::Value) {
                if matches!(value.kind(), Kind::InitializerList | Kind::CompoundLiteral) {
                    let object = Expr::Name(name);
                    let stores = &mut self.facts.stores;
                    initializer(self.text, &object, value, &mut Vec::new(), stores);
                } else {
                    self.facts.assigns.push((name, callable(self.text, value)));
                }
            }
        }
    }

    fn call(&mut self, node: Node<'_>) {
        let Some(function) = node.field(Field::Function) else {
            return;
        };
        let start = node.start_byte();
        if crate::lex::words::is_keyword(self.text.of(function))
            || self.is_annotated(function)
            || is_within(&self.not_done, start)
        {
            return;
        }
        if let Some(name) = self.pointer_declared(node, function) {
            self.facts.locals.push((name, TypeRef::Unknown));
            return;
        }
        let callee = match callable(self.text, function) {
            Expr::Name(name) => Callee::Name(name),
            Expr::Member(object, member) => Callee::Member(*object, member),
            other => Callee::Value(other),
        };
        let mut args = Vec::new();
        if let Some(list) = node.field(Field::Arguments) {
            args = each_child(list, |it| expr(self.text, it));
            for literal in list.children() {
                self.literal_argument(literal);
            }
            let written = crate::lex::words::value_written(self.text.of(function));
            let value = written.and_then(|it| list.children().nth(it));
            if let (Some(target), Some(value)) = (list.children().next(), value) {
                self.assignment(target, value);
            }
        }
        let offset = match &callee {
            Callee::Member(..) => function
                .field(Field::Member)
                .map_or(node.start_byte(), Node::start_byte),
            _ => function.start_byte(),
        };
        self.facts.calls.push(Call {
            offset: (offset as u32).saturating_sub(self.text.shift),
            end: (node.end_byte() as u32).saturating_sub(self.text.shift),
            may_cast: is_bracketed(function),
            callee,
            args,
        });
    }

    /// `type_t (*name)(int);` as a statement: the grammar takes it for the call of what a call returns.
    fn pointer_declared(&self, node: Node<'_>, function: Node<'_>) -> Option<crate::lex::Sym> {
        let statement = node.parent().and_then(Node::parent);
        let is_statement = statement.is_some_and(|it| it.kind() == Kind::ExpressionStatement);
        if !is_statement || function.kind() != Kind::Identifier {
            return None;
        }
        let name = declared_pointer(self.text.clean, function.end_byte())?;
        Some(crate::lex::Sym::of(&self.text.clean[name]))
    }

    /// `(__force type)(value)`: what the cleaner took out of the parentheses says that a type stands in them.
    fn is_annotated(&self, function: Node<'_>) -> bool {
        let original = self.text.original.get(function.byte_range());
        is_bracketed(function)
            && original.is_some_and(|it| {
                let words = it.split(|it| !crate::lex::is_word_byte(*it));
                words.filter(|it| !it.is_empty()).count() > 1
            })
    }

    /// `f(&(struct ops){ .member = g })`
    fn literal_argument(&mut self, node: Node<'_>) {
        let literal = addressed(node).unwrap_or(node);
        if literal.kind() == Kind::CompoundLiteral {
            let object = expr(self.text, literal);
            initializer(
                self.text,
                &object,
                literal,
                &mut Vec::new(),
                &mut self.facts.stores,
            );
        }
    }

    fn assignment(&mut self, left: Node<'_>, right: Node<'_>) {
        // `one = other = value`
        let mut right = right;
        while let (Kind::AssignmentExpression, Some(value)) =
            (right.kind(), right.field(Field::Right))
        {
            right = value;
        }
        if right.kind() == Kind::Identifier {
            self.copied.insert(self.text.sym(right));
        }
        match expr(self.text, left) {
            Expr::Name(name) => {
                if right.kind() == Kind::CompoundLiteral {
                    initializer(
                        self.text,
                        &Expr::Name(name),
                        right,
                        &mut Vec::new(),
                        &mut self.facts.stores,
                    );
                } else {
                    self.facts.assigns.push((name, callable(self.text, right)));
                }
            }
            Expr::Member(object, member) => {
                let offset = self.text.offset(left);
                let mut path = vec![Step::Member(member)];
                if right.kind() == Kind::CompoundLiteral {
                    initializer(self.text, &object, right, &mut path, &mut self.facts.stores);
                } else {
                    let value = expr(self.text, right);
                    if !matches!(value, Expr::Unknown | Expr::Const(_)) {
                        self.facts.stores.push(Store {
                            offset,
                            object: *object,
                            path,
                            value,
                            on_stack: false,
                        });
                    }
                }
            }
            _ => {}
        }
    }
}

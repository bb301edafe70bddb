//! Under which conditions on its parameters a function makes its calls, and what it passes on.
//!
//! Only what the parameters decide is kept: a flag that the caller passes as a constant then excludes the branches
//! that it does not take. Variables that are set twice, or whose address is taken, are unknown.

use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::expr::{Text, declared};
use super::jumps::Jumps;
use super::objects::{Inside, Objects};
use super::outcomes::{decides_only, is_failure, leaves};
use super::switches::{case_value, leaving_cases};
use super::value::{Names, Settings, Value, integers, operator, value};
use super::{TypeRef, packed};
use crate::lex::Sym;
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

const MAX_DEPTH: u32 = 400;
/// Guards and call sites of one function that are looked at.
const MAX_SITES: usize = 4096;

/// A condition, and whether it must be true or false for the guarded code to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Guard {
    pub(crate) test: Value,
    pub(crate) holds: bool,
    /// Where it is tested.
    pub(crate) offset: u32,
}

/// One call that is guarded, or that passes on something known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Site {
    /// As [`super::Call::offset`].
    pub(crate) offset: u32,
    /// Indices into [`Conditions::guards`]: all of them hold where it runs.
    pub(crate) guards: Vec<u32>,
    /// Arguments that are understood, with their index.
    pub(crate) args: Vec<(u16, Value)>,
    /// Arguments that are addresses of objects of which something is known.
    pub(crate) inside: Vec<Inside>,
    /// It stands in the arm of an `if` that handles an error.
    pub(crate) on_failure: bool,
}

impl Site {
    /// Whether the call passes on anything.
    pub(crate) fn tells(&self) -> bool {
        !self.args.is_empty() || !self.inside.is_empty()
    }
}

/// One way out of a function that does nothing but decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Return {
    /// Where it stands.
    pub(crate) offset: u32,
    pub(crate) value: Value,
    /// As [`Site::guards`].
    pub(crate) guards: Vec<u32>,
}

/// All of one function.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Conditions {
    pub(crate) guards: Vec<Guard>,
    /// Sorted by offset.
    pub(crate) sites: Vec<Site>,
    /// Members that the function sets, with the offset of each store; no name for a whole object.
    pub(crate) stores: Vec<(Sym, u32)>,
    /// All ways out of a small function that only tests and returns; empty for others.
    pub(crate) returns: Vec<Return>,
    #[serde(skip)]
    told: OnceLock<Told>,
}

/// Where parameters stand in what is said of a function's calls.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// Those that a guard tests, in order.
    pub(crate) guarding: Vec<u16>,
    /// Those that an argument is made of, with the offset of the call and the argument's index.
    pub(crate) passed_on: Vec<(u16, u32, u16)>,
    /// Those that a call in a guard gets, with the call's name and the argument's index.
    pub(crate) asked: Vec<(u16, Sym, u16)>,
}

impl Conditions {
    /// Where parameters stand in guards and arguments; looked up once.
    pub(crate) fn told(&self) -> &Told {
        self.told.get_or_init(|| {
            let mut told = Told::default();
            for site in &self.sites {
                for guard in &site.guards {
                    let test = &self.guards[*guard as usize].test;
                    test.each_param(&mut |it| told.guarding.push(it));
                    test.each_asked(&mut |name, at, it| told.asked.push((it, name, at)));
                }
                for (at, value) in &site.args {
                    value.each_param(&mut |it| told.passed_on.push((it, site.offset, *at)));
                }
            }
            told.guarding.sort_unstable();
            told.guarding.dedup();
            told.passed_on.dedup();
            told.asked.sort_unstable();
            told.asked.dedup();
            told
        })
    }

    /// Whether constants alone may decide that one of a call's guards fails.
    pub(crate) fn hangs_on_constant(&self, site: &Site) -> bool {
        let mut guards = site.guards.iter().map(|it| &self.guards[*it as usize]);
        guards.any(|it| it.test.may_be_constant())
    }

    pub(crate) fn site(&self, offset: u32) -> Option<&Site> {
        let at = self.sites.binary_search_by_key(&offset, |it| it.offset);
        at.ok().map(|it| &self.sites[it])
    }

    /// As [`super::FunctionFacts::take_packed`].
    pub(super) fn take_packed(&mut self) -> Self {
        for site in &mut self.sites {
            site.guards.shrink_to_fit();
            site.args.shrink_to_fit();
            site.inside.shrink_to_fit();
        }
        Self {
            guards: packed(&mut self.guards),
            sites: packed(&mut self.sites),
            stores: packed(&mut self.stores),
            returns: packed(&mut self.returns),
            told: OnceLock::new(),
        }
    }
}

/// Reads a function that has these parameters.
///
/// What is found is added to `out`, which has nothing yet but room.
pub(super) fn conditions(
    text: Text<'_>,
    root: Node<'_>,
    params: &[(Sym, TypeRef)],
    out: &mut Conditions,
) {
    if params.is_empty() {
        return;
    }
    let mut walk = Walk {
        text,
        out,
        passed: Vec::new(),
        held: Vec::new(),
        barrier: 0,
        failures: 0,
        definitions: FxHashMap::default(),
        changed: FxHashMap::default(),
        intact: FxHashMap::default(),
        jumps: Jumps::default(),
        decides_only: decides_only(root),
        settings: FxHashMap::default(),
        objects: Objects::default(),
        constants: FxHashSet::default(),
        integers: integers(text, root),
        tested: (0..0, Value::Unknown),
    };
    walk.visit(root, 0);
    walk.finish(params);
}

/// Whether it is a case of a switch further out: `switch (x) { case 1: if (0) { case 2: … } }`.
fn is_entered_from_outside(node: Node<'_>) -> bool {
    let around = || node.parent().and_then(Node::parent);
    node.kind() == Kind::CaseStatement
        && around().is_none_or(|it| it.kind() != Kind::SwitchStatement)
}

/// Whether a variable that is declared with a value is `const`, and not just what it points to.
fn is_constant(text: Text<'_>, declarator: Node<'_>) -> bool {
    let is_plain = |it: Node<'_>| it.kind() == Kind::Identifier;
    let owner = declarator.parent();
    let head = owner.and_then(|it| text.clean.get(it.start_byte()..declarator.start_byte()));
    declarator.field(Field::Declarator).is_some_and(is_plain)
        && head.is_some_and(|it| it.split(u8::is_ascii_whitespace).any(|it| it == b"const"))
}

struct Walk<'a> {
    text: Text<'a>,
    out: &'a mut Conditions,
    /// Room for [`Site::args`].
    passed: Vec<(u16, Value)>,
    /// The guards that hold here.
    held: Vec<u32>,
    /// Guards before this one may have been jumped over.
    barrier: u32,
    /// Enclosing arms that handle an error.
    failures: u32,
    definitions: FxHashMap<Sym, Value>,
    /// How often a variable is set; a taken address counts as many.
    changed: FxHashMap<Sym, u32>,
    /// Where a variable is set first, or the loop starts that this stands in.
    intact: FxHashMap<Sym, u32>,
    jumps: Jumps,
    /// Whether the function does nothing but test and return.
    decides_only: bool,
    settings: FxHashMap<Sym, Settings>,
    objects: Objects,
    /// The variables that are declared `const` and are no pointers.
    constants: FxHashSet<Sym>,
    integers: FxHashSet<Sym>,
    /// The condition of the `if` that was read last, and where it stands.
    tested: (Range<usize>, Value),
}

impl Walk<'_> {
    fn visit(&mut self, node: Node<'_>, depth: u32) {
        if depth > MAX_DEPTH || self.out.sites.len() > MAX_SITES {
            return;
        }
        let depth = depth + 1;
        let held = self.held.len();
        match node.kind() {
            Kind::IfStatement | Kind::ConditionalExpression => self.branch(node, depth),
            Kind::WhileStatement | Kind::ForStatement | Kind::DoStatement => {
                let outer = self.jumps.enter(self.text, node);
                self.objects.forget_all();
                self.iterate(node);
                if node.kind() == Kind::DoStatement {
                    self.each(node, depth);
                } else {
                    self.repeat(node, depth);
                }
                self.objects.forget_all();
                self.jumps.leave(outer);
            }
            Kind::SwitchStatement => self.switch(node, depth),
            Kind::CompoundStatement | Kind::CaseStatement => {
                if is_entered_from_outside(node) {
                    self.barrier = self.out.guards.len() as u32;
                    self.jumps.enter_at(self.text.offset(node));
                    self.objects.forget_all();
                }
                self.sequence(node, depth);
                self.held.truncate(held);
            }
            Kind::LabeledStatement => {
                self.barrier = self.out.guards.len() as u32;
                self.jumps.label(self.text, node);
                self.objects.forget_all();
                self.each(node, depth);
            }
            Kind::GotoStatement => self.jumps.jump(self.text, node),
            Kind::BinaryExpression => self.binary(node, depth),
            Kind::CallExpression => {
                self.site(node);
                self.each(node, depth);
            }
            Kind::ReturnStatement => {
                self.returns(node);
                self.each(node, depth);
            }
            Kind::AssignmentExpression
            | Kind::UpdateExpression
            | Kind::PointerExpression
            | Kind::InitDeclarator => {
                self.change(node);
                self.each(node, depth);
            }
            _ => self.each(node, depth),
        }
    }

    fn each(&mut self, node: Node<'_>, depth: u32) {
        let tells = |it: &Node<'_>| !it.is_single() || it.kind() == Kind::ReturnStatement;
        for child in node.children().filter(tells) {
            self.visit(child, depth);
        }
    }

    fn under(&mut self, guard: Option<Guard>, node: Node<'_>, depth: u32) {
        let held = self.held.len();
        self.hold(guard);
        self.visit(node, depth);
        self.held.truncate(held);
    }

    fn hold(&mut self, guard: Option<Guard>) {
        if let Some(guard) = guard.filter(|it| it.test != Value::Unknown) {
            self.held.push(self.out.guards.len() as u32);
            self.out.guards.push(guard);
        }
    }

    fn guard(&self, condition: Node<'_>, holds: bool) -> Guard {
        let test = if self.tested.0 == condition.byte_range() {
            self.tested.1.clone()
        } else {
            value(self.text, condition, 0)
        };
        Guard {
            test,
            holds,
            offset: self.text.offset(condition),
        }
    }

    fn branch(&mut self, node: Node<'_>, depth: u32) {
        let Some(condition) = node.field(Field::Condition) else {
            return self.each(node, depth);
        };
        self.visit(condition, depth);
        let test = value(self.text, condition, 0);
        let before = self.objects.clone();
        let mut after: Option<Objects> = None;
        for (arm, holds) in [
            (node.field(Field::Consequence), true),
            (node.field(Field::Alternative), false),
        ] {
            self.objects.clone_from(&before);
            if let Some(arm) = arm {
                let guard = Guard {
                    test: test.clone(),
                    holds,
                    offset: self.text.offset(condition),
                };
                let is_failure =
                    node.kind() == Kind::IfStatement && is_failure(self.text, condition, holds, 0);
                self.failures += u32::from(is_failure);
                self.under(Some(guard), arm, depth);
                self.failures -= u32::from(is_failure);
            }
            if let Some(other) = after.replace(self.objects.clone()) {
                self.objects.join(&other);
            }
        }
        self.tested = (condition.byte_range(), test);
    }

    fn repeat(&mut self, node: Node<'_>, depth: u32) {
        let condition = node.field(Field::Condition);
        let body = node.field(Field::Body);
        for child in node.children().filter(|it| Some(*it) != body) {
            self.visit(child, depth);
        }
        if let Some(body) = body {
            let guard = condition.map(|it| self.guard(it, true));
            self.under(guard, body, depth);
        }
    }

    /// `a && b` runs `b` only where `a` holds.
    fn binary(&mut self, node: Node<'_>, depth: u32) {
        let (Some(left), Some(right)) = (node.field(Field::Left), node.field(Field::Right)) else {
            return self.each(node, depth);
        };
        self.visit(left, depth);
        let holds = match operator(self.text, node) {
            b"&&" => Some(true),
            b"||" => Some(false),
            _ => None,
        };
        let guard = holds.map(|it| self.guard(left, it));
        self.under(guard, right, depth);
    }

    /// Statements one after the other: after `if (x) return;` x is false.
    fn sequence(&mut self, node: Node<'_>, depth: u32) {
        let case_value = (node.kind() == Kind::CaseStatement)
            .then(|| node.field(Field::Value))
            .flatten();
        for child in node.children().filter(|it| Some(*it) != case_value) {
            self.visit(child, depth);
            if child.kind() == Kind::SwitchStatement {
                let guard = self.behind_switch(child);
                self.hold(guard);
            }
            if child.kind() != Kind::IfStatement {
                continue;
            }
            let Some(condition) = child.field(Field::Condition) else {
                continue;
            };
            let leaves_if = child.field(Field::Consequence).is_some_and(leaves);
            let leaves_else = child.field(Field::Alternative).is_some_and(leaves);
            let guard = match (leaves_if, leaves_else) {
                (true, false) => Some(self.guard(condition, false)),
                (false, true) => Some(self.guard(condition, true)),
                _ => None,
            };
            self.hold(guard);
        }
    }

    fn switch(&mut self, node: Node<'_>, depth: u32) {
        let (Some(condition), Some(body)) = (node.field(Field::Condition), node.field(Field::Body))
        else {
            return self.each(node, depth);
        };
        self.visit(condition, depth);
        self.objects.forget_all();
        let selector = value(self.text, condition, 0);
        let offset = self.text.offset(condition);
        let cases: Vec<Node<'_>> = body
            .children()
            .filter(|it| it.kind() == Kind::CaseStatement)
            .collect();
        let of = |case: &Node<'_>| case_value(self.text, *case);
        let values: Vec<Option<Value>> = cases.iter().map(of).collect();
        // What falls through from the cases before; `None` once that may be anything.
        let mut entered: Option<Vec<Value>> = Some(Vec::new());
        for (case, own) in cases.iter().zip(&values) {
            let fell = entered.as_ref().is_none_or(|it| !it.is_empty());
            if let (Some(entered), Some(own)) = (&mut entered, own) {
                entered.push(own.clone());
            } else if own.is_none() {
                entered = None;
            }
            let any_of = |values: Vec<Value>, holds| Guard {
                test: Value::AnyOf(Box::new(selector.clone()), values),
                holds,
                offset,
            };
            let guard = match &entered {
                Some(values) => Some(any_of(values.clone(), true)),
                None if own.is_none() && !fell => {
                    Some(any_of(values.iter().flatten().cloned().collect(), false))
                }
                None => None,
            };
            self.objects.forget_all();
            self.under(guard, *case, depth);
            if case.children().last().is_some_and(leaves) {
                entered = Some(Vec::new());
            }
        }
        for other in body
            .children()
            .filter(|it| it.kind() != Kind::CaseStatement)
        {
            self.visit(other, depth);
        }
        self.objects.forget_all();
    }

    /// After `switch (x) { case 1: return; }` x is not 1.
    fn behind_switch(&self, node: Node<'_>) -> Option<Guard> {
        let condition = node.field(Field::Condition)?;
        let cases = leaving_cases(node)?;
        // Where `default` leaves as well, what does not is all that comes here.
        let default_leaves = cases
            .iter()
            .any(|it| it.1 && it.0.field(Field::Value).is_none());
        let listed = cases.iter().filter(|it| it.1 != default_leaves);
        let values: Vec<Value> = listed
            .filter_map(|it| case_value(self.text, it.0))
            .collect();
        let selector = Box::new(value(self.text, condition, 0));
        (!values.is_empty()).then(|| Guard {
            test: Value::AnyOf(selector, values),
            holds: default_leaves,
            offset: self.text.offset(condition),
        })
    }

    fn site(&mut self, node: Node<'_>) {
        let Some(function) = node.field(Field::Function) else {
            return;
        };
        let named = match function.kind() {
            Kind::FieldExpression => function.field(Field::Member).unwrap_or(node),
            _ => function,
        };
        let list = node.field(Field::Arguments);
        let given = list.into_iter().flat_map(Node::children).enumerate();
        self.passed.extend(
            given
                .map(|(index, it)| {
                    let index = u16::try_from(index).unwrap_or(u16::MAX);
                    (index, value(self.text, it, 0))
                })
                .filter(|it| !matches!(it.1, Value::Unknown | Value::Called(..))),
        );
        let args = packed(&mut self.passed);
        let guards = self.guards_here();
        let offset = self.text.offset(named);
        let inside = list.map_or_else(Vec::new, |it| self.objects.give(self.text, it, offset));
        self.out.sites.push(Site {
            offset,
            guards,
            args,
            inside,
            on_failure: self.failures > 0,
        });
    }

    /// A place that has guards and calls nothing.
    fn mark(&mut self, offset: u32) {
        let guards = self.guards_here();
        if !guards.is_empty() {
            self.out.sites.push(Site {
                offset,
                guards,
                args: Vec::new(),
                inside: Vec::new(),
                on_failure: false,
            });
        }
    }

    /// A place, and from where on what happens there may have happened.
    fn place(&self, offset: u32) -> (u32, u32) {
        (offset, self.jumps.since(offset))
    }

    fn guards_here(&self) -> Vec<u32> {
        // They are in order: a guard is held from when it is listed.
        let first = self.held.partition_point(|it| *it < self.barrier);
        self.held[first..].to_vec()
    }

    fn returns(&mut self, node: Node<'_>) {
        if !self.decides_only {
            return;
        }
        let given = node.children().next();
        self.out.returns.push(Return {
            offset: self.text.offset(node),
            value: given.map_or(Value::Unknown, |it| value(self.text, it, 0)),
            guards: self.guards_here(),
        });
    }

    /// A loop that the grammar reads as `while` and that is spelled otherwise is a macro: it sets what it is given.
    fn iterate(&mut self, node: Node<'_>) {
        let word = &self.text.original[node.start_byte()..];
        if node.kind() != Kind::WhileStatement || word.starts_with(b"while") {
            return;
        }
        let given = node.field(Field::Condition).into_iter();
        let names = given.flat_map(Node::preorder);
        for name in names.filter(|it| it.kind() == Kind::Identifier) {
            let settings = self.settings.entry(self.text.sym(name));
            settings.or_default().be_unknown();
        }
    }

    /// Notes from where on variables that may be `NULL` have been handed on.
    fn hand_on(&mut self) {
        let nulls = self.settings.values_mut();
        let mut nulls = nulls.filter(|it| it.is_null_before()).peekable();
        if nulls.peek().is_none() {
            return;
        }
        // Its operands are not told apart.
        if memchr::memmem::find(self.text.clean, b"asm").is_some() {
            return nulls.for_each(|it| it.hand_on(0));
        }
        for site in &self.out.sites {
            let args = site.args.iter().filter_map(|it| match &it.1 {
                Value::Variable(name, members) if members.is_empty() => Some(name),
                _ => None,
            });
            for name in args {
                if let Some(settings) = self.settings.get_mut(name) {
                    settings.hand_on(self.jumps.since_before(site.offset));
                }
            }
        }
    }

    /// Notes that a variable has another value from here on.
    fn alter(&mut self, name: Sym, times: u32, node: Node<'_>) {
        *self.changed.entry(name).or_default() += times;
        let at = self.jumps.since(self.text.offset(node));
        let first = self.intact.entry(name).or_insert(at);
        *first = at.min(*first);
    }

    /// `&x`: a call that gets it as an argument may set x; anything else may keep the address.
    fn take_address(&mut self, node: Node<'_>, variable: Node<'_>) {
        let name = self.text.sym(variable);
        self.alter(name, 2, node);
        let list = node.parent().filter(|it| it.kind() == Kind::ArgumentList);
        let function = list
            .and_then(Node::parent)
            .and_then(|it| it.field(Field::Function))
            .filter(|it| it.kind() == Kind::Identifier);
        let call = function.map(|it| self.place(self.text.offset(it)));
        let settings = self.settings.entry(name).or_default();
        match call {
            Some(call) => settings.fill_in(call),
            None => settings.be_unknown(),
        }
    }

    /// Notes what sets a variable or a member.
    fn change(&mut self, node: Node<'_>) {
        self.objects.change(self.text, node);
        match node.kind() {
            Kind::AssignmentExpression => {
                let (Some(left), Some(right)) = (node.field(Field::Left), node.field(Field::Right))
                else {
                    return;
                };
                let is_plain = operator(self.text, node) == b"=";
                let given = if is_plain {
                    value(self.text, right, 0)
                } else {
                    Value::Unknown
                };
                self.set(left, given, is_plain.then_some(right));
            }
            Kind::UpdateExpression => {
                if let Some(argument) = node.field(Field::Argument) {
                    self.set(argument, Value::Unknown, None);
                }
            }
            Kind::PointerExpression if self.text.of(node).starts_with(b"&") => {
                if let Some(argument) = node.field(Field::Argument)
                    && argument.kind() == Kind::Identifier
                {
                    self.take_address(node, argument);
                }
            }
            Kind::InitDeclarator => {
                if let Some((name, _)) = node
                    .field(Field::Declarator)
                    .and_then(|it| declared(self.text, it))
                {
                    let given = node
                        .field(Field::Value)
                        .map_or(Value::Unknown, |it| value(self.text, it, 0));
                    if given != Value::Unknown && is_constant(self.text, node) {
                        self.constants.insert(name);
                    }
                    self.define((name, node), given, node.field(Field::Value));
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, left: Node<'_>, given: Value, right: Option<Node<'_>>) {
        match left.kind() {
            Kind::Identifier => self.define((self.text.sym(left), left), given, right),
            Kind::PointerExpression
                if right.is_some_and(|it| {
                    matches!(it.kind(), Kind::PointerExpression | Kind::CompoundLiteral)
                }) =>
            {
                self.out.stores.push((Sym::NONE, self.text.offset(left)));
            }
            Kind::FieldExpression => {
                if let Some(field) = left.field(Field::Member) {
                    let store = (self.text.sym(field), self.text.offset(left));
                    self.out.stores.push(store);
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, (name, at): (Sym, Node<'_>), given: Value, right: Option<Node<'_>>) {
        let call = right
            .filter(|it| it.kind() == Kind::CallExpression)
            .and_then(|it| it.field(Field::Function))
            .filter(|it| it.kind() == Kind::Identifier)
            .map(|it| self.text.offset(it));
        let is_null = given == Value::Number(0);
        let is_first = is_null && at.kind() == Kind::InitDeclarator;
        let is_static = |it: Node<'_>| self.text.of(it).starts_with(b"static");
        let is_kept = is_first && at.parent().is_none_or(is_static);
        let offset = call.unwrap_or_else(|| self.text.offset(at));
        let place = self.place(offset);
        let settings = self.settings.entry(name).or_default();
        match is_first {
            // It may be what the call before left there.
            true if is_kept => settings.be_unknown(),
            true => settings.begin(),
            false => settings.add(&given, place, call.is_some()),
        }
        if call.is_none() && !is_null && settings.is_null_before() {
            // Whether it runs is asked as of a call.
            self.mark(offset);
        }
        self.alter(name, 1, at);
        self.definitions.insert(name, given);
    }

    /// Replaces variables by what they stand for and forgets what stays unknown.
    fn finish(mut self, params: &[(Sym, TypeRef)]) {
        self.hand_on();
        let guarded = self.out.sites.iter().filter(|it| !it.guards.is_empty());
        let names = Names {
            params,
            definitions: &self.definitions,
            changed: &self.changed,
            intact: &self.intact,
            first_label: self.jumps.first_label,
            settings: &self.settings,
            guarded: guarded.map(|it| it.offset).collect(),
            constants: &self.constants,
            integers: self.integers,
        };
        for guard in &mut self.out.guards {
            guard.test = names.resolve(&guard.test, guard.offset);
        }
        let guards = &self.out.guards;
        for site in &mut self.out.sites {
            for arg in &mut site.args {
                arg.1 = names.resolve(&arg.1, site.offset);
            }
            site.args.retain(|it| it.1 != Value::Unknown);
            site.guards
                .retain(|it| guards[*it as usize].test != Value::Unknown);
        }
        for it in &mut self.out.returns {
            it.value = names.resolve(&it.value, it.offset);
            it.guards
                .retain(|it| guards[*it as usize].test != Value::Unknown);
        }
        self.out
            .sites
            .retain(|it| it.tells() || !it.guards.is_empty() || it.on_failure);
        self.out.sites.sort_by_key(|it| it.offset);
        self.out.sites.dedup_by_key(|it| it.offset);
    }
}

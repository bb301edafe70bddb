//! Structs on a function's stack, as far as constants in them decide what the functions do that get their address.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::expr::{Text, declared};
use super::value::{Value, operator, value};
use crate::lex::Sym;
use crate::syntax::Node;
use crate::syntax::nodes::{Field, Kind};

/// An object that is given away more often than this is not followed.
const MAX_PASSES: usize = 8;

/// One member of an object whose address a call gets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Inside {
    /// Which argument the address is.
    pub(crate) arg: u16,
    pub(crate) member: Sym,
    /// A number or a constant.
    pub(crate) value: Value,
    /// The calls that got the address since the member has that value: offset and argument.
    pub(crate) passed: Vec<(u32, u16)>,
}

/// A member's value, and who got the object's address since it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    value: Value,
    passed: Vec<(u32, u16)>,
}

/// The objects that are known at one place of a function: only members that an initialiser or an assignment names.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects(FxHashMap<Sym, FxHashMap<Sym, Held>>);

impl Objects {
    /// Where control may come from elsewhere, nothing is known.
    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// Takes in what a statement does.
    pub(super) fn change(&mut self, text: Text<'_>, node: Node<'_>) {
        match node.kind() {
            Kind::InitDeclarator => self.declare(text, node),
            // There is nothing to forget.
            _ if self.0.is_empty() => {}
            Kind::AssignmentExpression => {
                let given = node
                    .field(Field::Right)
                    .filter(|_| operator(text, node) == b"=")
                    .map_or(Value::Unknown, |it| value(text, it, 0));
                if let Some(left) = node.field(Field::Left) {
                    self.set(text, left, given);
                }
            }
            Kind::UpdateExpression => {
                if let Some(argument) = node.field(Field::Argument) {
                    self.set(text, argument, Value::Unknown);
                }
            }
            Kind::PointerExpression if text.of(node).starts_with(b"&") => {
                if let Some(argument) = node.field(Field::Argument) {
                    let is_given = argument.kind() == Kind::Identifier
                        && node
                            .parent()
                            .is_some_and(|it| it.kind() == Kind::ArgumentList);
                    if !is_given {
                        self.set(text, argument, Value::Unknown);
                    }
                }
            }
            _ => {}
        }
    }

    fn declare(&mut self, text: Text<'_>, node: Node<'_>) {
        let plain = node
            .field(Field::Declarator)
            .filter(|it| it.kind() == Kind::Identifier);
        let Some((name, _)) = plain.and_then(|it| declared(text, it)) else {
            return;
        };
        self.0.remove(&name);
        let is_static = node
            .parent()
            .is_some_and(|it| text.of(it).starts_with(b"static"));
        let list = node
            .field(Field::Value)
            .filter(|it| it.kind() == Kind::InitializerList && !is_static);
        let Some(list) = list else { return };
        let mut members = FxHashMap::default();
        for pair in list
            .children()
            .filter(|it| it.kind() == Kind::InitializerPair)
        {
            let mut path = pair.fields(Field::Designator);
            let (Some(first), None) = (path.next(), path.next()) else {
                continue;
            };
            let member = first.children().next();
            if let (Kind::FieldDesignator, Some(member), Some(given)) =
                (first.kind(), member, pair.field(Field::Value))
            {
                let value = value(text, given, 0);
                if is_fixed(&value) {
                    let passed = Vec::new();
                    members.insert(text.sym(member), Held { value, passed });
                }
            }
        }
        self.0.insert(name, members);
    }

    fn set(&mut self, text: Text<'_>, target: Node<'_>, given: Value) {
        let mut node = target;
        let mut member = None;
        let mut steps = 0;
        loop {
            match node.kind() {
                Kind::FieldExpression => {
                    member = node.field(Field::Member).map(|it| text.sym(it));
                    steps += 1;
                }
                Kind::SubscriptExpression | Kind::ParenthesizedExpression => steps += 2,
                Kind::Identifier => break,
                _ => return,
            }
            let inner = node
                .field(Field::Argument)
                .or_else(|| node.children().next());
            let Some(inner) = inner else { return };
            node = inner;
        }
        let name = text.sym(node);
        let Some(member) = member else {
            self.0.remove(&name);
            return;
        };
        if let Some(members) = self.0.get_mut(&name) {
            members.remove(&member);
            if steps == 1 && is_fixed(&given) {
                let passed = Vec::new();
                members.insert(
                    member,
                    Held {
                        value: given,
                        passed,
                    },
                );
            }
        }
    }

    /// What is known inside the arguments of a call, which may change it from there on.
    pub(super) fn give(&mut self, text: Text<'_>, list: Node<'_>, offset: u32) -> Vec<Inside> {
        let mut found = Vec::new();
        if self.0.is_empty() {
            return found;
        }
        for (index, argument) in list.children().enumerate() {
            let given = Some(argument)
                .filter(|it| it.kind() == Kind::PointerExpression && text.of(*it).starts_with(b"&"))
                .and_then(|it| it.field(Field::Argument))
                .filter(|it| it.kind() == Kind::Identifier);
            let members = given.and_then(|it| self.0.get_mut(&text.sym(it)));
            let Some(members) = members else { continue };
            let arg = u16::try_from(index).unwrap_or(u16::MAX);
            found.extend(members.iter().map(|(member, held)| Inside {
                arg,
                member: *member,
                value: held.value.clone(),
                passed: held.passed.clone(),
            }));
            members.retain(|_, held| {
                held.passed.push((offset, arg));
                held.passed.len() <= MAX_PASSES
            });
        }
        found.sort_by_key(|it| (it.arg, it.member));
        found
    }

    /// Keeps what is the same on both ways, with whoever got the address on either.
    pub(super) fn join(&mut self, other: &Self) {
        self.0.retain(|name, members| {
            let Some(others) = other.0.get(name) else {
                return false;
            };
            members.retain(|member, held| {
                let same = others.get(member).filter(|it| it.value == held.value);
                let Some(same) = same else { return false };
                for it in &same.passed {
                    if !held.passed.contains(it) {
                        held.passed.push(*it);
                    }
                }
                held.passed.len() <= MAX_PASSES
            });
            true
        });
    }
}

fn is_fixed(value: &Value) -> bool {
    matches!(value, Value::Number(_) | Value::Constant(_))
}

//! Conditions of one function, weighed in three values against what is known of its parameters.

use super::values::{Fact, Known};
use crate::facts::{Conditions, Sign, Site, Value};
use crate::lex::Sym;

/// What names stand for where a function stands.
pub(super) trait Meaning {
    /// The number that a constant stands for.
    fn number_of(&self, name: Sym) -> Option<i64>;
    /// What a call by name returns, for arguments of which some are known.
    fn result_of(&self, name: Sym, args: &[Option<Fact>]) -> Option<Fact>;
}

/// Weighs values of one function against what is known of its parameters.
pub(super) struct Weigh<'a> {
    pub(super) meaning: Box<dyn Meaning + 'a>,
    pub(super) conditions: &'a Conditions,
    pub(super) known: &'a [Known],
    /// Whether it was known at the function's entry, and may have changed since.
    pub(super) is_of_entry: bool,
}

impl<'a> Weigh<'a> {
    /// The same with what holds where the values stand.
    pub(super) fn with<'b>(self, known: &'b [Known]) -> Weigh<'b>
    where
        'a: 'b,
    {
        Weigh {
            meaning: self.meaning,
            conditions: self.conditions,
            known,
            is_of_entry: false,
        }
    }

    /// What is still known of the entry at a call, and what the guards of a call say in addition.
    pub(super) fn tested(&self, site: &Site) -> Vec<Known> {
        let mut all = self.known.to_vec();
        all.retain(|it| self.is_stable(&it.members, 0, site.offset));
        for guard in site
            .guards
            .iter()
            .map(|it| &self.conditions.guards[*it as usize])
        {
            let mut told = Vec::new();
            tell(&guard.test, guard.holds, &mut told);
            told.retain(|it: &Known| self.is_stable(&it.members, guard.offset, site.offset));
            told.retain(|new| {
                !all.iter()
                    .any(|it| it.param == new.param && it.members == new.members)
            });
            all.extend(told);
        }
        all
    }

    /// Whether nothing between two places of the function sets one of the members.
    fn is_stable(&self, members: &[Sym], from: u32, to: u32) -> bool {
        let mut stores = self.conditions.stores.iter();
        !stores.any(|it| members.contains(&it.0) && (from..to).contains(&it.1))
    }

    /// Whether one of some guards certainly fails.
    pub(super) fn fails(&self, guards: &[u32]) -> bool {
        guards.iter().any(|it| {
            let guard = &self.conditions.guards[*it as usize];
            self.truth(&guard.test, guard.offset) == Some(!guard.holds)
        })
    }

    /// Whether a guard of the call at `offset` certainly fails.
    fn is_ruled_out(&self, offset: u32) -> bool {
        let site = self.conditions.site(offset);
        site.is_some_and(|site| {
            site.guards.iter().any(|it| {
                let guard = &self.conditions.guards[*it as usize];
                // A guard on such a variable would ask for this again.
                !asks_for_calls(&guard.test)
                    && self.truth(&guard.test, guard.offset) == Some(!guard.holds)
            })
        })
    }

    pub(super) fn truth(&self, value: &Value, at: u32) -> Option<bool> {
        match self.value(value, at)? {
            Fact::Number(it) => Some(it != 0),
            Fact::NotZero => Some(true),
            Fact::Constant(name) => self.meaning.number_of(name).map(|it| it != 0),
        }
    }

    pub(super) fn value(&self, value: &Value, at: u32) -> Option<Fact> {
        let of_bool = |it: bool| Fact::Number(i64::from(it));
        match value {
            Value::Unknown | Value::Variable(..) => None,
            Value::Number(it) => Some(Fact::Number(*it)),
            Value::Constant(it) => Some(Fact::Constant(*it)),
            Value::Place(param, members) => {
                let mut known = self.known.iter();
                known
                    .find(|it| it.param == *param && it.members == *members)
                    .filter(|_| !self.is_of_entry || self.is_stable(members, 0, at))
                    .map(|it| it.value)
            }
            Value::NullUnless(calls) => calls
                .iter()
                .all(|it| self.is_ruled_out(*it))
                .then_some(Fact::Number(0)),
            Value::Called(name, args) => {
                let args: Vec<Option<Fact>> = args.iter().map(|it| self.value(it, at)).collect();
                self.meaning.result_of(*name, &args)
            }
            Value::Not(it) => self.truth(it, at).map(|it| of_bool(!it)),
            Value::And(a, b) => match (self.truth(a, at), self.truth(b, at)) {
                (Some(false), _) | (_, Some(false)) => Some(of_bool(false)),
                (Some(true), Some(true)) => Some(of_bool(true)),
                _ => None,
            },
            Value::Or(a, b) => match (self.truth(a, at), self.truth(b, at)) {
                (Some(true), _) | (_, Some(true)) => Some(of_bool(true)),
                (Some(false), Some(false)) => Some(of_bool(false)),
                _ => None,
            },
            Value::Equal(a, b) => self.equal(a, b, at).map(of_bool),
            Value::Bits(a, b) => self.bits(a, b, at),
            Value::Union(a, b) => {
                let both = self.number(a, at)? | self.number(b, at)?;
                Some(Fact::Number(both))
            }
            Value::Less(a, b, sign) => self.less((a, b), *sign, at).map(of_bool),
            Value::AnyOf(it, values) => {
                let equal: Vec<Option<bool>> = values
                    .iter()
                    .map(|other| self.equal(it, other, at))
                    .collect();
                if equal.contains(&Some(true)) {
                    Some(of_bool(true))
                } else if equal.iter().all(|it| *it == Some(false)) {
                    Some(of_bool(false))
                } else {
                    None
                }
            }
        }
    }

    fn equal(&self, a: &Value, b: &Value, at: u32) -> Option<bool> {
        match (self.value(a, at)?, self.value(b, at)?) {
            (Fact::Number(a), Fact::Number(b)) => Some(a == b),
            (Fact::NotZero, Fact::Number(0)) | (Fact::Number(0), Fact::NotZero) => Some(false),
            (Fact::NotZero, _) | (_, Fact::NotZero) => None,
            (Fact::Constant(a), Fact::Constant(b)) if a == b => Some(true),
            // Two names may well stand for one number.
            (Fact::Constant(a), Fact::Constant(b)) => {
                Some(self.meaning.number_of(a)? == self.meaning.number_of(b)?)
            }
            (Fact::Constant(name), Fact::Number(number))
            | (Fact::Number(number), Fact::Constant(name)) => {
                Some(self.meaning.number_of(name)? == number)
            }
        }
    }

    fn number(&self, value: &Value, at: u32) -> Option<i64> {
        match self.value(value, at)? {
            Fact::Number(it) => Some(it),
            Fact::Constant(name) => self.meaning.number_of(name),
            Fact::NotZero => None,
        }
    }

    /// Nothing is said of numbers that a conversion may change.
    fn less(&self, (a, b): (&Value, &Value), sign: Sign, at: u32) -> Option<bool> {
        let (a, b) = (self.number(a, at)?, self.number(b, at)?);
        let least = match sign {
            Sign::Kept => i64::from(i32::MIN),
            Sign::Unclear => 0,
        };
        let plain = least..=i64::from(i32::MAX);
        (plain.contains(&a) && plain.contains(&b)).then_some(a < b)
    }

    fn bits(&self, a: &Value, b: &Value, at: u32) -> Option<Fact> {
        match (self.number(a, at), self.number(b, at)) {
            (Some(0), _) | (_, Some(0)) => Some(Fact::Number(0)),
            (Some(a), Some(b)) => Some(Fact::Number(a & b)),
            _ => None,
        }
    }
}

fn asks_for_calls(value: &Value) -> bool {
    match value {
        Value::NullUnless(_) => true,
        Value::Not(it) => asks_for_calls(it),
        Value::AnyOf(it, values) => asks_for_calls(it) || values.iter().any(asks_for_calls),
        other => other.sides().into_iter().flatten().any(asks_for_calls),
    }
}

/// A member that has a bit, or is a value.
pub(crate) struct Flag {
    pub(crate) member: Sym,
    pub(crate) constant: Sym,
    /// It is a bit of the member.
    pub(crate) is_bit: bool,
}

/// The member and the constant of a test that holds only with that flag or value in the member.
pub(super) fn flag_in(test: &Value, holds: bool) -> Option<Flag> {
    match test {
        Value::Not(it) => flag_in(it, !holds),
        Value::And(a, b) if holds => flag_in(a, true).or_else(|| flag_in(b, true)),
        Value::Bits(a, b) | Value::Equal(a, b) if holds => match (&**a, &**b) {
            (Value::Place(_, members), Value::Constant(flag))
            | (Value::Constant(flag), Value::Place(_, members)) => Some(Flag {
                member: *members.last()?,
                constant: *flag,
                is_bit: matches!(test, Value::Bits(..)),
            }),
            _ => None,
        },
        _ => None,
    }
}

/// What the outcome of a test says about parameters.
fn tell(test: &Value, holds: bool, out: &mut Vec<Known>) {
    match test {
        Value::Place(param, members) => out.push(Known {
            param: *param,
            members: members.clone(),
            value: if holds {
                Fact::NotZero
            } else {
                Fact::Number(0)
            },
            is_initial: false,
        }),
        Value::Not(it) => tell(it, !holds, out),
        Value::And(a, b) if holds => {
            tell(a, true, out);
            tell(b, true, out);
        }
        Value::Or(a, b) if !holds => {
            tell(a, false, out);
            tell(b, false, out);
        }
        Value::Equal(a, b) => tell_equal(a, b, holds, out),
        Value::AnyOf(it, values) if holds => {
            if let [value] = &values[..] {
                tell_equal(it, value, true, out);
            }
        }
        _ => {}
    }
}

fn tell_equal(a: &Value, b: &Value, holds: bool, out: &mut Vec<Known>) {
    let (place, other) = match (a, b) {
        (Value::Place(param, members), other) | (other, Value::Place(param, members)) => {
            ((param, members), other)
        }
        _ => return,
    };
    let value = match (other, holds) {
        (Value::Number(it), true) => Fact::Number(*it),
        (Value::Constant(it), true) => Fact::Constant(*it),
        (Value::Number(0), false) => Fact::NotZero,
        _ => return,
    };
    out.push(Known {
        param: *place.0,
        members: place.1.clone(),
        value,
        is_initial: false,
    });
}

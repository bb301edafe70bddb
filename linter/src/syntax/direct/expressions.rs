//! Expressions.

use super::{Children, Id, Raw, Reader, is_type};
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::token::Kind as T;

impl Reader {
    /// An expression, or several behind one another.
    pub(super) fn comma(&mut self) -> Option<Id> {
        self.deeper(|it| {
            let start = it.start();
            let left = it.expression()?;
            if !it.takes(T::Comma) {
                return Some(left);
            }
            let right = it.comma()?;
            let parts = [(Field::Left, left), (Field::Right, right)];
            Some(it.wrap(Kind::CommaExpression, start, &parts))
        })
    }

    pub(super) fn parenthesized(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenParen)?;
        let inner = if self.kind() == T::OpenBrace {
            self.compound()?
        } else {
            self.comma()?
        };
        self.take(T::CloseParen)?;
        Some(self.wrap(
            Kind::ParenthesizedExpression,
            start,
            &[(Field::None, inner)],
        ))
    }

    /// An expression without commas at its top.
    pub(super) fn expression(&mut self) -> Option<Id> {
        self.deeper(Self::expression_here)
    }

    fn expression_here(&mut self) -> Option<Id> {
        let start = self.start();
        let left = self.conditional()?;
        if !matches!(self.kind(), T::Assign | T::AssignOp) {
            return Some(left);
        }
        let can_be_set = matches!(
            self.nodes[left as usize].kind,
            Kind::Identifier
                | Kind::CallExpression
                | Kind::FieldExpression
                | Kind::PointerExpression
                | Kind::SubscriptExpression
                | Kind::ParenthesizedExpression
        );
        if !can_be_set {
            return None;
        }
        let mut children = Children::default();
        self.add(&mut children, Field::Left, left);
        self.operator(&mut children);
        let right = self.expression()?;
        self.add(&mut children, Field::Right, right);
        Some(self.node(Kind::AssignmentExpression, start, children))
    }

    fn conditional(&mut self) -> Option<Id> {
        let start = self.start();
        let condition = self.binary(1)?;
        if !self.takes(T::Question) {
            return Some(condition);
        }
        let mut children = Children::default();
        self.add(&mut children, Field::Condition, condition);
        if self.kind() != T::Colon {
            let consequence = self.comma()?;
            self.add(&mut children, Field::Consequence, consequence);
        }
        self.take(T::Colon)?;
        let alternative = self.deeper(Self::conditional)?;
        self.add(&mut children, Field::Alternative, alternative);
        Some(self.node(Kind::ConditionalExpression, start, children))
    }

    fn binary(&mut self, least: u8) -> Option<Id> {
        let start = self.start();
        let mut left = self.unary()?;
        loop {
            let level = precedence(self.kind());
            if level < least {
                return Some(left);
            }
            let is_doubtful = self.is_behind_named_parens();
            if is_doubtful
                && (self.kind_before(4) == T::CloseParen
                    || self.is_signed_number() && self.is_in_cast_parens())
            {
                return None;
            }
            let mut children = Children::default();
            self.add(&mut children, Field::Left, left);
            self.operator(&mut children);
            let right = self.deeper(|it| it.binary(level + 1))?;
            // `(a) - b * c`: the grammar takes a cast there.
            if is_doubtful && self.nodes[right as usize].kind == Kind::BinaryExpression {
                return None;
            }
            self.add(&mut children, Field::Right, right);
            left = self.node(Kind::BinaryExpression, start, children);
        }
    }

    /// Whether the operator at hand stands behind `(name)`, which can be a cast, and can belong to its value.
    fn is_behind_named_parens(&self) -> bool {
        is_sign_or_operator(self.kind())
            && [3, 2, 1].map(|it| self.kind_before(it)) == [T::OpenParen, T::Name, T::CloseParen]
            && match self.kind_before(4) {
                T::Name => false,
                T::Sizeof => self.is_signed_number(),
                _ => true,
            }
    }

    fn kind_before(&self, back: usize) -> T {
        let at = self.at.checked_sub(back);
        at.map_or(T::End, |it| self.tokens[it].kind)
    }

    /// Whether the token at hand stands in parentheses behind a parenthesis, in the value of a cast or in arguments,
    /// or in brackets, or may do so.
    fn is_in_cast_parens(&self) -> bool {
        const FAR: usize = 200;
        let (mut depth, mut brackets) = (0u32, 0u32);
        for at in (self.at.saturating_sub(FAR).max(1)..self.at).rev() {
            match self.tokens[at].kind {
                T::CloseParen => depth += 1,
                T::OpenParen if depth > 0 => depth -= 1,
                T::OpenParen if self.tokens[at - 1].kind == T::CloseParen => return true,
                T::CloseBracket => brackets += 1,
                T::OpenBracket if brackets == 0 => return true,
                T::OpenBracket => brackets -= 1,
                T::Semicolon | T::OpenBrace | T::CloseBrace => return false,
                _ => {}
            }
        }
        self.at > FAR
    }

    fn unary(&mut self) -> Option<Id> {
        self.deeper(Self::unary_here)
    }

    fn unary_here(&mut self) -> Option<Id> {
        let start = self.start();
        let kind = match self.kind() {
            T::Star | T::Ampersand => Kind::PointerExpression,
            T::Plus | T::Minus => {
                if self.is_signed_number() {
                    self.at += 2;
                    let number = self.node(Kind::NumberLiteral, start, Children::default());
                    return self.postfix(start, number);
                }
                Kind::Other
            }
            T::Not | T::Tilde => Kind::Other,
            T::Increment => Kind::UpdateExpression,
            T::Sizeof => return self.size(start),
            T::Offsetof => return self.offset(start),
            _ => {
                let primary = self.primary(start)?;
                return self.postfix(start, primary);
            }
        };
        let kind = if kind == Kind::Other {
            Kind::UnaryExpression
        } else {
            kind
        };
        let mut children = Children::default();
        self.operator(&mut children);
        let argument = self.unary()?;
        if kind == Kind::UnaryExpression
            && self.nodes[argument as usize].kind == Kind::UpdateExpression
        {
            return Some(self.turned(start, children, argument));
        }
        self.add(&mut children, Field::Argument, argument);
        Some(self.node(kind, start, children))
    }

    /// The grammar reads `!x++` as `(!x)++`, but `!++x` as C does.
    fn turned(&mut self, start: u32, mut sign: Children, update: Id) -> Id {
        let Raw { first, end, .. } = self.nodes[update as usize];
        let (operand, operator) = (first, self.nodes[first as usize].next);
        if self.nodes[first as usize].field == Field::Operator {
            self.add(&mut sign, Field::Argument, update);
            return self.push(Kind::UnaryExpression, true, (start, end), sign);
        }
        self.nodes[operand as usize].next = 0;
        self.add(&mut sign, Field::Argument, operand);
        let until = self.nodes[operand as usize].end;
        let inner = self.push(Kind::UnaryExpression, true, (start, until), sign);
        let mut children = Children::default();
        self.add(&mut children, Field::Argument, inner);
        self.add(&mut children, Field::Operator, operator);
        self.push(Kind::UpdateExpression, true, (start, end), children)
    }

    /// Whether the sign at hand is part of a number.
    fn is_signed_number(&self) -> bool {
        let (sign, next) = (self.tokens[self.at], self.tokens.get(self.at + 1));
        matches!(sign.kind, T::Plus | T::Minus)
            && next.is_some_and(|it| it.kind == T::Number && it.start == sign.end)
    }

    fn size(&mut self, start: u32) -> Option<Id> {
        self.at += 1;
        let open = self.start();
        if self.kind() == T::OpenParen && self.is_type(1) {
            self.at += 1;
            let of = self.type_descriptor()?;
            self.take(T::CloseParen)?;
            if self.kind() == T::OpenBrace {
                return None;
            }
            // `sizeof(struct x)-4`: the grammar takes the size of a cast.
            if self.is_signed_number() {
                let at = self.start();
                self.at += 2;
                let number = self.node(Kind::NumberLiteral, at, Children::default());
                let parts = [(Field::Type, of), (Field::Value, number)];
                let cast = self.wrap(Kind::CastExpression, open, &parts);
                let is_more = matches!(
                    self.kind(),
                    T::OpenParen | T::OpenBracket | T::Dot | T::Arrow | T::Increment
                );
                return (!is_more).then(|| self.wrap(Kind::Other, start, &[(Field::Value, cast)]));
            }
            return Some(self.wrap(Kind::Other, start, &[(Field::Type, of)]));
        }
        if self.kind() == T::OpenParen && self.peek(1) == T::Name && self.peek(2) == T::Star {
            let mut ahead = 2;
            while self.peek(ahead) == T::Star {
                ahead += 1;
            }
            if self.peek(ahead) == T::CloseParen {
                self.at += 1;
                let of = self.type_descriptor()?;
                self.take(T::CloseParen)?;
                let whole = self.wrap(Kind::Other, start, &[(Field::Type, of)]);
                return (!self.is_signed_number()).then_some(whole);
            }
        }
        // `sizeof(TYPE())`
        if self.kind() == T::OpenParen
            && self.peek(1) == T::Name
            && self.peek(2) == T::OpenParen
            && !self.is_member_of_call()
        {
            return None;
        }
        let is_named = self.peek(1) == T::Name && self.peek(2) == T::CloseParen;
        let is_value = matches!(self.peek(1), T::Star | T::Ampersand)
            || self.peek(1) == T::Name && matches!(self.peek(2), T::Dot | T::Arrow);
        let value = self.unary()?;
        if self.is_signed_number() && !is_named && !is_value {
            return None;
        }
        Some(self.wrap(Kind::Other, start, &[(Field::Value, value)]))
    }

    /// `(name(…)->` or `(name(…).`
    fn is_member_of_call(&self) -> bool {
        let past = self.past_parens(2);
        past.is_some_and(|it| matches!(self.peek(it), T::Arrow | T::Dot))
    }

    /// How far ahead the text goes on behind the parenthesis that is `ahead`; `None` where nothing closes it.
    fn past_parens(&self, mut ahead: usize) -> Option<usize> {
        let mut depth = 0u32;
        loop {
            match self.peek(ahead) {
                T::OpenParen => depth += 1,
                T::CloseParen => depth -= 1,
                T::End => return None,
                _ => {}
            }
            ahead += 1;
            if depth == 0 {
                return Some(ahead);
            }
        }
    }

    /// `offsetof(type, member)`
    fn offset(&mut self, start: u32) -> Option<Id> {
        self.at += 1;
        self.take(T::OpenParen)?;
        let of = self.type_descriptor()?;
        self.take(T::Comma)?;
        if self.kind() != T::Name {
            return None;
        }
        let member = self.leaf(Kind::FieldIdentifier);
        self.take(T::CloseParen)?;
        let parts = [(Field::Type, of), (Field::None, member)];
        Some(self.wrap(Kind::Other, start, &parts))
    }

    /// Whether the token ahead certainly begins a type.
    fn is_type(&self, ahead: usize) -> bool {
        is_type(self.peek(ahead))
    }

    fn primary(&mut self, start: u32) -> Option<Id> {
        match self.kind() {
            T::Name => {
                if self.peek(1) == T::Text {
                    return Some(self.joined_text(start));
                }
                Some(self.leaf(Kind::Identifier))
            }
            // Among arguments, a type is a word like any other.
            T::Primitive if self.peek(1) == T::Comma => Some(self.leaf(Kind::Identifier)),
            T::Number => Some(self.leaf(Kind::NumberLiteral)),
            T::Constant => Some(self.leaf(Kind::Other)),
            T::Character => Some(self.leaf(Kind::CharLiteral)),
            T::Text => match self.peek(1) {
                T::Text | T::Name => Some(self.joined_text(start)),
                _ => Some(self.leaf(Kind::StringLiteral)),
            },
            T::OpenParen => self.parens(start),
            _ => None,
        }
    }

    fn joined_text(&mut self, start: u32) -> Id {
        while matches!(self.kind(), T::Text | T::Name) {
            self.at += 1;
        }
        self.node(Kind::ConcatenatedString, start, Children::default())
    }

    /// What begins with a parenthesis: a type in it makes a cast or a literal.
    fn parens(&mut self, start: u32) -> Option<Id> {
        if self.is_type(1) {
            return self.cast(start);
        }
        if self.peek(1) == T::Name {
            // `(TYPE(x)) …` and `(a * (x)) …`: a cast or an operator, and the grammar weighs what comes behind.
            let macro_type = [T::OpenParen, T::Name, T::CloseParen, T::CloseParen];
            let first = 2 + usize::from(self.peek(2) == T::Star);
            if (0..4).all(|it| self.peek(first + it) == macro_type[it])
                && is_sign_or_operator(self.peek(first + 4))
                || self.is_typeof_cast()
            {
                return None;
            }
            let mut ahead = 2;
            while self.peek(ahead) == T::Star {
                ahead += 1;
            }
            if self.peek(ahead) == T::CloseParen {
                let next = self.peek(ahead + 1);
                if ahead > 2 {
                    return self.cast(start);
                }
                match next {
                    T::Name
                    | T::Number
                    | T::Text
                    | T::Character
                    | T::Constant
                    | T::Not
                    | T::Tilde
                    | T::Sizeof
                    | T::OpenBrace => return self.cast(start),
                    T::Increment => return None,
                    _ => {}
                }
            }
        }
        self.parenthesized()
    }

    /// `(typeof(*name))(value)`: not what is called, but the grammar knows no such type either. It takes others for it.
    fn is_typeof_cast(&self) -> bool {
        if self.peek(2) != T::OpenParen || self.peek(3) != T::Star {
            return false;
        }
        self.past_parens(2).is_some_and(|past| {
            let next = self.peek(past + 1);
            self.peek(past) == T::CloseParen && (next == T::OpenParen || is_sign_or_operator(next))
        })
    }

    fn cast(&mut self, start: u32) -> Option<Id> {
        self.at += 1;
        let is_sized = self.kind() == T::Size;
        let of = self.type_descriptor()?;
        self.take(T::CloseParen)?;
        if is_sized && self.kind() == T::OpenParen && self.peek(2) == T::OpenBracket {
            return None;
        }
        if self.kind() == T::OpenBrace {
            let value = self.deeper(Self::initializer_list)?;
            let parts = [(Field::Type, of), (Field::Value, value)];
            return Some(self.wrap(Kind::CompoundLiteral, start, &parts));
        }
        let value = self.unary()?;
        let parts = [(Field::Type, of), (Field::Value, value)];
        Some(self.wrap(Kind::CastExpression, start, &parts))
    }

    fn postfix(&mut self, start: u32, primary: Id) -> Option<Id> {
        let mut node = primary;
        if self.nodes[node as usize].kind == Kind::CastExpression {
            return Some(node);
        }
        loop {
            match self.kind() {
                T::OpenParen => {
                    let arguments = self.arguments()?;
                    let parts = [(Field::Function, node), (Field::Arguments, arguments)];
                    node = self.wrap(Kind::CallExpression, start, &parts);
                }
                T::OpenBracket => {
                    self.at += 1;
                    let index = self.expression()?;
                    self.take(T::CloseBracket)?;
                    let parts = [(Field::Argument, node), (Field::None, index)];
                    node = self.wrap(Kind::SubscriptExpression, start, &parts);
                }
                T::Dot | T::Arrow => {
                    let mut children = Children::default();
                    self.add(&mut children, Field::Argument, node);
                    self.operator(&mut children);
                    if self.kind() != T::Name {
                        return None;
                    }
                    let field = self.leaf(Kind::FieldIdentifier);
                    self.add(&mut children, Field::Member, field);
                    node = self.node(Kind::FieldExpression, start, children);
                }
                T::Increment => {
                    let mut children = Children::default();
                    self.add(&mut children, Field::Argument, node);
                    self.operator(&mut children);
                    node = self.node(Kind::UpdateExpression, start, children);
                }
                _ => return Some(node),
            }
        }
    }

    fn arguments(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenParen)?;
        let mut children = Children::default();
        if !self.takes(T::CloseParen) {
            loop {
                let argument = if self.kind() == T::OpenBrace {
                    self.compound()?
                } else {
                    self.expression()?
                };
                self.add(&mut children, Field::None, argument);
                if self.takes(T::CloseParen) {
                    break;
                }
                self.take(T::Comma)?;
            }
        }
        Some(self.node(Kind::ArgumentList, start, children))
    }
}

/// Whether what follows a parenthesis may belong to the value of a cast as well as join two values.
fn is_sign_or_operator(kind: T) -> bool {
    matches!(
        kind,
        T::Plus | T::Minus | T::Star | T::Ampersand | T::And | T::Increment
    )
}

/// How tightly an operator between two values binds; 0 for what is none.
fn precedence(kind: T) -> u8 {
    match kind {
        T::Or => 1,
        T::And => 2,
        T::Pipe => 3,
        T::Caret => 4,
        T::Ampersand => 5,
        T::Equal | T::NotEqual => 6,
        T::Less | T::LessEqual | T::Greater | T::GreaterEqual => 7,
        T::ShiftLeft | T::ShiftRight => 8,
        T::Plus | T::Minus => 9,
        T::Star | T::Slash | T::Percent => 10,
        _ => 0,
    }
}

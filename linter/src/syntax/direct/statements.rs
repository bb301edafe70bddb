//! Statements.

use super::declarations::Base;
use super::{Children, Id, Reader, is_type};
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::token::Kind as T;

impl Reader {
    pub(super) fn compound(&mut self) -> Option<Id> {
        self.deeper(|it| {
            let start = it.start();
            it.take(T::OpenBrace)?;
            let mut children = Children::default();
            while !it.takes(T::CloseBrace) {
                let item = it.block_item()?;
                it.add(&mut children, Field::None, item);
            }
            Some(it.node(Kind::CompoundStatement, start, children))
        })
    }

    pub(super) fn block_item(&mut self) -> Option<Id> {
        match self.kind() {
            T::Storage | T::Qualifier | T::Primitive | T::Size | T::Struct | T::Union | T::Enum => {
                self.declaration(Base::Sure)
            }
            T::Name if self.begins_declaration() => self.declaration(Base::Name),
            _ => self.statement(),
        }
    }

    /// `type name` or `type *name`.
    fn begins_declaration(&self) -> bool {
        match self.peek(1) {
            T::Name => true,
            T::Star => {
                let mut ahead = 1;
                while matches!(self.peek(ahead), T::Star | T::Qualifier) {
                    ahead += 1;
                }
                self.peek(ahead) == T::Name
                    && matches!(
                        self.peek(ahead + 1),
                        T::Assign | T::Semicolon | T::Comma | T::OpenBracket
                    )
            }
            _ => false,
        }
    }

    pub(super) fn statement(&mut self) -> Option<Id> {
        self.deeper(Self::statement_here)
    }

    fn statement_here(&mut self) -> Option<Id> {
        let start = self.start();
        match self.kind() {
            T::OpenBrace => self.compound(),
            T::If => self.branch(start),
            T::While | T::Switch => {
                let is_loop = self.kind() == T::While;
                self.at += 1;
                let condition = self.parenthesized()?;
                let (kind, body) = if is_loop {
                    (Kind::WhileStatement, self.statement()?)
                } else {
                    (Kind::SwitchStatement, self.compound()?)
                };
                let parts = [(Field::Condition, condition), (Field::Body, body)];
                Some(self.wrap(kind, start, &parts))
            }
            T::Do => {
                self.at += 1;
                let body = self.statement()?;
                self.take(T::While)?;
                let condition = self.parenthesized()?;
                self.take(T::Semicolon)?;
                let parts = [(Field::Body, body), (Field::Condition, condition)];
                Some(self.wrap(Kind::DoStatement, start, &parts))
            }
            T::For => self.counted(start),
            T::Case | T::Default => self.case(start),
            T::Goto => {
                self.at += 1;
                if self.kind() != T::Name {
                    return None;
                }
                let label = self.leaf(Kind::Other);
                self.take(T::Semicolon)?;
                Some(self.wrap(Kind::GotoStatement, start, &[(Field::Label, label)]))
            }
            T::Break | T::Continue => {
                let kind = if self.kind() == T::Break {
                    Kind::BreakStatement
                } else {
                    Kind::ContinueStatement
                };
                self.at += 1;
                self.take(T::Semicolon)?;
                Some(self.node(kind, start, Children::default()))
            }
            T::Return => {
                self.at += 1;
                self.value_and_semicolon(Kind::ReturnStatement, start)
            }
            T::Name if self.peek(1) == T::Colon => {
                let label = self.leaf(Kind::Other);
                self.at += 1;
                // What is labelled may be a declaration, and at the end of a block nothing.
                if self.kind() == T::CloseBrace {
                    return None;
                }
                let inner = self.block_item()?;
                let parts = [(Field::Label, label), (Field::None, inner)];
                Some(self.wrap(Kind::LabeledStatement, start, &parts))
            }
            // A name alone may be a type, and so may one behind which a name stands.
            T::Name if matches!(self.peek(1), T::Name) => None,
            _ => self.value_and_semicolon(Kind::ExpressionStatement, start),
        }
    }

    fn value_and_semicolon(&mut self, kind: Kind, start: u32) -> Option<Id> {
        let mut children = Children::default();
        if self.kind() != T::Semicolon {
            let from = self.at;
            let value = self.comma()?;
            if kind == Kind::ExpressionStatement && self.may_declare(value, from) {
                return None;
            }
            self.add(&mut children, Field::None, value);
        }
        self.take(T::Semicolon)?;
        Some(self.node(kind, start, children))
    }

    /// Whether a statement can be read as one that begins with a type: `name *other(…);`, `TYPE(x) *name;`, and `TYPE(OF(sizeof(struct x)));`.
    fn may_declare(&self, value: Id, from: usize) -> bool {
        let node = |it: Id| &self.nodes[it as usize];
        let first = |it: Id| node(node(it).first);
        if node(value).kind == Kind::BinaryExpression {
            return matches!(first(value).kind, Kind::CallExpression | Kind::Identifier);
        }
        let list = node(node(value).first).next;
        node(value).kind == Kind::CallExpression
            && first(list).kind == Kind::CallExpression
            && first(list).next == 0
            && self.tokens[from..self.at].iter().any(|it| is_type(it.kind))
    }

    fn branch(&mut self, start: u32) -> Option<Id> {
        self.at += 1;
        let condition = self.parenthesized()?;
        let consequence = self.statement()?;
        let mut children = Children::default();
        self.add(&mut children, Field::Condition, condition);
        self.add(&mut children, Field::Consequence, consequence);
        if self.kind() == T::Else {
            let begin = self.start();
            self.at += 1;
            let inner = self.statement()?;
            let clause = self.wrap(Kind::ElseClause, begin, &[(Field::None, inner)]);
            self.add(&mut children, Field::Alternative, clause);
        }
        Some(self.node(Kind::IfStatement, start, children))
    }

    fn counted(&mut self, start: u32) -> Option<Id> {
        self.at += 1;
        self.take(T::OpenParen)?;
        let mut children = Children::default();
        match self.kind() {
            T::Semicolon => self.at += 1,
            T::Primitive | T::Size | T::Struct | T::Qualifier => {
                let first = self.declaration(Base::Sure)?;
                self.add(&mut children, Field::Initializer, first);
            }
            T::Name if self.begins_declaration() => {
                let first = self.declaration(Base::Name)?;
                self.add(&mut children, Field::Initializer, first);
            }
            T::Name if self.peek(1) == T::Star => return None,
            _ => {
                let first = self.comma()?;
                self.add(&mut children, Field::Initializer, first);
                self.take(T::Semicolon)?;
            }
        }
        if self.kind() != T::Semicolon {
            let condition = self.comma()?;
            self.add(&mut children, Field::Condition, condition);
        }
        self.take(T::Semicolon)?;
        if self.kind() != T::CloseParen {
            let update = self.comma()?;
            self.add(&mut children, Field::Update, update);
        }
        self.take(T::CloseParen)?;
        let body = self.statement()?;
        self.add(&mut children, Field::Body, body);
        Some(self.node(Kind::ForStatement, start, children))
    }

    fn case(&mut self, start: u32) -> Option<Id> {
        let mut children = Children::default();
        if !self.takes(T::Default) {
            self.at += 1;
            let value = self.expression()?;
            self.add(&mut children, Field::Value, value);
        }
        self.take(T::Colon)?;
        while !matches!(self.kind(), T::Case | T::Default | T::CloseBrace) {
            let item = self.block_item()?;
            self.add(&mut children, Field::None, item);
        }
        Some(self.node(Kind::CaseStatement, start, children))
    }
}

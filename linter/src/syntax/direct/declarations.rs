//! Declarations: types, declarators, initialisers.

use super::{Children, Id, Reader};
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::token::Kind as T;

/// Whether what a declaration begins with is certainly a type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Sure,
    /// It may be a variable: then what follows must be no call.
    Name,
    /// It stands in a struct.
    Member,
}

impl Reader {
    pub(super) fn external(&mut self) -> Option<Id> {
        let start = self.start();
        let mut children = Children::default();
        self.specifiers(&mut children)?;
        if matches!(self.kind(), T::Semicolon | T::End) && children.first == children.last {
            // A type alone; the semicolon is not part of it.
            self.takes(T::Semicolon);
            self.nodes[children.first as usize].field = Field::None;
            return Some(children.first);
        }
        // `name (*name)(…)` may be a call.
        if self.kind() == T::OpenParen
            && self.nodes[children.last as usize].kind == Kind::TypeIdentifier
        {
            return None;
        }
        let declarator = self.declarator(Base::Sure)?;
        if self.kind() == T::OpenBrace && self.nodes[declarator as usize].kind != Kind::Identifier {
            self.add(&mut children, Field::Declarator, declarator);
            let body = self.compound()?;
            self.add(&mut children, Field::Body, body);
            return Some(self.node(Kind::FunctionDefinition, start, children));
        }
        self.declaration_rest(start, children, declarator, Base::Sure)
    }

    /// Storage, qualifiers and the type of a declaration.
    fn specifiers(&mut self, to: &mut Children) -> Option<()> {
        self.modifiers(to);
        let of = self.type_specifier()?;
        self.add(to, Field::Type, of);
        self.modifiers(to);
        Some(())
    }

    fn modifiers(&mut self, to: &mut Children) {
        while matches!(self.kind(), T::Storage | T::Qualifier) {
            let node = self.leaf(Kind::Other);
            self.add(to, Field::None, node);
        }
    }

    fn qualifiers(&mut self, to: &mut Children) {
        while self.kind() == T::Qualifier {
            let node = self.leaf(Kind::Other);
            self.add(to, Field::None, node);
        }
    }

    fn type_specifier(&mut self) -> Option<Id> {
        let start = self.start();
        match self.kind() {
            T::Primitive => {
                let of = self.leaf(Kind::Other);
                // `int long` is rare.
                (self.kind() != T::Size).then_some(of)
            }
            T::Name => {
                let of = self.leaf(Kind::TypeIdentifier);
                (self.kind() != T::Size).then_some(of)
            }
            T::Size => {
                while self.kind() == T::Size {
                    self.at += 1;
                }
                let mut children = Children::default();
                match self.kind() {
                    T::Primitive => {
                        let of = self.leaf(Kind::Other);
                        self.add(&mut children, Field::Type, of);
                    }
                    T::Qualifier => return None,
                    // `unsigned name1 name2`
                    T::Name if self.peek(1) == T::Name => return None,
                    _ => {}
                }
                (self.kind() != T::Size).then_some(())?;
                Some(self.node(Kind::Other, start, children))
            }
            T::Struct | T::Union | T::Enum => {
                let kind = match self.kind() {
                    T::Struct => Kind::StructSpecifier,
                    T::Union => Kind::UnionSpecifier,
                    _ => Kind::EnumSpecifier,
                };
                self.at += 1;
                let mut children = Children::default();
                if self.kind() == T::Name {
                    let name = self.leaf(Kind::TypeIdentifier);
                    self.add(&mut children, Field::Name, name);
                }
                if self.kind() == T::OpenBrace {
                    let body = if kind == Kind::EnumSpecifier {
                        self.enumerators()?
                    } else {
                        self.deeper(Self::members)?
                    };
                    self.add(&mut children, Field::Body, body);
                }
                (children.last != 0).then(|| self.node(kind, start, children))
            }
            _ => None,
        }
    }

    fn members(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenBrace)?;
        let mut children = Children::default();
        while !self.takes(T::CloseBrace) {
            let member = self.member()?;
            self.add(&mut children, Field::None, member);
        }
        if children.last == 0 {
            return None;
        }
        Some(self.node(Kind::FieldDeclarationList, start, children))
    }

    fn enumerators(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenBrace)?;
        let mut children = Children::default();
        while !self.takes(T::CloseBrace) {
            let begin = self.start();
            if self.kind() != T::Name {
                return None;
            }
            let name = self.leaf(Kind::Identifier);
            let mut parts = Children::default();
            self.add(&mut parts, Field::Name, name);
            if self.takes(T::Assign) {
                let value = self.expression()?;
                self.add(&mut parts, Field::Value, value);
            }
            let enumerator = self.node(Kind::Other, begin, parts);
            self.add(&mut children, Field::None, enumerator);
            if !self.takes(T::Comma) {
                self.take(T::CloseBrace)?;
                break;
            }
        }
        Some(self.node(Kind::Other, start, children))
    }

    fn member(&mut self) -> Option<Id> {
        let start = self.start();
        let mut children = Children::default();
        self.specifiers(&mut children)?;
        while self.kind() != T::Semicolon {
            let declarator = self.declarator(Base::Member)?;
            self.add(&mut children, Field::Declarator, declarator);
            let begin = self.start();
            if self.takes(T::Colon) {
                let width = self.expression()?;
                let clause = self.wrap(Kind::Other, begin, &[(Field::None, width)]);
                self.add(&mut children, Field::None, clause);
            }
            if self.kind() == T::Comma && self.peek(1) != T::Semicolon {
                self.at += 1;
            } else if self.kind() != T::Semicolon {
                return None;
            }
        }
        self.at += 1;
        Some(self.node(Kind::FieldDeclaration, start, children))
    }

    /// A declarator with a name.
    pub(super) fn declarator(&mut self, base: Base) -> Option<Id> {
        self.deeper(|it| it.declarator_here(base))
    }

    fn declarator_here(&mut self, base: Base) -> Option<Id> {
        let start = self.start();
        if self.takes(T::Star) {
            let mut children = Children::default();
            self.qualifiers(&mut children);
            let inner = self.declarator(base)?;
            self.add(&mut children, Field::Declarator, inner);
            return Some(self.node(Kind::PointerDeclarator, start, children));
        }
        let mut declarator = match self.kind() {
            T::Name if base == Base::Member => self.leaf(Kind::FieldIdentifier),
            T::Name => self.leaf(Kind::Identifier),
            T::OpenParen if base != Base::Name => {
                self.at += 1;
                if self.kind() != T::Star {
                    return None;
                }
                let inner = self.declarator(base)?;
                self.take(T::CloseParen)?;
                let parens = self.wrap(
                    Kind::ParenthesizedDeclarator,
                    start,
                    &[(Field::None, inner)],
                );
                // Without parameters behind it, it could be an expression.
                (self.kind() == T::OpenParen).then_some(parens)?
            }
            _ => return None,
        };
        loop {
            match self.kind() {
                T::OpenParen if base != Base::Name => {
                    let list = self.parameters(base)?;
                    declarator = self.wrap(
                        Kind::FunctionDeclarator,
                        start,
                        &[(Field::Declarator, declarator), (Field::Parameters, list)],
                    );
                }
                T::OpenBracket => {
                    self.at += 1;
                    let size = if self.kind() == T::CloseBracket {
                        None
                    } else if self.kind() == T::Star {
                        return None;
                    } else {
                        Some(self.expression()?)
                    };
                    self.take(T::CloseBracket)?;
                    let mut children = Children::default();
                    self.add(&mut children, Field::Declarator, declarator);
                    if let Some(size) = size {
                        self.add(&mut children, Field::None, size);
                    }
                    declarator = self.node(Kind::ArrayDeclarator, start, children);
                }
                _ => return Some(declarator),
            }
        }
    }

    fn parameters(&mut self, base: Base) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenParen)?;
        let mut children = Children::default();
        let mut is_old_style = base != Base::Member;
        if self.takes(T::CloseParen) {
            is_old_style = false;
        } else {
            loop {
                // Names alone may be an old-style list.
                is_old_style &= self.kind() == T::Ellipsis
                    || self.kind() == T::Name && matches!(self.peek(1), T::Comma | T::CloseParen);
                let parameter = self.parameter()?;
                self.add(&mut children, Field::None, parameter);
                if self.takes(T::CloseParen) {
                    break;
                }
                self.take(T::Comma)?;
            }
        }
        if is_old_style {
            return None;
        }
        Some(self.node(Kind::Other, start, children))
    }

    fn parameter(&mut self) -> Option<Id> {
        let start = self.start();
        if self.kind() == T::Ellipsis {
            return Some(self.leaf(Kind::Other));
        }
        let mut children = Children::default();
        self.specifiers(&mut children)?;
        if !matches!(self.kind(), T::Comma | T::CloseParen) {
            let declarator = self.any_declarator()?;
            self.add(&mut children, Field::Declarator, declarator);
        }
        Some(self.node(Kind::ParameterDeclaration, start, children))
    }

    /// A declarator with or without a name.
    fn any_declarator(&mut self) -> Option<Id> {
        let mut ahead = 0;
        while matches!(self.peek(ahead), T::Star | T::Qualifier) {
            ahead += 1;
        }
        match self.peek(ahead) {
            T::Comma | T::CloseParen if ahead > 0 => self.abstract_pointer(),
            _ => self.declarator(Base::Sure),
        }
    }

    /// `*`, `**`, `* const`.
    fn abstract_pointer(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::Star)?;
        let mut children = Children::default();
        self.qualifiers(&mut children);
        if self.kind() == T::Star {
            let inner = self.deeper(Self::abstract_pointer)?;
            self.add(&mut children, Field::Declarator, inner);
        }
        Some(self.node(Kind::Other, start, children))
    }

    pub(super) fn type_descriptor(&mut self) -> Option<Id> {
        let start = self.start();
        let mut children = Children::default();
        self.qualifiers(&mut children);
        let of = self.type_specifier()?;
        self.add(&mut children, Field::Type, of);
        self.qualifiers(&mut children);
        if self.kind() == T::Star {
            let declarator = self.abstract_pointer()?;
            self.add(&mut children, Field::Declarator, declarator);
        }
        Some(self.node(Kind::TypeDescriptor, start, children))
    }

    pub(super) fn declaration(&mut self, base: Base) -> Option<Id> {
        let start = self.start();
        let mut children = Children::default();
        self.specifiers(&mut children)?;
        let first = self.declarator(base)?;
        self.declaration_rest(start, children, first, base)
    }

    fn declaration_rest(
        &mut self,
        start: u32,
        mut children: Children,
        first: Id,
        base: Base,
    ) -> Option<Id> {
        let mut declarator = first;
        loop {
            if self.takes(T::Assign) {
                let value = self.initializer()?;
                let begin = self.nodes[declarator as usize].start;
                declarator = self.wrap(
                    Kind::InitDeclarator,
                    begin,
                    &[(Field::Declarator, declarator), (Field::Value, value)],
                );
            }
            self.add(&mut children, Field::Declarator, declarator);
            // What a macro makes ends before the semicolon behind its use.
            let is_made = self.kind() == T::End
                && self.nodes[declarator as usize].kind == Kind::InitDeclarator;
            if is_made || self.takes(T::Semicolon) {
                return Some(self.node(Kind::Declaration, start, children));
            }
            self.take(T::Comma)?;
            declarator = self.declarator(base)?;
        }
    }

    fn initializer(&mut self) -> Option<Id> {
        if self.kind() == T::OpenBrace {
            self.deeper(Self::initializer_list)
        } else {
            self.expression()
        }
    }

    pub(super) fn initializer_list(&mut self) -> Option<Id> {
        let start = self.start();
        self.take(T::OpenBrace)?;
        let mut children = Children::default();
        while !self.takes(T::CloseBrace) {
            let element = self.element()?;
            self.add(&mut children, Field::None, element);
            if !self.takes(T::Comma) {
                self.take(T::CloseBrace)?;
                break;
            }
        }
        Some(self.node(Kind::InitializerList, start, children))
    }

    fn element(&mut self) -> Option<Id> {
        let start = self.start();
        let mut children = Children::default();
        loop {
            let begin = self.start();
            let designator = match self.kind() {
                T::Dot => {
                    self.at += 1;
                    if self.kind() != T::Name {
                        return None;
                    }
                    let name = self.leaf(Kind::FieldIdentifier);
                    self.wrap(Kind::FieldDesignator, begin, &[(Field::None, name)])
                }
                T::OpenBracket => {
                    self.at += 1;
                    let index = self.expression()?;
                    self.take(T::CloseBracket)?;
                    self.wrap(Kind::Other, begin, &[(Field::None, index)])
                }
                _ => break,
            };
            self.add(&mut children, Field::Designator, designator);
        }
        if children.last == 0 {
            // `name: value`
            if self.kind() == T::Name && self.peek(1) == T::Colon {
                return None;
            }
            return self.initializer();
        }
        self.take(T::Assign)?;
        let value = self.initializer()?;
        self.add(&mut children, Field::Value, value);
        Some(self.node(Kind::InitializerPair, start, children))
    }
}

//! Members of structs and unions, and what typedefs stand for.

use super::expr::{Text, declared, declares_function_pointer, type_ref};
use super::{Member, TypeFacts, TypeRef};
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::{self, Node, clean};

/// Reads a struct, a union or a typedef.
pub(crate) fn type_facts(item: &[u8]) -> TypeFacts {
    let mut clean = clean::clean(item);
    if !clean.ends_with(b";") {
        clean.push(b';');
    }
    let Some(tree) = syntax::parse(&clean) else {
        return TypeFacts::default();
    };
    let text = Text {
        original: item,
        clean: &clean,
        shift: 0,
    };
    let mut facts = TypeFacts::default();
    find_type(text, tree.root_node(), &mut facts, 0);
    facts
}

fn find_type(text: Text<'_>, node: Node<'_>, facts: &mut TypeFacts, depth: u32) {
    match node.kind() {
        Kind::FieldDeclarationList => members(text, node, facts, 0),
        Kind::TypeDefinition => {
            if let Some(of) = node.field(Field::Type) {
                facts.alias = type_ref(text, of);
                find_type(text, of, facts, depth + 1);
            }
        }
        _ if depth < 6 => {
            for child in node.children() {
                find_type(text, child, facts, depth + 1);
                if !facts.members.is_empty() {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn members(text: Text<'_>, list: Node<'_>, facts: &mut TypeFacts, depth: u32) {
    if depth > 8 {
        return;
    }
    for child in list.children() {
        match child.kind() {
            Kind::FieldDeclaration => member(text, child, facts, depth),
            // Members under errors and leftover directives still count.
            _ => members(text, child, facts, depth + 1),
        }
    }
}

fn member(text: Text<'_>, node: Node<'_>, facts: &mut TypeFacts, depth: u32) {
    let of = node.field(Field::Type);
    let type_ref = of.map_or(TypeRef::Unknown, |it| type_ref(text, it));
    let mut named = false;
    let declarators: Vec<Node<'_>> = node.fields(Field::Declarator).collect();
    for declarator in declarators {
        if let Some((name, is_array)) = declared(text, declarator) {
            named = true;
            let is_function = declares_function_pointer(declarator);
            let of = if is_function {
                TypeRef::Unknown
            } else {
                type_ref
            };
            facts.members.push(Member {
                name,
                of,
                is_array,
                is_function,
            });
        }
    }
    // An unnamed struct lends its members; a named one without tag is read as if it did, which is
    // enough to type `outer->inner.member`.
    let body = of.and_then(|it| it.field(Field::Body));
    if let Some(body) = body
        && (!named || type_ref == TypeRef::Unknown)
    {
        members(text, body, facts, depth + 1);
    }
}

//! Initialisers: which members of a variable are given which values.

use super::expr::{Text, declared, expr, type_ref};
use super::{Expr, ObjectFacts, Step, Store, TypeRef};
use crate::lex::Sym;
use crate::syntax::nodes::{self, Kind, children, kind};
use crate::syntax::{self, Node, clean};

/// Braces nest this deep at most.
const MAX_DEPTH: usize = 12;

/// Reads a variable with or without initialiser.
pub(crate) fn object_facts(item: &[u8], name: Sym) -> ObjectFacts {
    let clean = clean::clean(item);
    let Some(tree) = syntax::parse(&clean) else {
        return ObjectFacts::default();
    };
    let text = Text {
        original: item,
        clean: &clean,
        shift: 0,
    };
    let mut facts = ObjectFacts::default();
    declaration(text, tree.root_node(), (name, false), &mut facts, 0);
    if facts.stores.is_empty() {
        // A word that the grammar does not know may have taken the name's place.
        declaration(text, tree.root_node(), (name, true), &mut facts, 0);
    }
    facts
}

/// Reads the declaration of `name`, or what there is as that where `any` is.
fn declaration(
    text: Text<'_>,
    node: Node<'_>,
    (name, any): (Sym, bool),
    facts: &mut ObjectFacts,
    depth: u32,
) {
    if kind(node) == Kind::InitDeclarator || kind(node) == Kind::ArrayDeclarator {
        let owner = node.parent().filter(|it| kind(*it) == Kind::Declaration);
        if let (Some(owner), Some((found, is_array))) = (owner, declared(text, node))
            && (any || found == name)
        {
            facts.of = nodes::type_of(owner).map_or(TypeRef::Unknown, |it| type_ref(text, it));
            facts.is_array = is_array;
            if let Some(value) = nodes::value(node) {
                let object = Expr::Name(name);
                initializer(text, &object, value, &mut Vec::new(), &mut facts.stores);
            }
            return;
        }
    }
    if kind(node) == Kind::Declaration && facts.of == TypeRef::Unknown {
        facts.of = nodes::type_of(node).map_or(TypeRef::Unknown, |it| type_ref(text, it));
    }
    if depth < 8 {
        for child in children(node) {
            declaration(text, child, (name, any), facts, depth + 1);
        }
    }
}

/// Gathers what the initialiser `node` of `object` sets.
pub(crate) fn initializer(
    text: Text<'_>,
    object: &Expr,
    node: Node<'_>,
    path: &mut Vec<Step>,
    out: &mut Vec<Store>,
) {
    let node = match kind(node) {
        // `(struct x){ … }` sets what its braces set.
        Kind::CompoundLiteral => nodes::value(node).unwrap_or(node),
        _ => node,
    };
    if kind(node) != Kind::InitializerList {
        let value = expr(text, node);
        if value != Expr::Unknown && !matches!(value, Expr::Const(_)) {
            out.push(Store {
                offset: text.offset(node),
                object: object.clone(),
                path: path.clone(),
                value,
                on_stack: false,
            });
        }
        return;
    }
    if path.len() >= MAX_DEPTH {
        return;
    }
    for (position, child) in children(node).enumerate() {
        let before = path.len();
        if kind(child) == Kind::InitializerPair {
            let mut cursor = child.walk();
            for designator in child.children_by_field_name("designator", &mut cursor) {
                match kind(designator) {
                    Kind::FieldDesignator => {
                        if let Some(member) = children(designator).next() {
                            path.push(Step::Member(text.sym(member)));
                        }
                    }
                    _ => path.push(Step::Element),
                }
            }
            if let Some(value) = nodes::value(child) {
                initializer(text, object, value, path, out);
            }
        } else {
            path.push(Step::Position(position as u32));
            initializer(text, object, child, path, out);
        }
        path.truncate(before);
    }
}

//! Initialisers: which members of a variable are given which values.

use super::arms::add;
use super::expr::{Text, declared, expr, type_ref};
use super::{Expr, ObjectFacts, Step, Store, TypeRef};
use crate::lex::Sym;
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::{self, Node, clean};

/// Braces nest this deep at most.
const MAX_DEPTH: usize = 12;

/// Reads a variable with or without initialiser; `tag` is what its struct is known by that has none, or
/// that stands between a macro's parentheses.
pub(crate) fn object_facts(item: &[u8], (name, tag): (Sym, Sym)) -> ObjectFacts {
    let (mut facts, arms) = object_arm(item, (name, tag), 0);
    for read in 1..arms {
        let other = object_arm(item, (name, tag), read).0;
        add(&mut facts.stores, other.stores);
    }
    facts
}

/// As [`object_facts`], where the `read`-th arms of `#if`s are read, and as how many these are.
fn object_arm(item: &[u8], (name, tag): (Sym, Sym), read: usize) -> (ObjectFacts, usize) {
    let (clean, arms) = clean::clean_arm(item, read);
    let mut facts = ObjectFacts::default();
    if let Some(tree) = syntax::parse(&clean) {
        let text = Text {
            original: item,
            clean: &clean,
            shift: 0,
        };
        let wanted = Wanted {
            name,
            any: false,
            tag,
        };
        declaration(text, tree.root_node(), wanted, &mut facts, 0);
        if facts.stores.is_empty() {
            // A word that the grammar does not know may have taken the name's place.
            let wanted = Wanted {
                any: true,
                ..wanted
            };
            declaration(text, tree.root_node(), wanted, &mut facts, 0);
        }
        if facts.of == TypeRef::Unknown && tag != Sym::NONE {
            // `DEFINE_PER_CPU(struct box, name) = { … }`
            facts.of = TypeRef::Tag(tag);
        }
    }
    (facts, arms)
}

/// Whose declaration is read.
#[derive(Clone, Copy)]
struct Wanted {
    name: Sym,
    /// Whether what there is is read as that.
    any: bool,
    /// What its struct is known by where that has no tag.
    tag: Sym,
}

impl Wanted {
    /// The type that a declaration gives the variable.
    fn type_in(self, text: Text<'_>, declaration: Node<'_>) -> TypeRef {
        let Some(of) = declaration.field(Field::Type) else {
            return TypeRef::Unknown;
        };
        let is_struct = matches!(of.kind(), Kind::StructSpecifier | Kind::UnionSpecifier);
        if is_struct && of.field(Field::Name).is_none() && self.tag != Sym::NONE {
            return TypeRef::Tag(self.tag);
        }
        type_ref(text, of)
    }
}

/// Reads the declaration that is wanted.
fn declaration(
    text: Text<'_>,
    node: Node<'_>,
    wanted: Wanted,
    facts: &mut ObjectFacts,
    depth: u32,
) {
    if node.kind() == Kind::InitDeclarator || node.kind() == Kind::ArrayDeclarator {
        let owner = node.parent().filter(|it| it.kind() == Kind::Declaration);
        if let (Some(owner), Some((found, is_array))) = (owner, declared(text, node))
            && (wanted.any || found == wanted.name)
        {
            facts.of = wanted.type_in(text, owner);
            facts.is_array = is_array;
            // `struct ops one = { … }, other = { … };`
            for it in owner.fields(Field::Declarator) {
                let is_same = declared(text, it).is_some_and(|it| it.1 == is_array);
                if let Some(value) = it.field(Field::Value).filter(|_| is_same) {
                    let object = Expr::Name(wanted.name);
                    initializer(text, &object, value, &mut Vec::new(), &mut facts.stores);
                }
            }
            return;
        }
    }
    if node.kind() == Kind::Declaration && facts.of == TypeRef::Unknown {
        facts.of = wanted.type_in(text, node);
    }
    if depth < 8 {
        for child in node.children() {
            declaration(text, child, wanted, facts, depth + 1);
        }
    }
}

/// `&(struct x){ … }`: what stands behind the `&`.
pub(super) fn addressed(node: Node<'_>) -> Option<Node<'_>> {
    let is_pointer = node.kind() == Kind::PointerExpression;
    let literal = node.field(Field::Argument).filter(|_| is_pointer)?;
    (literal.kind() == Kind::CompoundLiteral).then_some(literal)
}

/// Gathers what the initialiser `node` of `object` sets.
pub(crate) fn initializer(
    text: Text<'_>,
    object: &Expr,
    node: Node<'_>,
    path: &mut Vec<Step>,
    out: &mut Vec<Store>,
) {
    Setting { text, out }.value((object, 0), node, path);
}

/// What is gathered, and from where.
struct Setting<'a, 'o> {
    text: Text<'a>,
    out: &'o mut Vec<Store>,
}

impl Setting<'_, '_> {
    /// Gathers what `node` sets in `object`; of the steps to it, those from `first` on are inside it.
    fn value(&mut self, (object, first): (&Expr, usize), node: Node<'_>, path: &mut Vec<Step>) {
        if let Some(literal) = addressed(node) {
            // What is pointed to is an object of its own, and says its type.
            let object = expr(self.text, literal);
            self.value((&object, path.len()), literal, path);
            return;
        }
        let node = match node.kind() {
            // `(struct x){ … }` sets what its braces set.
            Kind::CompoundLiteral => node.field(Field::Value).unwrap_or(node),
            _ => node,
        };
        if node.kind() != Kind::InitializerList {
            let value = expr(self.text, node);
            if value != Expr::Unknown && !matches!(value, Expr::Const(_)) {
                self.out.push(Store {
                    offset: self.text.offset(node),
                    object: object.clone(),
                    path: path[first..].to_vec(),
                    value,
                    on_stack: false,
                });
            }
        } else if path.len() < MAX_DEPTH {
            self.list((object, first), node, path);
        }
    }

    fn list(&mut self, object: (&Expr, usize), list: Node<'_>, path: &mut Vec<Step>) {
        for (position, child) in list.children().enumerate() {
            let before = path.len();
            if child.kind() == Kind::InitializerPair {
                for designator in child.fields(Field::Designator) {
                    match designator.kind() {
                        // `member: value`
                        Kind::FieldIdentifier => {
                            path.push(Step::Member(self.text.sym(designator)));
                        }
                        Kind::FieldDesignator => {
                            if let Some(member) = designator.children().next() {
                                path.push(Step::Member(self.text.sym(member)));
                            }
                        }
                        _ => path.push(Step::Element),
                    }
                }
                if let Some(value) = child.field(Field::Value) {
                    self.value(object, value, path);
                }
            } else {
                path.push(Step::Position(position as u32));
                self.value(object, child, path);
            }
            path.truncate(before);
        }
    }
}

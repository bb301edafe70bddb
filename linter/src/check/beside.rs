//! Flags of an object that decide whether its inode is dropped: a chain of calls does not show who sets them.

use super::findings::Run;
use crate::facts::{Text, TypeRef, expr};
use crate::graph::values::Entry;
use crate::graph::{ItemId, Scope};
use crate::lex::Sym;
use crate::syntax::Node;
use crate::syntax::idioms::Release;
use crate::syntax::nodes::{Field, Kind};
use crate::syntax::text::squeeze;

impl Run<'_, '_, '_> {
    /// The flag of an object without which the release does not run, as `member has FLAG` or `member is set`; with
    /// what the function is entered with.
    pub(super) fn flag(&self, id: ItemId, release: &Release, entry: Entry) -> Option<String> {
        let spell = |it| self.index.spell(id, it).unwrap_or_default();
        if let Some(flag) = self.resolver.flag_of(id, release.offset as u32, entry) {
            let word = if flag.is_bit { "has" } else { "is" };
            let (member, constant) = (spell(flag.member), spell(flag.constant));
            return Some(format!("{member} {word} {constant}"));
        }
        let member = self.flag_beside(id, release)?;
        Some(format!("{member} is set"))
    }

    /// `if (object->member) iput(object->inode)`, where the member is no pointer to a struct but a flag.
    fn flag_beside(&self, id: ItemId, release: &Release) -> Option<String> {
        if !release.inode.contains("->") && !release.inode.contains('.') {
            return None;
        }
        let parsed = self.parsed.get(id, || self.index.parse(id));
        let parsed = parsed.as_ref().as_ref()?;
        let root = parsed.tree.as_ref()?.root_node();
        let condition = condition_of(root.innermost_at(release.offset))?;
        let object = condition.field(Field::Argument)?;
        let member = squeeze(condition.field(Field::Member)?, &parsed.clean);
        let beside = release
            .inode
            .strip_prefix(&squeeze(object, &parsed.clean))?;
        let is_beside = beside.starts_with("->") || beside.starts_with('.');
        let dropped = beside.trim_start_matches(['-', '>', '.']);
        if !is_beside || dropped.starts_with(&member) {
            return None;
        }
        let (facts, file) = (self.resolver.facts(id), self.index.file_index(id));
        let text = Text {
            original: self.index.item_text(id),
            clean: &parsed.clean,
            shift: 0,
        };
        let scope = Scope {
            file,
            facts: &facts,
        };
        let of = self.resolver.type_of(&expr(text, object), scope).of;
        let declared = self.resolver.member(of, Sym::of(&member), file)?;
        (declared.of == TypeRef::Unknown && !declared.is_function).then_some(member)
    }
}

/// The member that is the condition of the `if` whose first arm the call stands in.
fn condition_of(mut node: Node<'_>) -> Option<Node<'_>> {
    while let Some(parent) = node.parent() {
        if parent.kind() == Kind::IfStatement {
            let is_first_arm = parent.field(Field::Consequence) == Some(node);
            let mut condition = parent.field(Field::Condition)?;
            while condition.kind() == Kind::ParenthesizedExpression {
                condition = condition.named_children().next()?;
            }
            let is_member = condition.kind() == Kind::FieldExpression;
            return (is_first_arm && is_member).then_some(condition);
        }
        node = parent;
    }
    None
}

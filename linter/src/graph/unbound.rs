//! Calls through pointers of which nothing that was read says where they lead.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::index::Index;
use crate::kernel;
use crate::lex::{ItemKind, RefKind, Sym};

impl Index<'_> {
    /// How many calls through members lead nowhere by their names alone: see
    /// [`TreeStats::unbound_calls`](crate::report::TreeStats::unbound_calls).
    ///
    /// Nothing is parsed for it, and what the sieve leaves out counts as well.
    pub(crate) fn unbound_calls(&self) -> u64 {
        let mut called: Vec<u32> = self
            .slots()
            .filter(|it| {
                let file = self.file(*it);
                file.at_home && kernel::is_filesystem_side(file.path.as_str())
            })
            .flat_map_iter(|it| self.members_called_in(it))
            .collect();
        called.par_sort_unstable();
        let of_members: Vec<&[u32]> = called.chunk_by(|a, b| a == b).collect();
        let unset: Vec<&[u32]> = of_members
            .into_par_iter()
            .filter(|it| self.is_unset(it[0]))
            .collect();
        let by_position = self.set_by_position(&unset.iter().map(|it| it[0]).collect());
        let unbound = unset.iter().filter(|it| !by_position.contains(&it[0]));
        unbound.map(|it| it.len() as u64).sum()
    }

    /// The members that the functions of a file call, each once a function.
    fn members_called_in(&self, slot: usize) -> impl Iterator<Item = u32> {
        let functions = self
            .items(slot)
            .filter(|it| it.1.kind == ItemKind::Function);
        functions.flat_map(|it| {
            let refs = self.refs(it.0);
            let first = refs.partition_point(|it| it.kind() != RefKind::Declares);
            refs[first..].iter().map(|it| it.name())
        })
    }

    /// Whether nothing puts a function into any member of a name, and nothing says that there is none.
    fn is_unset(&self, member: u32) -> bool {
        let null = Sym::of("NULL").short();
        let (mut is_null, mut is_set) = (false, false);
        for (value, _) in self.setters(member) {
            if self.may_name_function(value) {
                return false;
            }
            is_null |= value == null;
            is_set |= value != null;
        }
        is_set || !is_null
    }

    /// Those of some members that a type declares of which a table names functions and no members.
    fn set_by_position(&self, members: &FxHashSet<u32>) -> FxHashSet<u32> {
        let of_file = |slot| {
            let types = self.items(slot).filter(|it| it.1.kind == ItemKind::Type);
            let declared = types.flat_map(|(id, item)| {
                let refs = self.refs(id).iter();
                refs.filter(|it| it.kind() == RefKind::Declares && members.contains(&it.name()))
                    .map(move |it| (item.name, it.name()))
            });
            declared.collect::<Vec<_>>()
        };
        let declared = self.slots().flat_map_iter(of_file);
        let set = declared.filter(|it| it.0 != Sym::NONE && self.has_positions(it.0));
        set.map(|it| it.1).collect()
    }

    /// Whether a table of a type gives functions without saying for which member.
    fn has_positions(&self, tag: Sym) -> bool {
        self.objects_of(tag).any(|it| {
            let paired: FxHashSet<u32> = self.pairs_of(it).iter().map(|it| it[1]).collect();
            let mut refs = self.refs(it).iter();
            refs.any(|it| {
                it.kind() == RefKind::Mention
                    && !paired.contains(&it.name())
                    && self.may_name_function(it.name())
            })
        })
    }
}

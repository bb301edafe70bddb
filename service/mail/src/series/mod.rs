//! Series out of message heads: pure, deterministic, whatever the order in which the mail came.
//!
//! One module per step: [`forest`] drops copies and finds parents, [`class`] says what each mail could be,
//! [`group`] collects parts of one version inside a thread, [`unthreaded`] those sent without references,
//! [`merge`] repairs what senders number wrongly, [`build`] makes series, [`link`] finds what each replaces.

mod build;
mod class;
mod depends;
mod forest;
mod group;
mod head;
mod link;
mod merge;
mod types;
mod unthreaded;

use class::Role;
use forest::Forest;

pub use head::{Content, Head};
pub use types::{Assembly, ChangeId, MessageClass, Part, Placement, Series, SeriesState};

/// Says what each message is, and which series there are.
///
/// The placements come in the order of `heads`; everything else is independent of that order. Give all heads
/// that share a [`Head::keys`] key, transitively: fewer give a series with parts missing.
/// Time is about O(n log n) in the number of heads.
pub fn assemble(heads: &[Head]) -> Assembly {
    let forest = Forest::new(heads);
    let roles = class::roles(&forest);
    let mut groups = group::threads(&forest, &roles);
    unthreaded::join(&forest, &mut groups);
    merge::repair(&forest, &roles, &mut groups);
    unthreaded::join_halves(&forest, &mut groups);
    let mut built = build::series(&forest, &groups);
    build::fill_partial_rerolls(&forest, &mut built);
    link::versions(&forest, &mut built);
    let placements = placements(&forest, &roles, &built);
    Assembly {
        placements,
        series: built.into_iter().map(|it| it.series).collect(),
    }
}

fn placements(forest: &Forest<'_>, roles: &[Role], built: &[build::Built]) -> Vec<Placement> {
    let mut member: Vec<Option<(usize, u32)>> = vec![None; forest.nodes.len()];
    for (index, it) in built.iter().enumerate() {
        for (node, number) in &it.members {
            member[*node] = Some((index, *number));
        }
    }
    let mut placements: Vec<Option<Placement>> = vec![None; forest.heads.len()];
    for (node, head) in forest.nodes.iter().enumerate() {
        let placement = match member[node] {
            Some((index, number)) => Placement {
                message: forest.heads[*head].id.clone(),
                class: if number == 0 {
                    MessageClass::Cover
                } else {
                    MessageClass::Patch
                },
                series: Some(built[index].series.key.clone()),
                number: Some(number),
                reason: built[index].reason_for(number),
            },
            None => outside(forest, roles, built, &member, node),
        };
        placements[*head] = Some(placement);
    }
    for (head, original) in &forest.copies {
        let original = placements[forest.nodes[*original]].as_ref();
        placements[*head] = Some(Placement {
            message: forest.heads[*head].id.clone(),
            class: MessageClass::Duplicate,
            series: original.and_then(|it| it.series.clone()),
            number: None,
            reason: "the same mail as one seen before".to_owned(),
        });
    }
    placements.into_iter().flatten().collect()
}

/// A mail that is no part: what it answers decides the series that it is shown under.
fn outside(
    forest: &Forest<'_>,
    roles: &[Role],
    built: &[build::Built],
    member: &[Option<(usize, u32)>],
    node: usize,
) -> Placement {
    let (class, reason) = match &roles[node] {
        Role::Outside(class, reason) => (*class, *reason),
        Role::Naked => (MessageClass::Other, "no diff, and no series under it"),
        Role::Part => (MessageClass::Other, "a number that no series has"),
    };
    let answers = (class == MessageClass::Comment)
        .then(|| forest.ancestors(node).find_map(|it| member[it]))
        .flatten();
    Placement {
        message: forest.head(node).id.clone(),
        class,
        series: answers.map(|(index, _)| built[index].series.key.clone()),
        number: None,
        reason: reason.to_owned(),
    }
}

//! Memory reclaim: shrinkers and the super block's own.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "reclaim",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "in memory reclaim",
    hazard: "evict() starts transactions and allocates under fs_reclaim, and waits for whoever waits for this memory",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // include/linux/shrinker.h, fs.h
        Root::member("shrinker", "scan_objects"),
        Root::member("shrinker", "count_objects"),
        Root::member("super_operations", "nr_cached_objects"),
        Root::member("super_operations", "free_cached_objects"),
        Root::member("address_space_operations", "release_folio").one_of("release"),
        Root::member("address_space_operations", "releasepage").one_of("release"),
    ],
    docs: include_str!("reclaim.md"),
};

//! The callback that `iput()` itself calls with `i_lock` held.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "drop-inode",
    default_on: true,
    severity: Severity::Error,
    sink: Sink::DropInode,
    place: "inside ->drop_inode",
    hazard: "iput() calls ->drop_inode with i_lock held: this recurses, and takes i_lock twice",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: Some(2),
    roots: &[
        // include/linux/fs.h; called from iput_final() in fs/inode.c
        Root::member("super_operations", "drop_inode"),
    ],
    docs: include_str!("drop_inode.md"),
};

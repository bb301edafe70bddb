//! Threads and callbacks that grant cluster locks (OCFS2, GFS2).

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "cluster-lock",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "where cluster locks are granted",
    hazard: "evict() takes cluster locks that this thread grants",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // fs/ocfs2/dlmglue.c
        Root::function("ocfs2_downconvert_thread", "fs/ocfs2/"),
        Root::member("ocfs2_lock_res_ops", "post_unlock"),
        // fs/gfs2/incore.h, glock.c
        Root::member("gfs2_glock_operations", "go_sync").optional(),
        Root::member("gfs2_glock_operations", "go_xmote_bh").optional(),
        Root::member("gfs2_glock_operations", "go_inval").optional(),
        Root::member("gfs2_glock_operations", "go_instantiate").optional(),
        Root::member("gfs2_glock_operations", "go_held").optional(),
        Root::member("gfs2_glock_operations", "go_callback").optional(),
        Root::member("gfs2_glock_operations", "go_unlocked").optional(),
        Root::work("glock_work_func", "fs/gfs2/").optional(),
    ],
    docs: include_str!("cluster_lock.md"),
};

//! Threads that make a filesystem's progress: log, commit, checkpoint, cleaner.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "fs-thread",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "in a filesystem's own thread",
    hazard: "evict() waits for log space, a checkpoint or a commit that only this thread makes",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // fs/f2fs/gc.c, checkpoint.c, segment.c
        Root::function("gc_thread_func", "fs/f2fs/").optional(),
        Root::function("issue_checkpoint_thread", "fs/f2fs/").optional(),
        Root::function("issue_flush_thread", "fs/f2fs/").optional(),
        // fs/nilfs2/segment.c, fs/jfs/jfs_txnmgr.c, fs/gfs2/log.c, fs/xfs/xfs_trans_ail.c, fs/jbd2/journal.c
        Root::function("nilfs_segctor_thread", "fs/nilfs2/").optional(),
        Root::function("jfs_lazycommit", "fs/jfs/").optional(),
        Root::function("gfs2_logd", "fs/gfs2/").optional(),
        Root::function("xfsaild", "fs/xfs/").optional(),
        Root::function("kjournald2", "fs/jbd2/").optional(),
        // include/linux/jbd2.h
        Root::member("journal_s", "j_commit_callback").optional(),
    ],
    docs: include_str!("fs_thread.md"),
};

//! The daemon's own thread while it hands a reply to FUSE.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "fuse-reply",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "while a FUSE reply is taken",
    hazard: "evict() sends a request, or waits for writeback, that this same daemon thread must answer",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // fs/fuse/fuse_i.h, virtio_fs.c, dev.c, dev_uring.c
        Root::member("fuse_args", "end"),
        Root::work("virtio_fs_requests_done_work", "fs/fuse/").optional(),
        Root::function("fuse_dev_do_write", "fs/fuse/"),
        Root::function("fuse_uring_commit_fetch", "fs/fuse/").optional(),
    ],
    docs: include_str!("fuse_reply.md"),
};

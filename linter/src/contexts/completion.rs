//! I/O completion: bio, buffer head, direct I/O and netfs callbacks.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "completion",
    default_on: true,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "in I/O completion",
    hazard: "evict() waits for I/O whose completion this context delivers",
    hazard_of_other: super::OF_OTHER,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // include/linux/blk_types.h, buffer_head.h, fs.h, iomap.h
        Root::member("bio", "bi_end_io"),
        Root::member("buffer_head", "b_end_io"),
        Root::member("kiocb", "ki_complete"),
        Root::member("iomap_dio_ops", "end_io").optional(),
        // include/linux/fs.h: dio_iodone_t
        Root::argument("__blockdev_direct_IO", 5).optional(),
        // include/linux/netfs.h: free_request runs inline when the last reference goes in a completion
        Root::member("netfs_request_ops", "free_request").optional(),
        Root::member("netfs_request_ops", "free_subrequest").optional(),
        Root::member("netfs_request_ops", "done").optional(),
        Root::member("netfs_request_ops", "invalidate_cache").optional(),
        Root::member("netfs_request_ops", "retry_request").optional(),
        Root::work("netfs_write_collection_worker", "fs/netfs/").optional(),
        // fs/ext4/page-io.c, fs/xfs/xfs_aops.c: workers that finish writeback
        Root::work("ext4_end_io_rsv_work", "fs/ext4/").optional(),
        Root::work("xfs_end_io", "fs/xfs/").optional(),
        Root::queued("rsv_conversion_wq", "fs/ext4/"),
        Root::queued("m_unwritten_workqueue", "fs/xfs/"),
        // fs/btrfs/bio.c, fs/btrfs/ordered-data.c
        Root::queued("btrfs_end_io_wq", "fs/btrfs/"),
        Root::queued("endio_workers", "fs/btrfs/"),
        Root::queued("endio_write_workers", "fs/btrfs/"),
    ],
    docs: include_str!("completion.md"),
};

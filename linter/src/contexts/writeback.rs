//! Writeback: from the flusher down to a filesystem's own writers.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "writeback",
    default_on: true,
    severity: Severity::Error,
    sink: Sink::FinalIput,
    place: "in writeback",
    hazard: "evict() waits in inode_wait_for_writeback() for the I_SYNC that this task holds",
    hazard_of_other: super::OF_OTHER,
    waits_for_itself: true,
    max_hops: None,
    roots: &[
        // include/linux/fs.h, Documentation/filesystems/vfs.rst
        Root::member("address_space_operations", "writepages"),
        Root::member("address_space_operations", "writepage").optional(),
        // Truncation, reclaim and compaction call the following as well.
        // invalidate_folio was invalidatepage before 5.18, launder_folio launder_page, and so on.
        Root::member("address_space_operations", "invalidate_folio")
            .one_of("invalidate")
            .shared(),
        Root::member("address_space_operations", "invalidatepage")
            .one_of("invalidate")
            .shared(),
        Root::member("address_space_operations", "launder_folio")
            .one_of("launder")
            .shared(),
        Root::member("address_space_operations", "launder_page")
            .one_of("launder")
            .shared(),
        Root::member("address_space_operations", "release_folio")
            .one_of("release")
            .shared(),
        Root::member("address_space_operations", "releasepage")
            .one_of("release")
            .shared(),
        Root::member("address_space_operations", "free_folio")
            .optional()
            .shared(),
        Root::member("address_space_operations", "freepage")
            .optional()
            .shared(),
        Root::member("address_space_operations", "migrate_folio")
            .one_of("migrate")
            .shared(),
        Root::member("address_space_operations", "migratepage")
            .one_of("migrate")
            .shared(),
        Root::member("address_space_operations", "swap_rw")
            .optional()
            .shared(),
        Root::member("address_space_operations", "error_remove_folio")
            .optional()
            .shared(),
        Root::member("address_space_operations", "error_remove_page")
            .optional()
            .shared(),
        Root::member("super_operations", "write_inode"),
        // include/linux/iomap.h
        Root::member("iomap_writeback_ops", "map_blocks").optional(),
        Root::member("iomap_writeback_ops", "prepare_ioend").optional(),
        Root::member("iomap_writeback_ops", "submit_ioend").optional(),
        Root::member("iomap_writeback_ops", "writeback_range").optional(),
        Root::member("iomap_writeback_ops", "writeback_submit").optional(),
        Root::member("iomap_writeback_ops", "discard_folio").optional(),
        // include/linux/writeback.h
        Root::argument("write_cache_pages", 2).optional(),
        // fs/btrfs/async-thread.c: what submits the extents that workers of writeback compressed, in their order
        Root::argument("btrfs_init_work", 2).optional(),
        // fs/fs-writeback.c, mm/page-writeback.c
        Root::function("wb_workfn", "fs/"),
        Root::function("wb_do_writeback", "fs/"),
        Root::function("wb_writeback", "fs/"),
        Root::function("writeback_sb_inodes", "fs/"),
        Root::function("__writeback_inodes_wb", "fs/"),
        Root::function("__writeback_single_inode", "fs/"),
        Root::function("writeback_single_inode", "fs/"),
        Root::function("do_writepages", "mm/"),
    ],
    docs: include_str!("writeback.md"),
};

//! Names that the kernel fixes and that no tree can tell us from its text, each with its source.
//!
//! Paths in comments are those of Linux 6.12 unless a version stands beside them. What a tree does
//! tell (which functions wrap `iput()`, which annotations expand to nothing) is read from the tree.

use serde::{Deserialize, Serialize};

/// The function whose last call evicts an inode. Source: `fs/inode.c`, `iput()`.
pub const IPUT: &str = "iput";

/// What runs a callback that is registered through an API of [`DEFERRALS`] or a field of [`DEFERRED_FIELDS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Runner {
    /// A worker of a workqueue.
    Work,
    /// A kernel thread of its own.
    Thread,
    /// Timer interrupt or softirq.
    Timer,
    /// After a grace period, in softirq or a callback thread.
    Rcu,
    /// Hard interrupt, irq work or a threaded handler.
    Irq,
    /// A tasklet: softirq.
    Tasklet,
    /// The task itself, on its way back to user space.
    TaskWork,
    /// A filesystem's own ordered queue on top of a workqueue.
    OrderedWork,
}

/// A function or macro that registers a callback to run later, elsewhere.
///
/// The call is no call edge to the callback: the callback is an entry point of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferral {
    /// Its name.
    pub name: &'static str,
    /// Index of the callback among its arguments, from 0.
    pub callback: usize,
    /// What runs the callback.
    pub runner: Runner,
}

const fn deferral(name: &'static str, callback: usize, runner: Runner) -> Deferral {
    Deferral {
        name,
        callback,
        runner,
    }
}

/// APIs that take a function and run it later. Sorted by name within each source.
pub static DEFERRALS: &[Deferral] = &[
    // include/linux/workqueue.h
    deferral("DECLARE_DEFERRABLE_WORK", 1, Runner::Work),
    deferral("DECLARE_DELAYED_WORK", 1, Runner::Work),
    deferral("DECLARE_WORK", 1, Runner::Work),
    deferral("INIT_DEFERRABLE_WORK", 1, Runner::Work),
    deferral("INIT_DELAYED_WORK", 1, Runner::Work),
    deferral("INIT_DELAYED_WORK_ONSTACK", 1, Runner::Work),
    deferral("INIT_RCU_WORK", 1, Runner::Work),
    deferral("INIT_RCU_WORK_ONSTACK", 1, Runner::Work),
    deferral("INIT_WORK", 1, Runner::Work),
    deferral("INIT_WORK_ONSTACK", 1, Runner::Work),
    deferral("INIT_WORK_ONSTACK_KEY", 1, Runner::Work),
    deferral("__INIT_DELAYED_WORK", 1, Runner::Work),
    deferral("__INIT_WORK", 1, Runner::Work),
    deferral("__INIT_WORK_KEY", 1, Runner::Work),
    deferral("__WORK_INITIALIZER", 1, Runner::Work),
    deferral("execute_in_process_context", 0, Runner::Work),
    deferral("schedule_on_each_cpu", 0, Runner::Work),
    deferral("work_on_cpu", 1, Runner::Work),
    // include/linux/kthread.h, include/linux/sched/task.h, include/linux/smpboot.h
    deferral("DEFINE_KTHREAD_DELAYED_WORK", 1, Runner::Thread),
    deferral("DEFINE_KTHREAD_WORK", 1, Runner::Thread),
    deferral("kernel_thread", 0, Runner::Thread),
    deferral("kthread_create", 0, Runner::Thread),
    deferral("kthread_create_on_cpu", 0, Runner::Thread),
    deferral("kthread_create_on_node", 0, Runner::Thread),
    deferral("kthread_init_delayed_work", 1, Runner::Thread),
    deferral("kthread_init_work", 1, Runner::Thread),
    deferral("kthread_run", 0, Runner::Thread),
    deferral("kthread_run_on_cpu", 0, Runner::Thread),
    deferral("user_mode_thread", 0, Runner::Thread),
    // include/linux/async.h
    deferral("async_schedule", 0, Runner::Work),
    deferral("async_schedule_dev", 0, Runner::Work),
    deferral("async_schedule_dev_domain", 0, Runner::Work),
    deferral("async_schedule_dev_nocall", 0, Runner::Work),
    deferral("async_schedule_domain", 0, Runner::Work),
    deferral("async_schedule_node", 0, Runner::Work),
    deferral("async_schedule_node_domain", 0, Runner::Work),
    // include/linux/rcupdate.h, rcupdate_trace.h, srcu.h
    deferral("call_rcu", 1, Runner::Rcu),
    deferral("call_rcu_hurry", 1, Runner::Rcu),
    deferral("call_rcu_tasks", 1, Runner::Rcu),
    deferral("call_rcu_tasks_rude", 1, Runner::Rcu),
    deferral("call_rcu_tasks_trace", 1, Runner::Rcu),
    deferral("call_srcu", 2, Runner::Rcu),
    // include/linux/percpu-refcount.h: the release function runs when the last reference goes
    deferral("percpu_ref_init", 1, Runner::Rcu),
    deferral("percpu_ref_kill_and_confirm", 1, Runner::Rcu),
    // include/linux/timer.h; hrtimer_setup: include/linux/hrtimer.h since 6.13
    deferral("DEFINE_TIMER", 1, Runner::Timer),
    deferral("__timer_init", 1, Runner::Timer),
    deferral("hrtimer_setup", 1, Runner::Timer),
    deferral("hrtimer_setup_on_stack", 1, Runner::Timer),
    deferral("timer_setup", 1, Runner::Timer),
    deferral("timer_setup_on_stack", 1, Runner::Timer),
    // include/linux/interrupt.h, include/linux/irq_work.h
    deferral("DECLARE_TASKLET", 1, Runner::Tasklet),
    deferral("DECLARE_TASKLET_DISABLED", 1, Runner::Tasklet),
    deferral("DECLARE_TASKLET_OLD", 1, Runner::Tasklet),
    deferral("DEFINE_IRQ_WORK", 1, Runner::Irq),
    deferral("IRQ_WORK_INIT", 0, Runner::Irq),
    deferral("IRQ_WORK_INIT_HARD", 0, Runner::Irq),
    deferral("IRQ_WORK_INIT_LAZY", 0, Runner::Irq),
    deferral("devm_request_irq", 2, Runner::Irq),
    deferral("devm_request_threaded_irq", 2, Runner::Irq),
    deferral("devm_request_threaded_irq", 3, Runner::Irq),
    deferral("init_irq_work", 1, Runner::Irq),
    deferral("open_softirq", 1, Runner::Irq),
    deferral("request_irq", 1, Runner::Irq),
    deferral("request_threaded_irq", 1, Runner::Irq),
    deferral("request_threaded_irq", 2, Runner::Irq),
    deferral("tasklet_init", 1, Runner::Tasklet),
    deferral("tasklet_setup", 1, Runner::Tasklet),
    // include/linux/task_work.h: task_work_add() takes what this one has set up
    deferral("init_task_work", 1, Runner::TaskWork),
    // fs/btrfs/async-thread.h: work function, then ordered completion
    deferral("btrfs_init_work", 1, Runner::OrderedWork),
    deferral("btrfs_init_work", 2, Runner::OrderedWork),
    // include/linux/stop_machine.h
    deferral("stop_machine", 0, Runner::Thread),
    deferral("stop_one_cpu_nowait", 1, Runner::Thread),
];

/// Members that hold a function to run later: assigning one is what an `INIT_*` macro does.
///
/// Sources: `include/linux/{workqueue_types,timer_types,hrtimer_types,irq_work,types,kthread}.h`;
/// `fs/netfs/objects.c` assigns `work.func` directly.
pub static DEFERRED_FIELDS: &[(&str, &str, Runner)] = &[
    ("work_struct", "func", Runner::Work),
    ("kthread_work", "func", Runner::Thread),
    ("timer_list", "function", Runner::Timer),
    ("hrtimer", "function", Runner::Timer),
    ("irq_work", "func", Runner::Irq),
    ("callback_head", "func", Runner::Rcu),
    ("tasklet_struct", "func", Runner::Tasklet),
    ("tasklet_struct", "callback", Runner::Tasklet),
    ("btrfs_work", "func", Runner::OrderedWork),
    ("btrfs_work", "ordered_func", Runner::OrderedWork),
];

/// Functions that only queue: the traversal does not enter them, what they queue runs elsewhere.
///
/// Sources: `include/linux/workqueue.h`, `kthread.h`, `task_work.h`, `irq_work.h`, `timer.h`,
/// `sunrpc/clnt.h` (asynchronous RPC tasks run in rpciod), `fs/file_table.c` (`fput()` is task work),
/// `fs/fs-writeback.c`, `fs/btrfs/async-thread.c`.
pub static QUEUEING: &[&str] = &[
    "add_timer",
    "async_schedule",
    "async_schedule_domain",
    "btrfs_queue_work",
    "call_rcu",
    "call_rcu_hurry",
    "call_srcu",
    "delayed_fput",
    "fput",
    "irq_work_queue",
    "kthread_mod_delayed_work",
    "kthread_queue_delayed_work",
    "kthread_queue_work",
    "mod_delayed_work",
    "mod_delayed_work_on",
    "mod_timer",
    "queue_delayed_work",
    "queue_delayed_work_on",
    "queue_rcu_work",
    "queue_work",
    "queue_work_node",
    "queue_work_on",
    "rpc_call_async",
    "rpc_run_task",
    "schedule_delayed_work",
    "schedule_delayed_work_on",
    "schedule_work",
    "schedule_work_on",
    "task_work_add",
    "tasklet_schedule",
    "wb_queue_isw",
    "wb_queue_work",
];

/// Functions that put an item on a workqueue: name, index of the workqueue and of the item among the arguments.
///
/// Sources: `include/linux/workqueue.h`, `fs/btrfs/async-thread.h`.
pub static QUEUE_CALLS: &[(&str, usize, usize)] = &[
    ("btrfs_queue_work", 0, 1),
    ("mod_delayed_work", 0, 1),
    ("mod_delayed_work_on", 1, 2),
    ("queue_delayed_work", 0, 1),
    ("queue_delayed_work_on", 1, 2),
    ("queue_rcu_work", 0, 1),
    ("queue_work", 0, 1),
    ("queue_work_node", 1, 2),
    ("queue_work_on", 1, 2),
];

/// The names of all that queue a work item, on a queue that is given or on the system's.
pub fn queueing_works() -> impl Iterator<Item = &'static str> {
    let given = QUEUE_CALLS.iter().map(|it| it.0);
    given.chain(["schedule_work", "schedule_delayed_work"])
}

/// Functions that may drop inode references below them and that the traversal does not enter.
///
/// Nearly all of a filesystem reaches `dput()`; a chain through it says little about the call site
/// that a person could change. Sources: `fs/dcache.c`, `fs/namei.c`, `fs/namespace.c`, `fs/super.c`,
/// `fs/inode.c` (`evict()` and what it runs belong to the `iput()` that led there).
pub static NOT_ENTERED: &[(&str, &str)] = &[
    ("d_delete", "drops a dentry's own inode reference"),
    ("d_invalidate", "drops dentries"),
    ("d_prune_aliases", "drops dentries"),
    ("d_splice_alias", "an alias that stays holds a reference"),
    ("deactivate_locked_super", "unmounts"),
    ("deactivate_super", "unmounts"),
    ("dispose_list", "evicts inodes without references"),
    ("do_one_tree", "drops dentries at unmount"),
    ("dput", "drops a dentry"),
    ("dput_to_list", "drops a dentry"),
    ("evict", "runs below a final iput()"),
    ("evict_inodes", "runs at unmount"),
    ("generic_shutdown_super", "unmounts"),
    ("invalidate_inodes", "evicts inodes without references"),
    ("iput", "the sink"),
    ("iput_final", "the sink"),
    ("kern_unmount", "unmounts"),
    ("mntput", "unmounts"),
    ("path_put", "drops a dentry and a mount"),
    ("prune_dcache_sb", "drops dentries"),
    ("prune_icache_sb", "evicts inodes without references"),
    ("shrink_dcache_for_umount", "drops dentries"),
    ("shrink_dcache_parent", "drops dentries"),
    ("shrink_dcache_sb", "drops dentries"),
    ("shrink_dentry_list", "drops dentries"),
];

/// The only file that may drop to zero, set and exchange `i_count`, and the headers of its inline helpers.
/// Sources: `fs/inode.c`; `include/linux/fs.h` (`ihold`, `icount_read`, `iput_not_last`).
pub static I_COUNT_OWNERS: &[&str] = &["fs/inode.c", "include/linux/fs.h"];

/// Core code that may read `i_count`: `fs/fs-writeback.c` (`WARN_ON` before it takes an inode) and
/// `fs/notify/fsnotify.c` (`fsnotify_unmount_inodes()` skips cached inodes).
pub static I_COUNT_CORE_READERS: &[&str] = &["fs/fs-writeback.c", "fs/notify/fsnotify.c"];

/// Where the helpers are declared.
pub const FS_HEADER: &str = "include/linux/fs.h";

/// Helpers around `i_count` that a tree may declare in [`FS_HEADER`].
/// `icount_read` and `iput_not_last`: 6.18; `icount_read_once`, `iput_if_not_last`: 2026.
pub static I_COUNT_HELPERS: &[&str] = &[
    "icount_read",
    "icount_read_once",
    "iput_not_last",
    "iput_if_not_last",
    "ihold",
    "igrab",
    "__iget",
];

/// `->drop_inode` implementations that let each last `iput()` evict at once.
/// Sources: `fs/inode.c`; `inode_just_drop` since 6.18.
pub static ALWAYS_DROP: &[&str] = &["generic_delete_inode", "inode_just_drop"];

/// Functions that take a reference on an inode: `include/linux/fs.h`, `fs/inode.c`.
pub static GRABS: &[&str] = &["ihold", "igrab", "__iget"];

/// Those among them that raise `i_count` whatever it is.
/// Source: `fs/inode.c`, `include/linux/fs.h`.
pub static RAISES: &[&str] = &["ihold", "__iget"];

/// Functions and macros that store their second or third argument at the place that is the first.
/// Source: `include/linux/atomic/atomic-instrumented.h`, `include/asm-generic/rwonce.h`, `include/linux/rcupdate.h`.
pub static PUBLISHERS: &[&str] = &[
    "WRITE_ONCE",
    "cmpxchg",
    "rcu_assign_pointer",
    "smp_store_release",
    "xchg",
];

/// How the functions are called that `DEFINE_FREE(word, …)` and `DEFINE_CLASS(word, …)` make to clean up, before and
/// behind the word: `include/linux/cleanup.h`.
pub static CLEANUPS: &[(&str, &str)] = &[("__free_", ""), ("class_", "_destructor")];

/// Macros that take the pointer out of a variable, so that its `__free()` finds nothing: `include/linux/cleanup.h`.
pub static TAKES: &[&str] = &["no_free_ptr", "return_ptr", "retain_and_null_ptr"];

/// The one of [`TAKES`] that also returns.
pub const TAKE_AND_RETURN: &str = "return_ptr";

/// Prefixes of functions whose use on the false branch of a conditional drop means that the
/// reference is handed to a worker: `include/linux/{workqueue,list,llist,kthread,task_work}.h`.
pub static HAND_OVER_PREFIXES: &[&str] = &[
    "queue_work",
    "queue_delayed_work",
    "queue_rcu_work",
    "schedule_work",
    "schedule_delayed_work",
    "mod_delayed_work",
    "kthread_queue",
    "list_add",
    "llist_add",
    "task_work_add",
    "irq_work_queue",
];

/// Directories whose code handles inodes: a chain that began on this side stays on it.
///
/// What lies below (allocator, scheduler, block layer, drivers, network core) is entered from every
/// filesystem and leads back only through completions, which are entry points of their own.
pub static FILESYSTEM_SIDE: &[&str] = &[
    "fs/",
    "mm/",
    "include/",
    "net/ceph/",
    "net/9p/",
    "net/sunrpc/",
    "net/rxrpc/",
    "ipc/mqueue.c",
    // What calls the functions that it is handed at once.
    "lib/assoc_array.c",
    "lib/bsearch.c",
    "lib/btree.c",
    "lib/idr.c",
    "lib/klist.c",
    "lib/list_sort.c",
    "lib/rhashtable.c",
    "lib/sort.c",
];

/// Exceptions to [`FILESYSTEM_SIDE`]: `mm/` files that allocate or reclaim. Writeback allocates with
/// `GFP_NOFS` (`Documentation/core-api/gfp_mask-from-fs-io.rst`), so reclaim below it enters no filesystem.
pub static ALLOCATION: &[&str] = &[
    "mm/compaction.c",
    "mm/dmapool.c",
    "mm/kasan/",
    "mm/kfence/",
    "mm/kmsan/",
    "mm/memblock.c",
    "mm/memcontrol",
    "mm/memory_hotplug.c",
    "mm/mempool.c",
    "mm/mempolicy.c",
    "mm/oom_kill.c",
    "mm/page_alloc.c",
    "mm/page_isolation.c",
    "mm/percpu",
    "mm/shrinker",
    "mm/slab",
    "mm/slub.c",
    "mm/vmalloc.c",
    "mm/vmscan.c",
    "mm/vmstat.c",
    "mm/zswap.c",
    "include/linux/slab.h",
    "include/linux/gfp.h",
];

/// Headers that the kernel's build includes in every source. Source: `LINUXINCLUDE` and `USERINCLUDE` in `Makefile`,
/// `c_flags` in `scripts/Makefile.lib`.
pub static ALWAYS_INCLUDED: &[&str] = &[
    "linux/compiler-version.h",
    "linux/kconfig.h",
    "linux/compiler_types.h",
];

/// Whether a file is linked into a program of its own: what boots a kernel, firmware stubs, user mode helpers.
/// Source: `arch/x86/boot/Makefile`, `drivers/firmware/efi/libstub/Makefile`, `arch/x86/purgatory/Makefile`.
pub fn is_built_apart(path: &str) -> bool {
    [
        "/boot/",
        "/libstub/",
        "/purgatory/",
        "/vdso/",
        "/um/",
        "/realmode/",
    ]
    .iter()
    .any(|it| path.contains(it))
        && (path.starts_with("arch/") || path.starts_with("drivers/"))
}

/// Whether a chain may enter the file.
pub fn is_filesystem_side(path: &str) -> bool {
    let is_allocation = || ALLOCATION.iter().any(|it| path.starts_with(it));
    FILESYSTEM_SIDE.iter().any(|it| path.starts_with(it))
        && !(path.starts_with("mm/") && is_allocation())
}

/// Tables through which system calls enter a filesystem: a chain below writeback that goes through
/// one works on a file of another filesystem instance (a cache's backing file, a loop device's).
/// Source: `include/linux/{fs,exportfs,mm,xattr,fs_context,quota}.h`.
pub static FRONT_DOORS: &[&str] = &[
    "file_operations",
    "inode_operations",
    "export_operations",
    "vm_operations_struct",
    "fs_context_operations",
    "quotactl_ops",
    "xattr_handler",
    "file_system_type",
    "proc_ops",
    "seq_operations",
    "kernfs_ops",
    "configfs_item_operations",
    "kernel_param_ops",
    "sysfs_ops",
];

/// Functions by which system calls, and kernel code that acts like one, enter the VFS with a file or
/// path of their own: the same front doors as [`FRONT_DOORS`], by name.
/// Source: `fs/{open,read_write,sync,stat,statfs,namei,xattr,attr,ioctl,splice,exec,file_table}.c`.
pub static SYSTEM_CALL_HELPERS: &[&str] = &[
    "dentry_open",
    "do_filp_open",
    "filp_close",
    "filp_open",
    "kern_path",
    "kernel_read",
    "kernel_write",
    "lookup_one_len",
    "notify_change",
    "vfs_create",
    "vfs_fallocate",
    "vfs_fstat",
    "vfs_fsync",
    "vfs_fsync_range",
    "vfs_get_tree",
    "vfs_getattr",
    "vfs_getattr_nosec",
    "vfs_getxattr",
    "vfs_ioctl",
    "vfs_iocb_iter_read",
    "vfs_iocb_iter_write",
    "vfs_iter_read",
    "vfs_iter_write",
    "vfs_link",
    "vfs_listxattr",
    "vfs_llseek",
    "vfs_mkdir",
    "vfs_mknod",
    "vfs_open",
    "vfs_path_lookup",
    "vfs_read",
    "vfs_readlink",
    "vfs_removexattr",
    "vfs_rename",
    "vfs_rmdir",
    "vfs_setxattr",
    "vfs_statfs",
    "vfs_symlink",
    "vfs_tmpfile",
    "vfs_truncate",
    "vfs_unlink",
    "vfs_write",
    "__vfs_getxattr",
    "__vfs_setxattr",
    "__vfs_removexattr",
];

/// Words by which a function that drops its parameter shows that the inode is still under construction.
/// Source: `fs/inode.c`, `discard_new_inode()`; `fs/bad_inode.c`, `iget_failed()`.
pub static NEW_INODE_WORDS: &[&str] = &["I_NEW", "unlock_new_inode"];

/// Allocators of inodes that nobody else has seen yet: `fs/inode.c`, `include/linux/fs.h`, `fs/libfs.c`.
pub static NEW_INODES: &[&str] = &[
    "alloc_anon_inode",
    "alloc_inode_sb",
    "new_inode",
    "new_inode_pseudo",
];

/// The state bit that says that an inode is under writeback: `include/linux/fs.h`. A `->drop_inode` that looks at it
/// keeps such inodes, so that no `iput()` of that filesystem waits in `inode_wait_for_writeback()`.
pub const UNDER_WRITEBACK: &str = "I_SYNC";

/// Calls of the VFS that hardly ever run, with the reason.
///
/// `fs/fs-writeback.c`: `__writeback_single_inode()` marks the inode dirty again, which calls `->dirty_inode`, only
/// to write timestamps that a `lazytime` mount kept back.
pub static RARE_CALLS: &[(&str, &str, &str)] = &[(
    "__writeback_single_inode",
    "mark_inode_dirty_sync",
    "the chain runs on lazytime mounts only",
)];

/// Calls after which the inode that is dropped below them is never there, with the reason: a chain through one is the
/// last choice.
///
/// `fs/ext4/inline.c`: `ext4_find_inline_data_nolock()` refuses inline data whose attribute stands in another inode.
/// `mm/vmscan.c`: `pageout()` calls `swap_writepage()`, whose address space is no inode's, by itself.
pub static VAIN_CALLS: &[(&str, &str, &str)] = &[
    (
        "ext4_destroy_inline_data_nolock",
        "ext4_xattr_ibody_set",
        "inline data never stand in an inode of their own",
    ),
    (
        "do_writepages",
        "swap_writepage",
        "do_writepages() never writes the swap cache",
    ),
    (
        "writeback_use_writepage",
        "swap_writepage",
        "do_writepages() never writes the swap cache",
    ),
];

/// Entry points that mostly run elsewhere, by what registers them, with the reason.
///
/// `fs/direct-io.c`: `dio_complete()` calls the end of direct I/O in the task that asked for it or, for asynchronous
/// writes, on `s_dio_done_wq`, a workqueue of the super block that no writeback waits for.
pub static MILD_ROOTS: &[(&str, &str)] = &[(
    "__blockdev_direct_IO",
    "the end of direct I/O runs in the task that asked for it or on a workqueue of its own",
)];

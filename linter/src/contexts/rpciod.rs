//! The SUNRPC workqueue, which runs every step of an asynchronous RPC.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "rpciod",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "in rpciod",
    hazard: "evict() sends synchronous RPCs or waits for writeback that rpciod completes",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // include/linux/sunrpc/sched.h; rpc_release runs in nfsiod where the task setup names that workqueue
        Root::member("rpc_call_ops", "rpc_call_prepare"),
        Root::member("rpc_call_ops", "rpc_call_done"),
        Root::member("rpc_call_ops", "rpc_release").elsewhere("nfsiod_workqueue"),
        // include/linux/sunrpc/sched.h: what a task does when it is woken, or its time is over
        Root::argument("rpc_sleep_on", 2).optional(),
        Root::argument("rpc_sleep_on_timeout", 2).optional(),
        // net/sunrpc/sched.c
        Root::queued("rpciod_workqueue", "net/sunrpc/"),
        // include/linux/nfs_xdr.h
        Root::member("nfs_pgio_completion_ops", "error_cleanup").optional(),
        Root::member("nfs_pgio_completion_ops", "completion").optional(),
    ],
    docs: include_str!("rpciod.md"),
};

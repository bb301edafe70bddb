//! The workers of ceph's messenger, which deliver every reply.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "messenger",
    default_on: true,
    severity: Severity::Error,
    sink: Sink::FinalIput,
    place: "in a ceph messenger worker",
    hazard: "evict() waits for I/O (netfs_wait_for_outstanding_io(), folio locks) that only this worker completes",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // include/linux/ceph/messenger.h; called from net/ceph/messenger.c, messenger_v1.c, messenger_v2.c
        Root::member("ceph_connection_operations", "get"),
        Root::member("ceph_connection_operations", "put"),
        Root::member("ceph_connection_operations", "dispatch"),
        Root::member("ceph_connection_operations", "fault"),
        Root::member("ceph_connection_operations", "peer_reset"),
        Root::member("ceph_connection_operations", "alloc_msg"),
        Root::member("ceph_connection_operations", "reencode_message"),
        Root::member("ceph_connection_operations", "sparse_read").optional(),
        Root::member("ceph_connection_operations", "get_authorizer"),
        Root::member("ceph_connection_operations", "add_authorizer_challenge").optional(),
        Root::member("ceph_connection_operations", "verify_authorizer_reply"),
        Root::member("ceph_connection_operations", "invalidate_authorizer"),
        Root::member("ceph_connection_operations", "sign_message").optional(),
        Root::member("ceph_connection_operations", "check_message_signature").optional(),
        Root::member("ceph_connection_operations", "get_auth_request").optional(),
        Root::member("ceph_connection_operations", "handle_auth_reply_more").optional(),
        Root::member("ceph_connection_operations", "handle_auth_done").optional(),
        Root::member("ceph_connection_operations", "handle_auth_bad_method").optional(),
        // net/ceph/osd_client.c __complete_request(), fs/ceph/mds_client.c complete_request(),
        // net/ceph/mon_client.c
        Root::member("ceph_osd_request", "r_callback"),
        Root::member("ceph_mds_request", "r_callback"),
        Root::member("ceph_client", "extra_mon_dispatch"),
        Root::member("ceph_mon_generic_request", "complete_cb"),
        // net/ceph/messenger.c: one item a connection on ceph_msgr_wq
        Root::work("ceph_con_workfn", "net/ceph/").one_of("connection worker"),
        Root::work("con_work", "net/ceph/").one_of("connection worker"),
        Root::queued("ceph_msgr_wq", "net/ceph/"),
        // net/ceph/osd_client.c: single-threaded completion_wq and notify_wq
        Root::work("complete_request_workfn", "net/ceph/").optional(),
        Root::work("do_watch_notify", "net/ceph/").optional(),
        Root::work("do_watch_error", "net/ceph/").optional(),
        Root::queued("completion_wq", "net/ceph/"),
        Root::queued("notify_wq", "net/ceph/"),
    ],
    docs: include_str!("messenger.md"),
};

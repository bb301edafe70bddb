//! The thread that delivers every SMB reply.

use super::{Context, Root, Sink};
use crate::finding::Severity;

pub(super) static CONTEXT: Context = Context {
    name: "cifs-demultiplex",
    default_on: false,
    severity: Severity::Warning,
    sink: Sink::FinalIput,
    place: "in the CIFS demultiplex thread",
    hazard: "evict() waits for replies that only this thread delivers",
    hazard_of_other: None,
    waits_for_itself: false,
    max_hops: None,
    roots: &[
        // fs/smb/client/connect.c, cifsglob.h
        Root::function("cifs_demultiplex_thread", "fs/"),
        Root::member("mid_q_entry", "receive"),
        Root::member("mid_q_entry", "callback"),
        Root::member("mid_q_entry", "handle"),
        Root::member("smb_version_operations", "is_oplock_break").optional(),
        Root::function("is_valid_oplock_break", "fs/").optional(),
        Root::function("smb2_is_valid_oplock_break", "fs/").optional(),
    ],
    docs: include_str!("cifs_demultiplex.md"),
};

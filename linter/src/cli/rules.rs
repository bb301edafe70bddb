//! `lorelint rules`.

use anyhow::bail;

use super::args::ListArgs;
use super::{ExitStatus, Io};

pub(super) fn run(args: &ListArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    let _ = (args, io);
    bail!("`lorelint rules` is not in this build")
}

//! `lorelint contexts`.

use anyhow::bail;

use super::args::ListArgs;
use super::{ExitStatus, Io};

pub(super) fn run(args: &ListArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    let _ = (args, io);
    bail!("`lorelint contexts` is not in this build")
}

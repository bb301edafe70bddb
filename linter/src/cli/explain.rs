//! `lorelint explain`.

use anyhow::bail;

use super::args::ExplainArgs;
use super::{ExitStatus, Io};

pub(super) fn run(args: &ExplainArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    let _ = (args, io);
    bail!("`lorelint explain` is not in this build")
}

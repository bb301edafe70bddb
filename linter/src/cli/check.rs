//! `lorelint check`.

use anyhow::bail;

use super::args::{CheckArgs, Common};
use super::{ExitStatus, Io};

pub(super) fn run(
    args: &CheckArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let _ = (args, super::use_color(common, io));
    let tree = super::tree::locate(common, io)?;
    bail!(
        "cannot read {}: `lorelint check` is not in this build",
        tree.display()
    )
}

//! `lorelint graph`.

use anyhow::bail;

use super::args::{Common, GraphArgs};
use super::{ExitStatus, Io};

pub(super) fn run(
    args: &GraphArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let _ = (args, super::use_color(common, io));
    let tree = super::tree::locate(common, io)?;
    bail!(
        "cannot read {}: `lorelint graph` is not in this build",
        tree.display()
    )
}

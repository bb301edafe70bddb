//! `lorelint index`.

use anyhow::bail;

use super::args::{Common, IndexArgs};
use super::{ExitStatus, Io};

pub(super) fn run(
    args: &IndexArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let _ = (args, super::use_color(common, io));
    let tree = super::tree::locate(common, io)?;
    bail!(
        "cannot read {}: `lorelint index` is not in this build",
        tree.display()
    )
}

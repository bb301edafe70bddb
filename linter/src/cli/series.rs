//! `lorelint series`.

use anyhow::bail;

use super::args::{Common, SeriesArgs};
use super::{ExitStatus, Io};

pub(super) fn run(
    args: &SeriesArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let _ = (args, super::use_color(common, io));
    let tree = super::tree::locate(common, io)?;
    bail!(
        "cannot read {}: `lorelint series` is not in this build",
        tree.display()
    )
}

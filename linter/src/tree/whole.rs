//! Reads a file whole, and none that is larger than any source is.

use std::fs::File;
use std::io::{Error, ErrorKind};

use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use crate::lex::MAX_BYTES;

/// Puts as much of a file as there was when its size was asked for in the place of what `text` holds, mostly in one
/// call: asking for the end would cost one more.
///
/// # Errors
///
/// Those of the system, and of kind [`ErrorKind::FileTooLarge`] beyond [`MAX_BYTES`].
pub(super) fn read_whole(file: &File, size: u64, text: &mut Vec<u8>) -> Result<(), Error> {
    bound(size)?;
    let size = usize::try_from(size).unwrap_or_default();
    text.clear();
    text.reserve(size);
    while text.len() < size {
        match rustix::io::read(file, spare_capacity(text)) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    text.truncate(size);
    Ok(())
}

/// Refuses so many bytes where they are too many.
pub(super) fn bound(size: u64) -> Result<(), Error> {
    if size <= MAX_BYTES as u64 {
        return Ok(());
    }
    let mib = MAX_BYTES >> 20;
    let what = format!("it is larger than {mib} MiB, which no source of a kernel is");
    Err(Error::new(ErrorKind::FileTooLarge, what))
}

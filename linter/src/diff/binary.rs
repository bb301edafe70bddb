//! Git binary patches: base85, zlib and git deltas, each bounded by what the patch declares and by us.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use super::{BinaryChange, MAX_BINARY_BYTES};

const ALPHABET: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

/// Reads one `literal N` or `delta N` block.
///
/// Returns the change and the number of lines used, the blank line that ends it included; `None` when
/// `lines` does not start with such a block.
pub(super) fn parse_block(lines: &[&[u8]]) -> Result<Option<(BinaryChange, usize)>, String> {
    let Some(header) = lines.first().map(|it| it.trim_ascii_end()) else {
        return Ok(None);
    };
    let (is_delta, size) = if let Some(size) = header.strip_prefix(b"literal ") {
        (false, size)
    } else if let Some(size) = header.strip_prefix(b"delta ") {
        (true, size)
    } else {
        return Ok(None);
    };
    let size: usize = std::str::from_utf8(size)
        .ok()
        .and_then(|it| it.parse().ok())
        .ok_or("its size is no number")?;
    if size > MAX_BINARY_BYTES {
        return Err(format!(
            "it declares {size} bytes, more than {MAX_BINARY_BYTES}"
        ));
    }
    let mut packed = Vec::new();
    let mut used = 1;
    loop {
        let line = lines.get(used).ok_or("it ends early")?.trim_ascii_end();
        used += 1;
        if line.is_empty() {
            break;
        }
        decode_line(line, &mut packed)?;
    }
    // The limit is the declared size, so a bomb stops before it is inflated.
    let data = decompress_to_vec_zlib_with_limit(&packed, size)
        .map_err(|_| format!("it does not inflate to the {size} bytes that it declares"))?;
    if data.len() != size {
        return Err(format!("it declares {size} bytes and holds {}", data.len()));
    }
    let change = if is_delta {
        BinaryChange::Delta(data)
    } else {
        BinaryChange::Literal(data)
    };
    Ok(Some((change, used)))
}

fn decode_line(line: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let length = match line[0] {
        letter @ b'A'..=b'Z' => usize::from(letter - b'A') + 1,
        letter @ b'a'..=b'z' => usize::from(letter - b'a') + 27,
        _ => return Err("a line starts with no length".to_owned()),
    };
    let digits = &line[1..];
    let room = digits.len() / 5 * 4;
    if !digits.len().is_multiple_of(5) || room < length || length + 4 <= room {
        return Err("a line has not the length that it declares".to_owned());
    }
    let end = out.len() + length;
    for group in digits.chunks(5) {
        let mut word: u64 = 0;
        for digit in group {
            let value = ALPHABET.iter().position(|it| it == digit);
            word =
                word * 85 + value.ok_or("a line holds a letter that is no base 85 digit")? as u64;
        }
        let word = u32::try_from(word).map_err(|_| "a group of digits is too large")?;
        out.extend(word.to_be_bytes());
    }
    out.truncate(end);
    Ok(())
}

/// Applies a git delta to `base`. Source: Documentation/gitformat-pack.txt of git, "Deltified representation".
pub(super) fn apply_delta(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut rest = delta;
    let base_size = size_header(&mut rest)?;
    let result_size = size_header(&mut rest)?;
    if base_size != base.len() {
        return Err("is a delta on a file of another size");
    }
    if result_size > MAX_BINARY_BYTES {
        return Err("makes a file that is too large");
    }
    let mut result = Vec::with_capacity(result_size.min(delta.len().saturating_mul(4)));
    while let Some((&command, after)) = rest.split_first() {
        rest = after;
        if command & 0x80 != 0 {
            let offset = copy_operand(command, 0..4, &mut rest)?;
            let length = copy_operand(command, 4..7, &mut rest)?;
            let length = if length == 0 { 0x1_0000 } else { length };
            let end = offset.checked_add(length).ok_or("copies too much")?;
            result.extend_from_slice(base.get(offset..end).ok_or("copies from beyond the file")?);
        } else if command != 0 {
            let (data, after) = rest
                .split_at_checked(command.into())
                .ok_or("ends in the middle of an insertion")?;
            result.extend_from_slice(data);
            rest = after;
        } else {
            return Err("has an unknown command");
        }
        if result.len() > result_size {
            return Err("makes more than it declares");
        }
    }
    if result.len() != result_size {
        return Err("makes less than it declares");
    }
    Ok(result)
}

fn size_header(rest: &mut &[u8]) -> Result<usize, &'static str> {
    let mut size = 0_usize;
    for shift in (0..35).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or("ends in its header")?;
        *rest = after;
        size |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err("declares a size that is too large")
}

fn copy_operand(
    command: u8,
    bits: std::ops::Range<u8>,
    rest: &mut &[u8],
) -> Result<usize, &'static str> {
    let mut value = 0_usize;
    for (place, bit) in bits.enumerate() {
        if command & (1 << bit) != 0 {
            let (&byte, after) = rest.split_first().ok_or("ends in the middle of a copy")?;
            *rest = after;
            value |= usize::from(byte) << (8 * place);
        }
    }
    Ok(value)
}

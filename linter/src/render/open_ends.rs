//! The places through which a chain may come that is not seen.

use std::io;

use serde_json::{Value, json};

use super::printable;
use crate::query::{OpenEnd, Taken};

/// What is beyond this is only counted, for a person.
const MAX_SHOWN: usize = 3;

/// Writes one sentence a place.
pub(super) fn text(places: &[OpenEnd], out: &mut dyn io::Write) -> io::Result<()> {
    for it in places.iter().take(MAX_SHOWN) {
        writeln!(out, "not followed: {}", printable(&sentence(it)))?;
    }
    match places.len().saturating_sub(MAX_SHOWN) {
        0 => Ok(()),
        1 => writeln!(out, "not followed: one place more"),
        more => writeln!(out, "not followed: {more} places more"),
    }
}

/// All of them.
pub(super) fn json(places: &[OpenEnd]) -> Vec<Value> {
    places.iter().map(entry).collect()
}

fn sentence(it: &OpenEnd) -> String {
    let (function, place) = (&it.function, format!("{}:{}", it.file, it.line));
    let calls = match &it.unbound[..] {
        [] => "no call through that is seen".to_owned(),
        [(file, line)] => format!("the call through that at {file}:{line} has no known function"),
        [(file, line), ..] => format!(
            "{} calls through that have no known function, the first at {file}:{line}",
            it.unbound.len()
        ),
    };
    match &it.how {
        Taken::Stored(member) => format!("{function}() is put in {member} at {place}; {calls}"),
        Taken::Passed(callee, Some(member)) => {
            format!("{function}() is passed to {callee}() at {place} and put in {member}; {calls}")
        }
        Taken::Passed(callee, None) => {
            format!("{function}() is passed to {callee}() at {place}, which is not seen to call it")
        }
        Taken::Other => {
            format!("the address of {function}() is taken at {place}; no call of it is seen")
        }
    }
}

fn entry(it: &OpenEnd) -> Value {
    let (how, callee, member) = match &it.how {
        Taken::Stored(member) => ("stored", None, Some(member)),
        Taken::Passed(callee, member) => ("passed", Some(callee), member.as_ref()),
        Taken::Other => ("taken", None, None),
    };
    let calls = it.unbound.iter();
    let calls: Vec<Value> = calls
        .map(|(file, line)| json!({ "file": file.as_str(), "line": line }))
        .collect();
    json!({ "function": it.function, "file": it.file.as_str(), "line": it.line, "how": how, "callee": callee,
        "member": member, "unbound_calls": calls })
}

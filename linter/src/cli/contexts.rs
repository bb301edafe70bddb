//! `lorelint contexts`.

use serde_json::json;

use super::args::{ListArgs, ListFormat};
use super::{ExitStatus, Io};
use crate::contexts::{CONTEXTS, Context};

pub(super) fn run(args: &ListArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    match args.format {
        ListFormat::Text => {
            for context in CONTEXTS {
                let state = if context.default_on { "on" } else { "off" };
                writeln!(
                    io.stdout,
                    "{:<18} {:<8} {:<4} iput() {}",
                    context.name,
                    context.severity.as_str(),
                    state,
                    context.place
                )?;
            }
        }
        ListFormat::Json => {
            let list: Vec<_> = CONTEXTS.iter().map(|it| entry(it)).collect();
            writeln!(io.stdout, "{:#}", json!({ "version": 1, "contexts": list }))?;
        }
    }
    Ok(ExitStatus::Clean)
}

fn entry(context: &Context) -> serde_json::Value {
    json!({
        "name": context.name,
        "severity": context.severity.as_str(),
        "default": context.default_on,
        "place": context.place,
        "hazard": context.hazard,
        "roots": context.roots.iter().map(|it| it.kind.to_string()).collect::<Vec<_>>(),
    })
}

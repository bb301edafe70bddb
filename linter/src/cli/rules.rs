//! `lorelint rules`.

use serde_json::json;

use super::args::{ListArgs, ListFormat};
use super::{ExitStatus, Io};
use crate::rules::RULES;

pub(super) fn run(args: &ListArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    match args.format {
        ListFormat::Text => {
            for rule in RULES {
                let state = if rule.default_on { "on" } else { "off" };
                writeln!(
                    io.stdout,
                    "{:<21} {:<8} {:<4} {}",
                    rule.name,
                    rule.severity.as_str(),
                    state,
                    rule.summary
                )?;
            }
        }
        ListFormat::Json => {
            let list: Vec<_> = RULES
                .iter()
                .map(|it| {
                    json!({
                        "name": it.name,
                        "severity": it.severity.as_str(),
                        "default": it.default_on,
                        "summary": it.summary,
                    })
                })
                .collect();
            writeln!(io.stdout, "{:#}", json!({ "version": 1, "rules": list }))?;
        }
    }
    Ok(ExitStatus::Clean)
}

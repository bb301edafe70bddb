//! `lorelint explain`.

use anyhow::bail;

use super::args::ExplainArgs;
use super::{ExitStatus, Io};
use crate::config::nearest;
use crate::contexts::{self, CONTEXTS, Context, Presence};
use crate::rules::{self, RULES};

pub(super) fn run(args: &ExplainArgs, io: &mut Io<'_>) -> anyhow::Result<ExitStatus> {
    if let Some(rule) = rules::rule(&args.name) {
        write!(io.stdout, "{}", rule.docs)?;
        return Ok(ExitStatus::Clean);
    }
    if let Some(context) = contexts::context(&args.name) {
        explain_context(context, io)?;
        return Ok(ExitStatus::Clean);
    }
    let names: Vec<&'static str> = RULES
        .iter()
        .map(|it| it.name)
        .chain(CONTEXTS.iter().map(|it| it.name))
        .collect();
    match nearest(&args.name, &names) {
        Some(near) => bail!("no rule or context {:?}: did you mean {near}?", args.name),
        None => bail!(
            "no rule or context {:?}: `lorelint rules` and `lorelint contexts` list them",
            args.name
        ),
    }
}

fn explain_context(context: &Context, io: &mut Io<'_>) -> anyhow::Result<()> {
    write!(io.stdout, "{}", context.docs)?;
    let state = if context.default_on { "on" } else { "off" };
    writeln!(
        io.stdout,
        "\n## In lorelint\n\nSeverity {}, {state} by default. Looked for:\n",
        context.severity.as_str()
    )?;
    for root in context.roots {
        let presence = match root.presence {
            Presence::Required => String::new(),
            Presence::OneOf(group) => format!(" (one name of \"{group}\")"),
            Presence::Optional => " (in some versions)".to_owned(),
        };
        writeln!(io.stdout, "- {}{presence}", root.kind)?;
    }
    Ok(())
}

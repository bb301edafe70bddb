//! Answers of the call graph, in the forms of `lorelint graph`.

use std::io;

use serde_json::{Value, json};

use super::printable;
use crate::finding::Hop;
use crate::query::{CallEdge, ContextWhy, Function, TableEntry, Verdict, Why};
use crate::report::{CheckReport, Site};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For a person.
    Text,
    /// One line a row, columns separated by tabs, no heading.
    Tsv,
    /// One object.
    Json,
    /// For graphviz.
    Dot,
}

/// Writes functions: file, name, line, linkage.
///
/// # Errors
///
/// Those of `out`.
pub fn functions(list: &[Function], form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    match form {
        Form::Text => list.iter().try_for_each(|it| {
            writeln!(
                out,
                "{}:{}: {} ({})",
                printable(it.file.as_str()),
                it.line,
                printable(&it.name),
                it.linkage.as_str()
            )
        }),
        Form::Tsv => list.iter().try_for_each(|it| {
            row(
                out,
                &[
                    it.file.as_str(),
                    &it.name,
                    &it.line.to_string(),
                    it.linkage.as_str(),
                ],
            )
        }),
        Form::Json => {
            let list: Vec<Value> = list.iter().map(function_json).collect();
            json_line(out, &json!({ "version": 1, "functions": list }))
        }
        Form::Dot => dot(out, |out| {
            list.iter().try_for_each(|it| {
                writeln!(out, "  {};", quoted(&node(it.file.as_str(), &it.name)))
            })
        }),
    }
}

fn function_json(it: &Function) -> Value {
    json!({ "file": it.file.as_str(), "function": it.name, "line": it.line, "linkage": it.linkage.as_str() })
}

/// Writes edges: the caller's file and name, the callee's, line, kind.
///
/// # Errors
///
/// Those of `out`.
pub fn edges(list: &[CallEdge], form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    match form {
        Form::Text => list
            .iter()
            .try_for_each(|it| writeln!(out, "{}", edge_text(it))),
        Form::Tsv => list.iter().try_for_each(|it| {
            let callee_file = it.callee_file.as_ref().map_or("", |it| it.as_str());
            row(
                out,
                &[
                    it.caller_file.as_str(),
                    &it.caller,
                    callee_file,
                    &it.callee,
                    &it.line.to_string(),
                    it.kind.as_str(),
                ],
            )
        }),
        Form::Json => {
            let list: Vec<Value> = list.iter().map(edge_json).collect();
            json_line(out, &json!({ "version": 1, "edges": list }))
        }
        Form::Dot => dot(out, |out| {
            list.iter().try_for_each(|it| {
                let from = node(it.caller_file.as_str(), &it.caller);
                let to = node(
                    it.callee_file.as_ref().map_or("", |it| it.as_str()),
                    &it.callee,
                );
                writeln!(
                    out,
                    "  {} -> {} [label={}];",
                    quoted(&from),
                    quoted(&to),
                    quoted(it.kind.as_str())
                )
            })
        }),
    }
}

/// Writes table entries: file, table, struct, member, function, line.
///
/// # Errors
///
/// Those of `out`.
pub fn tables(list: &[TableEntry], form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    match form {
        Form::Text => list.iter().try_for_each(|it| {
            let place = format!("{}:{}: {}", it.file, it.line, it.table);
            let line = format!("{place}: {}.{} = {}", it.structure, it.member, it.function);
            writeln!(out, "{}", printable(&line))
        }),
        Form::Tsv => list.iter().try_for_each(|it| {
            row(
                out,
                &[
                    it.file.as_str(),
                    &it.table,
                    &it.structure,
                    &it.member,
                    &it.function,
                    &it.line.to_string(),
                ],
            )
        }),
        Form::Json => {
            let entry = |it: &TableEntry| {
                json!({ "file": it.file.as_str(), "table": it.table, "struct": it.structure,
                    "member": it.member, "function": it.function, "line": it.line })
            };
            let list: Vec<Value> = list.iter().map(entry).collect();
            json_line(out, &json!({ "version": 1, "tables": list }))
        }
        Form::Dot => dot(out, |out| {
            list.iter().try_for_each(|it| {
                let (from, label) = (node(it.file.as_str(), &it.table), quoted(&it.member));
                let to = quoted(&it.function);
                writeln!(out, "  {} -> {to} [label={label}];", quoted(&from))
            })
        }),
    }
}

/// Writes sites: file, line, what stands there, the function, how it is written, the rules that report it.
///
/// # Errors
///
/// Those of `out`.
pub fn sites(report: &CheckReport, form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    let rules = |site: &Site| {
        let findings = report.findings.iter();
        let here = findings
            .filter(|it| (&it.file, it.line, it.column) == (&site.file, site.line, site.column));
        here.map(|it| it.rule).collect::<Vec<_>>().join(",")
    };
    let list = &report.sites;
    match form {
        Form::Text => list.iter().try_for_each(|it| {
            let rules = rules(it);
            let reported = if rules.is_empty() {
                "not reported".to_owned()
            } else {
                rules
            };
            let place = format!("{}:{}: {}", it.file, it.line, it.function);
            let line = format!("{place}: {} {} ({reported})", it.kind.as_str(), it.form);
            writeln!(out, "{}", printable(&line))
        }),
        Form::Tsv => list.iter().try_for_each(|it| {
            let line = it.line.to_string();
            let kind = it.kind.as_str();
            row(
                out,
                &[
                    it.file.as_str(),
                    &line,
                    kind,
                    &it.function,
                    &it.form,
                    &rules(it),
                ],
            )
        }),
        Form::Json => {
            let entry = |it: &Site| {
                json!({ "file": it.file.as_str(), "line": it.line, "column": it.column,
                    "kind": it.kind.as_str(), "function": it.function, "form": it.form,
                    "rules": rules(it) })
            };
            let list: Vec<Value> = list.iter().map(entry).collect();
            json_line(out, &json!({ "version": 1, "sites": list }))
        }
        Form::Dot => dot(out, |out| {
            list.iter().try_for_each(|it| {
                let (from, to) = (node(it.file.as_str(), &it.function), it.kind.as_str());
                writeln!(out, "  {} -> {};", quoted(&from), quoted(to))
            })
        }),
    }
}

fn edge_text(it: &CallEdge) -> String {
    let through = if it.through.is_empty() {
        String::new()
    } else {
        format!(" through {}", it.through)
    };
    let place = it
        .callee_file
        .as_ref()
        .map_or(String::new(), |it| format!(" in {it}"));
    printable(&format!(
        "{}:{}: {} calls {}{place} ({}{through})",
        it.caller_file,
        it.line,
        it.caller,
        it.callee,
        it.kind.as_str()
    ))
}

fn edge_json(it: &CallEdge) -> Value {
    json!({
        "caller_file": it.caller_file.as_str(), "caller": it.caller, "line": it.line,
        "callee_file": it.callee_file.as_ref().map(crate::tree::TreePath::as_str), "callee": it.callee,
        "kind": it.kind.as_str(), "through": it.through, "confidence": it.confidence.as_str(),
    })
}

/// Writes a chain of calls.
///
/// # Errors
///
/// Those of `out`.
pub fn path(hops: &[Hop], form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    match form {
        Form::Text => hops
            .iter()
            .try_for_each(|it| writeln!(out, "{}", hop_text(it))),
        Form::Tsv => hops.iter().try_for_each(|it| {
            row(
                out,
                &[
                    &it.function,
                    it.file.as_str(),
                    &it.line.to_string(),
                    it.via.as_str(),
                    &it.through,
                ],
            )
        }),
        Form::Json => {
            let hops: Vec<Value> = hops.iter().map(hop_json).collect();
            json_line(out, &json!({ "version": 1, "path": hops }))
        }
        Form::Dot => dot(out, |out| dot_chain(hops, out)),
    }
}

fn dot_chain(hops: &[Hop], out: &mut dyn io::Write) -> io::Result<()> {
    hops.windows(2).try_for_each(|it| {
        writeln!(
            out,
            "  {} -> {} [label={}];",
            quoted(&it[0].function),
            quoted(&it[1].function),
            quoted(it[1].via.as_str())
        )
    })
}

fn hop_text(it: &Hop) -> String {
    let through = if it.through.is_empty() {
        String::new()
    } else {
        format!(" through {}", it.through)
    };
    printable(&format!(
        "{} at {}:{} ({}{through})",
        it.function,
        it.file,
        it.line,
        it.via.as_str()
    ))
}

fn hop_json(it: &Hop) -> Value {
    json!({ "function": it.function, "file": it.file.as_str(), "line": it.line, "via": it.via.as_str(), "through": it.through })
}

/// Writes why a line is reported or not.
///
/// # Errors
///
/// Those of `out`.
pub fn why(why: &Why, form: Form, out: &mut dyn io::Write) -> io::Result<()> {
    match form {
        Form::Text => why_text(why, out),
        Form::Tsv => why.contexts.iter().try_for_each(|it| {
            let chain: Vec<&str> = chain(&it.verdict)
                .iter()
                .map(|it| it.function.as_str())
                .collect();
            row(
                out,
                &[
                    it.context,
                    verdict_name(&it.verdict),
                    &chain.join(" > "),
                    &cut_texts(&it.verdict).join("; "),
                ],
            )
        }),
        Form::Json => json_line(out, &why_json(why)),
        Form::Dot => dot(out, |out| {
            why.contexts
                .iter()
                .try_for_each(|it| dot_chain(chain(&it.verdict), out))
        }),
    }
}

fn chain(verdict: &Verdict) -> &[Hop] {
    match verdict {
        Verdict::Reached { path, .. } | Verdict::Cut { path, .. } => path,
        Verdict::Unreached => &[],
    }
}

fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Reached { .. } => "reached",
        Verdict::Cut { .. } => "cut",
        Verdict::Unreached => "unreached",
    }
}

fn cut_texts(verdict: &Verdict) -> Vec<String> {
    let Verdict::Cut { path, cuts } = verdict else {
        return Vec::new();
    };
    cuts.iter()
        .map(|(at, cut)| format!("{}: {cut}", path[*at].function))
        .collect()
}

fn why_text(why: &Why, out: &mut dyn io::Write) -> io::Result<()> {
    let Some(function) = &why.function else {
        return writeln!(out, "no function holds this line");
    };
    writeln!(
        out,
        "{}",
        printable(&format!(
            "in {}, {}:{}",
            function.name, function.file, function.line
        ))
    )?;
    for call in &why.calls {
        writeln!(out, "  {}", edge_text(call))?;
    }
    if why.findings.is_empty() {
        writeln!(out, "reported: nothing")?;
    }
    for it in &why.findings {
        writeln!(
            out,
            "{}",
            printable(&format!(
                "reported: {} ({}, {}): {}",
                it.rule,
                it.severity.as_str(),
                it.confidence.as_str(),
                it.message
            ))
        )?;
    }
    for note in &why.notes {
        writeln!(out, "note: {}", printable(note))?;
    }
    why.contexts
        .iter()
        .try_for_each(|it| context_text(it, out))?;
    super::open_ends::text(&why.open_ends, out)
}

fn context_text(why: &ContextWhy, out: &mut dyn io::Write) -> io::Result<()> {
    match &why.verdict {
        Verdict::Unreached => return writeln!(out, "{}: no chain leads here", why.context),
        Verdict::Reached { confidence, .. } => writeln!(
            out,
            "{}: reaches this function, confidence {}",
            why.context,
            confidence.as_str()
        )?,
        Verdict::Cut { .. } => writeln!(
            out,
            "{}: not reached; the nearest chain is cut",
            why.context
        )?,
    }
    for (at, hop) in chain(&why.verdict).iter().enumerate() {
        writeln!(out, "    {}", hop_text(hop))?;
        if let Verdict::Cut { cuts, .. } = &why.verdict {
            for (_, cut) in cuts.iter().filter(|it| it.0 == at) {
                writeln!(out, "      cut: {cut}")?;
            }
        }
    }
    Ok(())
}

fn why_json(why: &Why) -> Value {
    let calls: Vec<Value> = why.calls.iter().map(edge_json).collect();
    let findings: Vec<Value> = why
        .findings
        .iter()
        .map(|it| json!({ "rule": it.rule, "severity": it.severity.as_str(), "confidence": it.confidence.as_str(), "line": it.line, "message": it.message }))
        .collect();
    let contexts: Vec<Value> = why
        .contexts
        .iter()
        .map(|it| {
            let path: Vec<Value> = chain(&it.verdict).iter().map(hop_json).collect();
            let cuts: Vec<Value> = match &it.verdict {
                Verdict::Cut { cuts, .. } => cuts.iter().map(|(at, cut)| json!({ "hop": at, "why": cut.to_string() })).collect(),
                _ => Vec::new(),
            };
            json!({ "context": it.context, "verdict": verdict_name(&it.verdict), "path": path, "cuts": cuts })
        })
        .collect();
    json!({
        "version": 1, "function": why.function.as_ref().map(function_json), "calls": calls,
        "findings": findings, "notes": why.notes, "contexts": contexts,
        "not_followed": super::open_ends::json(&why.open_ends),
    })
}

fn row(out: &mut dyn io::Write, columns: &[&str]) -> io::Result<()> {
    let columns: Vec<String> = columns.iter().map(|it| printable(it)).collect();
    writeln!(out, "{}", columns.join("\t"))
}

fn json_line(out: &mut dyn io::Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

fn dot(
    out: &mut dyn io::Write,
    body: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    writeln!(out, "digraph calls {{")?;
    body(out)?;
    writeln!(out, "}}")
}

fn node(file: &str, name: &str) -> String {
    if file.is_empty() {
        name.to_owned()
    } else {
        format!("{file}:{name}")
    }
}

/// A string of the dot language.
fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        printable(text).replace('\\', "\\\\").replace('"', "\\\"")
    )
}

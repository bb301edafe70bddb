//! SARIF 2.1.0, the static analysis results interchange format.
//!
//! Source: docs.oasis-open.org/sarif/sarif/v2.1.0, sections 3.13 (log), 3.27 (result), 3.36 (code flow).

use std::io;

use serde_json::{Value, json};

use crate::finding::{Finding, Severity};
use crate::rules::RULES;

pub(super) fn findings(findings: &[Finding], out: &mut dyn io::Write) -> io::Result<()> {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|it| {
            json!({
                "id": it.name,
                "shortDescription": { "text": it.summary },
                "help": { "text": it.docs, "markdown": it.docs },
                "defaultConfiguration": { "level": level(it.severity), "enabled": it.default_on },
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "lorelint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": { "SRCROOT": { "description": { "text": "top of the kernel tree" } } },
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &log)?;
    io::Write::write_all(&mut out, b"\n")?;
    io::Write::flush(&mut out)
}

fn result(finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": format!("{}. {}", finding.message, finding.help) },
        "locations": [location(finding.file.as_str(), finding.line, Some(finding.column), None)],
        "partialFingerprints": { "lorelint/v1": finding.fingerprint.as_str() },
        "properties": {
            "confidence": finding.confidence.as_str(),
            "contexts": finding.contexts,
            "function": finding.function,
        },
    });
    if let Some(index) = RULES.iter().position(|it| it.name == finding.rule) {
        result["ruleIndex"] = json!(index);
    }
    if !finding.path.is_empty() {
        let steps: Vec<Value> = finding
            .path
            .iter()
            .map(|it| {
                let text = if it.through.is_empty() {
                    format!("{} ({})", it.function, it.via.as_str())
                } else {
                    format!("{} ({}, {})", it.function, it.via.as_str(), it.through)
                };
                json!({ "location": location(it.file.as_str(), it.line, None, Some(&text)) })
            })
            .collect();
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": steps }] }]);
    }
    if !finding.related.is_empty() {
        let related: Vec<Value> = finding
            .related
            .iter()
            .map(|it| location(it.file.as_str(), it.line, None, Some(&it.message)))
            .collect();
        result["relatedLocations"] = json!(related);
    }
    result
}

fn location(file: &str, line: u32, column: Option<u32>, message: Option<&str>) -> Value {
    let mut region = json!({ "startLine": line.max(1) });
    if let Some(column) = column {
        region["startColumn"] = json!(column.max(1));
    }
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(file), "uriBaseId": "SRCROOT" },
            "region": region,
        }
    });
    if let Some(message) = message {
        location["message"] = json!({ "text": message });
    }
    location
}

const fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

/// RFC 3986: what is not unreserved is escaped, but for the slash.
fn uri(path: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.push(char::from(HEX[usize::from(byte >> 4)]));
            uri.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    uri
}

//! A call chain as rows of text: entry point first, the statement last, long chains elided in the middle.

use crate::model::{FindingDraft, Via};

/// One row of a call chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainRow {
    /// Why the chain starts where it does: the table, list or thread that calls the first function.
    Entry {
        /// Such as `address_space_operations.writepages`; empty where the root is known by its name.
        through: String,
        /// Where the root is registered.
        place: String,
    },
    /// A function on the chain.
    Call {
        /// Its name.
        function: String,
        /// `file:line` of the call that leads to it; empty for the root.
        place: String,
        /// `->member`, `callback of f` or `macro m`; empty for direct calls.
        how: String,
    },
    /// This many calls are left out.
    Elided(usize),
    /// The statement at the end.
    Statement {
        /// On one line.
        text: String,
        /// `file:line`.
        place: String,
    },
}

/// The chain of a finding in at most `max_rows` rows (at least 5); empty for findings without a chain.
pub fn chain_rows(finding: &FindingDraft, max_rows: usize) -> Vec<ChainRow> {
    let Some(root) = finding.path.first() else {
        return Vec::new();
    };
    let place = |file: &str, line: u32| format!("{file}:{line}");
    let mut rows = vec![ChainRow::Entry {
        through: root.through.clone(),
        place: place(&root.file, root.line),
    }];
    rows.extend(finding.path.iter().map(|hop| ChainRow::Call {
        function: hop.function.clone(),
        place: match hop.via {
            Via::Root => String::new(),
            _ => place(&hop.file, hop.line),
        },
        how: how(hop.via, &hop.through),
    }));
    rows.push(ChainRow::Statement {
        text: finding.statement.trim_end_matches(';').to_owned(),
        place: place(&finding.file, finding.line),
    });
    elide(rows, max_rows.max(5))
}

fn how(via: Via, through: &str) -> String {
    match via {
        Via::Root | Via::Direct => String::new(),
        Via::Ops => format!("->{}", through.rsplit('.').next().unwrap_or(through)),
        Via::Callback => format!("called back by {through}"),
        Via::Macro => format!("in macro {through}"),
    }
}

/// Keeps the start and, longer, the end: the last calls are the ones that the author can change.
fn elide(mut rows: Vec<ChainRow>, max_rows: usize) -> Vec<ChainRow> {
    if rows.len() <= max_rows {
        return rows;
    }
    let kept = max_rows - 1;
    let head = kept / 2;
    let tail = kept - head;
    let count = rows.len() - head - tail;
    rows.splice(head..head + count, [ChainRow::Elided(count)]);
    rows
}

//! For a person: the message as a compiler gives it, the source line, the chain, what to do.

use std::io;

use super::{ReviewHeader, Source, Style, printable, tally};
use crate::finding::{Finding, Hop, Severity, Via};
use crate::report::{BaseHow, CheckReport, NewFinding, ReviewReport};
use crate::tree::TreePath;

const WIDTH: usize = 100;
const BOLD: &str = "\x1b[1m";
const BLUE: &str = "\x1b[1;34m";
const RESET: &str = "\x1b[0m";

pub(super) fn check(
    report: &CheckReport,
    style: Style,
    source: Source<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(style, source, out);
    for finding in &report.findings {
        page.finding(finding)?;
    }
    write!(page.out, "{}", tally(&report.findings))?;
    if !report.gaps.is_empty() {
        write!(
            page.out,
            "; {} place{} not understood (--format json lists them)",
            report.gaps.len(),
            if report.gaps.len() == 1 { "" } else { "s" }
        )?;
    }
    writeln!(page.out)
}

pub(super) fn review(
    report: &ReviewReport,
    header: &ReviewHeader,
    style: Style,
    source: Source<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page::new(style, source, out);
    let title = printable(&header.title);
    writeln!(
        page.out,
        "{}{title}{} (v{}, {} of {} patches, {})",
        page.bold(),
        page.reset(),
        header.version,
        report.patches.len(),
        header.total,
        printable(&header.author)
    )?;
    let how = match header.how {
        BaseHow::Given => "as given",
        BaseHow::BaseCommit => "from base-commit:",
        BaseHow::BlobMatch => "has the blobs of the index lines",
        BaseHow::Branch => "the list's branch",
        BaseHow::Tree => "the tree as it is",
    };
    match &header.rev {
        Some(rev) => writeln!(page.out, "base {} ({how})\n", printable(rev))?,
        None => writeln!(page.out, "base: {how}\n")?,
    }
    for patch in &report.patches {
        let state = match &patch.reason {
            Some(reason) => format!("does not apply: {reason}"),
            None => format!("{} new, {} fixed", patch.new.len(), patch.fixed.len()),
        };
        let line = format!("{:>3}. {}: {state}", patch.index, patch.subject);
        writeln!(page.out, "{}", printable(&line))?;
    }
    writeln!(page.out)?;
    for new in &report.new {
        page.finding(&new.finding)?;
        page.anchor(new)?;
    }
    if !report.fixed.is_empty() {
        writeln!(page.out, "{}fixed{}", page.bold(), page.reset())?;
        for finding in &report.fixed {
            let mut line = format!(
                "  {}:{}: {}: {} in {}()",
                finding.file, finding.line, finding.rule, finding.statement, finding.function
            );
            if !finding.contexts.is_empty() {
                line.push_str(": no longer in ");
                line.push_str(&finding.contexts.join(" and "));
            }
            writeln!(page.out, "{}", printable(&line))?;
        }
        writeln!(page.out)?;
    }
    let new: Vec<Finding> = report.new.iter().map(|it| it.finding.clone()).collect();
    writeln!(
        page.out,
        "new: {}; fixed: {}; unchanged: {}",
        tally(&new),
        report.fixed.len(),
        report.unchanged
    )
}

struct Page<'a> {
    style: Style,
    source: Source<'a>,
    out: &'a mut dyn io::Write,
    /// Findings come sorted by file: one is kept.
    file: Option<(TreePath, Option<Lines>)>,
}

/// A file of which lines are shown, mostly one behind the other.
struct Lines {
    bytes: Vec<u8>,
    /// A line and where it starts.
    last: (u32, usize),
}

impl Lines {
    /// The bytes of a line without its end, if there is one.
    fn line(&mut self, line: u32) -> Option<&[u8]> {
        if line < self.last.0 {
            self.last = (1, 0);
        }
        let (last, mut start) = self.last;
        if let Some(more) = line.checked_sub(last + 1) {
            let mut ends = memchr::memchr_iter(b'\n', &self.bytes[start..]);
            start += ends.nth(more as usize)? + 1;
        }
        self.last = (line, start);
        let line = &self.bytes[start..];
        Some(&line[..memchr::memchr(b'\n', line).unwrap_or(line.len())])
    }
}

impl<'a> Page<'a> {
    fn new(style: Style, source: Source<'a>, out: &'a mut dyn io::Write) -> Self {
        Self {
            style,
            source,
            out,
            file: None,
        }
    }

    fn code(&self, code: &'static str) -> &'static str {
        match self.style {
            Style::Plain => "",
            Style::Color => code,
        }
    }

    fn bold(&self) -> &'static str {
        self.code(BOLD)
    }

    fn blue(&self) -> &'static str {
        self.code(BLUE)
    }

    fn reset(&self) -> &'static str {
        self.code(RESET)
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let color = self.code(match finding.severity {
            Severity::Error => "\x1b[1;31m",
            Severity::Warning => "\x1b[1;33m",
            Severity::Note => "\x1b[1;32m",
        });
        let (bold, blue, reset) = (self.bold(), self.blue(), self.reset());
        writeln!(
            self.out,
            "{color}{}[{}]{reset}{bold}: {}{reset}",
            finding.severity.as_str(),
            finding.rule,
            printable(&finding.message)
        )?;
        let margin = " ".repeat(finding.line.to_string().len());
        writeln!(
            self.out,
            "{margin}{blue}-->{reset} {}:{}:{} in {}()",
            printable(finding.file.as_str()),
            finding.line,
            finding.column,
            printable(&finding.function)
        )?;
        self.source_line(finding, &margin)?;
        if !finding.contexts.is_empty() {
            let contexts = finding.contexts.join(", ");
            let text = format!("{contexts}; confidence {}", finding.confidence.as_str());
            self.remark(&margin, "context", &text)?;
        }
        self.chain(&finding.path, &margin)?;
        for related in &finding.related {
            let text = format!("{}:{}: {}", related.file, related.line, related.message);
            self.remark(&margin, "see", &text)?;
        }
        self.remark(&margin, "help", &finding.help)?;
        writeln!(self.out)
    }

    fn source_line(&mut self, finding: &Finding, margin: &str) -> io::Result<()> {
        let (blue, reset) = (self.blue(), self.reset());
        let Some(line) = self.line_of(&finding.file, finding.line) else {
            return Ok(());
        };
        // A tab is one column of a finding and eight of a terminal: both lines get the same blanks.
        let before = line
            .bytes()
            .take(finding.column.saturating_sub(1) as usize)
            .map(|it| if it == b'\t' { 8 } else { 1 })
            .sum::<usize>();
        let shown: String = printable(&line.replace('\t', "        "))
            .chars()
            .take(200)
            .collect();
        writeln!(self.out, "{margin} {blue}|{reset}")?;
        writeln!(self.out, "{blue}{} |{reset} {shown}", finding.line)?;
        writeln!(
            self.out,
            "{margin} {blue}|{reset} {}^",
            " ".repeat(before.min(200))
        )
    }

    fn line_of(&mut self, file: &TreePath, line: u32) -> Option<String> {
        if self.file.as_ref().is_none_or(|it| it.0 != *file) {
            let bytes = (self.source)(file);
            let last = (1, 0);
            let lines = bytes.map(|bytes| Lines { bytes, last });
            self.file = Some((file.clone(), lines));
        }
        let line = self.file.as_mut()?.1.as_mut()?.line(line)?;
        Some(String::from_utf8_lossy(line).trim_end().to_owned())
    }

    fn chain(&mut self, path: &[Hop], margin: &str) -> io::Result<()> {
        let (blue, reset) = (self.blue(), self.reset());
        let width = path
            .iter()
            .map(|it| it.function.len())
            .max()
            .unwrap_or(0)
            .min(48);
        for (index, hop) in path.iter().enumerate() {
            let head = if index == 0 { "= chain: " } else { "       > " };
            let how = match hop.via {
                Via::Direct => String::new(),
                Via::Root if hop.through.is_empty() => "  entry point".to_owned(),
                Via::Root => format!("  entry point, {}", hop.through),
                Via::Ops => format!("  through {}", hop.through),
                Via::Callback => format!("  called back by {}", hop.through),
                Via::Macro => format!("  in macro {}", hop.through),
            };
            let line = format!("{:<width$}  {}:{}{how}", hop.function, hop.file, hop.line);
            writeln!(self.out, "{margin} {blue}{head}{reset}{}", printable(&line))?;
        }
        Ok(())
    }

    fn remark(&mut self, margin: &str, name: &str, text: &str) -> io::Result<()> {
        let (blue, bold, reset) = (self.blue(), self.bold(), self.reset());
        let indent = margin.len() + name.len() + 5;
        let mut lines = wrap(&printable(text), WIDTH.saturating_sub(indent)).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(
            self.out,
            "{margin} {blue}={reset} {bold}{name}{reset}: {first}"
        )?;
        for line in lines {
            writeln!(self.out, "{}{line}", " ".repeat(indent))?;
        }
        Ok(())
    }

    fn anchor(&mut self, new: &NewFinding) -> io::Result<()> {
        if new.in_diff {
            return Ok(());
        }
        let text = format!(
            "    made reachable by {}:{}\n",
            new.anchor.file, new.anchor.line
        );
        let (first, _) = text.split_once('\n').unwrap_or((&text, ""));
        writeln!(self.out, "{}\n", printable(first))
    }
}

/// Breaks at blanks; a longer word gets a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

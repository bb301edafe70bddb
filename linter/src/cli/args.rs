//! The arguments as they are typed.
#![allow(
    clippy::doc_markdown,
    reason = "these comments are the help texts, which terminals show as they are"
)]

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::finding::{Confidence, Severity};

/// Finds iput() calls that can deadlock, and open-coded i_count, in kernel trees and patch series.
#[derive(Debug, Parser)]
#[command(
    name = "lorelint",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Options of every command that reads a tree.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Common options")]
pub(super) struct Common {
    /// The kernel: a directory, a git work tree or a bare repository [default: the enclosing tree]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) tree: Option<PathBuf>,
    /// Read this commit of a git tree; nothing is checked out
    #[arg(long, global = true, value_name = "REV")]
    pub(super) rev: Option<String>,
    /// Read only this directory; may be repeated. Quick, but misses chains that leave it
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) scope: Vec<String>,
    /// Use this configuration [default: .lorelint.toml in the tree, then the user's]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Neither read nor write the index on disk
    #[arg(long, global = true)]
    pub(super) no_cache: bool,
    /// Threads [default: one a processor]
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// When to colour text
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorWhen,
    /// No progress and no warnings
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// More about what is done; all gaps
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lint a tree
    Check(CheckArgs),
    /// Lint a patch series and report only what it changes
    Review(ReviewArgs),
    /// Print the documentation of a rule or a context
    Explain(ExplainArgs),
    /// List the rules
    Rules(ListArgs),
    /// List the contexts
    Contexts(ListArgs),
    /// Ask the call graph
    Graph(GraphArgs),
    /// Print what a mailbox holds: series, versions, patches
    Series(SeriesArgs),
    /// Build or refresh the index of a tree
    Index(IndexArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

/// What is reported, and how.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct LintArgs {
    /// Only these contexts, also those that are off by default; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) context: Vec<String>,
    /// Only these rules, also those that are off by default; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) rule: Vec<String>,
    /// Leave out findings of lower confidence
    #[arg(long, value_name = "LEVEL", default_value = "low", value_parser = confidence_parser())]
    pub(super) min_confidence: Confidence,
    /// Exit with 1 when a finding is at least this severe
    #[arg(long, value_name = "LEVEL", default_value = "warning", value_parser = severity_parser())]
    pub(super) fail_on: Severity,
    /// The form of the results
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: LintFormat,
    /// Print files, functions, call sites, edges, gaps and seconds per stage to standard error
    #[arg(long)]
    pub(super) stats: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LintFormat {
    Text,
    Short,
    Json,
    Sarif,
    Github,
}

#[derive(Debug, ClapArgs)]
pub(super) struct CheckArgs {
    /// Report what lies under these paths of the tree [default: everything]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// Leave out the findings that this file lists
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// List today's findings in this file
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,
    /// Read and parse everything, not only what may matter: the findings are the same, some minutes later
    #[arg(long)]
    pub(super) no_sieve: bool,
    #[command(flatten)]
    pub(super) lint: LintArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ReviewArgs {
    /// An mbox, a maildir, one patch, a directory of patches, `-`, or a git range `A..B`
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
    /// Apply the series to this revision
    /// [default: `base-commit:`, then the blob ids of the `index` lines, then the tree as it is]
    #[arg(long, value_name = "REV")]
    pub(super) base: Option<String>,
    #[command(flatten)]
    pub(super) lint: LintArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ExplainArgs {
    /// A rule or a context
    #[arg(value_name = "NAME")]
    pub(super) name: String,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ListArgs {
    /// The form of the list
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: ListFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    Text,
    Json,
}

#[derive(Debug, ClapArgs)]
pub(super) struct GraphArgs {
    #[command(subcommand)]
    pub(super) query: GraphQuery,
}

#[derive(Debug, Subcommand)]
pub(super) enum GraphQuery {
    /// Who calls FUNCTION
    Callers(FunctionArgs),
    /// Whom FUNCTION calls
    Callees(FunctionArgs),
    /// A shortest chain from FROM to TO
    Path(PathArgs),
    /// Which contexts reach FILE:LINE, and where the others stop
    Why(WhyArgs),
    /// All functions: file, function, line, linkage
    Functions(DumpArgs),
    /// All edges: caller, callee, line, kind
    Edges(DumpArgs),
    /// All functions in tables: file, table, struct, member, function, line
    Tables(DumpArgs),
    /// All iput() calls and accesses of i_count that a check looks at: file, line, kind, function, form, rules that report it
    Sites(DumpArgs),
}

#[derive(Debug, ClapArgs)]
pub(super) struct FunctionArgs {
    /// A name, or `file:name` where several functions share it
    #[arg(value_name = "FUNCTION")]
    pub(super) function: String,
    #[command(flatten)]
    pub(super) format: GraphFormatArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct PathArgs {
    /// Where the chain starts
    #[arg(value_name = "FROM")]
    pub(super) from: String,
    /// Where it ends
    #[arg(value_name = "TO")]
    pub(super) to: String,
    #[command(flatten)]
    pub(super) format: GraphFormatArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct WhyArgs {
    /// A line of the tree
    #[arg(value_name = "FILE:LINE")]
    pub(super) place: String,
    #[command(flatten)]
    pub(super) format: GraphFormatArgs,
}

#[derive(Debug, ClapArgs)]
pub(super) struct DumpArgs {
    /// Only what lies under this directory
    #[arg(long, value_name = "DIR")]
    pub(super) under: Option<String>,
    #[command(flatten)]
    pub(super) format: GraphFormatArgs,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct GraphFormatArgs {
    /// The form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum GraphFormat {
    Text,
    Tsv,
    Json,
    Dot,
}

#[derive(Debug, ClapArgs)]
pub(super) struct SeriesArgs {
    /// A directory of `.eml` files, a maildir, an mbox, or `-`
    #[arg(value_name = "SOURCE")]
    pub(super) source: String,
    /// Apply each series to this revision of the tree
    #[arg(long, value_name = "REV")]
    pub(super) base: Option<String>,
    /// The form of the results: the whole, one series a line, or for reading
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub(super) format: SeriesFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SeriesFormat {
    Json,
    Jsonl,
    Text,
}

#[derive(Debug, ClapArgs)]
pub(super) struct IndexArgs {
    /// Remove the index instead
    #[arg(long)]
    pub(super) clear: bool,
}

#[derive(Debug, ClapArgs)]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Debug, ClapArgs)]
pub(super) struct ManArgs {
    /// The page of this command [default: of lorelint itself]
    #[arg(value_name = "COMMAND")]
    pub(super) command: Option<String>,
}

fn severity_parser() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(["error", "warning", "note"])
        .map(|it| Severity::parse(&it).expect("the parser lets only these names through"))
}

fn confidence_parser() -> impl TypedValueParser<Value = Confidence> {
    PossibleValuesParser::new(["high", "medium", "low"])
        .map(|it| Confidence::parse(&it).expect("the parser lets only these names through"))
}

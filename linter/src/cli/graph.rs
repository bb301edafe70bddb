//! `lorelint graph`.

use anyhow::{Context as _, bail};

use super::args::{
    Common, FunctionArgs, GraphArgs, GraphFormat, GraphQuery, LintArgs, LintFormat, WhyArgs,
};
use super::{ExitStatus, Io, settings, tree};
use crate::config::Config;
use crate::finding::{Confidence, Severity};
use crate::query::Graph;
use crate::render::graph as render;
use crate::report::CheckReport;
use crate::tree::TreePath;
use crate::{Linter, Options};

pub(super) fn run(
    args: &GraphArgs,
    common: &Common,
    io: &mut Io<'_>,
) -> anyhow::Result<ExitStatus> {
    let tree = tree::open(common, io)?;
    let scope = tree::paths_in_tree(&common.scope, &tree, common, io)?;
    if let Some(warning) = settings::scope_warning(common) {
        settings::print_warnings(&[warning], common, io)?;
    }
    let query = Query {
        args,
        common,
        tree: &tree,
        scope,
    };
    let mut text = Vec::new();
    let status = query.answer(io, &mut text)?;
    io.stdout.write_all(&text)?;
    Ok(status)
}

struct Query<'a> {
    args: &'a GraphArgs,
    common: &'a Common,
    tree: &'a tree::OpenTree,
    scope: Vec<String>,
}

impl Query<'_> {
    fn answer(&self, io: &Io<'_>, out: &mut Vec<u8>) -> anyhow::Result<ExitStatus> {
        match &self.args.query {
            GraphQuery::Functions(args) => {
                let under = self.under(args.under.as_ref(), io)?;
                let found = self.ask_under(&under, |graph| graph.functions(&under))?;
                render::functions(&found, form(args.format.format), out)?;
            }
            GraphQuery::Edges(args) => {
                let under = self.under(args.under.as_ref(), io)?;
                let found = self.ask_under(&under, |graph| graph.edges(&under))?;
                render::edges(&found, form(args.format.format), out)?;
            }
            GraphQuery::Tables(args) => {
                let under = self.under(args.under.as_ref(), io)?;
                let found = self.ask_under(&under, |graph| graph.tables(&under))?;
                render::tables(&found, form(args.format.format), out)?;
            }
            GraphQuery::Sites(args) => {
                let under = self.under(args.under.as_ref(), io)?;
                render::sites(&self.check(vec![under], io)?, form(args.format.format), out)?;
            }
            GraphQuery::Callers(FunctionArgs { function, format }) => {
                let found = self.ask(|graph| Ok(graph.callers(function)?))?;
                render::edges(&found, form(format.format), out)?;
            }
            GraphQuery::Callees(FunctionArgs { function, format }) => {
                let found = self.ask(|graph| Ok(graph.callees(function)?))?;
                render::edges(&found, form(format.format), out)?;
            }
            GraphQuery::Path(args) => {
                let Some(path) = self.ask(|graph| Ok(graph.path(&args.from, &args.to)?))? else {
                    bail!("no chain of calls leads from {} to {}", args.from, args.to);
                };
                render::path(&path, form(args.format.format), out)?;
            }
            GraphQuery::Why(args) => self.why(args, io, out)?,
        }
        Ok(ExitStatus::Clean)
    }

    /// The report of a check, as the user has configured it.
    fn check(&self, under: Vec<String>, io: &Io<'_>) -> anyhow::Result<CheckReport> {
        let options = Options {
            under,
            scope: self.scope.clone(),
            config: self.config(io)?,
            ..Options::default()
        };
        let linter = settings::linter(options, self.common, self.tree, io);
        let source = self.tree.source.as_ref();
        Ok(settings::on_threads(self.common, || linter.check(source))??)
    }

    fn config(&self, io: &Io<'_>) -> anyhow::Result<Config> {
        let lint = LintArgs {
            context: Vec::new(),
            rule: Vec::new(),
            min_confidence: Confidence::Low,
            fail_on: Severity::Warning,
            format: LintFormat::Text,
            stats: false,
        };
        settings::config(self.common, &lint, self.tree, io)
    }

    /// Asks about what lies below a path.
    fn ask_under<T: Send>(
        &self,
        under: &str,
        question: impl FnOnce(&Graph<'_>) -> T + Send,
    ) -> anyhow::Result<T> {
        let options = Options {
            under: vec![under.to_owned()],
            ..Options::default()
        };
        self.ask_with(options, |graph| Ok(question(graph)))
    }

    fn ask<T: Send>(
        &self,
        question: impl FnOnce(&Graph<'_>) -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        self.ask_with(Options::default(), question)
    }

    fn ask_with<T: Send>(
        &self,
        options: Options,
        question: impl FnOnce(&Graph<'_>) -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let source = self.tree.source.as_ref();
        let linter = Linter::new(Options {
            scope: self.scope.clone(),
            ..options
        });
        settings::on_threads(self.common, || question(&linter.graph(source)?))?
    }

    fn under(&self, under: Option<&String>, io: &Io<'_>) -> anyhow::Result<String> {
        let Some(under) = under else {
            return Ok(String::new());
        };
        let paths = tree::paths_in_tree(std::slice::from_ref(under), self.tree, self.common, io)?;
        Ok(paths.into_iter().next().unwrap_or_default())
    }

    fn why(&self, args: &WhyArgs, io: &Io<'_>, out: &mut Vec<u8>) -> anyhow::Result<()> {
        let wrong = || format!("{:?} is no FILE:LINE, such as fs/inode.c:1234", args.place);
        let (file, line) = args.place.rsplit_once(':').with_context(wrong)?;
        let line: u32 = line.parse().ok().filter(|it| *it > 0).with_context(wrong)?;
        let found = tree::paths_in_tree(&[file.to_owned()], self.tree, self.common, io)?;
        let file = found
            .first()
            .and_then(|it| TreePath::parse(it))
            .with_context(wrong)?;
        let options = Options {
            scope: self.scope.clone(),
            config: self.config(io)?,
            ..Options::default()
        };
        let linter = settings::linter(options, self.common, self.tree, io);
        let source = self.tree.source.as_ref();
        let why = settings::on_threads(self.common, || linter.why(source, &file, line))??;
        render::why(&why, form(args.format.format), out)?;
        Ok(())
    }
}

fn form(format: GraphFormat) -> render::Form {
    match format {
        GraphFormat::Text => render::Form::Text,
        GraphFormat::Tsv => render::Form::Tsv,
        GraphFormat::Json => render::Form::Json,
        GraphFormat::Dot => render::Form::Dot,
    }
}

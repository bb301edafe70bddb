//! What a change can touch: the implementations of the changed files, when nothing generic changed.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::finding::Finding;
use crate::graph::Index;
use crate::graph::crossings::Crossings;
use crate::graph::domains::Domain;
use crate::graph::index::{ItemId, SourceFile};
use crate::graph::reading::is_source;
use crate::kernel;
use crate::report::CheckReport;
use crate::tree::TreePath;

/// The part of a tree that has to be looked at again.
pub(crate) struct Focus {
    /// Implementations with changed files.
    pub(crate) domains: FxHashSet<Domain>,
    /// What chains of nobody's pass on their way into one of them.
    pub(crate) approaches: FxHashSet<ItemId>,
    changed: BTreeSet<TreePath>,
}

impl Focus {
    /// `None` where a change may reach every implementation: shared headers, the VFS, new or lost entry points.
    ///
    /// `base` is what was found in a tree that differs in the `changed` files, with the crossings there.
    pub(crate) fn of(
        index: &Index<'_>,
        (base, crossings): (&CheckReport, &Crossings),
        changed: &[TreePath],
    ) -> Option<Self> {
        let mut focus = Self {
            domains: FxHashSet::default(),
            approaches: FxHashSet::default(),
            changed: changed.iter().cloned().collect(),
        };
        for path in changed.iter().filter(|it| is_source(it.as_str())) {
            let domain = index.domain_of_path(path.as_str());
            if domain != Domain::GENERIC {
                focus.domains.insert(domain);
                continue;
            }
            let is_home = index.slot_of(path).is_some_and(|it| index.file(it).at_home);
            let decides = |it: &Finding| it.file == *path || rests_on(it, &|it| it == path);
            if is_home
                || kernel::is_filesystem_side(path.as_str())
                || base.findings.iter().any(decides)
            {
                return None;
            }
        }
        crossings.with_callers(&mut focus.domains);
        focus.approaches = crossings.approaches(&focus.domains);
        let is_led_from_elsewhere = |it: &Finding| {
            let first = it.path.first().map_or(&it.file, |it| &it.file);
            let of = index.domain_of_path(first.as_str());
            of == Domain::GENERIC && !kernel::is_filesystem_side(first.as_str())
        };
        let mut own = (base.findings.iter()).filter(|it| focus.holds(index, &it.file));
        (!own.any(is_led_from_elsewhere)).then_some(focus)
    }

    /// Whether findings in this file are looked for anew.
    pub(crate) fn holds(&self, index: &Index<'_>, path: &TreePath) -> bool {
        self.changed.contains(path) || self.is_inside(index, path)
    }

    /// As [`Focus::holds`], of a file that is there.
    pub(crate) fn holds_file(&self, file: &SourceFile) -> bool {
        self.domains.contains(&file.domain) || self.changed.contains(&file.path)
    }

    fn is_inside(&self, index: &Index<'_>, path: &TreePath) -> bool {
        self.domains.contains(&index.domain_of_path(path.as_str()))
    }

    /// Joins what was looked at anew with what the base says of the rest; `None` where the rest may have
    /// changed as well.
    pub(crate) fn merge(
        &self,
        index: &Index<'_>,
        base: &CheckReport,
        part: CheckReport,
    ) -> Option<CheckReport> {
        let same = |a: &Finding, b: &Finding| {
            a.file == b.file
                && a.line == b.line
                && a.column == b.column
                && a.fingerprint == b.fingerprint
        };
        let mut findings: Vec<Finding> = Vec::new();
        for old in base
            .findings
            .iter()
            .filter(|it| !self.holds(index, &it.file))
        {
            // A generic line that was reached through what changed: another way there may be left.
            if rests_on(old, &|it| self.holds(index, it)) {
                findings.push(part.findings.iter().find(|it| same(it, old))?.clone());
            } else {
                findings.push(old.clone());
            }
        }
        for new in part.findings {
            if self.holds(index, &new.file) || !findings.iter().any(|it| same(it, &new)) {
                findings.push(new);
            }
        }
        findings.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.rule).cmp(&(&b.file, b.line, b.column, b.rule))
        });
        let mut gaps: Vec<_> = base
            .gaps
            .iter()
            .filter(|it| !self.holds(index, &it.file))
            .cloned()
            .collect();
        gaps.extend(
            part.gaps
                .into_iter()
                .filter(|it| self.holds(index, &it.file)),
        );
        gaps.sort();
        gaps.dedup();
        // Those of one file stand together.
        let mut last: Option<(&TreePath, bool)> = None;
        let mut is_held = |path| match last {
            Some((known, is_held)) if known == path => is_held,
            _ => last.insert((path, self.holds(index, path))).1,
        };
        let old = base.sites.iter();
        let mut sites: Vec<_> = old.filter(|it| !is_held(&it.file)).cloned().collect();
        let new = part.sites.into_iter();
        sites.extend(new.filter(|it| self.holds(index, &it.file)));
        sites.sort();
        let mut stats = part.stats;
        stats.edges = stats.edges.max(base.stats.edges);
        Some(CheckReport {
            stages: part.stages,
            stats,
            findings,
            gaps,
            sites,
            warnings: part.warnings,
        })
    }
}

/// Whether a finding says something of certain files beside its own.
fn rests_on(finding: &Finding, is_meant: &dyn Fn(&TreePath) -> bool) -> bool {
    let path = finding.path.iter().map(|it| &it.file);
    let related = finding.related.iter().map(|it| &it.file);
    path.chain(related).any(is_meant)
}

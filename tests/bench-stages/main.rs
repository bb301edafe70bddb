//! The stages of a check, one by one: `LORELINT_KERNEL_612=… cargo bench -p lorelint-tests --bench stages`
//!
//! Each is what [`lorelint::report::StageCost`] says of it in a cold check of fs/ceph and net/ceph, and of fs with what it
//! stands on; then the series of one patch, on a base that is known.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lorelint::report::PatchInput;
use lorelint::tree::{GitRepo, TreePath, TreeSource};
use lorelint::{Linter, Options};
use lorelint_tests::material;

const STAGES: [&str; 5] = ["read", "suspects", "sieve", "explore", "rules"];

fn scopes() -> [(&'static str, Vec<String>); 2] {
    let of = |dirs: &[&str]| dirs.iter().map(|it| (*it).to_owned()).collect();
    [
        ("ceph", of(&["fs/ceph", "net/ceph"])),
        ("core", of(&["fs", "net/ceph", "include", "mm", "kernel"])),
    ]
}

fn cold(scope: &[String]) -> Linter {
    Linter::new(Options {
        scope: scope.to_vec(),
        ..Options::default()
    })
}

fn stages(criterion: &mut Criterion) {
    let Some(kernel) = material::kernel_612() else {
        return;
    };
    let base = GitRepo::open(&kernel)
        .and_then(|it| it.tree("HEAD"))
        .expect("a git repository with a commit");
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    for (name, scope) in scopes() {
        for stage in STAGES {
            group.bench_function(BenchmarkId::new(name, stage), |bencher| {
                bencher.iter_custom(|times| {
                    let seconds = |_| {
                        let report = cold(&scope).check(&base).expect("the base can be read");
                        let costs = report.stages.iter().filter(|it| it.name == stage);
                        costs.map(|it| it.seconds).sum::<f64>()
                    };
                    Duration::from_secs_f64((0..times).map(seconds).sum())
                });
            });
        }
    }
    group.finish();
    review(criterion, &base);
}

/// One patch that adds a call to the first function of a file.
fn review(criterion: &mut Criterion, base: &dyn TreeSource) {
    let linter = cold(&scopes()[0].1);
    linter.check(base).expect("the base can be read");
    let path = "fs/ceph/caps.c";
    let file = TreePath::parse(path).expect("a constant path is valid");
    let text = base.read(&file).expect("the base can be read");
    let text = String::from_utf8(text.unwrap_or_default()).expect("sources are UTF-8");
    let line = text.lines().position(|it| it == "{").unwrap_or_default();
    let mut turn = 0u32;
    criterion.bench_function("review/ceph, one patch", |bencher| {
        bencher.iter(|| {
            // Another patch each time: a state that is known is not linted again.
            turn += 1;
            let diff = format!(
                "--- a/{path}\n+++ b/{path}\n@@ -{},1 +{},2 @@\n {{\n+\tnew_call({turn});\n",
                line + 1,
                line + 1
            );
            let patch = PatchInput {
                index: 1,
                subject: "one".to_owned(),
                message_id: None,
                commit: None,
                diff: diff.into_bytes(),
            };
            let report = linter.review(base, &[patch]).expect("the base can be read");
            assert!(report.patches[0].reason.is_none(), "it applies");
        });
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);

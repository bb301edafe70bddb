//! The stages of a check, one by one: `LORELINT_KERNEL_612=… cargo bench -p lorelint-tests --bench stages`
//!
//! Each is what [`lorelint::report::StageCost`] says of it in a cold check of fs/ceph and net/ceph, and of fs with what it
//! stands on; then the series of one patch, on a base that is known, and what five patches cost a warm worker.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lorelint::report::PatchInput;
use lorelint::tree::{GitRepo, TreePath, TreeSource};
use lorelint::{Linter, Options};
use lorelint_tests::material;

// As both programs have it.
#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
    warm_worker(&base);
}

/// What a worker of the service that knows the base spends on a series: five patches, five states.
#[expect(clippy::print_stdout, reason = "this is its result")]
fn warm_worker(base: &dyn TreeSource) {
    const TURNS: u32 = 20;
    let linter = cold(&[]);
    let files = ["addr.c", "cache.c", "caps.c", "crypto.c", "debugfs.c"];
    let series = |turn: u32| -> Vec<PatchInput> {
        let numbered = (1..).zip(files);
        numbered
            .map(|(index, file)| patch(base, index, &format!("fs/ceph/{file}"), turn))
            .collect()
    };
    let lint = |series: &Vec<PatchInput>| {
        let report = linter.review(base, series).expect("the base can be read");
        assert!(
            report.patches.iter().all(|it| it.reason.is_none()),
            "they apply"
        );
    };
    lint(&series(0));
    let all: Vec<Vec<PatchInput>> = (1..=TURNS).map(series).collect();
    let (ticks, start) = (cpu_ticks(), std::time::Instant::now());
    all.iter().for_each(lint);
    // A tick is a hundredth of a second on all that Linux runs on.
    let cpu_ms = 10 * (cpu_ticks() - ticks) / u64::from(TURNS);
    let wall_ms = start.elapsed().as_secs_f64() * 1000.0 / f64::from(TURNS);
    println!("review/whole tree, five patches, warm worker: {cpu_ms} ms of CPU, {wall_ms:.0} ms");
}

/// User and system time of this process so far; see proc(5).
fn cpu_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a Linux with /proc");
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = behind_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|it| it.parse::<u64>().ok()).sum()
}

/// A patch that adds a call to the first function of a file.
fn patch(base: &dyn TreeSource, index: u32, path: &str, turn: u32) -> PatchInput {
    let file = TreePath::parse(path).expect("a constant path is valid");
    let text = base.read(&file).expect("the base can be read");
    let text = String::from_utf8(text.unwrap_or_default()).expect("sources are UTF-8");
    let line = text.lines().position(|it| it == "{").unwrap_or_default() + 1;
    let next = text.lines().nth(line).unwrap_or_default();
    let diff = format!(
        "--- a/{path}\n+++ b/{path}\n@@ -{line},2 +{line},3 @@\n {{\n+\tnew_call({turn});\n {next}\n"
    );
    PatchInput {
        index,
        subject: "one".to_owned(),
        message_id: None,
        commit: None,
        diff: diff.into_bytes(),
    }
}

/// One patch that adds a call to the first function of a file.
fn review(criterion: &mut Criterion, base: &dyn TreeSource) {
    let linter = cold(&scopes()[0].1);
    linter.check(base).expect("the base can be read");
    let mut turn = 0u32;
    criterion.bench_function("review/ceph, one patch", |bencher| {
        bencher.iter(|| {
            // Another patch each time: a state that is known is not linted again.
            turn += 1;
            let patch = patch(base, 1, "fs/ceph/caps.c", turn);
            let report = linter.review(base, &[patch]).expect("the base can be read");
            assert!(report.patches[0].reason.is_none(), "it applies");
        });
    });
}

criterion_group!(benches, stages);
criterion_main!(benches);

//! What is kept from one run for the next never changes a result.

use std::path::Path;

use lorelint::cache::Cache;
use lorelint::tree::{FileContent, GitRepo, Overlay, TreeSource};
use lorelint::{Linter, Options, review};
use lorelint_tests::lint_case::{Case, all_cases, said};
use lorelint_tests::material;

fn cached(case: &Case, directory: &Path) -> Linter {
    case.linter()
        .with_cache(Cache::new(directory, Path::new(&case.name)))
}

#[track_caller]
fn check_same(linter: &Linter, fresh: &Linter, tree: &dyn TreeSource, what: &str) {
    let expected = said(&fresh.check(tree).expect("memory can be read"));
    let actual = said(&linter.check(tree).expect("memory can be read"));
    assert_eq!(actual, expected, "{what}");
}

#[test]
fn a_cached_tree_has_the_findings_of_a_fresh_one() {
    for case in all_cases() {
        let directory = tempfile::tempdir().unwrap();
        for run in ["first", "second"] {
            let linter = cached(&case, directory.path());
            check_same(
                &linter,
                &case.linter(),
                &case.tree(),
                &format!("{}, {run} run", case.name),
            );
        }
    }
}

#[test]
fn a_changed_tree_has_the_findings_of_a_fresh_one() {
    for case in all_cases() {
        let patch = case.patch();
        if patch.diff.is_empty() {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        let base = case.tree();
        let linter = cached(&case, directory.path());
        linter.check(&base).expect("memory can be read");
        let patched = review::patched(&base, std::slice::from_ref(&patch));
        let what = |run| format!("{}, patched, {run}", case.name);
        check_same(&linter, &case.linter(), &patched, &what("same process"));
        let linter = cached(&case, directory.path());
        check_same(&linter, &case.linter(), &patched, &what("another process"));
        check_same(&linter, &case.linter(), &base, &what("and back"));
    }
}

#[test]
fn a_damaged_cache_is_no_cache() {
    let all = all_cases();
    let case = &all[0];
    let directory = tempfile::tempdir().unwrap();
    cached(case, directory.path())
        .check(&case.tree())
        .expect("memory can be read");
    let damage: [fn(&mut Vec<u8>); 4] = [
        |it| it.truncate(it.len() / 2),
        |it| {
            let middle = it.len() / 2;
            it[middle] ^= 1;
        },
        Vec::clear,
        |it| it[20] ^= 1,
    ];
    for harm in damage {
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            harm(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
        }
        let linter = cached(case, directory.path());
        check_same(&linter, &case.linter(), &case.tree(), "damaged");
    }
}

#[test]
fn processes_may_share_a_cache() {
    let all = all_cases();
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4usize {
            let (all, directory) = (&all, directory.path());
            scope.spawn(move || {
                for round in 0..20 {
                    let case = &all[(worker * 3 + round) % 8];
                    let linter = case
                        .linter()
                        .with_cache(Cache::new(directory, Path::new("one")));
                    check_same(&linter, &case.linter(), &case.tree(), &case.name);
                }
            });
        }
    });
}

/// A call more at the start of functions all over a kernel.
fn edited(base: &dyn TreeSource) -> Overlay<'_> {
    let files = base.files().expect("the kernel can be listed");
    let sources = files.iter().filter(|it| {
        let path = it.path.as_str();
        path.ends_with(".c") && (path.starts_with("fs/") || path.starts_with("net/ceph/"))
    });
    let edits = sources.step_by(37).filter_map(|it| {
        let text = String::from_utf8(base.read(&it.path).ok()??).ok()?;
        let text = text.replacen("\n{\n", "\n{\n\tiput(NULL);\n", 1);
        let content = FileContent::new(it.mode, text.into_bytes())?;
        Some((it.path.clone(), Some(content)))
    });
    Overlay::new(base).with(edits)
}

#[test]
fn a_changed_kernel_has_the_findings_of_a_fresh_one() {
    let Some(kernel) = material::kernel_612() else {
        return;
    };
    let base = GitRepo::open(&kernel).unwrap().tree("HEAD").unwrap();
    let linter = Linter::new(Options::default());
    linter.check(&base).unwrap();
    let fresh = Linter::new(Options::default());
    check_same(&linter, &fresh, &edited(&base), "edited kernel");
}

/// Deletes some calls, some entries of tables, some constants and some functions' `static` in the files under `dirs`;
/// another choice each round.
fn thinned<'t>(base: &'t dyn TreeSource, dirs: &[&str], round: usize) -> Overlay<'t> {
    let files = base.files().expect("the kernel can be listed");
    let sources = files.iter().filter(|it| {
        let path = it.path.as_str();
        (path.ends_with(".c") || path.ends_with(".h"))
            && dirs.iter().any(|dir| path.starts_with(dir))
    });
    let mut seen = 0;
    let edits = sources.filter_map(|it| {
        let text = String::from_utf8(base.read(&it.path).ok()??).ok()?;
        let mut lines = Vec::new();
        let mut is_edited = false;
        for line in text.lines() {
            let is_call = line.starts_with('\t') && line.ends_with(");") && !line.contains('=');
            let is_entry = line.starts_with("\t.") && line.ends_with(',') && line.contains('=');
            let is_static = line.starts_with("static ") && line.contains('(');
            let is_constant =
                line.starts_with("#define ") && line.ends_with(|it: char| it.is_ascii_digit());
            let may_go = is_call || is_entry || is_static || is_constant;
            seen += usize::from(may_go);
            let is_chosen = may_go && seen % 97 == round;
            is_edited |= is_chosen;
            match line.strip_prefix("static ") {
                _ if !is_chosen => lines.push(line),
                Some(rest) if is_static => lines.push(rest),
                _ => {}
            }
        }
        let content = FileContent::new(it.mode, lines.join("\n").into_bytes())?;
        is_edited.then(|| (it.path.clone(), Some(content)))
    });
    Overlay::new(base).with(edits)
}

#[test]
fn a_kernel_that_changes_again_and_again_has_the_findings_of_a_fresh_one() {
    let Some(kernel) = material::kernel_612() else {
        return;
    };
    let base = GitRepo::open(&kernel).unwrap().tree("HEAD").unwrap();
    let linter = Linter::new(Options::default());
    linter.check(&base).unwrap();
    let rounds: [&[&str]; 3] = [
        &["fs/ceph/", "net/ceph/"],
        &["fs/ext4/"],
        &["fs/ceph/", "fs/nfs/"],
    ];
    for (round, dirs) in rounds.into_iter().enumerate() {
        let tree = thinned(&base, dirs, round);
        let fresh = Linter::new(Options::default());
        check_same(&linter, &fresh, &tree, &format!("round {round}"));
    }
}

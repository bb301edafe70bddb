//! Shared material: reference cases, hostile mail, months of a real list. Skipped where it is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lorelint_mail::{mbox, parse_message};
use lorelint_tests::command::lorelint;
use lorelint_tests::material::{HostileMail, hostile_mails, shared, skipped, sorted};
use serde_json::{Map, Value};

/// What `lorelint series` prints of a source.
#[track_caller]
fn series(source: &Path, more: &[&str]) -> String {
    let source = source.to_str().expect("paths of the corpus are text");
    let line: Vec<&str> = ["series", source]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    let ended = lorelint(Path::new("/"), &line, b"");
    assert_eq!(ended.code, 0, "{}", ended.errors);
    ended.output
}

#[test]
fn reference_cases_are_right() {
    let Some(corpus) = shared("corpus/series") else {
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let base = scratch.path().join("base.git");
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--bare"])
        .args([&corpus.join("base.bundle"), &base])
        .status();
    if !cloned.is_ok_and(|it| it.success()) {
        skipped("git cannot clone base.bundle");
        return;
    }
    let mut results = Map::new();
    for case in sorted(&corpus.join("cases"))
        .iter()
        .filter(|it| it.is_dir())
    {
        let out = series(case, &["--tree", base.to_str().unwrap(), "--base", "base"]);
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        results.insert(name, serde_json::from_str(&out).unwrap());
    }
    let result = scratch.path().join("result.json");
    fs::write(
        &result,
        serde_json::to_vec(&Value::Object(results)).unwrap(),
    )
    .unwrap();
    let Ok(scored) = Command::new("python3")
        .arg(corpus.join("check.py"))
        .arg(&result)
        .output()
    else {
        skipped("python3 is not there to score the reference cases");
        return;
    };
    let printed = String::from_utf8(scored.stdout).unwrap();
    let wrong: Vec<&str> = printed
        .lines()
        .filter(|it| it.starts_with("- ") && it.ends_with("accept_also: "))
        .collect();
    let score = printed.lines().last().unwrap_or_default();
    assert!(
        wrong.is_empty() && score.contains("class"),
        "{printed}{}",
        String::from_utf8_lossy(&scored.stderr)
    );
}

#[test]
fn hostile_mail_is_read_within_its_limits() {
    let (Some(mails), Some(corpus)) = (hostile_mails(), shared("corpus/nasty")) else {
        return;
    };
    for HostileMail { name, raw, limits } in mails {
        let limit = Duration::from_millis(limits["wall_ms"].as_u64().unwrap());
        let start = Instant::now();
        let message = parse_message(&raw);
        let head = message.head(Some(1_731_920_400));
        let keys = head.keys();
        let assembly = lorelint_mail::assemble(&[head]);
        let took = start.elapsed();
        assert!(took < limit, "{name}: {took:?}");
        assert!(
            keys.len() <= 120 && assembly.placements.len() == 1,
            "{name}"
        );
        for text in [
            &message.subject.raw,
            &message.title,
            &message.from.name,
            &message.from.email,
        ] {
            assert!(
                !text.contains(['\0', '\r', '\n', '\u{1b}']),
                "{name}: {text:?}"
            );
        }
    }
    let counts: BTreeMap<String, usize> = sorted(&corpus.join("mbox"))
        .iter()
        .map(|it| {
            (
                it.file_stem().unwrap().to_string_lossy().into_owned(),
                mbox::split(&fs::read(it).unwrap()).count(),
            )
        })
        .collect();
    let expected = [
        ("content-length-lies", 2),
        ("garbage-before", 1),
        ("no-blank-between", 2),
        ("only-from", 0),
        ("unquoted-from", 2),
    ];
    assert_eq!(
        counts,
        expected
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}

#[test]
fn months_of_a_list_give_what_b4_gives() {
    let Some(corpus) = shared("corpus") else {
        return;
    };
    let (mut total, mut same) = (0, 0);
    let mut differ = Vec::new();
    for mailbox in sorted(&corpus)
        .iter()
        .filter(|it| it.to_str().is_some_and(|it| it.ends_with(".mbox.gz")))
    {
        let out = series(mailbox, &["--format", "jsonl"]);
        let ours: Vec<Value> = out
            .lines()
            .map(|it| serde_json::from_str(it).unwrap())
            .collect();
        let reference = mailbox.to_str().unwrap().replace(".mbox.gz", ".b4.jsonl");
        for line in fs::read_to_string(reference).unwrap().lines() {
            let theirs: Value = serde_json::from_str(line).unwrap();
            if theirs["complete"] != true || theirs["patches"].as_array().is_none_or(Vec::is_empty)
            {
                continue;
            }
            total += 1;
            if ours.iter().any(|it| it["patches"] == theirs["patches"]) {
                same += 1;
            } else {
                differ.push(line.to_owned());
            }
        }
    }
    assert!(same * 100 >= total * 99, "{same} of {total}: {differ:#?}");
}

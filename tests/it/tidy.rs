//! The house rules that no compiler checks: who may import whom, how long files are, what is listed where.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lorelint_tests::lint_case::repository;

/// Files above this need a cut.
const MAX_LINES: usize = 800;

/// Modules of `linter/src` from the left to the right: a module imports only from its left.
const LINTER_LAYERS: &[&[&str]] = &[
    &["finding", "tree", "kernel", "lex", "rows", "turns"],
    &["diff", "report", "contexts"],
    &["syntax"],
    &["facts", "base"],
    &["warm"],
    &["graph", "expand"],
    &["rules", "focus"],
    &["config", "suppress"],
    &["query", "check", "delta", "index", "cache"],
    &["review"],
    &["render"],
    &["cli"],
];

/// Rust files below a directory of the repository, sorted, with their texts.
fn sources(directory: &str) -> Vec<(String, String)> {
    let root = repository();
    let mut found: Vec<(String, String)> = files(&root.join(directory))
        .into_iter()
        .filter(|it| it.extension().is_some_and(|it| it == "rs"))
        .map(|it| {
            let name = it
                .strip_prefix(&root)
                .expect("it lies below")
                .display()
                .to_string();
            let text = std::fs::read_to_string(&it).expect("sources are texts");
            (name, text)
        })
        .collect();
    found.sort();
    found
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut pending = vec![directory.to_owned()];
    let mut found = Vec::new();
    while let Some(next) = pending.pop() {
        let Ok(listing) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in listing {
            let path = entry.expect("it can be listed").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// The code of a file: without comment lines and without what stands below its test module.
fn code(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|it| !it.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether `word` stands in the code with no letter, digit or underscore around it.
fn names(code: &str, word: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_part) && !code[at + word.len()..].starts_with(is_part)
    })
}

#[track_caller]
fn check_none_name(directory: &str, words: &[&str], except: &[&str]) {
    let mut wrong = Vec::new();
    for (file, text) in sources(directory) {
        if except.iter().any(|it| file.starts_with(it)) {
            continue;
        }
        let code = code(&text);
        for word in words.iter().filter(|it| names(&code, it)) {
            wrong.push(format!("{file} names {word}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_linter_knows_no_process_no_clock_and_no_database() {
    let words = [
        "tokio",
        "sqlx",
        "axum",
        "mailparse",
        "std::env",
        "SystemTime",
    ];
    check_none_name("linter/src", &words, &["linter/src/main.rs"]);
}

#[test]
fn the_linter_reads_files_only_through_its_tree() {
    check_none_name(
        "linter/src",
        &["std::fs"],
        &[
            "linter/src/tree/",
            "linter/src/cli/",
            "linter/src/main.rs",
            "linter/src/cache",
        ],
    );
}

#[test]
fn only_syntax_knows_tree_sitter() {
    check_none_name(
        "linter/src",
        &["tree_sitter", "tree_sitter_c"],
        &["linter/src/syntax"],
    );
}

#[test]
fn the_mail_package_is_pure_and_one_file_of_it_knows_mailparse() {
    check_none_name(
        "service/mail/src",
        &["sqlx", "axum", "tokio", "std::fs", "SystemTime"],
        &[],
    );
    let users: Vec<String> = sources("service")
        .into_iter()
        .chain(sources("linter"))
        .filter(|(_, text)| names(&code(text), "mailparse"))
        .map(|it| it.0)
        .collect();
    assert!(users.len() <= 1, "{users:?}");
}

#[test]
fn models_reports_and_the_bot_are_pure() {
    for directory in ["service/src/model", "service/src/report", "service/src/bot"] {
        check_none_name(
            directory,
            &["sqlx", "axum", "tokio", "std::fs", "SystemTime"],
            &[],
        );
    }
}

#[test]
fn only_the_store_knows_sqlx() {
    // The program's default log filter names sqlx as a target.
    check_none_name(
        "service/src",
        &["sqlx"],
        &["service/src/store", "service/src/main.rs"],
    );
    check_none_name("service/src/store", &["serde_json::Value", "axum"], &[]);
}

#[test]
fn pages_ask_the_store_and_nobody_else() {
    check_none_name(
        "service/src/web",
        &["crate::trees", "crate::jobs", "lorelint_mail", "sqlx"],
        &[],
    );
    check_none_name("service/src/jobs", &["crate::web"], &[]);
}

#[test]
fn linter_modules_import_only_from_their_left() {
    let layer = |module: &str| LINTER_LAYERS.iter().position(|it| it.contains(&module));
    let mut wrong = Vec::new();
    for (file, text) in sources("linter/src") {
        let below = file
            .strip_prefix("linter/src/")
            .expect("it was listed there");
        let own = below.split(['/', '.']).next().unwrap_or_default();
        if ["lib", "main", "bin"].contains(&own) {
            continue;
        }
        let Some(place) = layer(own) else {
            wrong.push(format!("{file}: {own} is in no layer"));
            continue;
        };
        let code = code(&text);
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            let used: String = rest
                .chars()
                .take_while(|it| it.is_alphanumeric() || *it == '_')
                .collect();
            if used != own && layer(&used).is_some_and(|it| it > place) {
                wrong.push(format!("{file} uses crate::{used}"));
            }
        }
    }
    wrong.dedup();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn files_are_short_enough_to_be_read() {
    let mut wrong = Vec::new();
    for directory in ["linter", "service", "tests"] {
        for (file, text) in sources(directory) {
            let lines = text.lines().count();
            if lines > MAX_LINES {
                wrong.push(format!("{file} has {lines} lines"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_test_file_is_listed_and_none_is_ignored() {
    let main = std::fs::read_to_string(repository().join("tests/it/main.rs")).unwrap();
    let listed: BTreeSet<String> = main
        .lines()
        .filter_map(|it| {
            it.strip_prefix("mod ")?
                .strip_suffix(';')
                .map(str::to_owned)
        })
        .collect();
    let mut present = BTreeSet::new();
    for entry in std::fs::read_dir(repository().join("tests/it")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(module) = name.strip_suffix(".rs").filter(|it| *it != "main") {
            present.insert(module.to_owned());
        }
    }
    assert_eq!(listed, present);
    let attribute = concat!("#[", "ignore");
    let ignored: Vec<String> = ["linter", "service", "tests"]
        .iter()
        .flat_map(|it| sources(it))
        .filter(|(_, text)| text.contains(attribute))
        .map(|it| it.0)
        .collect();
    assert_eq!(ignored, Vec::<String>::new());
}

/// Files `<name>.rs` of a registry's directory, without those that are shared code.
fn members(directory: &str, shared: &[&str]) -> BTreeSet<String> {
    sources(directory)
        .into_iter()
        .filter_map(|(file, _)| {
            let name = file
                .strip_prefix(directory)?
                .strip_prefix('/')?
                .strip_suffix(".rs")?;
            (!shared.contains(&name)).then(|| name.replace('_', "-"))
        })
        .collect()
}

#[test]
fn every_rule_file_is_registered_and_documented() {
    let registered: BTreeSet<String> = lorelint::rules::RULES
        .iter()
        .map(|it| it.name.to_owned())
        .collect();
    assert_eq!(
        members("linter/src/rules", &["mod", "helpers", "i_count"]),
        registered
    );
    for rule in lorelint::rules::RULES {
        assert!(
            rule.docs.starts_with(&format!("# {}\n", rule.name)),
            "{}",
            rule.name
        );
        for heading in [
            "## What it does",
            "## Why is this bad?",
            "## Limits",
            "## Sources",
        ] {
            assert!(
                rule.docs.contains(heading),
                "{} has no {heading}",
                rule.name
            );
        }
    }
}

#[test]
fn every_context_file_is_registered_and_documented() {
    let registered: BTreeSet<String> = lorelint::contexts::CONTEXTS
        .iter()
        .map(|it| it.name.to_owned())
        .collect();
    assert_eq!(members("linter/src/contexts", &["mod"]), registered);
    for context in lorelint::contexts::CONTEXTS {
        assert!(
            context.docs.starts_with(&format!("# {}\n", context.name)),
            "{}",
            context.name
        );
        assert!(!context.roots.is_empty(), "{}", context.name);
    }
}

#[test]
fn migrations_come_in_pairs() {
    let list = |dialect: &str| -> BTreeSet<String> {
        let directory = repository().join("migrations").join(dialect);
        files(&directory)
            .iter()
            .filter_map(|it| it.file_name()?.to_str().map(str::to_owned))
            .filter(|it| it.to_ascii_lowercase().ends_with(".sql"))
            .collect()
    };
    let postgres = list("postgres");
    if !postgres.is_empty() {
        assert_eq!(list("sqlite"), postgres);
    }
}

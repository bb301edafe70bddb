//! The call graph of random and of damaged C: against an independent reader, and without a panic.

use std::process::Command;

use lorelint_tests::graph_case::ask;
use lorelint_tests::material::skipped;
use lorelint_tests::random::Random;

/// Direct calls of random programs, against cflow where it is installed.
#[test]
fn direct_calls_are_those_of_an_independent_reader() {
    if Command::new("cflow").arg("--version").output().is_err() {
        skipped("no cflow: install the package of that name");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(7);
    for round in 0..20 {
        let program = program(&mut random);
        let path = dir.path().join("a.c");
        std::fs::write(&path, &program).unwrap();
        let out = Command::new("cflow")
            .arg("--all")
            .arg(&path)
            .output()
            .unwrap();
        let wanted = edges_of_cflow(&String::from_utf8_lossy(&out.stdout));
        let mut found: Vec<(String, String)> =
            ask(&[("fs/a.c", &program)], |graph| graph.edges(""))
                .into_iter()
                .filter(|it| it.kind.as_str() == "direct")
                .map(|it| (it.caller, it.callee))
                .collect();
        found.sort();
        found.dedup();
        assert_eq!(found, wanted, "round {round}\n{program}");
    }
}

/// Caller and callee from an indented listing.
fn edges_of_cflow(listing: &str) -> Vec<(String, String)> {
    let mut stack: Vec<String> = Vec::new();
    let mut edges = Vec::new();
    for line in listing.lines() {
        let line = line.trim_start_matches(|it: char| it.is_ascii_digit());
        let depth = line.chars().take_while(|it| it.is_whitespace()).count() / 4;
        let name: String = line
            .trim_start()
            .chars()
            .take_while(|it| it.is_alphanumeric() || *it == '_')
            .collect();
        if name.is_empty() {
            continue;
        }
        stack.truncate(depth);
        if let Some(caller) = stack.last() {
            edges.push((caller.clone(), name.clone()));
        }
        stack.push(name);
    }
    edges.sort();
    edges.dedup();
    edges
}

/// A random program.
fn program(random: &mut Random) -> String {
    let count = 3 + random.below(6);
    let mut text = String::new();
    for at in 0..count {
        text += &format!("int f{at}(int a);\n");
    }
    for at in 0..count {
        // A function calls only later ones, so that no reader has to cut a cycle.
        text += &format!("\nint f{at}(int a)\n{{\n\tint b = a;\n\n");
        for _ in 0..=random.below(4) {
            let call = call(random, at + 1, count);
            text += &match random.below(6) {
                0 => {
                    format!("\tif (a > {call})\n\t\tb = {call};\n\telse\n\t\treturn {call};\n")
                }
                1 => format!("\tfor (b = 0; b < {call}; b++) {{\n\t\ta += {call};\n\t}}\n"),
                2 => format!(
                    "\tswitch ({call}) {{\n\tcase 1:\n\t\tb = {call};\n\t\tbreak;\n\tdefault:\n\t\tb = 2;\n\t}}\n"
                ),
                3 => format!(
                    "\t/* f0(1) is not called here */\n\tdo {{\n\t\tb = a ? {call} : {call};\n\t}} while (b < a);\n"
                ),
                4 => format!("\tb = (int)({call} + sizeof(int));\n"),
                _ => format!("\t{call};\n"),
            };
        }
        text += "\treturn b;\n}\n";
    }
    text
}

fn call(random: &mut Random, from: u64, end: u64) -> String {
    if from >= end {
        return format!("g{}(a)", random.below(4));
    }
    let callee = from + random.below(end - from);
    match random.below(3) {
        0 => format!("f{callee}(f{callee}(a))"),
        1 => format!("f{callee}(a + 1)"),
        _ => format!("g{}(a, \"f0(1)\")", random.below(4)),
    }
}

/// Damage in one function: nothing panics, the functions before it are there, and those behind it too.
#[test]
fn damaged_text_costs_no_other_function() {
    let mut random = Random(11);
    let five = |name: &str| {
        let functions =
            (0..5).map(|it| format!("int {name}{it}(int a)\n{{\n\treturn one(a);\n}}\n\n"));
        functions.collect::<Vec<String>>().concat()
    };
    let (before, after) = (five("before"), five("after"));
    let victim = "int victim(struct box *p, int a)\n{\n\tif (a) {\n\t\tcall(p, \"text\", 'c');\n\t}\n\treturn other(p->member[a]);\n}\n\n";
    for round in 0..300 {
        let mut bytes = victim.as_bytes().to_vec();
        // The last brace stands in the first column: what editors and people go by.
        let body = victim.len() - 4;
        for _ in 0..=random.below(4) {
            let at = usize::try_from(random.below(body as u64)).unwrap().max(40);
            match random.below(3) {
                0 => drop(bytes.remove(at.min(bytes.len() - 5))),
                1 => bytes[at] = b"(){};,=#*&"[usize::try_from(random.below(10)).unwrap()],
                _ => bytes.insert(at, b"(){};,="[usize::try_from(random.below(7)).unwrap()]),
            }
        }
        let text = format!("{before}{}{after}", String::from_utf8_lossy(&bytes));
        let names: Vec<String> = ask(&[("fs/a.c", &text)], |graph| graph.functions(""))
            .into_iter()
            .map(|it| it.name)
            .collect();
        for kept in ["before0", "before4", "after4"] {
            assert!(
                names.iter().any(|it| it == kept),
                "round {round}: no {kept}\n{text}"
            );
        }
    }
}

/// Any bytes at all: an answer, and soon.
#[test]
fn noise_is_read_without_panic() {
    let mut random = Random(13);
    let words = [
        "static ",
        "int f",
        "(",
        ")",
        "{",
        "}",
        ";",
        "#define X(a) ",
        "\\\n",
        "=",
        ".x",
        "\"",
        "'",
        "/*",
        "*/",
        "#if 1\n",
        "#endif\n",
        "##",
        "iput(",
        "\u{0}",
        "\n",
    ];
    for _ in 0..200 {
        let text: String = (0..random.below(120))
            .map(|_| words[usize::try_from(random.below(words.len() as u64)).unwrap()])
            .collect();
        ask(
            &[("fs/a.c", &text), ("include/linux/a.h", &text)],
            |graph| {
                drop(graph.edges(""));
                drop(graph.tables(""));
            },
        );
    }
}

//! Damaged C: whatever is broken, no panic, no hang, and the functions before and after it are there.

use std::collections::BTreeMap;
use std::path::Path;

use lorelint::tree::{MemTree, TreePath};
use lorelint::{Linter, Options};
use lorelint_tests::material::{kernel_612, skipped};

/// The names of a file's functions, each with how often it is there.
fn functions(text: &[u8]) -> BTreeMap<String, usize> {
    let mut tree = MemTree::default();
    tree.insert(TreePath::parse("fs/a.c").unwrap(), text);
    let linter = Linter::new(Options::default());
    let mut names = BTreeMap::new();
    for it in linter.graph(&tree).unwrap().functions("") {
        *names.entry(it.name).or_default() += 1;
    }
    names
}

#[track_caller]
fn check_all_there(text: &str, expected: &[&str]) {
    let found = functions(text.as_bytes());
    for name in expected {
        assert!(found.contains_key(*name), "no {name} in\n{text}");
    }
}

const AROUND: (&str, &str) = (
    "int before(int a)\n{\n\treturn one(a);\n}\n\n",
    "static int after(int a)\n{\n\treturn one(a);\n}\n\nstruct box *last(void)\n{\n\treturn NULL;\n}\n",
);

#[test]
fn brackets_that_nothing_closes_cost_one_item() {
    for damaged in [
        "int victim(int a\n{\n\treturn two(a);\n}\n\n",
        "int victim(int a;\n\n",
        "EXPORT_SYMBOL(before;\n\n",
        "MODULE_AUTHOR(\"me\"\n\n",
        "static int table[4 = { 1, 2 };\n\n",
        "static const struct box_ops ops = {\n\t.open = before,\n\n",
        "static const struct box_ops ops = {\n\t.open = f(before,\n};\n\n",
        "static const struct box_ops ops = {\n\t.open = before,\n}\n\n",
        "static int number = f(1;\n\n",
        "int victim(int a)\n{\n\tif (a) {\n\t\treturn two(a);\n\n",
        "int victim(int a)\n{\n\treturn two((a;\n}\n\n",
        "int victim(int a)\n{\n\treturn 'a;\n}}\n\n",
        "int victim(int a)\n{\n\tif (a)\n\t\t}\n\treturn two(a);\n}\n\n",
        "struct box {\n\tint (*open)(int a;\n\tint b;\n\n",
        "}\n)\n};\n\n",
        "#define X(a \\\n\tf(a\n\n",
        "typedef int (*call_t)(int a;\n\n",
    ] {
        let text = format!("{}{damaged}{}", AROUND.0, AROUND.1);
        check_all_there(&text, &["before", "after", "last"]);
    }
    let head = format!("int victim(int a\n{{\n\treturn two(a);\n}}\n{}", AROUND.1);
    check_all_there(&head, &["victim", "after"]);
}

/// What looks like the begin of a definition and is none.
#[test]
fn arms_and_old_style_are_no_damage() {
    for (text, expected) in [
        (
            "#ifdef CONFIG_A\nint one(int a)\n{\n#else\nint one(int a, int b)\n{\n#endif\n\tuse(a);\n\treturn a;\n}\n\nint two(void)\n{\n\treturn 1;\n}\n",
            &["one", "two"][..],
        ),
        (
            "int one(\nstruct box *a,\nint (*call)(int))\n{\nout:\n\treturn call(1);\n}\n\nint two(void)\n{\n\treturn 1;\n}\n",
            &["one", "two"],
        ),
        (
            "int one(int a)\n{\nprintk(\"here\");\nif (a) {\nuse(a);\n}\nelse {\nuse(1);\n}\n\treturn 1;\n}\n\nint two(void)\n{\n\treturn 1;\n}\n",
            &["one", "two"],
        ),
    ] {
        check_all_there(text, expected);
        assert_eq!(functions(text.as_bytes()).len(), expected.len(), "{text}");
    }
}

/// A small generator of numbers; the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Files of a real kernel, each damaged in many ways at places that a seed chooses.
#[test]
fn damage_to_kernel_files_costs_the_damaged_function_only() {
    let Some(kernel) = kernel_612() else {
        return;
    };
    if !kernel.join("fs/ceph").is_dir() {
        skipped("the kernel has no work tree");
        return;
    }
    let mut random = Random(3);
    let mut lost = Vec::new();
    let mut rounds = 0;
    for file in sources(&kernel) {
        let text = std::fs::read(kernel.join(&file)).unwrap();
        let whole = functions(&text);
        for _ in 0..12 {
            let at = random.below(text.len());
            let (damaged, what) = damage(&text, at, &mut random);
            // A comment that begins or ends elsewhere comments out what lies between, for a compiler as well.
            if comment_marks(&damaged) != comment_marks(&text) && what != "truncated" {
                continue;
            }
            rounds += 1;
            let found = functions(&damaged);
            let (start, end) = item_around(&text, at);
            let kept = if what == "truncated" {
                functions(&text[..start])
            } else {
                let mut kept = functions(&text[..start]);
                for (name, count) in functions(&text[end..]) {
                    *kept.entry(name).or_default() += count;
                }
                kept.retain(|name, _| whole.contains_key(name));
                kept
            };
            for (name, _) in kept.iter().filter(|it| !found.contains_key(it.0)) {
                let line = text[..at].split(|it| *it == b'\n').count();
                lost.push(format!("{file}:{line}: {what}: no {name}"));
            }
        }
    }
    assert!(rounds > 300, "{rounds} rounds");
    assert!(
        lost.is_empty(),
        "{} of {rounds}:\n{}",
        lost.len(),
        lost.join("\n")
    );
}

fn sources(kernel: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for directory in [
        "fs/ceph", "fs/ext4", "fs/nfs", "fs/xfs", "net/ceph", "mm", "kernel",
    ] {
        let mut files: Vec<String> = std::fs::read_dir(kernel.join(directory))
            .unwrap()
            .map(|it| it.unwrap())
            .filter(|it| it.metadata().unwrap().len() < 60_000)
            .map(|it| format!("{directory}/{}", it.file_name().to_str().unwrap()))
            .filter(|it| it.ends_with(".c"))
            .collect();
        files.sort();
        found.extend(files.into_iter().step_by(9));
    }
    found
}

fn damage(text: &[u8], at: usize, random: &mut Random) -> (Vec<u8>, &'static str) {
    let mut out = text.to_vec();
    match random.below(5) {
        0 => {
            out.truncate(at);
            (out, "truncated")
        }
        1 => {
            out.drain(at..(at + 1 + random.below(8)).min(text.len()));
            (out, "deleted")
        }
        2 => {
            out.insert(at, b"(){}[]"[random.below(6)]);
            (out, "bracket inserted")
        }
        3 => {
            out.insert(at, b"\"'"[random.below(2)]);
            (out, "quote inserted")
        }
        _ => {
            out.insert(at, b";,=#\\&*\0\xff"[random.below(9)]);
            (out, "byte inserted")
        }
    }
}

fn comment_marks(text: &[u8]) -> usize {
    let marks = text.windows(2);
    marks
        .filter(|it| matches!(it, [b'/', b'*' | b'/'] | [b'*', b'/']))
        .count()
}

/// Bounds of what the damage may cost: from the blank line before the definition that holds it to the one behind,
/// going by first columns alone.
fn item_around(text: &[u8], at: usize) -> (usize, usize) {
    let closes = |it: usize| text[it..].starts_with(b"\n}\n") || text[it..].starts_with(b"\n};\n");
    let start = (0..at.min(text.len() - 1)).rev().find(|it| closes(*it));
    let end = (at..text.len()).find(|it| closes(*it));
    let next = |it: usize| it + 1 + position(&text[it + 1..]);
    (start.map_or(0, next), end.map_or(text.len(), next))
}

/// Behind the end of the line.
fn position(text: &[u8]) -> usize {
    text.iter()
        .position(|it| *it == b'\n')
        .map_or(text.len(), |it| it + 1)
}

/// What is lost is said.
#[test]
fn damage_is_a_gap() {
    let mut tree = MemTree::default();
    let text = "int before(int a)\n{\n\treturn one(a);\n}\n\nEXPORT_SYMBOL(before;\n\nint after(int a)\n{\n\treturn one(a);\n}\n";
    tree.insert(TreePath::parse("fs/a.c").unwrap(), text.as_bytes());
    let report = Linter::new(Options::default()).check(&tree).unwrap();
    let gaps: Vec<(u32, &str)> = report
        .gaps
        .iter()
        .map(|it| (it.line, it.what.as_str()))
        .collect();
    assert_eq!(
        gaps,
        [(
            6,
            "a bracket that nothing closes: what it belongs to was not read"
        )]
    );
}

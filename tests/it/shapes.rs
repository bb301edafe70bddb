//! A function that is kept in a pointer is found wherever it is called, and with the sieve as without it.

use lorelint::tree::{MemTree, Overlay, TreePath};
use lorelint::{Linter, Options};
use lorelint_tests::lint_case::said;
use lorelint_tests::random::Random;
use lorelint_tests::shapes::{CALLS, HOMES, HOPS, PLACES, Program, SETTERS, VALUES};
use lorelint_tests::states::{Changes, check_in_a_row, file};

/// What is said of a program with the sieve and without, and whether that is a finding.
fn said_of(program: &Program) -> ([String; 2], bool) {
    let mut tree = MemTree::default();
    for (path, text) in program.files() {
        tree.insert(TreePath::parse(path).unwrap(), text.as_bytes());
    }
    let reports = [false, true].map(|no_sieve| {
        let options = Options {
            no_sieve,
            ..Options::default()
        };
        Linter::new(options).check(&tree).unwrap()
    });
    let is_found = reports[1]
        .findings
        .iter()
        .any(|it| it.rule == "unsafe-iput");
    (reports.map(|it| said(&it)), is_found)
}

/// Each piece with the plainest others.
fn one_by_one() -> Vec<Program> {
    let mut all = Vec::new();
    let plain = Program::plain();
    all.extend(PLACES.iter().map(|it| Program {
        place: *it,
        ..plain
    }));
    for place in PLACES {
        let setters = SETTERS.iter().map(|it| Program {
            setter: *it,
            place: *place,
            ..plain
        });
        let calls = CALLS.iter().map(|it| Program {
            call: *it,
            place: *place,
            ..plain
        });
        all.extend(setters.chain(calls));
    }
    all.extend(VALUES.iter().map(|it| Program {
        value: *it,
        ..plain
    }));
    all.extend(HOPS.iter().map(|it| Program { hop: *it, ..plain }));
    let elsewhere = all.clone();
    let elsewhere = elsewhere.into_iter();
    all.extend(elsewhere.flat_map(|it| {
        HOMES.iter().map(move |home| Program {
            home: *home,
            in_header: false,
            ..it
        })
    }));
    all.retain(Program::fits);
    all
}

#[test]
fn each_shape_is_found_or_a_known_limit() {
    let mut wrong = Vec::new();
    for program in one_by_one() {
        let (said, is_found) = said_of(&program);
        let calls_it = program.setter.name == "plain" || !program.is_of_any_type();
        if said[0] != said[1] {
            wrong.push(format!("not the same with the sieve: {}", program.name()));
        } else if !is_found && !program.is_beyond() {
            wrong.push(format!("missed: {}", program.name()));
        } else if is_found && program.is_beyond() && calls_it {
            wrong.push(format!("found, and called a limit: {}", program.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn any_shapes_are_found_and_the_same_with_every_function_read() {
    let mut random = Random(17);
    let mut wrong = Vec::new();
    for _ in 0..3000 {
        let program = Program::any(&mut random);
        let (said, is_found) = said_of(&program);
        if said[0] != said[1] {
            wrong.push(format!("not the same with the sieve: {}", program.name()));
        } else if !is_found && !program.is_beyond() {
            wrong.push(format!("missed: {}", program.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Files of one program after the other take each other's places, some at a time.
#[test]
fn a_tree_that_changes_says_what_a_fresh_reading_says() {
    let base = MemTree::default();
    let mut random = Random(23);
    let warm = Linter::new(Options::default());
    let first = Program::plain().files();
    let first = first.map(|(path, text)| file(path, &text));
    let mut now = Overlay::new(&base).with(first.map(|(path, it)| (path, Some(it))));
    let mut program = Program::plain();
    for round in 0..600 {
        // A near one, or another.
        let next = Program::any(&mut random);
        program = match random.below(4) {
            0 => Program {
                setter: next.setter,
                ..program
            },
            1 => Program {
                call: next.call,
                ..program
            },
            2 => Program {
                value: next.value,
                hop: next.hop,
                ..program
            },
            _ => next,
        };
        if !program.fits() {
            program = next;
        }
        let kept = random.below(4);
        let changes = (0..).zip(program.files());
        let changes = changes.filter(|it| it.0 != kept).map(|(_, (path, text))| {
            let (path, content) = file(path, &text);
            (path, Some(content))
        });
        now = now.with(changes.collect::<Vec<_>>());
        let fresh = Linter::new(Options::default()).check(&now).unwrap();
        let report = warm.check(&now).unwrap();
        assert_eq!(
            said(&report),
            said(&fresh),
            "round {round}, {}",
            program.name()
        );
    }
}

/// What a function returns is called by somebody else: who puts it there decides for both.
#[test]
fn what_is_returned_comes_and_goes() {
    let getter = CALLS.iter().find(|it| it.name == "getter kept");
    let program = Program {
        call: *getter.expect("it is listed"),
        ..Program::plain()
    };
    let base = MemTree::default();
    let files = program.files();
    let source = &files[0].1;
    let unset = source.replace("d->cb = example_put;", "d->cb = example_no;");
    let other = source.replace("return d->cb;", "return d->other;");
    let base = Overlay::new(&base).with(
        files
            .iter()
            .map(|(path, text)| file(path, text))
            .map(|(path, it)| (path, Some(it))),
    );
    let path = files[0].0;
    let states: &[(&str, Changes<'_>, bool)] = &[
        ("nothing changes", &[], true),
        ("another is put there", &[(path, Some(&unset))], false),
        ("it is put there again", &[(path, Some(source))], true),
        ("another member is returned", &[(path, Some(&other))], false),
        ("it is returned again", &[(path, Some(source))], true),
    ];
    check_in_a_row(&base, states);
}

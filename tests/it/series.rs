//! Series assembly: the cases of `fixtures/mail/series.txt`, in every order of arrival.

use lorelint_mail::{Assembly, MessageClass};
use lorelint_tests::app::TestStore;
use lorelint_tests::mailbox::{assemble, render, series_cases};
use proptest::prelude::*;

const CASES: &str = include_str!("../fixtures/mail/series.txt");

#[test]
fn cases_assemble_as_written_in_any_order_of_arrival() {
    let mut wrong = Vec::new();
    for case in series_cases(CASES) {
        let mails: Vec<(usize, &[u8])> = case
            .mails
            .iter()
            .enumerate()
            .map(|(position, mail)| (position, mail.1.as_slice()))
            .collect();
        for (order, mails) in orders(&mails) {
            let actual = render(&assemble(&mails));
            if actual != case.expected {
                wrong.push(format!(
                    "== {} ({order})\n{actual}\n-- expected\n{}\n\n",
                    case.name, case.expected
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

type Mails<'a> = Vec<(usize, &'a [u8])>;

/// As sent, backwards, rotated, and some shuffles that are the same on every run.
fn orders<'a>(mails: &[(usize, &'a [u8])]) -> Vec<(String, Mails<'a>)> {
    let mut orders = vec![("as sent".to_owned(), mails.to_vec())];
    let mut backwards = mails.to_vec();
    backwards.reverse();
    orders.push(("backwards".to_owned(), backwards));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..8 {
        let mut shuffled = mails.to_vec();
        for at in (1..shuffled.len()).rev() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let other = usize::try_from(state >> 33).expect("31 bits") % (at + 1);
            shuffled.swap(at, other);
        }
        orders.push((format!("shuffle {round}"), shuffled));
    }
    orders
}

#[test]
fn each_place_says_why() {
    let mails = "\n== why\n\
        c | A | 0 | - | [PATCH v3 0/2] names | cover\n\
        p | A | 1 | c | [PATCH 1/2] x: one | patch\n\
        q | A | 2 | c | [PATCH v3 2/2] x: two | patch\n\
        r | B | 9 | p | Re: [PATCH 1/2] x: one | text\n\
        s | A | 99 | - | [PATCH v2] y: z | patch\n\
        t | A | 999 | s | [PATCH v2.1] y: z | patch\n\
        u | A | 9 | - | [PATCH] w | patch\n--\n\n";
    let case = series_cases(mails).remove(0);
    let mails: Vec<(usize, &[u8])> = case
        .mails
        .iter()
        .enumerate()
        .map(|(at, it)| (at, it.1.as_slice()))
        .collect();
    let assembly = assemble(&mails);
    let reasons: Vec<&str> = assembly
        .placements
        .iter()
        .map(|it| it.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "cover letter of version 3 because its cover letter and some of its patches say so",
            "patch 1/2 of version 3 because its cover letter and some of its patches say so",
            "patch 2/2 of version 3 because its cover letter and some of its patches say so",
            "the subject is that of a reply",
            "patch 1/1 of version 2 because its subject says so",
            "patch 1/1 of version 2: version 2.1 because its subject says so",
            "patch 1/1 of version 1",
        ]
    );
}

/// Version, cover and patches of each series, sorted.
type Shape = Vec<(u32, Option<String>, Vec<Option<String>>)>;

/// The series that a database has after mails were delivered one by one.
async fn delivered(mails: &[(usize, &[u8])]) -> Shape {
    let test = TestStore::new().await;
    let now = lorelintd::model::Timestamp::from_seconds(1_790_000_000);
    for (_, raw) in mails {
        let stored =
            lorelintd::ingest::deliver(&test.store, "list@lists.example", raw.to_vec(), now).await;
        stored.expect("the mail is stored");
    }
    let exported = test
        .store
        .export_series(None, 1000)
        .await
        .expect("series can be exported");
    let mut shape: Shape = exported
        .into_iter()
        .map(|it| (it.version, it.cover, it.patches))
        .collect();
    shape.sort();
    shape
}

#[tokio::test]
async fn cases_delivered_one_by_one_backwards_give_the_same_series() {
    for case in series_cases(CASES) {
        let mut mails: Vec<(usize, &[u8])> = case
            .mails
            .iter()
            .enumerate()
            .map(|(at, it)| (at, it.1.as_slice()))
            .collect();
        let id = |it: &Option<lorelint_mail::Part>| it.as_ref().map(|it| it.id.as_str().to_owned());
        let mut expected: Shape = assemble(&mails)
            .series
            .iter()
            .map(|it| {
                (
                    it.version,
                    id(&it.cover),
                    it.patches.iter().map(id).collect(),
                )
            })
            .collect();
        expected.sort();
        mails.reverse();
        assert_eq!(delivered(&mails).await, expected, "{}", case.name);
    }
}

/// Names of the series below each, in the order in which they are to be applied.
fn below(case: &str) -> Vec<(String, Vec<String>)> {
    let case = series_cases(case).remove(0);
    let mails = case.mails.iter().enumerate();
    let mails: Vec<(usize, &[u8])> = mails.map(|(at, it)| (at, it.1.as_slice())).collect();
    let assembly = assemble(&mails);
    let series = assembly.series.iter();
    series
        .map(|it| {
            let others = assembly.dependencies(it).into_iter();
            (it.name.clone(), others.map(|it| it.name.clone()).collect())
        })
        .collect()
}

#[test]
fn a_series_stands_on_those_that_its_mails_name() {
    let chain = "\n== chain\n\
        a | A | 0 | - | [PATCH] a | patch\n\
        b1 | B | 9 | - | [PATCH 1/2] b | depends a\n\
        b2 | B | 10 | b1 | [PATCH 2/2] b two | depends b1\n\
        c | C | 20 | - | [PATCH] c | depends never-seen\n\
        d1 | D | 30 | - | [PATCH 1/2] d | depends c\n\
        d2 | D | 31 | d1 | [PATCH 2/2] d two | depends b2\n--\n\n";
    let name = |name: &str, below: &[&str]| {
        let below = below.iter().map(|it| (*it).to_owned());
        (name.to_owned(), below.collect::<Vec<_>>())
    };
    assert_eq!(
        below(chain),
        [
            name("a", &[]),
            name("b", &["a"]),
            name("c", &[]),
            name("d", &["c", "a", "b"]),
        ]
    );
    let circle = "\n== circle\n\
        a | A | 0 | - | [PATCH] a | depends b\n\
        b | B | 9 | - | [PATCH] b | depends a\n--\n\n";
    assert_eq!(below(circle), [name("a", &["b"]), name("b", &["a"])]);
}

/// What matters of an assembly, without positions in the input.
fn fingerprint(assembly: &Assembly) -> (Vec<String>, String) {
    let mut places: Vec<String> = assembly
        .placements
        .iter()
        .map(|it| {
            format!(
                "{} {:?} {:?} {:?} {}",
                it.message, it.class, it.series, it.number, it.reason
            )
        })
        .collect();
    places.sort();
    (places, render(assembly))
}

fn random_mail() -> impl Strategy<Value = String> {
    let subjects = prop::sample::select(vec![
        "[PATCH] x: one",
        "[PATCH 0/2] x: two",
        "[PATCH 1/2] x: one",
        "[PATCH 2/2] x: two",
        "[PATCH v2 0/2] x: two",
        "[PATCH v2 1/2] x: one",
        "[PATCH v2 2/2] x: two",
        "[PATCH 1/3] x: one",
        "[PATCH 3/n] x: three",
        "Re: [PATCH 1/2] x: one",
        "[PATCH RESEND 1/2] x: one",
        "x: words",
        "[GIT PULL] x",
        "[PATCH v5.1 2/2] x: two",
        "[PATCH 3/2] x: more",
    ]);
    let bodies = prop::sample::select(vec![
        "patch",
        "cover",
        "text",
        "pull",
        "patch same",
        "change 2025-x",
    ]);
    (
        0usize..8,
        0usize..2,
        0u32..4000,
        0usize..10,
        subjects,
        bodies,
    )
        .prop_map(|(id, sender, seconds, parent, subject, body)| {
            let parent = if parent < 8 {
                format!("m{parent}")
            } else {
                "-".to_owned()
            };
            format!(
                "m{id} | {} | {seconds} | {parent} | {subject} | {body}",
                ["A", "B"][sender]
            )
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mails_assemble_alike_in_any_order(lines in prop::collection::vec(random_mail(), 1..14), turn in 0usize..14) {
        let case = series_cases(&format!("\n== random\n{}\n--\n", lines.join("\n"))).remove(0);
        let mails: Vec<(usize, &[u8])> = case.mails.iter().enumerate().map(|(at, it)| (at, it.1.as_slice())).collect();
        let expected = assemble(&mails);
        let mut turned = mails.clone();
        turned.rotate_left(turn % mails.len());
        prop_assert_eq!(fingerprint(&assemble(&turned)), fingerprint(&expected));
        turned.reverse();
        prop_assert_eq!(fingerprint(&assemble(&turned)), fingerprint(&expected));

        prop_assert_eq!(expected.placements.len(), mails.len());
        let mut keys: Vec<&str> = expected.series.iter().map(|it| it.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), expected.series.len());
        // Every patch and cover is an own part of exactly one series.
        let own: usize = expected.series.iter().map(|it| it.patches.len() - it.missing.len() + usize::from(it.cover.is_some())).sum();
        let placed = expected.placements.iter().filter(|it| matches!(it.class, MessageClass::Patch | MessageClass::Cover)).count();
        prop_assert_eq!(own, placed);
    }
}

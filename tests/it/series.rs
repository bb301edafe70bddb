//! Series assembly: the cases of `fixtures/mail/series.txt`, in every order of arrival.

use std::collections::BTreeSet;

use lorelint_mail::{Assembly, Head, MessageClass, parse_message};
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

const BODY: &str = "Log.\n\nSigned-off-by: A Person <a@example.org>\n---\n\
    diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n-- \n2.50\n";

fn raw(id: &str, from: &str, subject: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "From: {from}\nTo: list@example.org\nSubject: {subject}\nMessage-ID: <{id}@example.org>\n\
         Date: Wed, 17 Sep 2025 12:00:00 +0000\n\n{body}"
    );
    text.into_bytes()
}

#[test]
fn what_lists_do_to_a_mail_makes_a_copy_of_it() {
    let person = "A Person <a@example.org>";
    let plain = raw("a", person, "[PATCH] x: y", BODY);
    let footer =
        "_______________________________________________\nlist mailing list\nlist@example.org\n";
    let crlf = String::from_utf8(plain.clone())
        .unwrap()
        .replace('\n', "\r\n");
    let via = "A Person via list <list@example.org>\nReply-To: A Person <a@example.org>";
    let copies = [
        (
            "footer",
            raw(
                "a",
                person,
                "[list] [PATCH] x: y",
                &format!("{BODY}{footer}"),
            ),
        ),
        ("sender", raw("a", via, "[PATCH] x: y", BODY)),
        ("line ends", crlf.into_bytes()),
        (
            "signature",
            raw("a", person, "[PATCH] x: y", &BODY.replace("-- \n", "--\n")),
        ),
        ("cut short", raw("a", person, "[PATCH] x: y", &BODY[..40])),
    ];
    for (what, copy) in &copies {
        for mails in [[&plain, copy], [copy, &plain]] {
            let mails: Vec<(usize, &[u8])> =
                mails.iter().map(|it| it.as_slice()).enumerate().collect();
            assert_eq!(
                render(&assemble(&mails)),
                "v1 1/1 complete: a\nduplicate a",
                "{what}"
            );
        }
    }
}

#[test]
fn people_behind_the_address_of_one_list_are_told_apart() {
    let one = raw(
        "a",
        "A Person via list <list@example.org>",
        "[PATCH 1/2] x: one",
        BODY,
    );
    let two = raw(
        "b",
        "B Other via list <list@example.org>",
        "[PATCH 2/2] y: two",
        BODY,
    );
    let own = raw("c", "A Person <a@example.org>", "[PATCH 2/2] x: two", BODY);
    let series = |mails: &[&Vec<u8>]| {
        let mails: Vec<(usize, &[u8])> = mails.iter().map(|it| it.as_slice()).enumerate().collect();
        render(&assemble(&mails))
    };
    assert_eq!(
        series(&[&one, &two]),
        "v1 1/2 incomplete: a _\nv1 1/2 incomplete: _ b"
    );
    assert_eq!(series(&[&one, &own]), "v1 2/2 complete: a c");
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

/// A mail of one of `ids` ids, in answer to one of them or to none.
fn random_mail(ids: usize) -> impl Strategy<Value = String> {
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
        "[RFC v3 1/2] x: one",
        "[PATCH RESEND 2/2] x: two",
        "[PATCH v2] y: else",
    ]);
    let bodies = prop::sample::select(vec![
        "patch",
        "cover",
        "text",
        "pull",
        "patch same",
        "change 2025-x",
        "supersedes m3",
        "depends m2",
    ]);
    (0..ids, 0usize..2, 0u32..4000, 0..ids + 2, subjects, bodies).prop_map(
        move |(id, sender, seconds, parent, subject, body)| {
            let parent = if parent < ids {
                format!("m{parent}")
            } else {
                "-".to_owned()
            };
            format!(
                "m{id} | {} | {seconds} | {parent} | {subject} | {body}",
                ["A", "B"][sender]
            )
        },
    )
}

/// The heads in groups that share a key, transitively: what the service loads together.
fn apart(heads: &[Head]) -> Vec<Vec<Head>> {
    let mut groups: Vec<(BTreeSet<String>, Vec<Head>)> = Vec::new();
    for head in heads {
        let mut joined = (head.keys().into_iter().collect(), vec![head.clone()]);
        let (connected, others): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|it| !it.0.is_disjoint(&joined.0));
        for (keys, heads) in connected {
            joined.0.extend(keys);
            joined.1.extend(heads);
        }
        groups = others;
        groups.push(joined);
    }
    groups.into_iter().map(|it| it.1).collect()
}

/// What is shown of mails assembled at once, and of each group of them by itself.
fn together_and_apart(lines: &[String]) -> (Vec<String>, Vec<String>) {
    let case = series_cases(&format!("\n== random\n{}\n--\n", lines.join("\n"))).remove(0);
    let mails = case.mails.iter().zip(0..);
    let heads: Vec<Head> = mails
        .map(|(it, at)| parse_message(&it.1).head(Some(1_800_000_000 + at)))
        .collect();
    let shown = |heads: &[Head]| -> Vec<String> {
        let assembly = lorelint_mail::assemble(heads);
        render(&assembly).lines().map(str::to_owned).collect()
    };
    let mut together = shown(&heads);
    let mut parts: Vec<String> = apart(&heads).iter().flat_map(|it| shown(it)).collect();
    together.sort();
    parts.sort();
    (together, parts)
}

#[test]
fn a_cover_letter_without_a_tag_has_the_key_of_its_title() {
    for cover in ["x: words | cover", "[RFC] x: words | text"] {
        let lines = [
            "m0 | A | 0 | m3 | [PATCH v5.1 2/2] x: two | patch".to_owned(),
            "m4 | A | 0 | - | x: words | patch".to_owned(),
            format!("m3 | A | 0 | - | {cover}"),
        ];
        let (together, parts) = together_and_apart(&lines);
        assert_eq!(together, parts, "{cover}");
        assert!(
            together.iter().any(|it| it.contains(" replaces m")),
            "{together:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mails_assemble_alike_in_any_order(lines in prop::collection::vec(random_mail(8), 1..14), turn in 0usize..14) {
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

    #[test]
    fn mails_without_a_common_key_do_not_matter_to_each_other(lines in prop::collection::vec(random_mail(5), 1..6)) {
        let (together, parts) = together_and_apart(&lines);
        prop_assert_eq!(together, parts);
    }
}

//! Messages: what a mail says, whatever happened to it on its way.

use lorelint_mail::{Message, parse_message};
use proptest::prelude::*;

const DIFF: &str = "diff --git a/x.c b/x.c\nindex 1111111..2222222 100644\n--- a/x.c\n+++ b/x.c\n@@ -1,2 +1,2 @@\n-old\n+new\n end\n";

fn message(headers: &str, body: &str) -> Message {
    parse_message(format!("{headers}\n{body}").as_bytes())
}

#[track_caller]
fn check_diff(headers: &str, body: &str, expected: Option<&str>) {
    let message = message(headers, body);
    let diff = message
        .diff
        .as_ref()
        .map(|it| String::from_utf8_lossy(it).into_owned());
    assert_eq!(
        diff.as_deref(),
        expected,
        "problems: {:?}",
        message.problems
    );
}

#[test]
fn the_diff_survives_every_transfer_encoding() {
    let plain = format!("Log.\n---\n x.c | 2 +-\n\n{DIFF}-- \n2.50\n");
    check_diff("Subject: x\n", &plain, Some(DIFF));
    check_diff("Subject: x\n", &plain.replace('\n', "\r\n"), Some(DIFF));
    let quoted = plain
        .replace('=', "=3D")
        .replace("--- a/x.c", "--- a/=\nx.c");
    check_diff(
        "Content-Transfer-Encoding: quoted-printable\n",
        &quoted,
        Some(DIFF),
    );
    let with_boundary = format!(
        "preamble\n--b\nContent-Type: text/plain\n\nLog.\n---\n\n--b\nContent-Type: application/octet-stream; name=\"1.patch\"\n\
         Content-Disposition: attachment; filename=\"1.patch\"\n\n{DIFF}\n--b--\n"
    );
    check_diff(
        "Content-Type: multipart/mixed; boundary=b\n",
        &with_boundary,
        Some(DIFF),
    );
    let alternative = format!(
        "--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n<pre>{DIFF}</pre>\n--b--\n"
    );
    check_diff(
        "Content-Type: multipart/alternative; boundary=b\n",
        &alternative,
        Some(DIFF),
    );
}

#[test]
fn carriage_returns_of_the_file_stay_and_those_of_the_transport_go() {
    let dos = DIFF
        .replace("old\n", "old\r\n")
        .replace("new\n", "new\r\n")
        .replace("end\n", "end\r\n");
    check_diff("Subject: x\n", &dos, Some(&dos));
    check_diff("Subject: x\n", &dos.replace('\n', "\r\n"), Some(&dos));
}

#[test]
fn what_surrounds_a_diff_is_no_part_of_it() {
    check_diff(
        "Subject: x\n",
        &format!("{DIFF}-- \nMe\n{DIFF}"),
        Some(DIFF),
    );
    check_diff(
        "Subject: x\n",
        &format!("{DIFF}\nbase-commit: 0123456789\n"),
        Some(DIFF),
    );
    check_diff(
        "Subject: x\n",
        &format!("{DIFF}____\nlist mailing list\n"),
        Some(DIFF),
    );
    let quoted = prefixed("> ");
    check_diff("Subject: x\n", &quoted, None);
    let indented = prefixed("  ");
    check_diff(
        "Subject: x\n",
        &format!("Was:\n\n{indented}\n---\n{DIFF}"),
        Some(DIFF),
    );
    let signed = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nLog.\n{}-----BEGIN PGP SIGNATURE-----\nx\n",
        DIFF.replace("\n-", "\n- -")
    );
    check_diff("Subject: x\n", &signed, Some(DIFF));
}

fn prefixed(prefix: &str) -> String {
    let lines: Vec<String> = DIFF.lines().map(|it| format!("{prefix}{it}\n")).collect();
    lines.concat()
}

#[test]
fn sender_and_author_are_people_not_lists() {
    let via = message(
        "From: \"Jane Doe via linux-x\" <linux-x@lists.example>\nReply-To: Jane Doe <jane@doe.example>\nSubject: [PATCH] x: y\n",
        "",
    );
    assert_eq!(
        (via.from.name.as_str(), via.from.email.as_str()),
        ("Jane Doe", "jane@doe.example")
    );
    let group = message(
        "From: 'Jane Doe' via Group <group@googlegroups.example>\nX-Original-From: Jane Doe <jane@doe.example>\n",
        "",
    );
    assert_eq!(group.from.email, "jane@doe.example");
    let relay = message(
        "From: Jane Doe via B4 Relay <devnull+jane.doe.example@kernel.example>\nReply-To: jane@doe.example\n",
        &format!("From: John Doe <john@doe.example>\nSubject: x: better\n\nLog.\n---\n{DIFF}"),
    );
    assert_eq!(relay.from.email, "jane@doe.example");
    assert_eq!(relay.author.email, "john@doe.example");
    assert_eq!(relay.title, "x: better");
    assert_eq!(relay.commit_message, "Log.");
}

#[test]
fn ids_are_found_and_made() {
    let two = message(
        "Message-ID: <a@x>\nMessage-Id: <b@x>\nReferences: <r@x>\n <s@x>\nIn-Reply-To: Your mail of\n \"Monday\" <s@x>\n",
        "",
    );
    let ids = |list: &[lorelint_mail::MessageId]| {
        list.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(ids(&two.ids), ["a@x", "b@x"]);
    assert_eq!(ids(&two.references), ["r@x", "s@x"]);
    assert_eq!(
        two.head(None).parent.map(|it| it.to_string()).as_deref(),
        Some("s@x")
    );
    assert_eq!(ids(&message("Message-ID: a@x\n", "").ids), ["a@x"]);
    assert_eq!(
        ids(&message("Message-ID: (note)\n <a@\n x> (more)\n", "").ids),
        ["a@x"]
    );
    let none = message("Subject: x\n", "y");
    assert!(none.synthetic_id);
    assert_eq!(none.ids, message("Subject: x\n", "y").ids);
    assert_ne!(none.ids, message("Subject: x\n", "z").ids);
    let injected = message("Message-ID: =?utf-8?q?=3Ca=40x=3E=0D=0ABcc:_v=40x?=\n", "");
    assert!(injected.synthetic_id);
}

#[test]
fn only_hex_is_a_base() {
    let base = |line: &str| {
        message("Subject: x\n", &format!("{DIFF}\n{line}\n"))
            .declared
            .base_commit
    };
    assert_eq!(
        base("base-commit: 0123456789abcdef").as_deref(),
        Some("0123456789abcdef")
    );
    assert_eq!(base("base-commit: --output=/tmp/x"), None);
    assert_eq!(base("base-commit: abc"), None);
    assert_eq!(base("base-commit: refs/heads/x"), None);
    assert_eq!(base("base-commit: 0123456789ABCDEF"), None);
}

#[test]
fn dates_are_capped_by_the_archive() {
    let late = message("Date: Thu, 31 Dec 2099 23:59:59 +0000\n", "");
    assert_eq!(late.head(Some(1_700_000_000)).date, 1_700_000_000);
    let junk = message(
        "Date: yesterday\nReceived: by x; Mon, 18 Nov 2024 09:00:00 +0000\n",
        "",
    );
    assert_eq!(junk.date, None);
    assert_eq!(junk.head(None).date, 1_731_920_400);
}

fn is_one_line(text: &str) -> bool {
    !text.contains(['\0', '\r', '\n'])
}

fn check_clean(message: &Message) {
    assert!(
        is_one_line(&message.subject.raw)
            && is_one_line(&message.title)
            && is_one_line(&message.date_raw)
    );
    let people = [&message.from, &message.author].into_iter();
    for person in people
        .chain(&message.to)
        .chain(&message.cc)
        .chain(&message.reply_to)
    {
        assert!(
            is_one_line(&person.name) && is_one_line(&person.email),
            "{person:?}"
        );
    }
    for id in message
        .ids
        .iter()
        .chain(&message.references)
        .chain(&message.in_reply_to)
    {
        assert!(is_one_line(id.as_str()) && !id.as_str().contains(' ') && id.as_str().len() <= 300);
    }
    assert!(message.list_ids.iter().all(|it| is_one_line(it)));
    assert!(!message.text.contains('\0'));
    let head = message.head(None);
    assert!(head.keys().iter().all(|it| it.len() <= 400));
    assert_eq!(lorelint_mail::assemble(&[head]).placements.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(raw in proptest::collection::vec(any::<u8>(), 0..2000)) {
        check_clean(&parse_message(&raw));
        let mails = lorelint_mail::mbox::split(&raw).count();
        prop_assert!(mails <= raw.len());
    }

    #[test]
    fn broken_mails_are_read(cuts in proptest::collection::vec((0usize..1500, any::<u8>()), 0..30), end in 0usize..1500) {
        let mut raw = format!(
            "From: =?utf-8?q?J=C3=B6?= <a@x.example>\nTo: \"Doe, J\" <b@x.example>, c@x.example\nSubject: [PATCH v2 1/3] =?utf-8?b?w7Y=?=: y\n\
             Message-ID: <a@x>\nReferences: <b@x> <c@x>\nDate: Mon, 18 Nov 2024 09:00:00 +0000\nList-Id: x <x.example>\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: quoted-printable\n\nFrom: x <x@x>\n\nLog.\n---\n\
             --b\nContent-Type: text/x-patch\nContent-Transfer-Encoding: base64\n\nZGlmZiAtLWdpdCBhL3ggYi94Cg==\n--b\n\n{DIFF}\n--b--\n"
        ).into_bytes();
        for (at, byte) in cuts {
            let at = at % raw.len();
            raw[at] = byte;
        }
        raw.truncate(end);
        check_clean(&parse_message(&raw));
    }
}

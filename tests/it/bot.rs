//! The bot: who gets a reply, and the text of it.

use lorelintd::bot::header::{HeaderMessageId, Mailbox};
use lorelintd::bot::{
    BotIdentity, Decision, ListRules, MailFacts, PatchMail, Reason, Recipients, ReplyInput,
    SeriesFacts, SeriesRef, compose, decide,
};
use lorelintd::model::{
    Confidence, Finding, FindingAnchor, FindingDraft, FindingId, FindingState, Hop, ListPolicy,
    Place, SeriesId, Severity, Timestamp, Via,
};
use lorelintd::report::parse_diff;

const DIFF: &str = "\
diff --git a/fs/demofs/inode.c b/fs/demofs/inode.c
index 1111111..2222222 100644
--- a/fs/demofs/inode.c
+++ b/fs/demofs/inode.c
@@ -40,6 +40,22 @@ static struct workqueue_struct *demofs_wq;
 \treturn 0;
 }
 
+/* Drops n references from anywhere. */
+void demofs_put_async(struct inode *inode, int n)
+{
+\tstruct demofs_inode *di = DEMOFS_I(inode);
+
+\tif (!inode)
+\t\treturn;
+
+\tif (atomic_sub_return(n, &inode->i_count) > 0)
+\t\treturn;
+
+\tpr_debug(\"last reference of %lu\\n\", inode->i_ino);
+\tdi->pending = true;
+\tset_bit(DEMOFS_PENDING, &di->flags);
+\tatomic_set(&inode->i_count, 1);
+\tqueue_work(demofs_wq, &di->work);
+}
+
 static void demofs_forget(struct inode *inode)
 {
 \tclear_inode(inode);
@@ -90,7 +106,8 @@ static void demofs_invalidate_folio(struct folio *folio, size_t from, size_t len
 \tstruct inode *inode = folio->mapping->host;
 \tint refs;
 
-\trefs = demofs_detach(folio);
+\trefs = demofs_detach_all(folio);
+\tdemofs_put_refs(inode, refs);
 \tfolio_wait_fscache(folio);
 }
 
-- 
2.51.0
";

fn mailbox(text: &str) -> Mailbox {
    Mailbox::parse(text).expect("the tests write good addresses")
}

fn bot() -> BotIdentity {
    BotIdentity {
        from: mailbox("lorelint <bot@lint.example.org>"),
        contact: mailbox("people@lint.example.org"),
        base_url: Some("https://lint.example.org".to_owned()),
    }
}

fn finding(rule: &str, severity: Severity) -> Finding {
    Finding {
        id: FindingId(1),
        series: SeriesId(7),
        detail: FindingDraft {
            state: FindingState::New,
            patch: Some(1),
            rule: rule.to_owned(),
            severity,
            confidence: Confidence::High,
            file: "fs/demofs/inode.c".to_owned(),
            line: 57,
            column: 2,
            function: "demofs_put_async".to_owned(),
            statement: "atomic_set(&inode->i_count, 1)".to_owned(),
            contexts: Vec::new(),
            path: Vec::new(),
            message: "i_count is dropped to zero and then set back: another CPU may have taken or freed the inode in between".to_owned(),
            help: "Never let i_count reach zero outside iput(). btrfs_add_delayed_iput() does it differently: atomic_add_unless(&inode->i_count, -1, 1) drops a reference only while it is not the last, and the last one is handed to a worker that calls iput()".to_owned(),
            related: vec![Place {
                file: "fs/demofs/inode.c".to_owned(),
                line: 51,
                message: "the count may reach zero here".to_owned(),
            }],
            fingerprint: "00112233445566778899aabbccddeeff".to_owned(),
            anchor: Some(FindingAnchor { file: "fs/demofs/inode.c".to_owned(), line: 57 }),
            in_diff: true,
        },
        seen_in_versions: Vec::new(),
    }
}

fn hop(function: &str, file: &str, line: u32, via: Via, through: &str) -> Hop {
    Hop {
        function: function.to_owned(),
        file: file.to_owned(),
        line,
        via,
        through: through.to_owned(),
    }
}

fn unsafe_iput() -> Finding {
    let mut finding = finding("unsafe-iput", Severity::Error);
    "ffeeddccbbaa99887766554433221100".clone_into(&mut finding.detail.fingerprint);
    "iput(inode)".clone_into(&mut finding.detail.statement);
    "demofs_put_refs".clone_into(&mut finding.detail.function);
    "fs/demofs/refs.c".clone_into(&mut finding.detail.file);
    finding.detail.line = 33;
    finding.detail.contexts = vec!["writeback".to_owned()];
    "iput() may drop the last reference in writeback: evict() waits in inode_wait_for_writeback() for the I_SYNC that this task holds".clone_into(&mut finding.detail.message);
    "Do not drop what may be the last reference here".clone_into(&mut finding.detail.help);
    finding.detail.related.clear();
    finding.detail.anchor = Some(FindingAnchor {
        file: "fs/demofs/inode.c".to_owned(),
        line: 110,
    });
    finding.detail.in_diff = false;
    finding.detail.path = vec![
        hop(
            "demofs_writepages",
            "fs/demofs/inode.c",
            210,
            Via::Root,
            "address_space_operations.writepages",
        ),
        hop(
            "demofs_write_batch",
            "fs/demofs/inode.c",
            190,
            Via::Direct,
            "",
        ),
        hop(
            "demofs_check_folio",
            "fs/demofs/inode.c",
            170,
            Via::Direct,
            "",
        ),
        hop(
            "folio_invalidate",
            "fs/demofs/inode.c",
            150,
            Via::Direct,
            "",
        ),
        hop(
            "demofs_invalidate_folio",
            "mm/truncate.c",
            20,
            Via::Ops,
            "address_space_operations.invalidate_folio",
        ),
        hop("demofs_put_refs", "fs/demofs/inode.c", 110, Via::Direct, ""),
    ];
    finding
}

fn patch_mail() -> PatchMail {
    let id = |text| HeaderMessageId::parse(text).expect("the tests write good ids");
    PatchMail {
        message_id: id("20260102.2-ana@example.org"),
        references: vec![id("20260102.0-ana@example.org")],
        subject: "[PATCH v2 1/2] demofs: drop references from a worker".to_owned(),
        author: "Ana Exámple".to_owned(),
        sent_at: Timestamp::from_seconds(1_767_348_000),
    }
}

fn reply(findings: &[Finding]) -> String {
    let files = parse_diff(DIFF.as_bytes());
    let recipients = Recipients {
        to: Mailbox::new(Some("Ana Exámple"), "ana@example.org").expect("good address"),
        cc: vec![mailbox("demofs@lists.example.org")],
    };
    let series = SeriesRef {
        id: 7,
        version: 2,
        index: 1,
        total: 2,
        base: "demo at 0123456789ab".to_owned(),
        progress: None,
    };
    let input = ReplyInput {
        bot: &bot(),
        patch: &patch_mail(),
        series: &series,
        files: &files,
        findings,
        gap_count: 1,
        now: Timestamp::from_seconds(1_767_351_600),
    };
    compose(&input, &recipients).map_or_else(String::new, |it| it.raw)
}

#[test]
fn a_reply_quotes_the_lines_and_says_what_to_do_instead() {
    insta::assert_snapshot!(reply(&[
        finding("i-count-resurrect", Severity::Error),
        unsafe_iput()
    ]));
}

#[test]
fn what_an_earlier_version_had_is_said_in_one_line() {
    let mut known = unsafe_iput();
    known.seen_in_versions = vec![1];
    insta::assert_snapshot!(reply(&[known]));
}

#[test]
fn no_findings_no_mail() {
    assert_eq!(reply(&[]), "");
}

#[test]
fn the_same_findings_give_the_same_message_id() {
    let id = |findings: &[Finding]| {
        reply(findings)
            .lines()
            .find(|it| it.starts_with("Message-ID:"))
            .map(str::to_owned)
    };
    let one = [unsafe_iput()];
    let other = [finding("i-count-resurrect", Severity::Error)];
    assert_eq!(id(&one), id(&one));
    assert_ne!(id(&one), id(&other));
}

#[test]
fn hostile_text_stays_text() {
    let mut hostile = finding("i-count-resurrect", Severity::Error);
    hostile.detail.message = "x\u{1b}[2J\r\nBcc: victim@example.org".to_owned();
    let files = parse_diff(b"--- a/fs/demofs/inode.c\n+++ b/fs/demofs/inode.c\n@@ -57,1 +57,2 @@\n x\n+\x1b[31m\xffred\r\n");
    let mut mail = patch_mail();
    mail.subject = "[PATCH] x\r\nBcc: victim@example.org".to_owned();
    let recipients = Recipients {
        to: mailbox("ana@example.org"),
        cc: Vec::new(),
    };
    let series = SeriesRef {
        id: 7,
        version: 1,
        index: 1,
        total: 1,
        base: "demo".to_owned(),
        progress: None,
    };
    let input = ReplyInput {
        bot: &bot(),
        patch: &mail,
        series: &series,
        files: &files,
        findings: &[hostile],
        gap_count: 0,
        now: Timestamp::from_seconds(1_767_351_600),
    };
    insta::assert_snapshot!(compose(&input, &recipients).map_or_else(String::new, |it| it.raw));
}

fn verdict(
    policy: ListPolicy,
    change: impl FnOnce(&mut MailFacts, &mut SeriesFacts, &mut ListRules),
) -> String {
    let mut rules = ListRules {
        list: mailbox("demofs@lists.example.org"),
        policy,
        max_per_day: 5,
        opted_out: vec!["Quiet@example.org".to_owned()],
    };
    let mut mail = MailFacts {
        message_id: "1@example.org".to_owned(),
        from_name: Some("Ana".to_owned()),
        from_address: "ana@example.org".to_owned(),
        is_from_list: true,
        precedence: Some("bulk".to_owned()),
        ..MailFacts::default()
    };
    let mut series = SeriesFacts {
        is_applied: true,
        ..SeriesFacts::default()
    };
    change(&mut mail, &mut series, &mut rules);
    match decide(&bot(), &rules, &mail, series) {
        Decision::Send(it) => format!("send to {}, cc {}", it.to, it.cc.len()),
        Decision::Wait(_, reason) => format!("wait: {}", reason.as_str()),
        Decision::Never(_, reason) => format!("never: {}", reason.as_str()),
    }
}

#[test]
fn the_policy_decides_and_silence_is_the_default() {
    assert_eq!(ListPolicy::default(), ListPolicy::Silent);
    assert_eq!(
        verdict(ListPolicy::Silent, |_, _, _| ()),
        "wait: silent-list"
    );
    assert_eq!(
        verdict(ListPolicy::Author, |_, _, _| ()),
        "send to Ana <ana@example.org>, cc 0"
    );
    assert_eq!(
        verdict(ListPolicy::List, |_, _, _| ()),
        "send to Ana <ana@example.org>, cc 1"
    );
    assert_eq!(
        verdict(ListPolicy::List, |_, it, _| it.sent_today = 5),
        "wait: daily-limit"
    );
    assert_eq!(
        verdict(ListPolicy::List, |_, it, _| it.is_rfc = true),
        "wait: rfc"
    );
    assert_eq!(
        verdict(ListPolicy::List, |_, it, _| it.is_superseded = true),
        "wait: superseded"
    );
}

#[test]
fn loops_robots_and_broken_series_get_no_reply() {
    type Change = fn(&mut MailFacts, &mut SeriesFacts, &mut ListRules);
    let cases: [(Change, Reason); 12] = [
        (
            |it, _, _| "bot@lint.example.org".clone_into(&mut it.from_address),
            Reason::OwnMail,
        ),
        (
            |it, _, _| "BOT+x1@lint.example.org".clone_into(&mut it.from_address),
            Reason::OwnMail,
        ),
        (|it, _, _| it.is_looped = true, Reason::AutomaticMail),
        (
            |it, _, _| it.auto_submitted = Some("auto-replied".to_owned()),
            Reason::AutomaticMail,
        ),
        (|it, _, _| it.is_robot = true, Reason::OtherBot),
        (
            |it, _, _| it.precedence = Some("junk".to_owned()),
            Reason::BulkMail,
        ),
        (|it, _, _| it.is_from_list = false, Reason::BulkMail),
        (
            |it, _, _| "quiet@EXAMPLE.org".clone_into(&mut it.from_address),
            Reason::OptedOut,
        ),
        (
            |it, _, _| "demofs@lists.example.org".clone_into(&mut it.from_address),
            Reason::NoAddress,
        ),
        (
            |it, _, _| "a@b\r\nBcc: c@d".clone_into(&mut it.from_address),
            Reason::NoAddress,
        ),
        (
            |it, _, _| "no at sign".clone_into(&mut it.message_id),
            Reason::NoThread,
        ),
        (|_, it, _| it.is_applied = false, Reason::NotApplied),
    ];
    for (index, (change, reason)) in cases.into_iter().enumerate() {
        let expected = format!("never: {}", reason.as_str());
        assert_eq!(verdict(ListPolicy::List, change), expected, "case {index}");
    }
}

#[test]
fn auto_submitted_no_is_a_person() {
    let actual = verdict(ListPolicy::Author, |it, _, _| {
        it.auto_submitted = Some("no".to_owned());
    });
    assert_eq!(actual, "send to Ana <ana@example.org>, cc 0");
}

//! Replies by SMTP, against scripted servers on loopback: what is tried again, and what never is.

use lorelint_tests::app::TestStore;
use lorelint_tests::command::{Ended, lorelintd};
use lorelint_tests::daemon::{Exchange, Scripted};
use lorelint_tests::listmail::Mail;
use lorelintd::ingest::deliver;
use lorelintd::model::{OutboxDraft, OutboxId, OutboxState, SeriesFilter, Timestamp};

const LIST: &str = "list@lists.example";
const NOW: Timestamp = Timestamp::from_seconds(1_767_400_000);
const RAW: &str =
    "From: bot@lorelint.example\nTo: ann@dev.example\nSubject: Re: x\n\n.a line\nanother\n";
/// Lines of the mail on the wire, with the one that ends it.
const RAW_LINES: usize = 7;

const HELLO: Exchange<'static> = (0, b"220 mx\r\n");
const OK: Exchange<'static> = (1, b"250 ok\r\n");
const GO: Exchange<'static> = (1, b"354 go\r\n");
const BYE: Exchange<'static> = (1, b"221 bye\r\n");
const TAKEN: Exchange<'static> = (RAW_LINES, b"250 taken\r\n");
/// What comes before each mail: EHLO, NOOP, QUIT.
const PROBE: &[Exchange<'static>] = &[HELLO, OK, OK, BYE];
/// EHLO, MAIL, RCPT, DATA, the mail, QUIT.
const GOOD: &[Exchange<'static>] = &[HELLO, OK, OK, OK, GO, TAKEN, BYE];

/// A database with one approved reply.
async fn with_reply() -> TestStore {
    let test = TestStore::new().await;
    let patch = Mail::patch("p@x", "[PATCH] fs: one", "fs/one.c");
    deliver(&test.store, LIST, patch.raw(), NOW).await.unwrap();
    let series = test
        .store
        .series_list(&SeriesFilter::default(), <_>::default())
        .await
        .unwrap();
    let draft = OutboxDraft {
        series: series.items[0].id,
        list: LIST.to_owned(),
        message_id: "reply@lorelint.example".to_owned(),
        in_reply_to: "p@x".to_owned(),
        to: vec!["Ann Author <ann@dev.example>".to_owned()],
        cc: Vec::new(),
        subject: "Re: x".to_owned(),
        raw: RAW.to_owned(),
        state: OutboxState::Approved,
        reason: "test".to_owned(),
    };
    test.store.put_replies(&[draft], NOW).await.unwrap();
    test
}

/// Works the queue off with the mail server on this port.
async fn work(test: &TestStore, port: u16) -> Ended {
    let config = test.dir.path().join("config.toml");
    let text = format!(
        "[mail]\nfrom = \"bot <bot@lorelint.example>\"\ntransport = \"smtp://127.0.0.1:{port}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let database = TestStore::address(&test.dir);
    let line = [
        "--config",
        config.to_str().unwrap(),
        "--database",
        database.as_str(),
        "work",
        "--until-idle",
    ];
    lorelintd(&line, b"").await
}

async fn reply(test: &TestStore) -> (OutboxState, String) {
    let item = test.store.outbox_item(OutboxId(1)).await.unwrap().unwrap();
    (item.entry.state, item.entry.reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_put_off_is_sent_later_and_once() {
    let test = with_reply().await;
    let server = Scripted::new(&[
        PROBE,
        &[HELLO, OK, OK, (1, b"451 busy\r\n"), BYE],
        PROBE,
        GOOD,
    ]);
    let port = server.port;
    work(&test, port).await;
    let (state, reason) = reply(&test).await;
    assert_eq!(state, OutboxState::Approved);
    assert!(reason.starts_with("not sent yet: "), "{reason}");
    // A start of the service takes up what is approved.
    let ended = work(&test, port).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(reply(&test).await.0, OutboxState::Sent);
    let heard = server.heard();
    let start = heard.iter().rposition(|it| it == "DATA").unwrap();
    assert_eq!(
        heard[start - 2..],
        [
            "MAIL FROM:<bot@lorelint.example>",
            "RCPT TO:<ann@dev.example>",
            "DATA",
            "From: bot@lorelint.example",
            "To: ann@dev.example",
            "Subject: Re: x",
            "",
            "..a line",
            "another",
            ".",
            "QUIT",
        ]
    );
    assert_eq!(heard.iter().filter(|it| *it == "DATA").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_refused_is_not_tried_again() {
    let test = with_reply().await;
    let server = Scripted::new(&[PROBE, &[HELLO, OK, OK, (1, b"550 no such user\r\n"), BYE]]);
    work(&test, server.port).await;
    let (state, reason) = reply(&test).await;
    assert_eq!(state, OutboxState::Failed);
    assert!(
        reason.starts_with("refused: ") && reason.contains("550"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_may_have_left_is_not_sent_twice() {
    let test = with_reply().await;
    // The whole mail is there, and the server goes without a word.
    let server = Scripted::new(&[PROBE, &[HELLO, OK, OK, OK, GO, (RAW_LINES, b"")]]);
    work(&test, server.port).await;
    let (state, reason) = reply(&test).await;
    assert_eq!(state, OutboxState::Sending);
    assert!(reason.starts_with("perhaps sent"), "{reason}");
    let nobody = lorelint_tests::daemon::free_port();
    let ended = work(&test, nobody).await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(reply(&test).await.0, OutboxState::Sending);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_tried_again() {
    let test = with_reply().await;
    work(&test, lorelint_tests::daemon::free_port()).await;
    assert_eq!(reply(&test).await.0, OutboxState::Approved);
    let server = Scripted::new(&[PROBE, GOOD]);
    work(&test, server.port).await;
    assert_eq!(reply(&test).await.0, OutboxState::Sent);
}

//! Sources on servers: real daemons on loopback, and scripted ones that misbehave.

use std::time::Duration;

use lorelint_tests::app::TestStore;
use lorelint_tests::daemon::{Dovecot, Postfix, PublicInbox, Scripted};
use lorelint_tests::listmail::{Commit, Mail, small_series, write_archive, write_epoch};
use lorelint_tests::program::write_script;
use lorelintd::ingest::{Access, IngestError, Login, Run, SourceSpec};
use lorelintd::model::{IngestCounts, SeriesFilter, SeriesState, Timestamp};
use lorelintd::store::Store;

const LIST: &str = "list@lists.example";

fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_400_000)
}

async fn run(store: &Store, source: &str, access: &Access) -> Result<IngestCounts, IngestError> {
    let source = SourceSpec::parse(source)?;
    let run = Run {
        list: LIST,
        source: &source,
        access,
        clock: &now,
    };
    run.run(store, |_| {}).await
}

async fn read(store: &Store, source: &str) -> IngestCounts {
    run(store, source, &Access::default())
        .await
        .expect("the source is read")
}

fn stored_known(counts: IngestCounts) -> (u64, u64) {
    (counts.stored, counts.known)
}

fn raws() -> Vec<Vec<u8>> {
    let mut mails = small_series();
    // What a transport has to quote.
    mails[0].body.push_str(".\n..\n.x\nFrom here\n");
    mails.iter().map(Mail::raw).collect()
}

async fn complete_series(store: &Store) -> usize {
    let page = store
        .series_list(&SeriesFilter::default(), <_>::default())
        .await;
    let all = page.expect("series can be listed").items;
    all.iter()
        .filter(|it| it.state == SeriesState::Complete)
        .count()
}

/// Follows one archive through a daemon: from the start, again, after more came, and against the archive itself.
async fn check_daemon(protocol: &str, folder: &str) {
    let test = TestStore::new().await;
    let mails = raws();
    let commits: Vec<_> = mails.iter().map(|it| Commit::Mail(it)).collect();
    let archive = write_archive(test.dir.path(), &commits[..2]);
    let Some(inbox) = PublicInbox::new(test.dir.path(), &archive) else {
        return;
    };
    let (_daemon, port) = inbox.serve(protocol);
    let source = format!("{protocol}://127.0.0.1:{port}/{folder}");
    assert_eq!(stored_known(read(&test.store, &source).await), (2, 0));
    assert_eq!(read(&test.store, &source).await, IngestCounts::default());
    write_archive(test.dir.path(), &commits);
    inbox.index();
    assert_eq!(stored_known(read(&test.store, &source).await), (1, 0));
    assert_eq!(complete_series(&test.store).await, 1);
    // The same mails as the archive has, byte for byte.
    let archive = format!("public-inbox:{}", archive.display());
    assert_eq!(stored_known(read(&test.store, &archive).await), (0, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_news_group_of_public_inbox_is_followed() {
    check_daemon("nntp", "inbox.test").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imap_folder_of_public_inbox_is_followed() {
    check_daemon("imap", "inbox.test.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_public_inbox_serves_is_mirrored() {
    let test = TestStore::new().await;
    let mails = raws();
    let commits: Vec<_> = mails.iter().map(|it| Commit::Mail(it)).collect();
    let archive = write_archive(test.dir.path(), &commits);
    let Some(inbox) = PublicInbox::new(test.dir.path(), &archive) else {
        return;
    };
    let (_daemon, port) = inbox.serve("http");
    let source = format!("public-inbox:http://127.0.0.1:{port}/test");
    assert_eq!(stored_known(read(&test.store, &source).await), (3, 0));
    assert_eq!(read(&test.store, &source).await, IngestCounts::default());
    // The manifest names a new epoch, and one that changed.
    let late = Mail::new("late@x", "Re: [PATCH 1/2] fs: one")
        .under("p1@x")
        .raw();
    let later = Mail::new("later@x", "Re: [PATCH 2/2] fs: two")
        .under("p2@x")
        .raw();
    write_epoch(test.dir.path(), 1, &[Commit::Mail(&late)]);
    inbox.index();
    assert_eq!(stored_known(read(&test.store, &source).await), (1, 0));
    write_epoch(
        test.dir.path(),
        1,
        &[Commit::Mail(&late), Commit::Mail(&later)],
    );
    inbox.index();
    assert_eq!(stored_known(read(&test.store, &source).await), (1, 0));
    assert_eq!(read(&test.store, &source).await, IngestCounts::default());
}

fn access(dovecot: &Dovecot, password: &str) -> Access {
    let login = |host: &str| Login {
        host: host.to_owned(),
        user: "me".to_owned(),
        password: password.to_owned(),
    };
    Access {
        logins: vec![login("127.0.0.1"), login("localhost")],
        certificates: Some(dovecot.certificate.clone()),
        wait: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_dovecot_is_followed_with_and_without_encryption() {
    let test = TestStore::new().await;
    let Some(dovecot) = Dovecot::start(test.dir.path()) else {
        return;
    };
    let mails = raws();
    dovecot.deliver("1.a", &mails[0]);
    dovecot.deliver("2.a", &mails[1]);
    let access = access(&dovecot, Dovecot::PASSWORD);
    let plain = format!("imap://me@127.0.0.1:{}/INBOX", dovecot.port);
    let counts = run(&test.store, &plain, &access).await.unwrap();
    assert_eq!(stored_known(counts), (2, 0));
    dovecot.deliver("3.a", &mails[2]);
    let counts = run(&test.store, &plain, &access).await.unwrap();
    assert_eq!(stored_known(counts), (1, 0));
    assert_eq!(complete_series(&test.store).await, 1);

    // Another source of the same mails.
    let encrypted = format!("imaps://localhost:{}/INBOX", dovecot.tls_port);
    let counts = run(&test.store, &encrypted, &access).await.unwrap();
    assert_eq!(stored_known(counts), (0, 3));
    let untrusting = Access {
        certificates: None,
        ..access.clone()
    };
    let error = run(&test.store, &encrypted, &untrusting).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    // New numbers for all: nothing is stored twice, and the next run starts after them.
    std::fs::remove_file(dovecot.maildir.join("dovecot-uidlist")).unwrap();
    for file in ["dovecot.index.log", "dovecot.index", "dovecot.index.cache"] {
        drop(std::fs::remove_file(dovecot.maildir.join(file)));
    }
    let counts = run(&test.store, &plain, &access).await.unwrap();
    assert_eq!(counts.stored, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_login_is_named_without_the_password() {
    let test = TestStore::new().await;
    let Some(dovecot) = Dovecot::start(test.dir.path()) else {
        return;
    };
    let source = format!("imap://me@127.0.0.1:{}/INBOX", dovecot.port);
    let wrong = access(&dovecot, "not-the-password");
    let error = run(&test.store, &source, &wrong).await.unwrap_err();
    let expected = format!(
        "127.0.0.1:{}: opening the folder: the server says: [AUTHENTICATIONFAILED] Authentication failed.",
        dovecot.port
    );
    assert_eq!(error.to_string(), expected);
    let error = run(&test.store, &source, &Access::default()).await;
    assert!(error.unwrap_err().to_string().contains("[[logins]]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_comes_while_a_run_waits_is_stored_by_that_run() {
    let test = TestStore::new().await;
    let Some(dovecot) = Dovecot::start(test.dir.path()) else {
        return;
    };
    let mails = raws();
    dovecot.deliver("1.a", &mails[0]);
    let access = Access {
        wait: Some(Duration::from_secs(12)),
        ..access(&dovecot, Dovecot::PASSWORD)
    };
    let source = format!("imap://me@127.0.0.1:{}/INBOX", dovecot.port);
    let source = SourceSpec::parse(&source).unwrap();
    let run = Run {
        list: LIST,
        source: &source,
        access: &access,
        clock: &now,
    };
    // The second mail is delivered when the first is stored, so that it cannot have been there at the start.
    let counts = run
        .run(&test.store, |progress| {
            if progress.counts.stored == 1 {
                dovecot.deliver("2.a", &mails[1]);
            }
        })
        .await
        .unwrap();
    assert_eq!(stored_known(counts), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_hands_mail_to_the_pipe() {
    let test = TestStore::new().await;
    let program = test.dir.path().join("deliver.sh");
    let database = format!(
        "sqlite:{}",
        test.dir.path().join("db/lorelint.sqlite").display()
    );
    std::fs::create_dir(test.dir.path().join("db")).unwrap();
    lorelint_tests::daemon::open_up(&test.dir.path().join("db"));
    write_script(
        &program,
        &["--database", &database, "deliver", "--list", LIST],
    );
    let Some(postfix) = Postfix::start(test.dir.path(), &program) else {
        return;
    };
    for mail in raws() {
        assert!(postfix.submit(&mail), "postfix takes the mail");
    }
    // Postfix delivers in its own time.
    let mut found = Vec::new();
    for _ in 0..600 {
        // Whoever opens a missing database creates it, and it is to be the one that postfix starts.
        let is_there = test.dir.path().join("db/lorelint.sqlite").exists();
        if is_there && let Ok(store) = Store::open(&database).await {
            found = store
                .lists()
                .await
                .unwrap_or_default()
                .iter()
                .map(|it| it.mail_count)
                .collect();
            store.close().await;
        }
        if found == [3] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("mails on the lists: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_article_that_breaks_off_is_read_again_by_the_next_connection() {
    let test = TestStore::new().await;
    let greeting: (usize, &[u8]) = (0, b"200 hello\r\n");
    let reader: (usize, &[u8]) = (1, b"500 what?\r\n");
    let group: (usize, &[u8]) = (1, b"211 2 1 2 list\r\n");
    let mails: Vec<String> = raws()
        .iter()
        .map(|it| {
            String::from_utf8(it.clone())
                .unwrap()
                .replace('\n', "\r\n")
                .replace("\r\n.", "\r\n..")
        })
        .collect();
    let first = format!(
        "220 1 <c@x>\r\n{}.\r\n220 2 <p1@x>\r\n{}",
        mails[0],
        &mails[1][..80]
    );
    let second = format!("220 2 <p1@x>\r\n{}.\r\n", mails[1]);
    let server = Scripted::new(&[
        &[greeting, reader, group, (2, first.as_bytes())],
        &[greeting, reader, group, (1, second.as_bytes())],
    ]);
    let source = format!("nntp://127.0.0.1:{}/list", server.port);
    let counts = read(&test.store, &source).await;
    assert_eq!((counts.read, counts.stored, counts.refused), (2, 2, 0));
    let lines = server.heard();
    assert_eq!(lines.last().map(String::as_str), Some("ARTICLE 2"));
}

/// A connection that is answered with this, after `count` lines of the client.
async fn check_error(scheme: &str, script: &[(usize, &[u8])], expected: &str) {
    let test = TestStore::new().await;
    let server = Scripted::new(&[script]);
    let address = format!("127.0.0.1:{}", server.port);
    let source = format!("{scheme}://{address}/list");
    let access = Access {
        logins: vec![Login {
            host: "127.0.0.1".to_owned(),
            user: "me".to_owned(),
            password: "secret".to_owned(),
        }],
        ..Access::default()
    };
    let error = run(&test.store, &source, &access).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(text.strip_prefix(&address), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn news_servers_that_do_not_keep_the_protocol_are_named() {
    let hello: (usize, &[u8]) = (0, b"200 hello\r\n");
    let reader: (usize, &[u8]) = (1, b"500 what?\r\n");
    let login: (usize, &[u8]) = (1, b"281 welcome\r\n");
    let doing = ": opening the group: ";
    let violation = "the server's answer is not what the protocol allows: ";
    let endless = vec![b'2'; 100_000];
    for (script, expected) in [
        (
            vec![(0, &b"400 too busy\r\n"[..])],
            "the server says: 400 too busy".to_owned(),
        ),
        (
            vec![(0, b"SSH-2.0-x\r\n")],
            format!("{violation}\"SSH-2.0-x\" is no status"),
        ),
        (
            vec![(0, &endless)],
            "the server sent a line of more than 4096 bytes".to_owned(),
        ),
        (
            vec![hello, reader, login, (1, b"411 no such group\r\n")],
            "the server says: 411 no such group".to_owned(),
        ),
        (
            vec![hello, reader, login, (1, b"211 many\r\n")],
            format!("{violation}GROUP gave \"many\""),
        ),
        (
            vec![hello, reader, login],
            "the server ended the connection".to_owned(),
        ),
        (
            vec![hello, reader, (1, b"481 no\r\n")],
            "the server says: 481 no".to_owned(),
        ),
    ] {
        check_error("nntp", &script, &format!("{doing}{expected}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_servers_that_do_not_keep_the_protocol_are_named() {
    let open: (usize, &[u8]) = (
        0,
        b"* OK [CAPABILITY IMAP4rev1] hello\r\na1 OK in\r\n* CAPABILITY IMAP4rev1\r\na2 OK\r\n",
    );
    let folder: (usize, &[u8]) = (3, b"* 1 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\na3 OK\r\n");
    let violation = "the server's answer is not what the protocol allows: ";
    let (opening, reading) = (": opening the folder: ", ": reading after UID 0: ");
    for (script, expected) in [
        (vec![(0, &b"* BYE too busy\r\n"[..])], format!("{opening}the server says: BYE too busy")),
        (vec![(0, b"220 smtp\r\n")], format!("{opening}{violation}\"220 smtp\" is no response")),
        (vec![open, (3, b"a3 NO no such folder\r\n")], format!("{opening}the server says: no such folder")),
        (vec![open, (3, b"* 1 EXISTS\r\na3 OK\r\n")], format!("{opening}{violation}the folder has no UIDVALIDITY")),
        (
            vec![open, folder, (1, b"* 1 FETCH (UID 1 RFC822.SIZE 9)\r\na4 OK\r\n* 1 FETCH (UID 1 BODY[] {999999999}\r\n")],
            format!("{reading}{violation}a literal of 999999999 bytes where 71303168 may come"),
        ),
        (
            vec![open, folder, (1, b"* 1 FETCH (UID 1 RFC822.SIZE 9)\r\na4 OK\r\n* 1 FETCH (UID 1 BODY[] {99}\r\nhalf")],
            format!("{reading}the server ended the connection"),
        ),
    ] {
        check_error("imap", &script, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_go_or_are_too_large_are_told_apart() {
    let test = TestStore::new().await;
    let mail = String::from_utf8(raws()[0].clone())
        .unwrap()
        .replace('\n', "\r\n");
    let folder = "* PREAUTH hello\r\na1 OK\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\na2 OK\r\n";
    let sizes = "* 9 FETCH (UID 90 RFC822.SIZE 9)\r\n* 3 FETCH (RFC822.SIZE 9 UID 30)\r\n\
        * 1 FETCH (UID 10 RFC822.SIZE 9)\r\n* 2 FETCH (UID 20 RFC822.SIZE 99999999)\r\na3 OK\r\n";
    let bodies = format!(
        "* 3 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 10 INTERNALDATE \" 6-Oct-2025 08:00:00 +0000\" BODY[] {{{}}}\r\n{mail})\r\na4 OK\r\n",
        mail.len()
    );
    let server = Scripted::new(&[&[
        (0, folder.as_bytes()),
        (3, sizes.as_bytes()),
        (1, bodies.as_bytes()),
    ]]);
    let source = format!("imap://127.0.0.1:{}/INBOX", server.port);
    let counts = read(&test.store, &source).await;
    assert_eq!((counts.stored, counts.refused, counts.skipped), (1, 1, 1));
    assert_eq!(
        server.heard(),
        [
            "a1 CAPABILITY",
            "a2 EXAMINE \"INBOX\"",
            "a3 FETCH 1:3 (UID RFC822.SIZE)",
            "a4 UID FETCH 10:30 (UID INTERNALDATE BODY.PEEK[])"
        ]
    );
    let refusals = test.store.refusals(9).await.unwrap();
    assert_eq!(refusals[0].reason, "99999999 bytes are more than 67108864");
    assert_eq!(refusals[0].place, "20");
}

#[test]
fn sources_are_written_as_they_are_read() {
    for (text, shown) in [
        ("nntp://news.example/a.b.c", "nntp://news.example:119/a.b.c"),
        ("nntps://news.example:1563/a", "nntps://news.example:1563/a"),
        ("imap://me@[::1]/INBOX", "imap://me@[::1]:143/INBOX"),
        (
            "imaps://me%40x@mail.example/a%20b",
            "imaps://me%40x@mail.example:993/a%20b",
        ),
    ] {
        let source = SourceSpec::parse(text).unwrap();
        assert_eq!(source.to_string(), shown);
        assert_eq!(SourceSpec::parse(shown).unwrap(), source);
    }
    for (text, expected) in [
        (
            "imap://me:secret@host/INBOX",
            "the source is no imap://USER@HOST:PORT/FOLDER: a password has no place in it: sources are shown on pages; put it into a file that [[logins]] names",
        ),
        (
            "nntp://host",
            "the source is no nntp://USER@HOST:PORT/FOLDER: it lacks a host or, after the host's slash, a group or folder",
        ),
    ] {
        assert_eq!(SourceSpec::parse(text).unwrap_err().to_string(), expected);
    }
}

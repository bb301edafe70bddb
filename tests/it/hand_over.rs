//! Mails that others hand over: by a mail server's pipe, by HTTP; and what becomes of a run that is cut off.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use lorelint_tests::app::TestStore;
use lorelint_tests::command::lorelintd;
use lorelint_tests::listmail::{Commit, Mail, mbox, small_series, write_archive};
use lorelint_tests::material::{self, HostileMail};
use lorelint_tests::program::{lorelintd_process, measured_process};
use lorelintd::ingest::http::router;
use lorelintd::model::Timestamp;
use lorelintd::web::{HAND_OVER_PATH, document};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const LIST: &str = "list@lists.example";
const PATH: &str = "/api/v1/lists/list@lists.example/mails";

fn now() -> Timestamp {
    Timestamp::from_seconds(1_767_400_000)
}

/// The route over an empty database, with a token for [`LIST`].
async fn inbox() -> (Router, TestStore, String) {
    let test = TestStore::new().await;
    let database = TestStore::address(&test.dir);
    let line = [
        "--database",
        database.as_str(),
        "token",
        "create",
        "--list",
        LIST,
        "--name",
        "mirror",
    ];
    let ended = lorelintd(&line, b"").await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    let token = ended.output.trim().to_owned();
    (router(test.store.clone(), now), test, token)
}

async fn post(router: &Router, path: &str, token: &str, body: Vec<u8>) -> (StatusCode, Value) {
    let mut request = Request::post(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, token);
    }
    let request = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_or_a_mailbox_may_be_posted() {
    let (router, test, token) = inbox().await;
    let token = format!("Bearer {token}");
    let mails = small_series();
    let (status, answer) = post(&router, PATH, &token, mails[0].raw()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let expected =
        json!({"read": 1, "stored": 1, "known": 0, "refused": 0, "series": 1, "refusals": []});
    assert_eq!(answer, expected);
    assert_eq!(HAND_OVER_PATH.replace("{address}", LIST), PATH);
    let schema = &document()["components"]["schemas"]["HandedOver"]["properties"];
    let keys = |it: &Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(schema), keys(&answer));
    let (status, answer) = post(&router, PATH, &token, mbox(&mails)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let expected =
        json!({"read": 3, "stored": 2, "known": 1, "refused": 0, "series": 1, "refusals": []});
    assert_eq!(answer, expected);
    // What is no mail is kept and named; the sender must not send it again.
    let (status, answer) = post(&router, PATH, &token, b"\0\x01 no header".to_vec()).await;
    assert_eq!(
        (status, &answer["refused"]),
        (StatusCode::ACCEPTED, &json!(1))
    );
    assert_eq!(answer["refusals"][0]["place"], "0");
    assert_eq!(test.store.refusals(9).await.unwrap().len(), 1);
    assert_eq!(test.store.tokens().await.unwrap()[0].used_at, Some(now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_token_nothing_is_read() {
    let (router, test, token) = inbox().await;
    let mail = small_series()[0].raw();
    let half = token[..token.len() - 1].to_owned();
    for wrong in [
        String::new(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {half}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ] {
        let (status, answer) = post(&router, PATH, &wrong, mail.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}: {answer}");
    }
    let bearer = format!("bearer {token}");
    let other = "/api/v1/lists/other@lists.example/mails";
    let (status, _) = post(&router, other, &bearer, mail.clone()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let database = TestStore::address(&test.dir);
    let line = ["--database", database.as_str(), "token", "revoke", "1"];
    assert_eq!(lorelintd(&line, b"").await.code, 0);
    let (status, _) = post(&router, PATH, &bearer, mail).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(test.store.lists().await.unwrap()[0].mail_count, 0);
    let line = ["--database", database.as_str(), "token", "list"];
    let listed = lorelintd(&line, b"").await.output;
    assert!(
        listed.starts_with("1\tlist@lists.example\tmirror\t"),
        "{listed}"
    );
    assert!(!listed.contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_and_not_empty() {
    let (router, test, token) = inbox().await;
    let token = format!("Bearer {token}");
    let (status, answer) = post(&router, PATH, &token, vec![b'x'; (32 << 20) + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
    for empty in [&b""[..], b"\n\n", b"From a@b Thu Jan  1 00:00:00 1970\n"] {
        let (status, answer) = post(&router, PATH, &token, empty.to_vec()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{empty:?}: {answer}");
    }
    assert_eq!(test.store.refusals(9).await.unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_named_and_the_mail_server_keeps_the_mail() {
    let (router, test, token) = inbox().await;
    let database = TestStore::address(&test.dir);
    let lock = test.store.batch().await.unwrap();
    let mail = small_series()[0].raw();
    let deliver = ["--database", database.as_str(), "deliver", "--list", LIST];
    let source = format!("mbox:{}", test.dir.path().join("list.mbox").display());
    std::fs::write(test.dir.path().join("list.mbox"), mbox(&small_series())).unwrap();
    let ingest = [
        "--database",
        database.as_str(),
        "ingest",
        &source,
        "--list",
        LIST,
        "--once",
    ];
    // Each waits for the lock, so they wait together.
    let (delivered, read) = tokio::join!(lorelintd(&deliver, &mail), lorelintd(&ingest, b""));
    let message = "lorelintd: the database is locked by another process: stop it, or try again when it is done\n";
    assert_eq!((delivered.code, delivered.errors.as_str()), (75, message));
    assert_eq!((read.code, read.errors.as_str()), (1, message));
    drop(lock);
    assert_eq!(lorelintd(&deliver, &mail).await.code, 0);
    let (status, _) = post(&router, PATH, &format!("Bearer {token}"), mail).await;
    assert_eq!(status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_from_line_of_a_mail_server_is_no_part_of_the_mail() {
    let test = TestStore::new().await;
    let database = TestStore::address(&test.dir);
    let line = ["--database", database.as_str(), "deliver", "--list", LIST];
    let mail = Mail::new("g@x", "hello").raw();
    let mut quoted = b"From ann@dev.example Mon Oct  6 08:00:00 2025\n".to_vec();
    quoted.extend_from_slice(&mail);
    for input in [quoted, mail] {
        let ended = lorelintd(&line, &input).await;
        assert_eq!((ended.code, ended.errors.as_str()), (0, ""));
    }
    let lists = test.store.lists().await.unwrap();
    assert_eq!((lists[0].mail_count, lists[0].refused_count), (1, 0));
}

/// Everything that a list's mails and series are, without what differs from run to run.
async fn content(database: &str) -> String {
    let line = ["--database", database, "export", "series"];
    let ended = lorelintd(&line, b"").await;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    let mut lines: Vec<Value> = ended
        .output
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let mut text = Vec::new();
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        line.remove("id");
        let superseded = line.remove("supersedes").is_some_and(|it| !it.is_null());
        text.push(format!("{superseded} {}", Value::Object(line.clone())));
    }
    text.sort();
    text.join("\n")
}

/// Mails of many threads that grow over the whole archive.
fn long_archive(dir: &Path) -> (std::path::PathBuf, usize) {
    let mut mails = Vec::new();
    for version in 1..=3 {
        for number in 0..700 {
            let tag = if version == 1 {
                String::new()
            } else {
                format!(" v{version}")
            };
            let (cover, id) = (
                format!("c{version}.{number}@x"),
                format!("p{version}.{number}@x"),
            );
            mails.push(Mail::new(&cover, &format!("[PATCH{tag} 0/1] fs: topic {number}")).raw());
            let patch = Mail::patch(
                &id,
                &format!("[PATCH{tag} 1/1] fs: part {number}"),
                "fs/a.c",
            );
            mails.push(patch.under(&cover).at(version).raw());
            mails.push(
                Mail::new(&format!("r{version}.{number}@x"), "Re: part")
                    .under(&id)
                    .raw(),
            );
        }
    }
    let commits: Vec<_> = mails.iter().map(|it| Commit::Mail(it)).collect();
    (write_archive(dir, &commits), mails.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_goes_on_where_it_was() {
    let test = TestStore::new().await;
    let (archive, count) = long_archive(test.dir.path());
    let source = format!("public-inbox:{}", archive.display());
    let line = |database: &str| -> Vec<String> {
        [
            "--database",
            database,
            "ingest",
            &source,
            "--list",
            LIST,
            "--once",
        ]
        .map(str::to_owned)
        .to_vec()
    };
    let whole = format!("sqlite:{}", test.dir.path().join("whole.sqlite").display());
    let arguments = line(&whole);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(lorelintd(&arguments, b"").await.code, 0);

    let file = test.dir.path().join("cut.sqlite");
    let cut = format!("sqlite:{}", file.display());
    let arguments = line(&cut);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut kills = 0;
    for attempt in 0.. {
        let mut child = lorelintd_process(&arguments).spawn().unwrap();
        // Later each time: whatever the machine's speed, some are killed inside a step and the last one ends.
        let mut left = 10 + attempt * 60;
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if left == 0 {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            left -= 1;
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        match ended {
            None => kills += 1,
            Some(status) => {
                assert!(status.success(), "{status}");
                break;
            }
        }
    }
    assert!(kills > 0, "the first attempt ends before anything is read");
    assert_eq!(content(&cut).await, content(&whole).await);
    let store = lorelintd::store::Store::open(&cut).await.unwrap();
    assert_eq!(store.lists().await.unwrap()[0].mail_count, count as u64);
    store.close().await;
}

/// `deliver` in a process of its own; returns its peak memory.
fn delivered_peak(dir: &Path, mail: &[u8]) -> u64 {
    let peak = dir.join("peak");
    let database = format!("sqlite:{}", dir.join("peak.sqlite").display());
    let arguments = ["--database", database.as_str(), "deliver", "--list", LIST];
    let mut child = measured_process(&arguments, &peak)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(mail).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::read_to_string(peak).unwrap().parse().unwrap()
}

#[test]
fn hostile_mail_is_delivered_within_its_memory() {
    let Some(mails) = material::hostile_mails() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let idle = delivered_peak(dir.path(), &Mail::new("idle@x", "hello").raw());
    let mut wrong = Vec::new();
    for HostileMail { name, raw, limits } in mails {
        let extra = delivered_peak(dir.path(), &raw).saturating_sub(idle) >> 20;
        let limit = limits["extra_rss_mb"].as_u64().unwrap();
        if extra > limit {
            wrong.push(format!(
                "{name}: {extra} MiB of {limit}, {} bytes",
                raw.len()
            ));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(!Path::new("/tmp/pwned").exists());
}

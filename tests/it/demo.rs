//! The demo's content through the real pipeline: what the pages, the API and the outbox make of it.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use lorelintd::demo::{LIST, prepare};
use lorelintd::ingest::{SourceSpec, ingest};
use lorelintd::model::{PageRequest, SeriesFilter, Timestamp};
use lorelintd::store::Store;
use lorelintd::web::{API_ROUTES, App, document, router};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

fn clock() -> Timestamp {
    Timestamp::from_seconds(1_767_400_000)
}

struct Demo {
    store: Store,
    router: Router,
    dir: TempDir,
}

async fn demo() -> Demo {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let store = prepare(dir.path(), "https://lint.example.org", clock)
        .await
        .expect("the demo runs");
    let router = router(App::new(store.clone(), clock));
    Demo { store, router, dir }
}

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path)
        .body(Body::empty())
        .expect("pages link to good paths");
    let response = router
        .clone()
        .oneshot(request)
        .await
        .expect("the router never fails");
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 16 << 20)
        .await
        .expect("a bounded body");
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

async fn json(router: &Router, path: &str) -> Value {
    let (status, body) = get(router, path).await;
    assert_eq!(status, 200, "{path}");
    serde_json::from_str(&body).expect("the API speaks JSON")
}

/// Every page that can be reached by links, with its text.
async fn crawl(router: &Router) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut due: Vec<String> = vec!["/".to_owned()];
    while let Some(path) = due.pop() {
        if pages.contains_key(&path) {
            continue;
        }
        assert!(pages.len() < 500, "the pages link without end: {path}");
        let (status, body) = get(router, &path).await;
        assert_eq!(status, 200, "{path}");
        let links = body
            .split("href=\"")
            .skip(1)
            .filter_map(|it| it.split('"').next());
        due.extend(links.filter(|it| it.starts_with('/')).map(|it| {
            it.split('#')
                .next()
                .unwrap_or(it)
                .replace("&#38;", "&")
                .replace("&amp;", "&")
        }));
        pages.insert(path, body);
    }
    pages
}

#[tokio::test]
async fn each_series_ends_as_the_demo_says() {
    let demo = demo().await;
    let page = demo
        .store
        .series_list(&SeriesFilter::default(), PageRequest::default())
        .await
        .expect("a list");
    let lines: Vec<String> = page
        .items
        .iter()
        .map(|it| {
            format!(
                "v{} {} | {} {} | new {} (errors {}) fixed {} | replies {}",
                it.version,
                it.title,
                it.state.as_str(),
                it.review.as_str(),
                it.new_count,
                it.new_error_count,
                it.fixed_count,
                it.reply_count
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn the_replies_wait_and_say_why() {
    let demo = demo().await;
    let entries = demo
        .store
        .outbox_list(None, PageRequest::default())
        .await
        .expect("a list")
        .items;
    let lines: Vec<String> = entries
        .iter()
        .map(|it| {
            format!(
                "{}: {} -> {} ({})",
                it.state.as_str(),
                it.subject,
                it.to.join(", "),
                it.reason
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let first = entries
        .iter()
        .min_by_key(|it| it.id)
        .expect("there are replies");
    let item = demo
        .store
        .outbox_item(first.id)
        .await
        .expect("readable")
        .expect("just listed");
    insta::assert_snapshot!("the_reply_to_a_resurrected_inode", item.raw);
}

#[tokio::test]
async fn every_link_leads_somewhere() {
    let demo = demo().await;
    let pages = crawl(&demo.router).await;
    for path in [
        "/series/1",
        "/findings",
        "/rules/unsafe-iput",
        "/outbox/1",
        "/lists",
        "/jobs",
    ] {
        assert!(pages.contains_key(path), "{path} is not linked");
    }
}

#[tokio::test]
async fn a_finding_stands_under_its_line() {
    let demo = demo().await;
    let (_, page) = get(&demo.router, "/series/1").await;
    let line = page
        .find("atomic_set(&#38;inode-&#62;i_count, 1);</td>")
        .expect("the line is shown");
    let rest = &page[line..];
    let remark = rest.find("class=\"remark\"").expect("the remark is shown");
    assert_eq!(
        rest[..remark].matches("<tr").count(),
        1,
        "nothing stands between them"
    );
}

#[tokio::test]
async fn hostile_mail_is_shown_as_text() {
    let demo = demo().await;
    let mailbox = demo.dir.path().join("hostile.mbox");
    let mail = "From x Thu Jan  1 00:00:00 1970\n\
        From: =?utf-8?q?=3Cscript=3Ealert=281=29=3C=2Fscript=3E?= <mallory@example.org>\n\
        To: tarnfs@lists.example.org\nDate: Fri, 02 Jan 2026 10:00:00 +0000\n\
        Message-ID: <\"><script>alert(2)</script>/../x?y#z@example.org>\n\
        Subject: [PATCH] <img src=x onerror=alert(3)>\n\nText </pre><script>alert(4)</script>\n\
        ---\ndiff --git a/<script>5</script> b/<script>5</script>\n--- a/<script>5</script>\n+++ b/<script>5</script>\n\
        @@ -1,1 +1,1 @@ <script>6</script>\n-<script>7</script>\n+\u{1b}[31m\u{202e}<script>8</script>\n";
    std::fs::write(&mailbox, mail).expect("the test's directory is writable");
    let source = SourceSpec::parse(&format!("mbox:{}", mailbox.display())).expect("a good source");
    ingest(&demo.store, LIST, &source, clock(), |_| {})
        .await
        .expect("hostile mail is stored");
    for (path, body) in crawl(&demo.router).await {
        // The mail as it came is sent as text/plain, and the browser is told not to guess.
        if path.ends_with("/raw") {
            continue;
        }
        assert_eq!(body.matches("<script").count(), 0, "{path}");
        assert_eq!(body.matches("<img").count(), 0, "{path}");
        assert!(!body.contains(['\u{1b}', '\u{202e}']), "{path}");
    }
}

#[tokio::test]
async fn the_mail_as_it_came_is_plain_text() {
    let demo = demo().await;
    let page = crawl(&demo.router).await;
    let path = page
        .keys()
        .find(|it| it.ends_with("/raw"))
        .expect("mails link to their bytes");
    let request = Request::get(path).body(Body::empty()).expect("a good path");
    let response = demo
        .router
        .clone()
        .oneshot(request)
        .await
        .expect("the router never fails");
    let header = |name: &str| {
        response.headers()[name]
            .to_str()
            .map(str::to_owned)
            .unwrap_or_default()
    };
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
}

/// Checks an answer against a schema of the document: no field too many, none missing, types as said.
fn conforms(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or(name);
        return conforms(
            document,
            &document["components"]["schemas"][name],
            value,
            place,
        );
    }
    if let Some(either) = schema["anyOf"].as_array() {
        if !value.is_null() {
            conforms(document, &either[0], value, place);
        }
        return;
    }
    match schema["type"].as_str() {
        Some("array") => {
            for (index, item) in value.as_array().expect(place).iter().enumerate() {
                conforms(
                    document,
                    &schema["items"],
                    item,
                    &format!("{place}[{index}]"),
                );
            }
        }
        Some("object") => {
            let value = value.as_object().expect(place);
            let known = schema["properties"]
                .as_object()
                .expect("an object has properties");
            for name in schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                assert!(value.contains_key(name), "{place} lacks {name}");
            }
            for (name, field) in value {
                assert!(
                    known.contains_key(name),
                    "{place} has {name}, which the document does not"
                );
                conforms(document, &known[name], field, &format!("{place}.{name}"));
            }
        }
        Some("string") => assert!(value.is_string(), "{place}"),
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{place}"),
        Some("boolean") => assert!(value.is_boolean(), "{place}"),
        other => panic!("{place}: no such type {other:?}"),
    }
}

#[tokio::test]
async fn the_answers_of_the_api_are_as_its_document_says() {
    let demo = demo().await;
    let document = document();
    let findings = json(&demo.router, "/api/v1/findings").await;
    let fingerprint = findings["items"][0]["finding"]["fingerprint"]
        .as_str()
        .expect("there are findings")
        .to_owned();
    for route in API_ROUTES {
        let path = route
            .path
            .replace("{id}", "1")
            .replace("{fingerprint}", &fingerprint)
            .replace("{name}", "unsafe-iput");
        let answer = json(&demo.router, &path).await;
        let schema = &document["components"]["schemas"][route.schema];
        conforms(&document, schema, &answer, &path);
    }
}

#[tokio::test]
async fn pages_of_a_list_hold_each_series_once() {
    let demo = demo().await;
    let mut seen = BTreeSet::new();
    let mut path = Some("/api/v1/series?per_page=3".to_owned());
    while let Some(next) = path {
        let page = json(&demo.router, &next).await;
        for item in page["items"].as_array().expect("a list") {
            assert!(seen.insert(item["id"].as_i64()), "twice: {item}");
        }
        path = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(seen.len(), 8);
}

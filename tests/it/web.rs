//! The router: statuses, headers, pages and the API.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use lorelint_tests::app::TestStore;
use lorelintd::model::Timestamp;
use lorelintd::web::{API_ROUTES, App, HAND_OVER_PATH, document, router};
use serde_json::Value;
use tower::ServiceExt;

fn clock() -> Timestamp {
    Timestamp::from_seconds(1_767_400_000)
}

/// The router over an empty database, which lives as long as the second value.
async fn empty() -> (Router, TestStore) {
    let held = TestStore::new().await;
    (router(App::new(held.store.clone(), clock)), held)
}

async fn get(router: &Router, path: &str) -> Response<Body> {
    let request = Request::get(path).body(Body::empty()).expect("good path");
    router
        .clone()
        .oneshot(request)
        .await
        .expect("the router never fails")
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 16 << 20)
        .await
        .expect("a bounded body");
    String::from_utf8(bytes.to_vec()).expect("pages are UTF-8")
}

async fn status(router: &Router, path: &str) -> u16 {
    get(router, path).await.status().as_u16()
}

const PAGES: &[&str] = &[
    "/",
    "/findings",
    "/rules",
    "/outbox",
    "/lists",
    "/jobs",
    "/healthz",
    "/readyz",
    "/metrics",
];

#[tokio::test]
async fn every_page_answers_on_an_empty_database() {
    let (router, _held) = empty().await;
    for path in PAGES {
        assert_eq!(status(&router, path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn what_does_not_exist_is_404() {
    let (router, _held) = empty().await;
    let paths = [
        "/series/1",
        "/series/0",
        "/series/x",
        "/series/99999999999999999999",
        "/message/a%40b",
        "/message/%3Cscript%3E%2F..%2F",
        "/findings/0123456789abcdef0123456789abcdef",
        "/findings/x",
        "/rules/no-such-rule",
        "/outbox/1",
        "/assets/x.css",
        "/nothing",
        "/api/v1/nothing",
        "/api/v1/series/1",
        "/api/v1/findings/x",
        "/api/v1/rules/x",
        "/api/v1/outbox/1",
    ];
    for path in paths {
        assert_eq!(status(&router, path).await, 404, "{path}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_is_400_and_names_the_key() {
    let (router, _held) = empty().await;
    let cases = [
        ("/?state=broken", "state"),
        ("/?review=x", "review"),
        ("/?new=maybe", "new"),
        ("/?per_page=0", "per_page"),
        ("/?per_page=251", "per_page"),
        ("/?per_page=99999999999", "per_page"),
        ("/?after=x", "after"),
        ("/findings?severity=fatal", "severity"),
        ("/outbox?state=x", "state"),
    ];
    for (path, key) in cases {
        for path in [path.to_owned(), path.replacen("/?", "/api/v1/series?", 1)] {
            let response = get(&router, &path).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
            let body = text(response).await;
            assert_ne!(body.matches(key).count(), 0, "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn hostile_text_in_a_path_is_escaped() {
    let (router, _held) = empty().await;
    let body = text(get(&router, "/message/%3Cscript%3Ealert(1)%3C%2Fscript%3E@x").await).await;
    assert_eq!(body.match_indices("<script").count(), 0, "{body}");
}

#[tokio::test]
async fn pages_forbid_scripts_and_inline_styles() {
    let (router, _held) = empty().await;
    for path in ["/", "/nothing", "/api/v1/series"] {
        let response = get(&router, path).await;
        let header = |name: &str| {
            response.headers()[name]
                .to_str()
                .map(str::to_owned)
                .unwrap_or_default()
        };
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        let body = text(response).await;
        assert_eq!(body.match_indices(" style=").count(), 0, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let (router, _held) = empty().await;
    let request = Request::post("/").body(Body::empty()).expect("good path");
    let response = router
        .oneshot(request)
        .await
        .expect("the router never fails");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_api_document_names_exactly_the_routes_that_exist() {
    let (router, _held) = empty().await;
    let served: Value =
        serde_json::from_str(&text(get(&router, "/api/v1/openapi.json").await).await)
            .expect("JSON");
    assert_eq!(served, document());
    let paths: Vec<&String> = served["paths"]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    let mut expected: Vec<&str> = API_ROUTES.iter().map(|it| it.path).collect();
    expected.push(HAND_OVER_PATH);
    expected.sort_unstable();
    assert_eq!(paths, expected);
    for route in API_ROUTES {
        let path = route.path.replace(['{', '}'], "");
        let body: Value =
            serde_json::from_str(&text(get(&router, &path).await).await).expect("JSON");
        // The fallback would answer that there is no page.
        let detail = body["detail"].as_str().unwrap_or_default();
        assert!(!detail.starts_with("There is no page"), "{path}");
        for name in route.query {
            let with_query = format!("{path}?{name}=");
            assert_eq!(status(&router, &with_query).await, 200, "{with_query}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_api_document_resolves() {
    let document = document();
    let text = document.to_string();
    for (at, prefix) in text.match_indices("#/components/schemas/") {
        let name: String = text[at + prefix.len()..]
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        assert_eq!(
            document["components"]["schemas"][&name]["type"], "object",
            "{name}"
        );
    }
}

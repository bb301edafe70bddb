//! `/api/v1/openapi.json`, from one table of routes; a test holds the table against the router and the answers.

use axum::Json;
use serde_json::{Value, json};

use crate::model::{FindingState, OutboxState, ReviewState, SeriesState};
use crate::web::query::MAX_PER_PAGE;

/// One route of the API.
#[derive(Clone, Copy, Debug)]
pub struct ApiRoute {
    /// As in the document: parameters in braces.
    pub path: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Names of the query parameters.
    pub query: &'static [&'static str],
    /// Name of the schema of the answer.
    pub schema: &'static str,
}

/// Every route under `/api/v1` but the document itself.
pub const API_ROUTES: &[ApiRoute] = &[
    ApiRoute {
        path: "/api/v1/series",
        summary: "Series, newest activity first",
        query: &[
            "list", "state", "review", "author", "q", "rule", "new", "fixed", "after", "per_page",
        ],
        schema: "SeriesList",
    },
    ApiRoute {
        path: "/api/v1/series/{id}",
        summary: "One version of a series with its patches and findings",
        query: &[],
        schema: "SeriesPage",
    },
    ApiRoute {
        path: "/api/v1/findings",
        summary: "Findings, net of their series, newest first",
        query: &[
            "rule",
            "state",
            "severity",
            "list",
            "under",
            "superseded",
            "after",
            "per_page",
        ],
        schema: "FindingList",
    },
    ApiRoute {
        path: "/api/v1/findings/{fingerprint}",
        summary: "The series that have one finding",
        query: &[],
        schema: "FindingList",
    },
    ApiRoute {
        path: "/api/v1/rules",
        summary: "All rules and how often they fire",
        query: &[],
        schema: "RuleList",
    },
    ApiRoute {
        path: "/api/v1/rules/{name}",
        summary: "One rule with its documentation",
        query: &[],
        schema: "Rule",
    },
    ApiRoute {
        path: "/api/v1/outbox",
        summary: "Replies, newest first",
        query: &["state", "after", "per_page"],
        schema: "OutboxList",
    },
    ApiRoute {
        path: "/api/v1/outbox/{id}",
        summary: "One reply as it would be sent",
        query: &[],
        schema: "OutboxItem",
    },
    ApiRoute {
        path: "/api/v1/lists",
        summary: "All lists",
        query: &[],
        schema: "ListList",
    },
];

/// Name, type and whether it may be null or missing, for each field of an object.
type Fields = &'static [(&'static str, &'static str)];

/// Types: `string`, `integer`, `boolean`, `Name` of another object, `[…]` for a list of these, `?` at the end for
/// nullable.
const OBJECTS: &[(&str, Fields)] = &[
    ("SeriesList", &[("items", "[Series]"), ("next", "string?")]),
    (
        "FindingList",
        &[("items", "[FindingRow]"), ("next", "string?")],
    ),
    ("RuleList", &[("items", "[Rule]"), ("next", "string?")]),
    (
        "OutboxList",
        &[("items", "[OutboxEntry]"), ("next", "string?")],
    ),
    ("ListList", &[("items", "[List]"), ("next", "string?")]),
    ("Person", &[("name", "string"), ("address", "string")]),
    (
        "Series",
        &[
            ("id", "integer"),
            ("title", "string"),
            ("author", "Person"),
            ("version", "integer"),
            ("version_fraction", "integer?"),
            ("total", "integer"),
            ("received", "integer"),
            ("state", "string"),
            ("review", "string"),
            ("sent_at", "string"),
            ("active_at", "string"),
            ("lists", "[string]"),
            ("new_count", "integer"),
            ("new_error_count", "integer"),
            ("fixed_count", "integer"),
            ("reply_count", "integer"),
        ],
    ),
    (
        "Version",
        &[
            ("id", "integer"),
            ("version", "integer"),
            ("version_fraction", "integer?"),
            ("state", "string"),
            ("review", "string"),
            ("sent_at", "string"),
            ("new_count", "integer"),
            ("fixed_count", "integer"),
        ],
    ),
    (
        "Base",
        &[
            ("tree", "string"),
            ("rev", "string"),
            ("how", "string"),
            ("why", "string"),
        ],
    ),
    (
        "Gap",
        &[("file", "string"), ("line", "integer"), ("what", "string")],
    ),
    ("Warning", &[("rule", "string"), ("message", "string")]),
    (
        "Review",
        &[
            ("state", "string"),
            ("reason", "string?"),
            ("base", "Base?"),
            ("final_tree", "string?"),
            ("finished_at", "string"),
            ("duration_ms", "integer"),
            ("unchanged", "integer"),
            ("gaps", "[Gap]"),
            ("warnings", "[Warning]"),
        ],
    ),
    (
        "Patch",
        &[
            ("index", "integer"),
            ("subject", "string"),
            ("message_id", "string?"),
            ("state", "string"),
            ("reason", "string?"),
            ("new", "[Finding]"),
            ("fixed", "[Finding]"),
        ],
    ),
    (
        "Mail",
        &[
            ("message_id", "string"),
            ("from", "Person"),
            ("subject", "string"),
            ("sent_at", "string"),
            ("in_reply_to", "string?"),
        ],
    ),
    (
        "SeriesPage",
        &[
            ("series", "Series"),
            ("cover", "Mail?"),
            ("versions", "[Version]"),
            ("reasons", "[string]"),
            ("review", "Review?"),
            ("patches", "[Patch]"),
            ("new", "[Finding]"),
            ("fixed", "[Finding]"),
            ("since", "integer?"),
            ("addressed", "[Finding]"),
            ("replies", "[Mail]"),
            ("outbox", "[OutboxEntry]"),
            ("policy", "string"),
        ],
    ),
    (
        "Hop",
        &[
            ("function", "string"),
            ("file", "string"),
            ("line", "integer"),
            ("via", "string"),
            ("through", "string"),
        ],
    ),
    (
        "Place",
        &[
            ("file", "string"),
            ("line", "integer"),
            ("message", "string"),
        ],
    ),
    ("Anchor", &[("file", "string"), ("line", "integer")]),
    (
        "Finding",
        &[
            ("rule", "string"),
            ("severity", "string"),
            ("confidence", "string"),
            ("file", "string"),
            ("line", "integer"),
            ("column", "integer"),
            ("function", "string"),
            ("statement", "string"),
            ("contexts", "[string]"),
            ("path", "[Hop]"),
            ("message", "string"),
            ("help", "string"),
            ("related", "[Place]"),
            ("fingerprint", "string"),
            ("state", "string"),
            ("anchor", "Anchor?"),
            ("in_diff", "boolean"),
            ("seen_in_versions", "[integer]"),
        ],
    ),
    (
        "FindingRow",
        &[
            ("series", "integer"),
            ("series_title", "string"),
            ("series_version", "integer"),
            ("found_at", "string"),
            ("finding", "Finding"),
        ],
    ),
    (
        "Rule",
        &[
            ("name", "string"),
            ("severity", "string"),
            ("summary", "string"),
            ("new_count", "integer"),
            ("fixed_count", "integer"),
            ("series_count", "integer"),
            ("docs", "string?"),
        ],
    ),
    (
        "OutboxEntry",
        &[
            ("id", "integer"),
            ("series", "integer"),
            ("list", "string"),
            ("state", "string"),
            ("reason", "string"),
            ("subject", "string"),
            ("to", "[string]"),
            ("created_at", "string"),
            ("sent_at", "string?"),
        ],
    ),
    (
        "OutboxItem",
        &[
            ("entry", "OutboxEntry"),
            ("message_id", "string"),
            ("in_reply_to", "string"),
            ("cc", "[string]"),
            ("raw", "string"),
        ],
    ),
    (
        "List",
        &[
            ("address", "string"),
            ("policy", "string"),
            ("mail_count", "integer"),
            ("refused_count", "integer"),
            ("series_count", "integer"),
            ("last_mail_at", "string?"),
        ],
    ),
    (
        "HandedOver",
        &[
            ("read", "integer"),
            ("stored", "integer"),
            ("known", "integer"),
            ("refused", "integer"),
            ("series", "integer"),
            ("refusals", "[RefusedMail]"),
        ],
    ),
    ("RefusedMail", &[("place", "string"), ("reason", "string")]),
    ("Error", &[("detail", "string")]),
];

/// Where mails are handed over, with `POST`.
pub const HAND_OVER_PATH: &str = "/api/v1/lists/{address}/mails";

/// The document.
pub fn document() -> Value {
    let mut paths: serde_json::Map<String, Value> = API_ROUTES
        .iter()
        .map(|it| (it.path.to_owned(), operation(it)))
        .collect();
    paths.insert(HAND_OVER_PATH.to_owned(), hand_over());
    let schemas: serde_json::Map<String, Value> = OBJECTS
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), object(fields)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "lorelint",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What lorelint finds in the patch series of kernel lists. Times are RFC 3339, UTC. \
                Lists are paged by `after`: follow `next`.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer",
                "description": "Of one list; `lorelintd token create` makes it." } },
        },
    })
}

/// Mails that a program hands over.
fn hand_over() -> Value {
    let answer =
        |text: &str, schema: &str| json!({"description": text, "content": content(schema)});
    let error = |text: &str| answer(text, "Error");
    json!({"post": {
        "summary": "Hands over one mail, or an mbox of at most 32 MiB",
        "parameters": [{"name": "address", "in": "path", "required": true, "schema": {"type": "string"}}],
        "security": [{"token": []}],
        "requestBody": {"required": true, "content": {"message/rfc822": {}, "application/mbox": {}}},
        "responses": {
            "202": answer("Everything is stored: the sender may forget it", "HandedOver"),
            "400": error("The body holds no mail"),
            "401": error("No token, or none that is known"),
            "403": error("The token is another list's"),
            "408": error("The body came too slowly"),
            "413": error("The body is too large"),
            "503": error("Nothing was stored: try again after `Retry-After`"),
        },
    }})
}

pub(crate) async fn serve() -> Json<Value> {
    Json(document())
}

fn operation(route: &ApiRoute) -> Value {
    let in_path = route
        .path
        .split('/')
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    parameters.extend(route.query.iter().map(|name| {
        json!({"name": name, "in": "query", "required": false, "schema": parameter(route.path, name)})
    }));
    let error = |text: &str| json!({"description": text, "content": content("Error")});
    json!({"get": {
        "summary": route.summary,
        "parameters": parameters,
        "responses": {
            "200": {"description": route.summary, "content": content(route.schema)},
            "400": error("A parameter has a value that it cannot have"),
            "404": error("There is no such thing"),
        },
    }})
}

fn content(schema: &str) -> Value {
    json!({"application/json": {"schema": reference(schema)}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn parameter(path: &str, name: &str) -> Value {
    fn names<T: Copy>(all: &[T], as_str: fn(T) -> &'static str) -> Value {
        let names: Vec<&str> = all.iter().map(|it| as_str(*it)).collect();
        json!({"type": "string", "enum": names})
    }
    match (path, name) {
        ("/api/v1/series", "state") => names(SeriesState::ALL, SeriesState::as_str),
        (_, "review") => names(ReviewState::ALL, ReviewState::as_str),
        ("/api/v1/findings", "state") => names(FindingState::ALL, FindingState::as_str),
        ("/api/v1/outbox", "state") => names(OutboxState::ALL, OutboxState::as_str),
        (_, "severity") => json!({"type": "string", "enum": ["error", "warning", "note"]}),
        (_, "new" | "fixed" | "superseded") => json!({"type": "string", "enum": ["0", "1"]}),
        (_, "per_page") => {
            json!({"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE, "default": 50})
        }
        _ => json!({"type": "string"}),
    }
}

fn object(fields: &[(&str, &str)]) -> Value {
    let properties: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), schema(kind)))
        .collect();
    // Only `docs` of a rule is ever left out.
    let required: Vec<&str> = fields
        .iter()
        .map(|it| it.0)
        .filter(|it| *it != "docs")
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

fn schema(kind: &str) -> Value {
    if let Some(kind) = kind.strip_suffix('?') {
        return json!({"anyOf": [schema(kind), {"type": "null"}]});
    }
    if let Some(kind) = kind.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        return json!({"type": "array", "items": schema(kind)});
    }
    match kind {
        "string" | "integer" | "boolean" => json!({"type": kind}),
        name => reference(name),
    }
}

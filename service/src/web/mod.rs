//! The dashboard and the JSON API: server-rendered pages that work without scripts.
//!
//! Reads from the store and renders; decides nothing. Every text that came from a mail is shown as text: templates
//! escape, message ids in paths are percent-encoded, and the content policy allows neither scripts nor inline styles.

mod api;
mod assets;
pub mod diff_view;
mod error;
mod frame;
mod links;
mod metrics;
mod pages;
mod query;
mod remark_view;
mod router;
mod rule_docs;
mod state;
mod time;

pub use api::openapi::{API_ROUTES, ApiRoute, HAND_OVER_PATH, document};
pub use router::router;
pub use state::App;

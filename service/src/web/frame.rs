//! What all pages share: the menu, the style sheet, the version.

use askama::Template;
use axum::response::Html;

use super::assets::style_path;
use super::error::WebError;

/// One entry of the menu.
pub(crate) struct MenuItem {
    pub path: &'static str,
    pub name: &'static str,
    pub is_here: bool,
}

const MENU: &[(&str, &str)] = &[
    ("/", "Series"),
    ("/findings", "Findings"),
    ("/rules", "Rules"),
    ("/outbox", "Outbox"),
    ("/lists", "Lists"),
    ("/jobs", "Jobs"),
];

/// The head and foot of a page.
pub(crate) struct Frame {
    here: &'static str,
    pub style_path: String,
    pub version: &'static str,
}

impl Frame {
    /// `here` is the path of the menu entry that the page belongs to; empty for none.
    pub(crate) fn new(here: &'static str) -> Self {
        Self {
            here,
            style_path: style_path(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    pub(crate) fn menu(&self) -> Vec<MenuItem> {
        MENU.iter()
            .map(|&(path, name)| MenuItem {
                path,
                name,
                is_here: path == self.here,
            })
            .collect()
    }
}

/// Renders a page.
pub(crate) fn render(page: &impl Template) -> Result<Html<String>, WebError> {
    page.render().map(Html).map_err(WebError::Render)
}

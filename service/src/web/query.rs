//! Query strings to filters and pages: an unknown value is an error that names the key, an empty one is no filter.

use crate::model::{Cursor, PageRequest};

use super::error::WebError;

/// Rows of a page where none is asked for.
const DEFAULT_PER_PAGE: u32 = 50;
/// The most rows that one page may have.
pub(crate) const MAX_PER_PAGE: u32 = 250;
/// The longest text of a filter, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// A free text; bounded.
pub(crate) fn text(key: &str, value: Option<&str>) -> Result<Option<String>, WebError> {
    let Some(value) = value.map(str::trim).filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    if value.len() > MAX_TEXT_BYTES {
        let message = format!("{key} is longer than {MAX_TEXT_BYTES} bytes.");
        return Err(WebError::BadRequest(message));
    }
    Ok(Some(value.to_owned()))
}

/// A value out of a fixed set.
pub(crate) fn one_of<T: Copy>(
    key: &str,
    value: Option<&str>,
    all: &[T],
    as_str: fn(T) -> &'static str,
) -> Result<Option<T>, WebError> {
    let Some(value) = value.filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let found = all.iter().copied().find(|it| as_str(*it) == value);
    let names: Vec<&str> = all.iter().map(|it| as_str(*it)).collect();
    found
        .map(Some)
        .ok_or_else(|| WebError::BadRequest(format!("{key} must be one of {}.", names.join(", "))))
}

/// A check box or a JSON client's flag.
pub(crate) fn flag(key: &str, value: Option<&str>) -> Result<bool, WebError> {
    match value {
        None | Some("" | "0" | "false") => Ok(false),
        Some("1" | "true" | "on") => Ok(true),
        Some(_) => Err(WebError::BadRequest(format!("{key} must be 0 or 1."))),
    }
}

/// `after` and `per_page`.
pub(crate) fn page(after: Option<&str>, per_page: Option<&str>) -> Result<PageRequest, WebError> {
    let after = match after.filter(|it| !it.is_empty()) {
        None => None,
        Some(text) => Some(Cursor::parse(text).ok_or_else(|| {
            WebError::BadRequest("after must be the `next` of the page before.".to_owned())
        })?),
    };
    let limit = match per_page.filter(|it| !it.is_empty()) {
        None => DEFAULT_PER_PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|it| (1..=MAX_PER_PAGE).contains(it))
            .ok_or_else(|| {
                WebError::BadRequest(format!(
                    "per_page must be a number from 1 to {MAX_PER_PAGE}."
                ))
            })?,
    };
    Ok(PageRequest { after, limit })
}

/// One entry of a drop-down.
pub(crate) struct Choice {
    pub value: String,
    pub is_selected: bool,
}

/// The entries of a drop-down.
pub(crate) fn choices<S: Into<String>>(
    values: impl IntoIterator<Item = S>,
    selected: Option<&str>,
) -> Vec<Choice> {
    values
        .into_iter()
        .map(|it| {
            let value: String = it.into();
            Choice {
                is_selected: selected == Some(value.as_str()),
                value,
            }
        })
        .collect()
}

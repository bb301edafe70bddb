//! Rule documentation from Markdown to HTML; raw HTML in it is shown as text.

use pulldown_cmark::{Event, Options, Parser, html};

/// Renders the documentation of a rule without its title, which the page has already.
pub(crate) fn to_html(markdown: &str) -> String {
    let markdown = match markdown.split_once('\n') {
        Some((title, rest)) if title.starts_with("# ") => rest,
        _ => markdown,
    };
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        other => other,
    });
    let mut out = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut out, parser);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_in_the_docs_is_text() {
        let html = to_html("a <script>b</script>\n\n<img src=x>\n");
        assert_eq!(
            html,
            "<p>a &lt;script&gt;b&lt;/script&gt;</p>\n&lt;img src=x&gt;\n"
        );
    }
}

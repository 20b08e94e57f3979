//! One short line that describes an error body that is not JSON.

use std::borrow::Cow;

use http::HeaderValue;

use crate::phrase;

/// Describes a body that is not JSON: by the page's title, or by the beginning of the text.
pub(super) fn plain(body: &[u8]) -> Option<String> {
    title(body).or_else(|| one_line(&beginning(body)))
}

/// The title of a web page.
pub(super) fn title(body: &[u8]) -> Option<String> {
    let text = beginning(body);
    let text = text.trim_start();
    if !text.starts_with('<') {
        return None;
    }
    let tag = phrase::places(text, "<title").next()?;
    let (_, title) = text[tag..].split_once('>')?;
    let end = phrase::places(title, "</title").next();
    one_line(&title[..end.unwrap_or(title.len())])
}

/// The content coding of a body that is still compressed. The first bytes decide, because a browser
/// decodes the body and leaves the header as it was.
pub(crate) fn compression(named: Option<&HeaderValue>, body: &[u8]) -> Option<String> {
    let first = body.trim_ascii_start().first()?;
    let named = named.and_then(|coding| coding.to_str().ok()).map(str::trim);
    let named = named.filter(|coding| !coding.is_empty() && *coding != "identity");
    match (named, first) {
        (named, 0x1f) => Some(named.unwrap_or("gzip").to_owned()),
        (Some(named), first) if !is_text(*first, body) => Some(short(named)),
        _ => None,
    }
}

/// Whether a body may be JSON, an event stream or a readable error message.
fn is_text(first: u8, body: &[u8]) -> bool {
    let beginning = &body[..body.len().min(64)];
    let valid = match std::str::from_utf8(beginning) {
        Ok(_) => true,
        // The end of `beginning` is within a character.
        Err(error) => error.error_len().is_none(),
    };
    valid && (first.is_ascii_graphic() || first == 0xef) && !beginning.contains(&0)
}

fn beginning(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&body[..body.len().min(4096)])
}

fn one_line(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| cut(&line, 200))
}

/// Cuts a server's word, such as a code, to a length that fits into a line.
pub(super) fn short(text: &str) -> String {
    cut(text, 200)
}

/// Cuts a text to at most `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

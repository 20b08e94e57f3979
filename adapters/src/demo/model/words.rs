//! Cutting texts to what matters.

/// At most `most` characters of `text`, in one line, with an ellipsis where it was cut.
pub(super) fn clip(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Without white space and the punctuation of a sentence around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ".,;:!?。，；：！？".contains(c))
}

/// What stands behind `word` at the start of `text`, in any case.
pub(super) fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let start = text.get(..word.len())?;
    let rest = &text[word.len()..];
    let is_whole = rest.starts_with(|c: char| !c.is_alphanumeric());
    (start.eq_ignore_ascii_case(word) && is_whole).then_some(rest)
}

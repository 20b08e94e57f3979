//! Cleans values that come from `.env` files, clipboards and secret stores.

/// `text` without the white space, byte order marks and pairs of quotes around it. A tool that
/// passes on an `.env` file unchanged (as `docker --env-file` does) leaves the quotes in the value,
/// and a file with a key usually ends in a line break.
pub(crate) fn unquoted(text: &str) -> &str {
    let is_blank = |char: char| char.is_whitespace() || matches!(char, '\u{feff}' | '\u{200b}');
    let mut text = text.trim_matches(is_blank);
    for _ in 0..2 {
        for quote in ['"', '\''] {
            let inner = text
                .strip_prefix(quote)
                .and_then(|text| text.strip_suffix(quote));
            // `"a" "b"` is not one quoted text.
            if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
                text = inner.trim_matches(is_blank);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surrounds_a_value_goes_and_what_is_in_it_stays() {
        for (text, expected) in [
            ("sk-1", "sk-1"),
            (" sk-1\r\n", "sk-1"),
            ("\"sk-1\"", "sk-1"),
            ("'sk-1'\n", "sk-1"),
            ("\u{feff}\"sk-1 \"", "sk-1"),
            ("\"'sk-1'\"", "sk-1"),
            ("'\"sk-1\"'", "sk-1"),
            ("\"\"", ""),
            ("\"", "\""),
            ("\"sk-1", "\"sk-1"),
            ("\"a\" \"b\"", "\"a\" \"b\""),
            ("sk \"1\"", "sk \"1\""),
            ("", ""),
        ] {
            assert_eq!(unquoted(text), expected, "{text:?}");
        }
    }
}

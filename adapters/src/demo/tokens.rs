//! The tokens of the demo model.

/// The maximum length of a token, in characters.
const LONGEST: usize = 16;

/// Splits `text` into its tokens: a word with the white space before it, or one Chinese character
/// with the punctuation after it. Joined, they are the text again.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (token, after) = rest.split_at(first_end(rest));
        rest = after;
        Some(token)
    })
}

/// The number of tokens in `text`.
pub(super) fn count(text: &str) -> u64 {
    tokens(text).map(|_| 1).sum()
}

/// The end of the first token of `text`, as a byte index.
fn first_end(text: &str) -> usize {
    let mut in_word = false;
    let mut after_wide = false;
    for (length, (place, c)) in text.char_indices().enumerate() {
        let ends = if c.is_whitespace() || is_wide(c) {
            in_word
        } else {
            after_wide && c.is_alphanumeric()
        };
        if place > 0 && (ends || length == LONGEST) {
            return place;
        }
        in_word |= !c.is_whitespace();
        after_wide = is_wide(c);
    }
    text.len()
}

/// Whether the script of `c` writes no spaces between words.
pub(super) fn is_wide(c: char) -> bool {
    matches!(u32::from(c),
        0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_characters() {
        for (text, expected) in [
            ("", &[][..]),
            ("Hello, big world!", &["Hello,", " big", " world!"]),
            ("你好，世界。", &["你", "好，", "世", "界。"]),
            ("用 Rust 写3个", &["用", " Rust", " 写", "3", "个"]),
            ("a\n\n  b ", &["a", "\n\n  b", " "]),
            ("0123456789abcdefXY", &["0123456789abcdef", "XY"]),
        ] {
            let found: Vec<_> = tokens(text).collect();
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(found.concat(), text);
            assert_eq!(count(text), expected.len() as u64);
        }
    }
}

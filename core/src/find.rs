//! A search for short words in short texts.
//!
//! `str::find` is made for long ones: its two-way search takes more code than all who need it here,
//! and that code would be in the npm package.

/// Where `word`, which is not empty, begins in `text`.
pub(crate) fn find(text: &str, word: &str) -> Option<usize> {
    let mut places = text.as_bytes().windows(word.len().max(1));
    places.position(|place| place == word.as_bytes())
}

/// `text` with each `word` in it replaced.
pub(crate) fn replace(text: &str, word: &str, by: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = find(rest, word) {
        replaced.push_str(&rest[..at]);
        replaced.push_str(by);
        rest = &rest[at + word.len()..];
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_the_standard_library_does(text in "[abé]{0,40}", word in "[abé]{1,3}") {
            prop_assert_eq!(find(&text, &word), text.find(&word));
            prop_assert_eq!(replace(&text, &word, "ab"), text.replace(&word, "ab"));
        }
    }
}

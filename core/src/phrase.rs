//! Finds phrases in what servers and users write, whatever the case of its letters.

/// The places where `text` has `phrase`, which is not empty. The case of ASCII letters is ignored.
pub(crate) fn places(text: &str, phrase: &str) -> impl Iterator<Item = usize> {
    let windows = text.as_bytes().windows(phrase.len().max(1)).enumerate();
    windows
        .filter(|(_, window)| window.eq_ignore_ascii_case(phrase.as_bytes()))
        .map(|(place, _)| place)
}

/// Whether `text` has `phrase` in it. The case of ASCII letters is ignored.
pub(crate) fn has(text: &str, phrase: &str) -> bool {
    places(text, phrase).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_in_any_case() {
        let text = "Überlast: Rate LIMIT, rate limit";
        assert_eq!(places(text, "rate limit").collect::<Vec<_>>(), [11, 23]);
        assert!(has("余额不足", "额不"));
        assert!(!has("rate", "rate limit"));
        assert!(!has("", "a"));
    }
}

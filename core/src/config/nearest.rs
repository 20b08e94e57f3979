//! Finds the name that a mistyped one was probably meant to be.

/// The name of `names` that needs the fewest letters inserted, deleted, replaced or swapped to become
/// `wrong`. `None` if more than a third of the letters would change.
pub(super) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Longer text is no mistyped name, and would take long to compare.
    if wrong.len() > 50 {
        return None;
    }
    // Providers are written in many ways: `open-ai`, `Open AI`, `open_ai`.
    let plain = |name: &str| name.to_lowercase().replace([' ', '-', '_', '.'], "");
    let wrong: Vec<char> = plain(wrong).chars().collect();
    names
        .map(|name| {
            (
                changes(&wrong, &plain(name).chars().collect::<Vec<_>>()),
                name,
            )
        })
        .min_by_key(|(changes, _)| *changes)
        .filter(|(changes, _)| 3 * changes <= wrong.len())
        .map(|(_, name)| name)
}

/// How many letters must change to make `to` of `from`.
fn changes(from: &[char], to: &[char]) -> usize {
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut least = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap =
                row > 0 && column > 0 && *letter == to[column - 1] && from[row - 1] == *other;
            if is_swap {
                least = least.min(before[column - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(
        feature = "anthropic",
        feature = "gemini",
        feature = "openai-responses"
    ))]
    #[test]
    fn a_mistyped_name_is_found_and_another_word_is_not() {
        let known = crate::KNOWN_PROVIDERS;
        let find = |wrong| nearest(wrong, known.iter().map(|known| known.name));
        for (wrong, meant) in [
            ("opnai", Some("openai")),
            ("Open-AI", Some("openai")),
            ("antropic", Some("anthropic")),
            ("gemni", Some("gemini")),
            ("depseek", Some("deepseek")),
            ("opneai", Some("openai")),
            ("skynet", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(find(wrong), meant, "{wrong}");
        }
        assert_eq!(find(&"openai".repeat(100)), None);
    }

    #[test]
    fn changes_are_counted() {
        let count = |from: &str, to: &str| {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            changes(&letters(from), &letters(to))
        };
        for (from, to, number) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(count(from, to), number, "{from} {to}");
            assert_eq!(count(to, from), number, "{to} {from}");
        }
    }
}

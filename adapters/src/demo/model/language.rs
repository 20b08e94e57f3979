//! In which language to answer.

use crate::demo::tokens::is_wide;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Chinese,
}

impl Language {
    /// Chinese, where `text` has more Chinese characters than other words.
    pub(super) fn of(text: &str) -> Self {
        let chinese = text.chars().filter(|&c| is_wide(c)).count();
        let words = text
            .split(|c: char| !c.is_alphabetic() || is_wide(c))
            .filter(|word| !word.is_empty())
            .count();
        match chinese > words {
            true => Self::Chinese,
            false => Self::English,
        }
    }
}

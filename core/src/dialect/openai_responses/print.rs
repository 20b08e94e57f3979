//! A text's fingerprint, which shows whether the text was edited.

/// The length and the hash (64-bit FNV-1a) of a text that arrives in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    length: usize,
    hash: u64,
}

impl Default for Print {
    fn default() -> Self {
        Self {
            length: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Print {
    /// The fingerprint of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut print = Self::default();
        print.add(text);
        print
    }

    /// Adds the next piece.
    pub(super) fn add(&mut self, piece: &str) {
        self.length += piece.len();
        for byte in piece.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// Whether the text is empty.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The part of `text` after what was added so far. `None` if `text` does not begin with what
    /// was added.
    pub(super) fn rest_of(self, text: &str) -> Option<&str> {
        let (begin, rest) = text.split_at_checked(self.length)?;
        (Self::of(begin) == self).then_some(rest)
    }

    /// The form that is stored with a part.
    pub(super) fn as_text(self) -> String {
        format!("{:016x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text() {
        let mut print = Print::default();
        assert!(print.is_empty());
        ["a", "", "é", "b"]
            .iter()
            .for_each(|piece| print.add(piece));
        assert_eq!(print, Print::of("aéb"));
        assert_eq!(print.as_text(), Print::of("aéb").as_text());
        assert_ne!(print, Print::of("aéc"));
        assert_eq!(print.rest_of("aébc"), Some("c"));
        assert_eq!(print.rest_of("aéb"), Some(""));
        assert_eq!(print.rest_of("aé"), None);
        assert_eq!(print.rest_of("abcde"), None);
        // The split would fall within a character.
        assert_eq!(Print::of("aa").rest_of("aé"), None);
        assert_eq!(Print::default().rest_of("x"), Some("x"));
    }
}

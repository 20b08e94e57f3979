//! A text's fingerprint: whether it is still the one that was received.

/// The length of a text and its hash (64-bit FNV-1a), taken in piece by piece.
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
    /// That of `text`.
    pub(super) fn of(text: &str) -> Self {
        let mut print = Self::default();
        print.add(text);
        print
    }

    /// Takes in the next piece.
    pub(super) fn add(&mut self, piece: &str) {
        self.length += piece.len();
        for byte in piece.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// Whether nothing was taken in.
    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    /// What of `text` follows after what was taken in, which is its beginning; `None` where it
    /// begins otherwise.
    pub(super) fn rest_of(self, text: &str) -> Option<&str> {
        let (begin, rest) = text.split_at_checked(self.length)?;
        (Self::of(begin) == self).then_some(rest)
    }

    /// As it is kept with a part.
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
        // In the middle of a character.
        assert_eq!(Print::of("aa").rest_of("aé"), None);
        assert_eq!(Print::default().rest_of("x"), Some("x"));
    }
}

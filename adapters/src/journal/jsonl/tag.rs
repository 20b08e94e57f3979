//! The `id` of a line of results: the input line that it belongs to, and the tokens that it used.
//!
//! ```text
//!  {"id":"batch_req_17_9f86d081884c7d65_120_45","custom_id":"…", …
//!                   │  │                │   └ tokens of the answer
//!                   │  │                └ tokens of the prompt
//!                   │  └ digest of the input's line
//!                   └ number of the input's line
//! ```
//!
//! Only these prefixes are read when a run is resumed.

use chatcore::journal::Outcome;
use chatcore::json::Writer;
use twox_hash::XxHash3_64;

/// The beginning of each line, before the tag.
const PREFIX: &[u8] = b"{\"id\":\"batch_req_";

/// The data at the beginning of a line of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::journal) struct Tag {
    /// The line number in the input, from 1.
    pub(in crate::journal) place: u64,
    /// The digest of that input line.
    pub(in crate::journal) digest: u64,
    pub(in crate::journal) input_tokens: u64,
    pub(in crate::journal) output_tokens: u64,
}

/// The digest of a line of the input. The line must be trimmed.
pub(in crate::journal) fn digest(line: &[u8]) -> u64 {
    XxHash3_64::oneshot(line)
}

impl Tag {
    /// The tag of a result.
    pub(in crate::journal) fn of(outcome: &Outcome) -> Self {
        let usage = outcome.result.as_ref().ok();
        let usage = usage.and_then(|answer| answer.usage.as_ref());
        Self {
            place: outcome.place,
            digest: outcome.tag,
            input_tokens: usage.map_or(0, |usage| usage.input_tokens),
            output_tokens: usage.map_or(0, |usage| usage.output_tokens),
        }
    }

    /// Writes the beginning of a line of results, including the brace and the name `id`.
    pub(in crate::journal) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(PREFIX);
        let mut writer = Writer::from(std::mem::take(to));
        writer.count(self.place);
        *to = writer.into_bytes();
        to.push(b'_');
        to.extend((0..16).rev().map(|digit| {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            HEX[(self.digest >> (4 * digit)) as usize & 15]
        }));
        let mut writer = Writer::from(std::mem::take(to));
        for tokens in [self.input_tokens, self.output_tokens] {
            writer.piece("_");
            writer.count(tokens);
        }
        writer.piece("\"");
        *to = writer.into_bytes();
    }

    #[cfg(any(feature = "journal-files", test))]
    /// Whether a line of results, perhaps cut off at any byte, may begin with these bytes.
    pub(in crate::journal) fn is_begun(bytes: &[u8]) -> bool {
        let both = PREFIX.len().min(bytes.len());
        bytes[..both] == PREFIX[..both]
    }

    #[cfg(any(feature = "journal-files", test))]
    /// Reads the beginning of a line of results; `None` if it is not one.
    pub(in crate::journal) fn read(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(PREFIX)?;
        let end = rest.iter().take(80).position(|&byte| byte == b'"')?;
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        let mut parts = text.split('_');
        let mut number = || parts.next();
        let tag = Self {
            place: number()?.parse().ok()?,
            digest: u64::from_str_radix(number()?, 16).ok()?,
            input_tokens: number()?.parse().ok()?,
            output_tokens: number()?.parse().ok()?,
        };
        (tag.place > 0 && number().is_none()).then_some(tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_comes_back() {
        let tag = Tag {
            place: u64::MAX,
            digest: 0x1f,
            input_tokens: 120,
            output_tokens: 0,
        };
        let mut line = Vec::new();
        tag.write(&mut line);
        assert_eq!(Tag::read(&line), Some(tag));
        line.extend_from_slice(b",\"custom_id\":\"a\"}");
        assert_eq!(Tag::read(&line), Some(tag));
        for cut in 0..line.len() - 20 {
            let read = Tag::read(&line[..cut]);
            assert!(read.is_none() || read == Some(tag), "{cut}");
            assert!(Tag::is_begun(&line[..cut]), "{cut}");
        }
        for other in [
            "{}",
            "{\"id\":\"batch_req_abc123\"}",
            "{\"id\":\"batch_req_0_0_0_0\"}",
            "{\"id\":\"batch_req_1_0_0_0_0\"}",
        ] {
            assert_eq!(Tag::read(other.as_bytes()), None, "{other}");
        }
        for other in ["x", "{\"id\":\"x", "{\"id\": \"batch_req_1"] {
            assert!(!Tag::is_begun(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn the_digest_never_changes() {
        // Resuming files of older versions depends on it.
        assert_eq!(digest(b""), 0x2d06_8005_38d3_94c2);
    }
}

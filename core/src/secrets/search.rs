//! Searches for one secret, whole or cut off, by the Knuth-Morris-Pratt algorithm: it reads each
//! byte of a text a constant number of times, whatever the secret is.

use std::fmt;

use memchr::memchr_iter;
use secrecy::{ExposeSecret, SecretSlice};

use super::SHORTEST;
use super::unescape::Reading;

/// The longest escape: `&#x00002f;`.
const MAX_ESCAPE: usize = 10;

/// A secret in one form.
#[derive(Clone)]
pub(super) struct Needle {
    bytes: SecretSlice<u8>,
    /// For each prefix, the length of the longest shorter prefix that is also its suffix.
    fallback: Vec<usize>,
    /// Whether the base64 characters just before and just after also hold bits of the secret.
    shared: [bool; 2],
}

impl Needle {
    pub(super) fn new(bytes: &[u8], shared: [bool; 2]) -> Self {
        Self {
            fallback: fallback(bytes),
            bytes: SecretSlice::from(bytes.to_vec()),
            shared,
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.bytes.expose_secret() == other.bytes.expose_secret() && self.shared == other.shared
    }

    /// Adds each place of the secret, as a range of the original text.
    pub(super) fn find(&self, reading: &Reading<'_>, places: &mut Vec<(usize, usize)>) {
        let needle = self.bytes.expose_secret();
        let text = &*reading.bytes;
        if let Some(beginning) = needle.get(..SHORTEST).or(Some(needle))
            && contains(text, beginning)
        {
            self.find_beginnings(needle, reading, places);
        }
        // The secret's end may follow the rest of an escape that was cut in two.
        let of_escape = |byte: &&u8| byte.is_ascii_hexdigit() || b"ux#;".contains(byte);
        let most = text.iter().take(MAX_ESCAPE).take_while(of_escape).count();
        for skip in 0..=most {
            let tail = tail(needle, &text[skip..]);
            if (SHORTEST..needle.len()).contains(&tail) {
                places.push((0, reading.origin(skip + tail)));
            }
        }
    }

    /// Adds each place of the secret, whole or with its end cut off.
    fn find_beginnings(
        &self,
        needle: &[u8],
        reading: &Reading<'_>,
        places: &mut Vec<(usize, usize)>,
    ) {
        let text = &*reading.bytes;
        let place = |from: usize, to: usize| (reading.origin(from), reading.origin(to));
        let mut matched = 0;
        for (at, &byte) in text.iter().enumerate() {
            // These bytes begin an ellipsis.
            if matched >= SHORTEST && matches!(byte, 0xe2 | b'.') && reading.is_cut_at(at) {
                places.push(place(at - matched, at));
            }
            matched = step(needle, &self.fallback, matched, byte);
            if matched == needle.len() {
                let (from, to) = (at + 1 - matched, at + 1);
                let previous = from.checked_sub(1).and_then(|before| text.get(before));
                let before = usize::from(self.shared[0] && is_base64(previous));
                let after = usize::from(self.shared[1] && is_base64(text.get(to)));
                places.push(place(from - before, to + after));
            }
        }
        if matched >= SHORTEST {
            places.push(place(text.len() - matched, text.len()));
        }
    }
}

/// How many bytes of `needle` are matched after `byte`, if `matched` were before it.
fn step(needle: &[u8], fallback: &[usize], mut matched: usize, byte: u8) -> usize {
    loop {
        if needle.get(matched) == Some(&byte) {
            return matched + 1;
        }
        match matched.checked_sub(1) {
            Some(last) => matched = fallback[last],
            None => return 0,
        }
    }
}

/// Whether a text has a needle in it. It has at most [`SHORTEST`] bytes, so that each place is
/// compared in constant time. Places are found by a byte that is no lowercase letter, because
/// messages have few of these, and many of the `s` of `sk-proj-`.
fn contains(text: &[u8], needle: &[u8]) -> bool {
    let is_rare = |byte: &u8| !byte.is_ascii_lowercase();
    let offset = needle.iter().position(is_rare).unwrap_or(0);
    let Some(&byte) = needle.get(offset) else {
        return true;
    };
    let begins = |from: usize| text[from..].starts_with(needle);
    memchr_iter(byte, text).any(|at| at.checked_sub(offset).is_some_and(begins))
}

fn fallback(needle: &[u8]) -> Vec<usize> {
    let mut fallback = vec![0; needle.len()];
    let mut matched = 0;
    for at in 1..needle.len() {
        matched = step(needle, &fallback, matched, needle[at]);
        fallback[at] = matched;
    }
    fallback
}

/// The length of the longest beginning of `text` that is the end of `needle`.
fn tail(needle: &[u8], text: &[u8]) -> usize {
    // A quick check, because most texts begin with no part of the secret.
    match text.get(..SHORTEST) {
        Some(first) if needle.windows(SHORTEST).any(|window| window == first) => {}
        _ => return 0,
    }
    let head = &text[..text.len().min(needle.len())];
    let fallback = fallback(head);
    let mut matched = 0;
    for &byte in needle {
        matched = step(head, &fallback, matched, byte);
    }
    matched
}

fn is_base64(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Needle([redacted])")
    }
}

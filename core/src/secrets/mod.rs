//! Finds and redacts secrets in what a server sends back.
//!
//! ```text
//!  text ──► as it came ──► without escapes ──► without the escapes of those ──► …
//!               │                │                        │
//!               └── each secret, and its base64 ──────────┴──► places ──► [redacted]
//! ```
//!
//! A server that echoes a key often writes it in another form: in a URL (`%2B`), in JSON (`\/`,
//! `\u002d`), on a web page (`&#x2F;`), in a base64 dump of `Authorization`. Instead of writing the
//! secret in all of these forms, the search unescapes the text step by step. The work grows with
//! the length of the text times the number of secrets.

mod names;
mod recent;
mod search;
mod unescape;

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

pub(crate) use names::{may_hold_secret, names_credential};
pub use recent::RecentSecrets;

use search::Needle;
use unescape::Reading;

/// The minimum length of a secret. Shorter ones are placeholders (`none`, `x`) or parts of ordinary
/// words. A shorter piece of a secret is not redacted either.
const SHORTEST: usize = 8;

/// The minimum length of a secret after its own escapes were read, which makes it shorter.
const SHORTEST_READ: usize = 3;

/// How many levels of nested escapes are read: JSON in a JSON string, in a URL, on a page.
const READINGS: usize = 4;

/// The text that replaces a secret.
const REDACTED: &str = "[redacted]";

/// A set of secrets to redact from what a server says. Each is found as it is, percent-encoded, in
/// base64 anywhere in a longer text (`Bearer …`, `user:password`), with the escapes of JSON or
/// HTML, and cut off at the end of the text.
///
/// A secret with fewer than 8 characters is not redacted, because it is a placeholder and would
/// match ordinary words. `Debug` shows no secret, and the memory of secrets is wiped when they are
/// dropped.
///
/// ```
/// use chatcore::Secrets;
///
/// let mut secrets = Secrets::new();
/// secrets.add("Bearer sk-0123/4567");
/// let mut text = r#"{"error": "wrong key sk-0123\/4567"}"#.to_owned();
/// secrets.redact(&mut text);
/// assert_eq!(text, r#"{"error": "wrong key [redacted]"}"#);
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    needles: Vec<Needle>,
}

impl Secrets {
    /// Creates an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// Adds a secret, or a header's value that contains one: for `Bearer TOKEN` this adds the
    /// token, and for `Basic …` the password, too.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim();
        let Some((scheme, token)) = secret.split_once(' ') else {
            return self.add_alone(secret);
        };
        let token = token.trim();
        if token.contains(' ') || !scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return self.add_alone(secret);
        }
        self.add_alone(token);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = BASE64_STANDARD.decode(token)
            && let Ok(decoded) = std::str::from_utf8(&decoded)
            && let Some((_, password)) = decoded.split_once(':')
        {
            self.add_alone(password);
        }
    }

    /// Adds a secret as it is written in a URL, and in its unescaped form.
    pub(crate) fn add_escaped(&mut self, secret: &str) {
        self.add(secret);
        let read = Reading::of(secret.as_bytes()).unescaped();
        if let Some(read) = read.and_then(|read| String::from_utf8(read.bytes.into_owned()).ok()) {
            self.add(&read);
        }
    }

    fn add_alone(&mut self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        self.push(Needle::new(secret.as_bytes(), [false; 2]));
        // The secret itself may contain `%41` or similar. Reading the escapes around the secret
        // reads those, too.
        let mut reading = Reading::of(secret.as_bytes());
        for _ in 0..READINGS {
            match reading.unescaped() {
                Some(deeper) if deeper.bytes.len() >= SHORTEST_READ => reading = deeper,
                _ => break,
            }
            self.push(Needle::new(&reading.bytes, [false; 2]));
        }
        // The base64 of the secret depends on how many bytes precede it, modulo 3.
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(secret.as_bytes());
            // The range of the characters that hold only bits of the secret.
            let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            let shared = [before != 0, bytes.len() % 3 != 0];
            for alphabet in [BASE64_STANDARD, BASE64_URL_SAFE] {
                let encoded = alphabet.encode(&bytes);
                self.push(Needle::new(&encoded.as_bytes()[from..to], shared));
            }
        }
    }

    fn push(&mut self, needle: Needle) {
        if !self.needles.iter().any(|known| known.is_same(&needle)) {
            self.needles.push(needle);
        }
    }

    /// Replaces every secret in `text`, in any of these forms. At the end of the text and before an
    /// ellipsis, where a secret may have been cut off, its first 8 characters or more are enough.
    /// At the beginning of the text its last 8 or more are.
    pub fn redact(&self, text: &mut String) {
        if self.needles.is_empty() || text.len() < SHORTEST {
            return;
        }
        let mut places = Vec::new();
        let mut reading = Reading::of(text.as_bytes());
        for _ in 0..READINGS {
            for needle in &self.needles {
                needle.find(&reading, &mut places);
            }
            match reading.unescaped() {
                Some(deeper) => reading = deeper,
                None => break,
            }
        }
        if !places.is_empty() {
            *text = replaced(text, places);
        }
    }
}

/// Replaces the given ranges of `text`, which may overlap, by [`REDACTED`].
fn replaced(text: &str, mut places: Vec<(usize, usize)>) -> String {
    places.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut places = places.into_iter().peekable();
    while let Some((from, mut to)) = places.next() {
        while let Some((_, end)) = places.next_if(|(next, _)| *next <= to) {
            to = to.max(end);
        }
        // A place always lies on character boundaries: a needle is ASCII, or begins and ends with a
        // whole character.
        let between = text.get(done..from).unwrap_or_default();
        out.push_str(between);
        out.push_str(REDACTED);
        done = to;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

#[cfg(test)]
mod tests;

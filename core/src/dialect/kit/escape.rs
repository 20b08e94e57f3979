//! Percent-encoding for the parts of a URL.

use std::fmt::Write;

/// Writes a path segment or a query value. Every byte that is not unreserved (RFC 3986, 2.3) is
/// escaped, so that the text cannot end the segment or the value.
pub(crate) fn escape(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte.into());
            }
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
}

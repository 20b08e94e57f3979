//! The parts of a multipart body, written in place, so that a file of 200 MB is in memory once.

/// The boundary between the parts. Every line of the file begins with `{`, so that no line of it
/// can be the boundary.
pub(in crate::dialect) const BOUNDARY: &str = "chatcore-7f3a1d5e9b2c4860";

/// Begins a part with these headers, each ending in CRLF.
pub(in crate::dialect) fn open_part(to: &mut Vec<u8>, headers: &str) {
    for text in ["--", BOUNDARY, "\r\n", headers, "\r\n"] {
        to.extend_from_slice(text.as_bytes());
    }
}

/// Ends a part, and the body after its last part.
pub(in crate::dialect) fn close_part(to: &mut Vec<u8>, is_last: bool) {
    to.extend_from_slice(b"\r\n");
    if is_last {
        for text in ["--", BOUNDARY, "--\r\n"] {
            to.extend_from_slice(text.as_bytes());
        }
    }
}

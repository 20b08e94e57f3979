//! Generates URLs that could look like loopback to the core and like another host to a transport.

use chatcore::Provider;
use http::Uri;
use proptest::prelude::*;

/// Pieces of URLs that parsers disagree on.
const PIECES: &[&str] = &[
    "localhost",
    "LOCALHOST",
    ".localhost",
    "evil.com",
    "127.0.0.1",
    "127.1",
    "0x7f",
    "0177",
    "2130706433",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "[",
    "]",
    "@",
    ":",
    "8099",
    ".",
    "..",
    "%2e",
    "%6c",
    "\\",
    "/",
    "?",
    "#",
    "//",
    "\t",
    " ",
    ";",
    "*",
    "\u{3002}",
    "\u{ff11}",
    "xn--a",
    "user:pass",
    "1",
];

/// Hosts and ports, and anything else that may come before the path.
pub(super) fn authorities() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 1..6);
    pieces.prop_map(|pieces| pieces.concat())
}

/// The URL that a request with a key would be sent to unencrypted, if the core takes `authority`
/// for loopback.
pub(super) fn taken_for_loopback(authority: &str) -> Option<Uri> {
    let provider = Provider::openai_compatible(format!("http://{authority}/v1"), "m")
        .with_api_key("sk-0123456789");
    provider.endpoint().ok()?.uri("/chat/completions").ok()
}

#[test]
fn some_are() {
    for authority in [
        "localhost:8099",
        "evil.com.localhost",
        "[::ffff:127.0.0.1]:1",
    ] {
        assert!(taken_for_loopback(authority).is_some(), "{authority}");
    }
    for authority in ["evil.com:[].localhost:8099", "evil.com"] {
        assert!(taken_for_loopback(authority).is_none(), "{authority}");
    }
}

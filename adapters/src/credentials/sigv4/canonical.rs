//! The canonical form of a request, which the client and AWS both hash.

use bytes::Bytes;
use chatcore::{Error, ErrorKind};
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, EXPECT, HOST, TE, TRANSFER_ENCODING, USER_AGENT,
};
use http::uri::Authority;
use http::{HeaderName, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use sha2::{Digest, Sha256};

/// Everything is encoded except letters, digits and `-._~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Headers that are not signed, because the transport or a proxy may change them.
const UNSIGNED: [HeaderName; 8] = [
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    EXPECT,
    TE,
    TRANSFER_ENCODING,
    USER_AGENT,
    HeaderName::from_static("x-amzn-trace-id"),
];

/// The canonical form of a request.
pub(super) struct Canonical {
    /// Bytes, because a header's value may not be UTF-8.
    pub(super) text: Vec<u8>,
    /// The names of the signed headers: `host;x-amz-date`.
    pub(super) signed: String,
}

impl Canonical {
    pub(super) fn of(request: &Request<Bytes>) -> Result<Self, Error> {
        let uri = request.uri();
        let mut headers = headers(request)?;
        headers.sort_unstable_by_key(|(name, _)| *name);
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let signed = names.join(";");
        let head = [
            request.method().as_str(),
            &path(uri.path()),
            &query(uri.query().unwrap_or_default()),
            "",
        ];
        let mut text = head.join("\n").into_bytes();
        for (name, value) in &headers {
            text.extend_from_slice(name.as_bytes());
            text.push(b':');
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        let body = hex::encode(Sha256::digest(request.body()));
        text.extend_from_slice(format!("\n{signed}\n{body}").as_bytes());
        Ok(Self { text, signed })
    }
}

/// The name and value of each signed header. Several values of one name are joined by commas.
fn headers(request: &Request<Bytes>) -> Result<Vec<(&str, Vec<u8>)>, Error> {
    let mut all = Vec::new();
    for name in request.headers().keys() {
        if UNSIGNED.contains(name) {
            continue;
        }
        let values = request.headers().get_all(name).iter();
        let values: Vec<_> = values
            .map(|value| single_spaced(value.as_bytes()))
            .collect();
        all.push((name.as_str(), values.join(&b',')));
    }
    if !request.headers().contains_key(HOST) {
        let authority = request.uri().authority().map(Authority::as_str);
        let Some(host) = authority.and_then(|host| host.rsplit('@').next()) else {
            let message = "a request whose URI has no host cannot be signed";
            return Err(Error::new(ErrorKind::InvalidInput, message));
        };
        all.push((HOST.as_str(), host.as_bytes().to_vec()));
    }
    Ok(all)
}

/// Trims white space at the ends and reduces each run of it to one space.
fn single_spaced(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t'));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

/// The path without `.`, `..` and empty segments, and with each segment encoded. Anything already
/// encoded for sending is encoded a second time here.
fn path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(percent_encode(segment.as_bytes(), ENCODED)),
        }
    }
    let mut out = String::with_capacity(path.len());
    for segment in &segments {
        out.push('/');
        out.extend(segment.clone());
    }
    if segments.is_empty() || path.ends_with(['/']) {
        out.push('/');
    }
    out
}

/// The query's parameters, sorted by name and then by value, each encoded once.
fn query(query: &str) -> String {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| (encoded_once(name), encoded_once(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// Decodes `text` and encodes it again. A `+` is a space, as in the AWS SDKs.
fn encoded_once(text: &str) -> String {
    let text = text.replace('+', " ");
    let bytes: Vec<u8> = percent_decode(text.as_bytes()).collect();
    percent_encode(&bytes, ENCODED).to_string()
}

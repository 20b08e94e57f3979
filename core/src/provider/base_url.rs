//! What a base URL must be before a key is sent to it.

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};

use crate::error::Error;
use crate::find::find;
use crate::shown::Quoted;

/// The parts of a base URL that passed.
pub(crate) struct BaseUrl {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    /// Without a slash at its end.
    pub(crate) path: String,
}

/// Takes a base URL apart, and refuses what no key may be sent to.
pub(crate) fn check(url: &str) -> Result<BaseUrl, Error> {
    split(url.trim()).map_err(|why| match why {
        // Not shown: there may be a password in it.
        Wrong::User => Error::config(
            "the base URL has a user name or password in it; \
             put the key in LLM_API_KEY and leave only the host",
        ),
        Wrong::Other(why) => {
            // A key may stand in a query.
            let shown = Quoted(until(url, b"?#"));
            Error::config(format!(
                "the base URL {shown} {why}; set LLM_BASE_URL to one like \
                 https://api.deepseek.com/v1"
            ))
        }
    })
}

enum Wrong {
    User,
    Other(&'static str),
}

fn split(url: &str) -> Result<BaseUrl, Wrong> {
    let no_url = "is not a URL";
    let (name, rest) = match find(url, "://") {
        Some(at) => (&url[..at], &url[at + 3..]),
        None => ("", url),
    };
    let authority = until(rest, b"/?#");
    if authority.bytes().any(|byte| byte == b'@') {
        return Err(Wrong::User);
    }
    let path = &rest[authority.len()..];
    let refuse = |why| Err(Wrong::Other(why));
    if path.bytes().any(|byte| byte == b'#') {
        return refuse("has a fragment (#…) in it");
    }
    let scheme = match name {
        _ if name.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        _ if name.eq_ignore_ascii_case("http") => Scheme::HTTP,
        "" if rest.starts_with('/') => return refuse("is not absolute"),
        "" => return refuse(no_url),
        _ => return refuse("is neither https nor http"),
    };
    let Ok(authority) = authority.parse::<Authority>() else {
        return refuse(no_url);
    };
    let (host, port) = split_port(authority.as_str());
    if host.is_empty() {
        return refuse("has no host");
    }
    // `Authority` keeps a port that does not fit into 16 bits, and a colon without a port.
    if port.is_some_and(|port| !matches!(port.parse::<u64>(), Ok(1..=0xffff))) {
        return refuse("has no valid port");
    }
    if scheme == Scheme::HTTP && !is_loopback(host) {
        return refuse("would send the key unencrypted: http is for loopback only, use https");
    }
    if path.bytes().any(|byte| byte == b'?') {
        return refuse("has a query (?…) in it");
    }
    let path = path.trim_end_matches('/').to_owned();
    let whole = Bytes::from([path.as_str(), "/"].concat());
    if PathAndQuery::from_maybe_shared(whole).is_err() {
        return refuse(no_url);
    }
    Ok(BaseUrl {
        scheme,
        authority,
        path,
    })
}

/// A host, and what follows the colon behind it.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let address = authority.bytes().position(|byte| byte == b']');
    let host = until(&authority[address.unwrap_or(0)..], b":").len() + address.unwrap_or(0);
    (&authority[..host], authority.get(host + 1..))
}

/// What stands before the first of `ends`, which are ASCII.
fn until<'a>(text: &'a str, ends: &[u8]) -> &'a str {
    let end = text.bytes().position(|byte| ends.contains(&byte));
    &text[..end.unwrap_or(text.len())]
}

/// Whether what is sent to `host` stays on this machine. Of the spellings of an address in IPv6 only
/// the usual ones are known; the standard library's parser would be 1 KB in the npm package.
fn is_loopback(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        let mapped = address.strip_prefix("::ffff:").unwrap_or_default();
        return address == "::1]" || is_127(mapped.strip_suffix(']').unwrap_or_default());
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let ends_in = |end: &str| {
        let at = host.len().checked_sub(end.len());
        at.is_some_and(|at| host.as_bytes()[at..].eq_ignore_ascii_case(end.as_bytes()))
    };
    host.eq_ignore_ascii_case("localhost") || ends_in(".localhost") || is_127(host)
}

/// `127.0.0.1` and the like: four numbers. What has only digits and dots is no name of a host.
fn is_127(address: &str) -> bool {
    let mut dots = 0;
    let mut digits = 0;
    for byte in address.bytes() {
        match byte {
            b'.' if digits > 0 => (dots, digits) = (dots + 1, 0),
            b'0'..=b'9' if digits < 3 => digits += 1,
            _ => return false,
        }
    }
    dots == 3 && digits > 0 && address.starts_with("127.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ones_pass() {
        for (url, path) in [
            ("https://api.deepseek.com/v1", "/v1"),
            ("https://api.deepseek.com/v1/", "/v1"),
            ("https://api.anthropic.com", ""),
            ("http://127.0.0.1:8080", ""),
            ("http://localhost:8080/v1", "/v1"),
            ("http://[::1]:8080/v1", "/v1"),
            ("http://[::ffff:127.0.0.1]:8080/v1", "/v1"),
            ("http://127.9.9.9/v1", "/v1"),
            ("http://LOCALHOST./v1", "/v1"),
            ("HTTP://a.localhost/v1", "/v1"),
            (" https://api.deepseek.com/v1 ", "/v1"),
            ("https://[2001:db8::1]/v1", "/v1"),
        ] {
            match check(url) {
                Ok(base) => assert_eq!(base.path, path, "{url}"),
                Err(error) => panic!("{url}: {error}"),
            }
        }
    }

    #[test]
    fn bad_ones_say_why() {
        for (url, why) in [
            ("", "not a URL"),
            ("not a url", "not a URL"),
            ("https://", "not a URL"),
            ("https:///v1", "not a URL"),
            ("https://a b.com", "not a URL"),
            ("https://a.com/a b", "not a URL"),
            ("https://[::1", "not a URL"),
            ("api.deepseek.com/v1", "not a URL"),
            ("/v1", "not absolute"),
            ("https://user:secret@api.deepseek.com", "user name"),
            ("https://secret@api.deepseek.com", "user name"),
            ("http://api.deepseek.com/v1", "http is for loopback only"),
            ("http://localhost.evil.com/v1", "http is for loopback only"),
            ("http://127.0.0.1.evil.com/v1", "http is for loopback only"),
            ("http://127.evil.com/v1", "http is for loopback only"),
            ("http://127.0.0.1000/v1", "http is for loopback only"),
            ("http://127.0.0.1.1/v1", "http is for loopback only"),
            ("http://127.0.1/v1", "http is for loopback only"),
            ("http://128.0.0.1/v1", "http is for loopback only"),
            ("http://[::2]/v1", "http is for loopback only"),
            ("http://[::ffff:10.0.0.1]/v1", "http is for loopback only"),
            ("http://xlocalhost/v1", "http is for loopback only"),
            ("ftp://127.0.0.1/v1", "neither https nor http"),
            ("https://a.com/v1?key=secret", "query"),
            ("https://a.com/v1?a#secret", "fragment"),
            ("https://a.com:99999/v1?key=secret", "port"),
            ("https://a.com/v1#x", "fragment"),
            ("https://a.com:99999/v1", "port"),
            ("https://a.com:0/v1", "port"),
            ("https://[::1]:/v1", "port"),
            ("https://:80/v1", "host"),
            ("https://a.com:/v1", "port"),
        ] {
            let Err(error) = check(url) else {
                panic!("{url} passed");
            };
            let error = error.to_string();
            assert!(error.contains(why), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

//! What a base URL must be before a key is sent to it.

use std::net::IpAddr;

use http::Uri;
use http::uri::{Authority, Scheme};

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
    // Checked on the text, so that the error need not repeat a password.
    let after_scheme = find(url, "://").map_or(url, |at| &url[at + 3..]);
    let authority = after_scheme.split(['/', '?', '#']).next().unwrap_or("");
    if authority.contains('@') {
        return Err(Error::config(
            "the base URL has a user name or password in it; \
             put the key in LLM_API_KEY and leave only the host",
        ));
    }
    // A key may stand in a query.
    let shown = Quoted(url.split(['?', '#']).next().unwrap_or(url));
    let refuse = |why: &str| {
        Err(Error::config(format!(
            "the base URL {shown} {why}; set LLM_BASE_URL to one like https://api.deepseek.com/v1"
        )))
    };
    if url.contains('#') {
        return refuse("has a fragment (#…) in it");
    }
    let Ok(uri) = url.trim().parse::<Uri>() else {
        return refuse("is not a URL");
    };
    let parts = uri.into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return refuse("is not absolute");
    };
    if authority.host().is_empty() {
        return refuse("has no host");
    }
    // `Authority` keeps a port that does not fit into 16 bits, and a colon without a port.
    let has_port = authority
        .as_str()
        .rsplit_once(':')
        .is_some_and(|(host, _)| host.len() >= authority.host().len());
    if has_port && authority.port_u16().is_none_or(|port| port == 0) {
        return refuse("has no valid port");
    }
    if scheme == Scheme::HTTP {
        if !is_loopback(authority.host()) {
            return refuse("would send the key unencrypted: http is for loopback only, use https");
        }
    } else if scheme != Scheme::HTTPS {
        return refuse("is neither https nor http");
    }
    let path = match &parts.path_and_query {
        Some(path) if path.query().is_some() => return refuse("has a query (?…) in it"),
        Some(path) => path.path().trim_end_matches('/').to_owned(),
        None => String::new(),
    };
    Ok(BaseUrl {
        scheme,
        authority,
        path,
    })
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            host.eq_ignore_ascii_case("localhost")
                || host.len() > 10 && host[host.len() - 10..].eq_ignore_ascii_case(".localhost")
        }
    }
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
            ("api.deepseek.com/v1", "not a"),
            ("/v1", "not absolute"),
            ("https://user:secret@api.deepseek.com", "user name"),
            ("https://secret@api.deepseek.com", "user name"),
            ("http://api.deepseek.com/v1", "http is for loopback only"),
            ("http://localhost.evil.com/v1", "http is for loopback only"),
            ("http://127.0.0.1.evil.com/v1", "http is for loopback only"),
            ("ftp://127.0.0.1/v1", "neither https nor http"),
            ("https://a.com/v1?key=secret", "query"),
            ("https://a.com/v1?a#secret", "fragment"),
            ("https://a.com:99999/v1?key=secret", "port"),
            ("https://a.com/v1#x", "fragment"),
            ("https://a.com:99999/v1", "port"),
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

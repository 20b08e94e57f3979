//! Access control: the access token, and a check that browser requests come from this server's
//! pages.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use subtle::ConstantTimeEq;
use trillium::{Conn, HeaderName, KnownHeaderName};

use crate::errors::ApiError;
use crate::settings::Settings;

/// The subprotocol in which a page sends the token of a WebSocket, because browsers allow no custom
/// headers there.
pub(crate) const BEARER_PROTOCOL: &str = "chatcore.bearer.";

/// Refuses a request from another site's page, and a request for an unknown host name.
///
/// A browser lets any page send requests to this server; the `Origin` header names the page's site.
/// A site's owner can also point the site's name at 127.0.0.1 (DNS rebinding), so that its pages
/// count as this server's. Therefore only loopback's own names are accepted on loopback.
pub(crate) fn check_site(conn: &Conn, settings: &Settings) -> Result<(), ApiError> {
    let host = header(conn, KnownHeaderName::Host)?;
    let name = host.map(host_name).unwrap_or_default();
    let is_ours = match settings.hosts.as_slice() {
        [] if settings.addr.ip().is_loopback() => is_loopback(name),
        [] => true,
        hosts => hosts.iter().any(|known| known.eq_ignore_ascii_case(name)),
    };
    if !is_ours {
        return Err(ApiError::new(
            403,
            "unknown_host",
            format!("this server is not called {name:?}; CHATCORE_HOSTS lists its names"),
        ));
    }
    let Some(origin) = header(conn, KnownHeaderName::Origin)? else {
        return Ok(());
    };
    let site = origin.split_once("://").map(|(_, site)| site);
    match site == host && site.is_some() {
        true => Ok(()),
        false => Err(ApiError::new(
            403,
            "cross_origin",
            format!("pages of {origin} may not send requests to this server"),
        )),
    }
}

/// Refuses a request without the access token, if there is one.
pub(crate) fn check_token(conn: &Conn, settings: &Settings) -> Result<(), ApiError> {
    let Some(token) = &settings.token else {
        return Ok(());
    };
    let bearer = header(conn, KnownHeaderName::Authorization)?
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    // Anthropic's clients may send the token in this header.
    let key = header(conn, "x-api-key")?;
    let protocol = conn
        .request_headers()
        .token_iter(KnownHeaderName::SecWebsocketProtocol)
        .find_map(|one| one.strip_prefix(BEARER_PROTOCOL));
    let Some(given) = bearer.or(key).or(protocol) else {
        return Err(ApiError::new(
            401,
            "missing_token",
            "this server needs an access token: send `Authorization: Bearer TOKEN`",
        ));
    };
    // In constant time, so that the token cannot be guessed step by step. Its length can still be
    // measured.
    match given.as_bytes().ct_eq(token.as_bytes()).into() {
        true => Ok(()),
        false => Err(ApiError::new(
            401,
            "invalid_token",
            "the access token is wrong",
        )),
    }
}

/// The client's address. Behind a trusted proxy it is the last address in `X-Forwarded-For`.
pub(crate) fn client(conn: &Conn, settings: &Settings) -> IpAddr {
    let forwarded = || {
        // A proxy may add its own header line instead of extending the client's, so the last line
        // counts.
        let lines = conn
            .request_headers()
            .get_values(KnownHeaderName::XforwardedFor)?;
        address(lines.last()?.as_str()?.rsplit(',').next()?.trim())
    };
    let trusted = settings.trust_proxy.then(forwarded).flatten();
    trusted
        .or(conn.peer_ip())
        .unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}

/// Parses an address. Some proxies append a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

/// The value of a header that must appear at most once. With two values, a proxy in between might
/// use the other one.
fn header(conn: &Conn, name: impl Into<HeaderName<'static>>) -> Result<Option<&str>, ApiError> {
    let name = name.into();
    let Some(values) = conn.request_headers().get_values(name.clone()) else {
        return Ok(None);
    };
    match values.as_str() {
        Some(value) => Ok(Some(value)),
        None => Err(ApiError::new(
            400,
            "invalid_header",
            format!("the request must have exactly one header {name}, and its value must be text"),
        )),
    }
}

/// The host header without its port.
fn host_name(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_a_port() {
        for (text, is) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1:443", Some("10.0.0.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("unknown", None),
            ("", None),
        ] {
            let is = is.map(|is| is.parse().unwrap());
            assert_eq!(address(text), is, "{text}");
        }
    }

    #[test]
    fn loopback_by_any_of_its_names() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "127.1.2.3",
        ] {
            assert!(is_loopback(host_name(host)), "{host}");
        }
        for host in [
            "",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]",
        ] {
            assert!(!is_loopback(host_name(host)), "{host}");
        }
    }
}

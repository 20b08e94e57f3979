//! Who may ask: the access token, and pages of this server only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use subtle::ConstantTimeEq;
use trillium::{Conn, HeaderName, KnownHeaderName};

use crate::errors::ApiError;
use crate::settings::Settings;

/// The subprotocol by which a page gives the token of a WebSocket, which can have no headers.
pub(crate) const BEARER_PROTOCOL: &str = "chatcore.bearer.";

/// Refuses a request that another site's page made, or that came by another name.
///
/// A browser lets any page send a request here; its `Origin` names the page's site. And a name
/// that its owner suddenly points at 127.0.0.1 would make that site this one, so that on
/// loopback only loopback's own names are taken.
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
            format!(
                "the server is not known as {name:?}; CHATCORE_HOSTS names what it is known as"
            ),
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
            format!("pages of {origin} may not ask this server"),
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
    // Where clients of Anthropic's may put it.
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
    // In constant time, so that its beginning cannot be found out; its length can.
    match given.as_bytes().ct_eq(token.as_bytes()).into() {
        true => Ok(()),
        false => Err(ApiError::new(
            401,
            "invalid_token",
            "the access token is not right",
        )),
    }
}

/// The client's address: behind a proxy that is trusted, the last that the proxy tells.
pub(crate) fn client(conn: &Conn, settings: &Settings) -> IpAddr {
    let forwarded = || {
        // A proxy may add a line of its own in place of lengthening the client's.
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

/// An address, to which some proxies add a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port)
}

/// The value of a header that may be there once. Two of it would be read differently by whoever
/// stands between the client and this server.
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
            format!("the header {name} must be there once, and be text"),
        )),
    }
}

/// A host header without its port.
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

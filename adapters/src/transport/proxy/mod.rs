//! Chooses the proxy of a request, from the environment or the application's settings.
//!
//! The variables and their rules are curl's, with the two exceptions that Go makes too:
//!
//! - `https_proxy` is for `https` URLs and `http_proxy` for `http` URLs. `all_proxy` is for both if
//!   theirs is not set. Lower case is read before upper case, and an empty value counts as not set.
//! - `no_proxy` lists the hosts that are connected to directly, separated by commas or blanks: `*`
//!   for all, `example.com` (or `.example.com`) for that host and every host below it, an IP
//!   address, or a network such as `10.0.0.0/8`.
//! - Exception: `HTTP_PROXY` in upper case is read (curl does not), but not in a CGI program, where
//!   a client could set it with a `Proxy:` header. A program counts as CGI if `REQUEST_METHOD` is
//!   set.
//! - Exception: with proxies from the environment, `localhost` and loopback addresses are always
//!   connected to directly (curl would ask the proxy), because a proxy cannot reach this machine's
//!   own model server. A proxy given by the application ([`Proxies::all`]) is used for every host.

mod bypass;
mod proxies;
#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatcore::{Host, TransportError, TransportErrorKind};
use http::HeaderValue;
use percent_encoding::percent_decode_str;

pub use self::proxies::Proxies;

/// An HTTP proxy: its address and the credentials for it.
///
/// `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct Proxy {
    tls: bool,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// Reads a proxy URL such as `http://user:password@proxy.example.com:3128`.
    ///
    /// Without a scheme the proxy is `http`; `https` means TLS to the proxy itself. The port
    /// defaults to 1080 for `http`, as in curl, and to 443 for `https`. User and password may be
    /// percent-encoded, and must be if they contain `/`, `?` or `#`.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::Proxy`] if `url` is not a URL, has another scheme (SOCKS is not
    /// supported), or has no valid host or port. The message shows no part of `url`, because a
    /// password may be anywhere in a malformed URL.
    pub fn parse(url: &str) -> Result<Self, TransportError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            // The text before `://` is not shown, because it could be part of a password.
            _ => return Err(invalid("only http:// and https:// proxies are supported")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // With an unencoded `/`, `?` or `#` in the user or password, the text before it would be taken
        // for the host.
        if rest[authority.len()..].contains('@') {
            return Err(invalid(
                "write a `/`, `?` or `#` in its user or password percent-encoded (%2F, %3F, %23)",
            ));
        }
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(split_userinfo(userinfo)), host),
            None => (None, authority),
        };
        let (host, port) = Host::parse_with_port(host).map_err(|error| {
            invalid(&format!(
                "it {error}; expected http://[user:password@]host[:port]"
            ))
        })?;
        Ok(Self {
            tls,
            host: host.to_string(),
            port: port.unwrap_or(if tls { 443 } else { 1080 }),
            authorization: credentials
                .as_ref()
                .map(|(user, password)| basic(user, password)),
            credentials,
        })
    }

    /// Whether the connection to the proxy itself is TLS.
    pub fn is_https(&self) -> bool {
        self.tls
    }

    /// The host in lower case; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// User and password, decoded. Both are secret.
    pub fn credentials(&self) -> Option<(&str, &str)> {
        self.credentials
            .as_ref()
            .map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// The value of the `Proxy-Authorization` header, marked as sensitive.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let user = if self.credentials.is_some() {
            "…@"
        } else {
            ""
        };
        write!(f, "Proxy({scheme}://{user}{}:{})", self.host, self.port)
    }
}

/// Removes the brackets that an IPv6 address has in a URL.
pub(crate) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// User and password from the part before the `@`, decoded.
#[cfg(feature = "http1")]
pub(crate) fn userinfo(authority: &http::uri::Authority) -> Option<(String, String)> {
    let (userinfo, _) = authority.as_str().rsplit_once('@')?;
    Some(split_userinfo(userinfo))
}

fn split_userinfo(userinfo: &str) -> (String, String) {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (decode(user), decode(password))
}

/// The value of an `Authorization` header with the scheme `Basic`.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let value = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    );
    // The fallback is never used, because base64 has only characters that a header may hold.
    let mut value =
        HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static("Basic"));
    value.set_sensitive(true);
    value
}

fn invalid(why: &str) -> TransportError {
    TransportError::new(
        TransportErrorKind::Proxy,
        format!("the proxy cannot be used: {why}"),
    )
}

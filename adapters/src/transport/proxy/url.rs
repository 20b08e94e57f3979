//! The URL of a proxy.

use std::fmt;

use chatcore::{Host, TransportError, TransportErrorKind};
use http::HeaderValue;

use super::userinfo;

/// The protocol of a proxy.
///
/// ```
/// use chatcore_adapters::transport::Proxy;
///
/// let proxy = Proxy::parse("socks5h://localhost:9050")?;
/// assert_eq!(proxy.scheme().as_str(), "socks5h");
/// # Ok::<(), chatcore::TransportError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProxyScheme {
    /// HTTP. A plain request is forwarded, and a request for `https` goes through a tunnel
    /// (CONNECT).
    Http,
    /// Like [`Http`](Self::Http), with TLS to the proxy itself.
    Https,
    /// SOCKS 5 (RFC 1928). This machine looks names up, and the proxy gets an address.
    Socks5,
    /// SOCKS 5 with names. The proxy looks names up, so this machine looks nothing up, and names
    /// that only the proxy knows work too.
    Socks5h,
}

impl ProxyScheme {
    /// The scheme as written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    /// Whether this is a SOCKS proxy, which opens a connection and passes bytes on unchanged.
    pub fn is_socks(self) -> bool {
        matches!(self, Self::Socks5 | Self::Socks5h)
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            _ => 1080,
        }
    }
}

/// A proxy: its address, its protocol and the credentials for it.
///
/// `Debug` shows neither user nor password.
///
/// ```
/// use chatcore_adapters::transport::Proxy;
/// use chatcore_adapters::transport::proxy::ProxyScheme;
///
/// let proxy = Proxy::parse("socks5h://me:secret@proxy.example.com")?;
/// assert_eq!(proxy.scheme(), ProxyScheme::Socks5h);
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example.com", 1080));
/// assert_eq!(proxy.credentials(), Some(("me", "secret")));
/// # Ok::<(), chatcore::TransportError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    scheme: ProxyScheme,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
    authorization: Option<HeaderValue>,
}

/// The maximum length of a user or password in SOCKS 5 (RFC 1929).
const SOCKS_MAX: usize = 255;

impl Proxy {
    /// Reads a proxy URL such as `http://user:password@proxy.example.com:3128` or
    /// `socks5h://localhost:9050`.
    ///
    /// Without a scheme the proxy is `http`; [`ProxyScheme`] explains the others. The port defaults
    /// to 443 for `https` and to 1080 for the others, as in curl. User and password may be
    /// percent-encoded, and must be if they contain `/`, `?` or `#`.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::ProxyRefused`] if `url` is not a URL, has another scheme, or has no valid host
    /// or port; or if the user or the password of a SOCKS proxy is longer than 255 bytes, or its user
    /// is empty. The message shows no part of `url`, because a password may be anywhere in a
    /// malformed URL.
    pub fn parse(url: &str) -> Result<Self, TransportError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks5" => ProxyScheme::Socks5,
            "socks5h" => ProxyScheme::Socks5h,
            // Other programs read this as SOCKS 4, 5 or 5h, so it is ambiguous.
            "socks" => {
                return Err(invalid(
                    "write socks5:// instead of socks://, or socks5h:// to let the proxy resolve \
                     names",
                ));
            }
            // The text before `://` is not shown, because it could be part of a password.
            _ => {
                return Err(invalid(
                    "only http://, https://, socks5:// and socks5h:// proxies are supported",
                ));
            }
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // With an unencoded `/`, `?` or `#` in the user or password, the text before it would be taken
        // for the host.
        if rest[authority.len()..].contains('@') {
            return Err(invalid(
                "percent-encode a `/`, `?` or `#` in its user or password (%2F, %3F, %23)",
            ));
        }
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo::split(userinfo)), host),
            None => (None, authority),
        };
        if scheme.is_socks()
            && let Some((user, password)) = &credentials
            && (user.is_empty() || user.len() > SOCKS_MAX || password.len() > SOCKS_MAX)
        {
            return Err(invalid(
                "the user of a SOCKS proxy must have 1 to 255 bytes, and the password at most 255",
            ));
        }
        let (host, port) = Host::parse_with_port(host).map_err(|error| {
            let scheme = scheme.as_str();
            invalid(&format!(
                "it {error}; expected {scheme}://[user:password@]host[:port]"
            ))
        })?;
        let basic = |(user, password): &(String, String)| userinfo::basic(user, password);
        Ok(Self {
            scheme,
            host: host.to_string(),
            port: port.unwrap_or(scheme.default_port()),
            authorization: credentials.as_ref().map(basic),
            credentials,
        })
    }

    /// The proxy's protocol.
    pub fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Whether the connection to the proxy itself is TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == ProxyScheme::Https
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

    /// The value of the `Proxy-Authorization` header of an HTTP proxy, marked as sensitive.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = match self.credentials.is_some() {
            true => "…@",
            false => "",
        };
        let scheme = self.scheme.as_str();
        write!(f, "Proxy({scheme}://{user}{}:{})", self.host, self.port)
    }
}

fn invalid(why: &str) -> TransportError {
    TransportError::new(
        TransportErrorKind::ProxyRefused,
        format!("the proxy cannot be used: {why}"),
    )
}

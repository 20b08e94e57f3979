//! Which proxy a request goes through, as the environment or the application says.
//!
//! The variables and their rules are curl's, with the two exceptions that Go makes too:
//!
//! - `https_proxy` for `https` URLs, `http_proxy` for `http` URLs, and `all_proxy` where that one
//!   is not set. Lower case is read before upper case, and an empty value counts as not set.
//! - `no_proxy` lists the hosts that are reached directly, separated by commas or blanks: `*` for
//!   all, `example.com` (or `.example.com`) for that host and every host below it, an IP address,
//!   or a network such as `10.0.0.0/8`.
//! - Exception: `HTTP_PROXY` in upper case is read (curl does not), but not in a CGI program,
//!   where a client could set it with a `Proxy:` header; `REQUEST_METHOD` tells.
//! - Exception: with proxies from the environment, `localhost` and loopback addresses are always
//!   reached directly (curl would ask the proxy). A proxy cannot reach this machine's own model
//!   server. A proxy given by the application ([`Proxies::all`]) is used for every host.

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatcore::{TransportError, TransportErrorKind};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// An HTTP proxy: where it is, and who we are to it.
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
    /// Without a scheme it is `http`; `https` speaks TLS to the proxy itself. The port defaults
    /// to 1080 for `http`, as it does for curl, and to 443 for `https`. User and password may be
    /// percent-encoded.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::Proxy`] if it is no URL, or of another scheme (SOCKS is not
    /// supported).
    pub fn parse(url: &str) -> Result<Self, TransportError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            // What stands before `://` could be part of a password, so it is not shown.
            _ => return Err(invalid("only http:// and https:// proxies are supported")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let authority: http::uri::Authority = authority
            .parse()
            .map_err(|_| invalid("expected http://[user:password@]host[:port]"))?;
        if authority.host().is_empty() {
            return Err(invalid("expected http://[user:password@]host[:port]"));
        }
        let credentials = userinfo(&authority);
        Ok(Self {
            tls,
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 1080 }),
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

    /// The host, in lower case; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// User and password, decoded. They are secret.
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

/// The proxies of a transport, and the hosts that are reached without one.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Slot,
    https: Slot,
    bypass: Bypass,
}

/// A proxy, none, or a variable that does not parse: that is an error of the requests it would
/// have been for, since they must not go out directly instead.
#[derive(Clone, Debug, Default)]
enum Slot {
    #[default]
    Direct,
    Through(Proxy),
    Broken(String),
}

impl Proxies {
    /// No proxy: every host is reached directly.
    pub fn none() -> Self {
        Self::default()
    }

    /// `proxy` for every host, loopback too.
    pub fn all(proxy: Proxy) -> Self {
        Self {
            http: Slot::Through(proxy.clone()),
            https: Slot::Through(proxy),
            bypass: Bypass::default(),
        }
    }

    /// What the process's environment says.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// What the variables say that `var` reads; see the [module](self) for the rules.
    ///
    /// A proxy that does not parse is reported by the requests that would use it.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &'static str| {
            var(name)
                .filter(|value| !value.trim().is_empty())
                .map(|value| (name, value))
        };
        let all = || set("all_proxy").or_else(|| set("ALL_PROXY"));
        let cgi = var("REQUEST_METHOD").is_some();
        let http = set("http_proxy")
            .or_else(|| if cgi { None } else { set("HTTP_PROXY") })
            .or_else(all);
        let https = set("https_proxy")
            .or_else(|| set("HTTPS_PROXY"))
            .or_else(all);
        let bypass = set("no_proxy").or_else(|| set("NO_PROXY"));
        Self {
            http: Slot::read(http),
            https: Slot::read(https),
            bypass: Bypass {
                loopback: true,
                hosts: bypass
                    .map(|(_, list)| Host::list(&list))
                    .unwrap_or_default(),
            },
        }
    }

    /// The proxy for `uri`, `None` to go directly.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::Proxy`] if the variable that names the proxy does not parse; the
    /// message names the variable.
    pub fn for_uri(&self, uri: &Uri) -> Result<Option<&Proxy>, TransportError> {
        let slot = match uri.scheme_str() {
            Some("https") => &self.https,
            _ => &self.http,
        };
        let host = uri.host().unwrap_or_default();
        match slot {
            Slot::Direct => Ok(None),
            _ if self.bypass.covers(host) => Ok(None),
            Slot::Through(proxy) => Ok(Some(proxy)),
            Slot::Broken(why) => Err(TransportError::new(TransportErrorKind::Proxy, why.clone())),
        }
    }
}

impl Slot {
    fn read(variable: Option<(&'static str, String)>) -> Self {
        match variable {
            None => Self::Direct,
            Some((name, value)) => match Proxy::parse(&value) {
                Ok(proxy) => Self::Through(proxy),
                Err(error) => Self::Broken(format!("the variable {name}: {error}")),
            },
        }
    }
}

/// Hosts that are reached directly.
#[derive(Clone, Debug, Default)]
struct Bypass {
    loopback: bool,
    hosts: Vec<Host>,
}

#[derive(Clone, Debug)]
enum Host {
    Any,
    /// This name and every name below it.
    Name(String),
    /// Addresses that share this many leading bits.
    Network(IpAddr, u8),
}

impl Host {
    fn list(list: &str) -> Vec<Self> {
        list.split([',', ' ', '\t'])
            .filter(|entry| !entry.is_empty())
            .map(Self::read)
            .collect()
    }

    fn read(entry: &str) -> Self {
        if entry == "*" {
            return Self::Any;
        }
        let (address, bits) = match entry.split_once('/') {
            Some((address, bits)) => (address, bits.parse().ok()),
            None => (entry, Some(u8::MAX)),
        };
        if let (Ok(address), Some(bits)) = (unbracketed(address).parse(), bits) {
            return Self::Network(address, bits);
        }
        let name = entry.trim_start_matches("*.").trim_matches('.');
        Self::Name(name.to_ascii_lowercase())
    }
}

impl Bypass {
    fn covers(&self, host: &str) -> bool {
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = unbracketed(&name).parse().ok();
        let loopback = match address {
            Some(address) => address.is_loopback(),
            None => name == "localhost" || name.ends_with(".localhost"),
        };
        (self.loopback && loopback)
            || self.hosts.iter().any(|host| match (host, address) {
                (Host::Any, _) => true,
                (Host::Name(suffix), None) => name
                    .strip_suffix(suffix.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
                (Host::Network(network, bits), Some(address)) => within(address, *network, *bits),
                _ => false,
            })
    }
}

/// Whether two addresses of one family share their first `bits` bits.
fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differing = a.to_bits() ^ b.to_bits();
            differing.leading_zeros() >= u32::from(bits).min(32)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differing = a.to_bits() ^ b.to_bits();
            differing.leading_zeros() >= u32::from(bits).min(128)
        }
        _ => false,
    }
}

/// The address inside the brackets that an IPv6 host has in a URL.
pub(crate) fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// User and password before the `@` of an authority, decoded.
pub(crate) fn userinfo(authority: &http::uri::Authority) -> Option<(String, String)> {
    let (userinfo, _) = authority.as_str().rsplit_once('@')?;
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decode(user), decode(password)))
}

/// The value of an `Authorization` header of the scheme `Basic`.
pub(crate) fn basic(user: &str, password: &str) -> HeaderValue {
    let value = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    );
    // Base64 holds only characters that a header may hold.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(vars: &[(&str, &str)]) -> Proxies {
        Proxies::from_vars(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.to_string())
        })
    }

    /// The host of the proxy for `uri`, `direct`, or the error.
    fn route(proxies: &Proxies, uri: &str) -> String {
        match proxies.for_uri(&uri.parse().unwrap()) {
            Ok(Some(proxy)) => proxy.host().to_owned(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_has_its_variable_and_lower_case_comes_first() {
        let some = proxies(&[
            ("http_proxy", "low"),
            ("HTTP_PROXY", "high"),
            ("HTTPS_PROXY", "https://secure:8443"),
            ("all_proxy", "rest"),
        ]);
        assert_eq!(route(&some, "http://a.test/"), "low");
        assert_eq!(route(&some, "https://a.test/"), "secure");
        let rest = proxies(&[("http_proxy", " "), ("ALL_PROXY", "rest")]);
        assert_eq!(route(&rest, "http://a.test/"), "rest");
        assert_eq!(route(&rest, "https://a.test/"), "rest");
        assert_eq!(route(&proxies(&[]), "https://a.test/"), "direct");
    }

    #[test]
    fn a_cgi_program_does_not_believe_the_upper_case_http_proxy() {
        let cgi = proxies(&[("HTTP_PROXY", "evil"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(route(&cgi, "http://a.test/"), "direct");
    }

    #[test]
    fn no_proxy_lists_names_addresses_and_networks() {
        let list =
            "Example.com, .dot.test\t*.star.test,10.0.0.0/8 192.168.1.7,[fd00::]/8,2001:db8::1";
        let some = proxies(&[("all_proxy", "p"), ("NO_PROXY", list)]);
        for direct in [
            "example.com",
            "www.EXAMPLE.com",
            "example.com.",
            "dot.test",
            "a.dot.test",
            "b.star.test",
            "10.200.3.4",
            "192.168.1.7",
            "[2001:db8::1]",
        ] {
            assert_eq!(
                route(&some, &format!("http://{direct}/")),
                "direct",
                "{direct}"
            );
        }
        for through in [
            "notexample.com",
            "example.com.evil.test",
            "11.0.0.1",
            "192.168.1.8",
            "[2001:db8::2]",
        ] {
            assert_eq!(
                route(&some, &format!("http://{through}/")),
                "p",
                "{through}"
            );
        }
        let all = proxies(&[("all_proxy", "p"), ("no_proxy", "*")]);
        assert_eq!(route(&all, "http://a.test/"), "direct");
    }

    #[test]
    fn loopback_is_reached_directly_unless_the_application_named_the_proxy() {
        let env = proxies(&[("all_proxy", "p")]);
        let own = Proxies::all(Proxy::parse("p").unwrap());
        for host in [
            "localhost",
            "api.localhost",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
        ] {
            assert_eq!(
                route(&env, &format!("http://{host}:1/")),
                "direct",
                "{host}"
            );
            assert_eq!(route(&own, &format!("http://{host}:1/")), "p", "{host}");
        }
        assert_eq!(route(&env, "http://localhost.test/"), "p");
    }

    #[test]
    fn a_proxy_url_is_read_as_curl_reads_it() {
        let proxy = Proxy::parse("HTTP://me:p%40ss:word@Proxy.test:3128/x").unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.test", 3128));
        assert_eq!(proxy.credentials(), Some(("me", "p@ss:word")));
        assert_eq!(
            proxy.authorization().unwrap(),
            &format!("Basic {}", BASE64_STANDARD.encode("me:p@ss:word"))
        );
        assert_eq!(Proxy::parse("p").unwrap().port(), 1080);
        assert_eq!(Proxy::parse("https://[::1]").unwrap().port(), 443);
        assert_eq!(Proxy::parse("https://[::1]").unwrap().host(), "[::1]");
    }

    #[test]
    fn a_bad_variable_is_an_error_of_its_requests_and_shows_no_secret() {
        let bad = proxies(&[
            ("https_proxy", "socks5://me:secret@p:1"),
            ("no_proxy", "b.test"),
        ]);
        let why = route(&bad, "https://a.test/");
        assert!(
            why.contains("https_proxy") && !why.contains("secret"),
            "{why}"
        );
        assert_eq!(route(&bad, "http://a.test/"), "direct");
        assert_eq!(route(&bad, "https://b.test/"), "direct");
        let good = Proxy::parse("http://me:secret@p:1").unwrap();
        let shown = format!("{good:?} {:?}", Proxies::all(good.clone()));
        assert!(
            !shown.contains("secret") && !shown.contains("me:"),
            "{shown}"
        );
    }
}

//! The proxy for each URL.

use chatcore::{Secrets, TransportError, TransportErrorKind};
use http::{HeaderValue, Uri};

use super::Proxy;
use super::bypass::{Bypass, Listed};

/// The proxies of a transport, and the hosts that are connected to directly.
///
/// ```
/// use chatcore_adapters::transport::{Proxies, Proxy};
///
/// let through_one = Proxies::all(Proxy::parse("http://proxy.example.com:3128")?);
/// let as_the_environment_says = Proxies::from_env();
/// # let _ = (through_one, as_the_environment_says);
/// # Ok::<(), chatcore::TransportError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    http: Slot,
    https: Slot,
    bypass: Bypass,
}

/// A proxy, no proxy, or a variable that does not parse. With a variable that does not parse,
/// requests that need that proxy fail, because they must not be sent directly instead.
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

    /// Uses `proxy` for every host, loopback included.
    pub fn all(proxy: Proxy) -> Self {
        Self {
            http: Slot::Through(proxy.clone()),
            https: Slot::Through(proxy),
            bypass: Bypass::default(),
        }
    }

    /// Reads the proxies from the process's environment.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// Reads the proxies from the variables that `var` returns; see the [module](super) for the
    /// rules.
    ///
    /// A variable that does not parse is reported by the requests that would use its proxy.
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
                    .map(|(_, list)| Listed::list(&list))
                    .unwrap_or_default(),
            },
        }
    }

    /// Adds the proxies' passwords to `secrets`, because a server or a proxy may echo them.
    pub(crate) fn tell_secrets(&self, secrets: &mut Secrets) {
        for slot in [&self.http, &self.https] {
            if let Slot::Through(proxy) = slot {
                if let Some((user, password)) = proxy.credentials() {
                    // Without a password, the user is a token.
                    secrets.add(if password.is_empty() { user } else { password });
                }
                if let Some(Ok(value)) = proxy.authorization().map(HeaderValue::to_str) {
                    secrets.add(value);
                }
            }
        }
    }

    /// The proxy for `uri`, or `None` for a direct connection.
    ///
    /// # Errors
    ///
    /// [`TransportErrorKind::ProxyRefused`] if the variable for this proxy does not parse. The message
    /// names the variable.
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
            Slot::Broken(why) => Err(TransportError::new(
                TransportErrorKind::ProxyRefused,
                why.clone(),
            )),
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

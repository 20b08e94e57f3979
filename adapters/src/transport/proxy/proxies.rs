//! Which proxy a request goes through.

use chatcore::{Secrets, TransportError, TransportErrorKind};
use http::{HeaderValue, Uri};

use super::Proxy;
use super::bypass::{Bypass, Listed};

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

    /// What the variables say that `var` reads; see the [module](super) for the rules.
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
                    .map(|(_, list)| Listed::list(&list))
                    .unwrap_or_default(),
            },
        }
    }

    /// Adds the passwords of the proxies: a server, or a proxy, may echo them.
    pub(crate) fn tell_secrets(&self, secrets: &mut Secrets) {
        for slot in [&self.http, &self.https] {
            if let Slot::Through(proxy) = slot {
                if let Some((_, password)) = proxy.credentials() {
                    secrets.add(password);
                }
                if let Some(Ok(value)) = proxy.authorization().map(HeaderValue::to_str) {
                    secrets.add(value);
                }
            }
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

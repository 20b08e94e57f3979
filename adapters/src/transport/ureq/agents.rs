//! The ureq agents: one for direct connections, and one for each proxy.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chatcore::{Secrets, TransportError, TransportErrorKind};
use http::Uri;
use ureq::config::{AutoHeaderValue, Config};
use ureq::tls::{Certificate, ClientCert, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, ProxyProtocol};

use super::connect::{CallConnector, CallResolver};
use super::{BUFFER, INPUT_BUFFER, MAX_HEAD, MAX_IDLE};
use crate::transport::proxy::{Proxies, Proxy, ProxyScheme};

const USER_AGENT: &str = concat!("chatcore/", env!("CARGO_PKG_VERSION"));

/// All workers share these agents and their idle connections, so any free worker can reuse them.
/// Each agent is made when it is first needed.
#[derive(Debug)]
pub(super) struct Agents {
    proxies: Proxies,
    /// Empty to trust what the system trusts.
    roots: Vec<Certificate<'static>>,
    identity: Option<ClientCert>,
    idle_connections: usize,
    direct: OnceLock<Agent>,
    http_proxy: OnceLock<Option<Agent>>,
    https_proxy: OnceLock<Option<Agent>>,
}

impl Agents {
    pub(super) fn new(
        proxies: Proxies,
        roots: Vec<Certificate<'static>>,
        identity: Option<ClientCert>,
        idle_connections: usize,
    ) -> Self {
        Self {
            proxies,
            roots,
            identity,
            idle_connections,
            direct: OnceLock::new(),
            http_proxy: OnceLock::new(),
            https_proxy: OnceLock::new(),
        }
    }

    pub(super) fn tell_secrets(&self, secrets: &mut Secrets) {
        self.proxies.tell_secrets(secrets);
    }

    /// The agent for `uri`.
    pub(super) fn for_uri(&self, uri: &Uri) -> Result<&Agent, TransportError> {
        let Some(proxy) = self.proxies.for_uri(uri)? else {
            return Ok(self.direct.get_or_init(|| self.agent(None)));
        };
        // The proxy depends only on the URL's scheme.
        let slot = match uri.scheme_str() {
            Some("https") => &self.https_proxy,
            _ => &self.http_proxy,
        };
        slot.get_or_init(|| Some(self.agent(Some(translate(proxy)?))))
            .as_ref()
            .ok_or_else(|| {
                TransportError::new(
                    TransportErrorKind::ProxyRefused,
                    "the proxy's URL cannot be used: check the host, and the user and password",
                )
            })
    }

    fn agent(&self, proxy: Option<ureq::Proxy>) -> Agent {
        let proxied = proxy.is_some();
        let roots = match self.roots.is_empty() {
            true => RootCerts::PlatformVerifier,
            false => RootCerts::new_with_certs(&self.roots),
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(roots)
            .client_cert(self.identity.clone())
            .build();
        let config = Config::builder()
            .tls_config(tls)
            .proxy(proxy)
            .no_delay(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            // For requests that do not set one, and for proxies.
            .user_agent(USER_AGENT)
            // Apart from that, the request is sent with exactly the headers it has.
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(BUFFER)
            .max_response_header_size(MAX_HEAD)
            .max_idle_connections(self.idle_connections)
            .max_idle_connections_per_host(self.idle_connections)
            .max_idle_age(MAX_IDLE)
            // Each call has its own connect timeout; the core enforces the other timeouts.
            .timeout_connect(None::<Duration>)
            .build();
        Agent::with_parts(config, CallConnector::new(proxied), CallResolver::default())
    }
}

fn translate(proxy: &Proxy) -> Option<ureq::Proxy> {
    let protocol = match proxy.scheme() {
        ProxyScheme::Http => ProxyProtocol::Http,
        ProxyScheme::Https => ProxyProtocol::Https,
        ProxyScheme::Socks5 => ProxyProtocol::Socks5,
        ProxyScheme::Socks5h => ProxyProtocol::Socks5h,
    };
    let mut builder = ureq::Proxy::builder(protocol)
        .host(proxy.host())
        .port(proxy.port())
        .resolve_target(proxy.scheme() == ProxyScheme::Socks5);
    if let Some((user, password)) = proxy.credentials() {
        builder = builder.username(user).password(password);
    }
    builder.build().ok()
}

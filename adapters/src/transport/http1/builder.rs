//! The settings of a transport.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, TransportError};
use http::HeaderValue;

use super::pool::{Limits, Pool};
use super::tls::{self, Rustls};
use super::{Http1Transport, Inner};
use crate::transport::identity::{Identity, certificates};
use crate::transport::proxy::Proxies;

/// Builds an [`Http1Transport`]; made by [`Http1Transport::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Http1Builder {
    executor: Arc<dyn Executor>,
    limits: Limits,
    max_head: usize,
    proxies: Option<Proxies>,
    tls: tls::Settings,
    user_agent: HeaderValue,
}

impl Http1Builder {
    pub(super) fn new(executor: Arc<dyn Executor>) -> Self {
        Self {
            executor,
            limits: Limits {
                max_idle: 256,
                idle: Duration::from_secs(55),
                age: Duration::from_secs(600),
                reaps: true,
            },
            max_head: 64 * 1024,
            proxies: None,
            tls: tls::Settings::default(),
            user_agent: HeaderValue::from_static(concat!("chatcore/", env!("CARGO_PKG_VERSION"))),
        }
    }

    /// How many idle connections are kept for each origin: 256 by default; 0 keeps none.
    ///
    /// The number of idle connections never exceeds the largest number of requests that were in
    /// flight at once.
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.limits.max_idle = connections;
        self
    }

    /// How long a connection may be idle before it is closed: 55 seconds by default.
    ///
    /// The default is below the 60 seconds of common load balancers (AWS, nginx upstreams), so that
    /// this side closes first and no request is sent on a connection that the server is closing. If
    /// the server announces a shorter time (`Keep-Alive: timeout=5`), the limit is one second less
    /// than that.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// How old a connection may be when it returns to the pool: 10 minutes by default.
    ///
    /// A busy connection never becomes idle. Without this limit it would stay with one server even
    /// after the name resolves to another.
    pub fn age_limit(mut self, limit: Duration) -> Self {
        self.limits.age = limit;
        self
    }

    /// Runs no background task. An idle connection past its limit is then closed when the next
    /// request looks for a connection, or when the transport is dropped. By default a background
    /// task closes it when its limit passes.
    pub fn without_reaper(mut self) -> Self {
        self.limits.reaps = false;
        self
    }

    /// How many bytes the head of a response may have, interim responses included: 64 KiB by
    /// default. A response may have 128 headers, whatever their size.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.max_head = bytes;
        self
    }

    /// Which proxies to use. By default [`build`](Self::build) reads them from the environment
    /// ([`Proxies::from_env`]).
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Also trusts the certificates in `pem`, in addition to the system's or those in
    /// `SSL_CERT_FILE`. Each call adds to the ones before.
    ///
    /// # Errors
    ///
    /// [`Tls`](chatcore::TransportErrorKind::Tls) if `pem` is malformed or contains no certificate.
    pub fn extra_roots(mut self, pem: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        let roots = certificates(pem.as_ref())?;
        self.tls.extra_roots.extend(roots);
        Ok(self)
    }

    /// Trusts only the certificates of [`extra_roots`](Self::extra_roots): neither those of the
    /// system nor those of `SSL_CERT_FILE`.
    pub fn without_system_roots(mut self) -> Self {
        self.tls.without_system_roots = true;
        self
    }

    /// Requires that `host` has one of these public keys, in addition to a trusted certificate.
    /// Other hosts may have any key. Calling it again adds keys. Pin a reserve key too, because a
    /// server with a new key is refused until that key is pinned.
    ///
    /// A key is the SHA-256 of the certificate's SubjectPublicKeyInfo in base64, as `sha256/…` (or
    /// `sha256//…`, as curl writes it). Only the server's own certificate counts, not those that
    /// signed it. The error for a different key shows that key. So does
    ///
    /// ```sh
    /// openssl s_client -connect api.example.com:443 </dev/null 2>/dev/null |
    ///     openssl x509 -noout -pubkey | openssl pkey -pubin -outform der |
    ///     openssl dgst -sha256 -binary | openssl base64
    /// ```
    ///
    /// # Errors
    ///
    /// [`Tls`](chatcore::TransportErrorKind::Tls) if `host` is not a valid host, if a key is not a
    /// SHA-256 in base64, or if there is no key.
    pub fn pinned_keys<K: AsRef<str>>(
        mut self,
        host: &str,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Self, TransportError> {
        self.tls.pins.add(host, keys)?;
        Ok(self)
    }

    /// Presents this certificate to servers that ask for one (mutual TLS), `https://` proxies
    /// included.
    ///
    /// `certificate` is PEM: the client's own certificate, followed by those that signed it,
    /// without the root. `key` is PEM too (PKCS #8, PKCS #1 or SEC 1, not encrypted); both may be
    /// in one file. The key is never shown or logged.
    ///
    /// ```no_run
    /// use chatcore_adapters::executor::SmolExecutor;
    /// use chatcore_adapters::transport::Http1Transport;
    /// use std::sync::Arc;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let transport = Http1Transport::builder(Arc::new(SmolExecutor::new()))
    ///     .client_certificate(std::fs::read("client.pem")?, std::fs::read("client.key")?)?
    ///     .build();
    /// # let _ = transport;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Tls`](chatcore::TransportErrorKind::Tls) if there is no certificate or no key, or if the
    /// key does not belong to the first certificate.
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, TransportError> {
        let identity = Identity::from_pem(certificate.as_ref(), key.as_ref())?;
        self.tls.identity = Some(identity);
        Ok(self)
    }

    /// The `User-Agent` of requests that do not set one: `chatcore/` and the version by default.
    pub fn user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// Makes the transport. It reads the environment, but opens no connection and no file yet.
    pub fn build(self) -> Http1Transport {
        let mut tls = self.tls;
        tls.root_file = std::env::var_os("SSL_CERT_FILE")
            .filter(|path| !path.is_empty())
            .map(Into::into);
        Http1Transport {
            inner: Arc::new(Inner {
                pool: Arc::new(Pool::new(self.executor, self.limits)),
                tls: Box::new(Rustls::new(tls)),
                lookout: Arc::default(),
                proxies: self.proxies.unwrap_or_else(Proxies::from_env),
                max_head: self.max_head,
                user_agent: self.user_agent,
            }),
        }
    }
}

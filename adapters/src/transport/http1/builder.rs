//! What a transport can be told.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, TransportError};
use futures_rustls::pki_types::CertificateDer;
use http::HeaderValue;

use super::pool::{Limits, Pool};
use super::tls::{self, Rustls};
use super::{Http1Transport, Inner};
use crate::transport::proxy::Proxies;

/// Makes an [`Http1Transport`]; from [`Http1Transport::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Http1Builder {
    executor: Arc<dyn Executor>,
    limits: Limits,
    max_head: usize,
    proxies: Option<Proxies>,
    extra_roots: Vec<CertificateDer<'static>>,
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
            extra_roots: Vec::new(),
            user_agent: HeaderValue::from_static(concat!("chatcore/", env!("CARGO_PKG_VERSION"))),
        }
    }

    /// How many idle connections are kept for each origin; 256 by default, and 0 keeps none.
    ///
    /// There are never more of them than there were requests in flight at once.
    pub fn max_idle(mut self, connections: usize) -> Self {
        self.limits.max_idle = connections;
        self
    }

    /// How long a connection may be idle before it is closed; 55 seconds by default.
    ///
    /// That is below the 60 seconds of common load balancers (AWS, nginx upstreams), so that this
    /// side closes first and no request meets a connection that the server is closing. Where the
    /// server names a shorter time (`Keep-Alive: timeout=5`), one second less than that counts.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.limits.idle = limit;
        self
    }

    /// How old a connection may be when it goes back to the pool; 10 minutes by default.
    ///
    /// A busy connection never becomes idle, and without this it would stay with a server that
    /// the name no longer stands for.
    pub fn age_limit(mut self, limit: Duration) -> Self {
        self.limits.age = limit;
        self
    }

    /// Leaves no task in the background: an idle connection whose time is over is closed when the
    /// next request looks for one, or with the transport. By default a task closes it in time.
    pub fn without_reaper(mut self) -> Self {
        self.limits.reaps = false;
        self
    }

    /// How many bytes the head of an answer may have (interim heads included); 64 KiB by default.
    /// An answer may have 128 headers, whatever their size.
    pub fn max_head(mut self, bytes: usize) -> Self {
        self.max_head = bytes;
        self
    }

    /// Which proxies to use; by default what the environment says ([`Proxies::from_env`], read
    /// in [`build`](Self::build)).
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Trusts the certificates in `pem` too, beside those of the system or of `SSL_CERT_FILE`.
    ///
    /// # Errors
    ///
    /// [`Tls`](chatcore::TransportErrorKind::Tls) if there is no certificate in it.
    pub fn extra_roots(mut self, pem: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        self.extra_roots.extend(tls::certificates(pem.as_ref())?);
        Ok(self)
    }

    /// The `User-Agent` of requests that name none; `chatcore/` and the version by default.
    pub fn user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = user_agent;
        self
    }

    /// Makes the transport. Nothing is connected or read yet but the environment.
    pub fn build(self) -> Http1Transport {
        let root_file = std::env::var_os("SSL_CERT_FILE")
            .filter(|path| !path.is_empty())
            .map(Into::into);
        Http1Transport {
            inner: Arc::new(Inner {
                pool: Arc::new(Pool::new(self.executor, self.limits)),
                tls: Box::new(Rustls::new(self.extra_roots, root_file)),
                lookout: Arc::default(),
                proxies: self.proxies.unwrap_or_else(Proxies::from_env),
                max_head: self.max_head,
                user_agent: self.user_agent,
            }),
        }
    }
}

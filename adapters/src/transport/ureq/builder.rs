//! The settings of a transport.

use std::sync::Arc;

use chatcore::{TransportError, TransportErrorKind};
use ureq::tls::{Certificate, PemItem, parse_pem};

use super::UreqTransport;
use super::agents::Agents;
use crate::executor::ThreadPool;
use crate::transport::proxy::Proxies;

/// Builds a [`UreqTransport`]; made by [`UreqTransport::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UreqBuilder {
    pool: ThreadPool,
    proxies: Option<Proxies>,
    roots: Vec<Certificate<'static>>,
}

impl UreqBuilder {
    pub(super) fn new(pool: ThreadPool) -> Self {
        Self {
            pool,
            proxies: None,
            roots: Vec::new(),
        }
    }

    /// Which proxies to use. By default [`build`](Self::build) reads them from the environment
    /// ([`Proxies::from_env`]).
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Trusts the certificates in `pem` instead of those that the system trusts. Calling it again
    /// adds more certificates.
    ///
    /// # Errors
    ///
    /// [`Tls`](TransportErrorKind::Tls) if `pem` is malformed or contains no certificate.
    pub fn roots(mut self, pem: impl AsRef<[u8]>) -> Result<Self, TransportError> {
        let bad = |why: &str| TransportError::new(TransportErrorKind::Tls, why);
        let before = self.roots.len();
        for item in parse_pem(pem.as_ref()) {
            let item = item.map_err(|error| bad("the PEM is malformed").with_source(error))?;
            if let PemItem::Certificate(certificate) = item {
                self.roots.push(certificate);
            }
        }
        if self.roots.len() == before {
            return Err(bad("there is no certificate in the PEM"));
        }
        Ok(self)
    }

    /// Makes the transport. It reads the environment, but opens no connection and no file yet.
    pub fn build(self) -> UreqTransport {
        let proxies = self.proxies.unwrap_or_else(Proxies::from_env);
        let idle_connections = self.pool.status().max_workers;
        UreqTransport {
            agents: Arc::new(Agents::new(proxies, self.roots, idle_connections)),
            pool: self.pool,
        }
    }
}

//! The settings of a transport.

use std::sync::Arc;

use chatcore::{TransportError, TransportErrorKind};
use ureq::tls::{Certificate, ClientCert, PrivateKey};

use super::UreqTransport;
use super::agents::Agents;
use crate::executor::ThreadPool;
use crate::transport::identity::{Identity, certificates};
use crate::transport::proxy::Proxies;

/// Builds a [`UreqTransport`]; made by [`UreqTransport::builder`].
///
/// ```
/// use chatcore_adapters::executor::ThreadPool;
/// use chatcore_adapters::transport::{Proxies, UreqTransport};
///
/// let transport = UreqTransport::builder(ThreadPool::new(5)?)
///     .proxies(Proxies::none())
///     .build();
/// # let _ = transport;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct UreqBuilder {
    pool: ThreadPool,
    proxies: Option<Proxies>,
    roots: Vec<Certificate<'static>>,
    identity: Option<ClientCert>,
}

impl UreqBuilder {
    pub(super) fn new(pool: ThreadPool) -> Self {
        Self {
            pool,
            proxies: None,
            roots: Vec::new(),
            identity: None,
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
        let roots = certificates(pem.as_ref())?;
        let roots = roots.iter().map(|root| Certificate::from_der(root));
        self.roots.extend(roots.map(|root| root.to_owned()));
        Ok(self)
    }

    /// Presents this certificate to servers that ask for one (mutual TLS), `https://` proxies
    /// included.
    ///
    /// `certificate` is PEM: the client's own certificate, followed by those that signed it,
    /// without the root. `key` is PEM too (PKCS #8, PKCS #1 or SEC 1, not encrypted); both may be
    /// in one file. The key is never shown or logged.
    ///
    /// # Errors
    ///
    /// [`Tls`](TransportErrorKind::Tls) if there is no certificate or no key, or if the key does
    /// not belong to the first certificate.
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, TransportError> {
        // Checked here, because ureq panics if the key does not belong to the certificate.
        let identity = Identity::from_pem(certificate.as_ref(), key.as_ref())?;
        let chain = identity.chain().iter();
        let chain: Vec<_> = chain
            .map(|one| Certificate::from_der(one).to_owned())
            .collect();
        let key = PrivateKey::from_pem(key.as_ref()).map_err(|error| {
            let why = "the client certificate cannot be used: its key has an unsupported type";
            TransportError::new(TransportErrorKind::Tls, why).with_source(error)
        })?;
        self.identity = Some(ClientCert::new_with_certs(&chain, key));
        Ok(self)
    }

    /// Makes the transport. It reads the environment, but opens no connection and no file yet.
    pub fn build(self) -> UreqTransport {
        let proxies = self.proxies.unwrap_or_else(Proxies::from_env);
        let idle_connections = self.pool.status().max_workers;
        UreqTransport {
            agents: Arc::new(Agents::new(
                proxies,
                self.roots,
                self.identity,
                idle_connections,
            )),
            pool: self.pool,
        }
    }
}

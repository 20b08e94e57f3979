//! The client's own certificate, for servers that ask for one.

use std::fmt;
use std::sync::Arc;

use chatcore::{TransportError, TransportErrorKind};
#[cfg(feature = "http1")]
use futures_rustls::rustls;
use rustls::Error;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// A certificate with its key. `Debug` shows neither.
#[derive(Clone)]
pub(super) struct Identity(Arc<CertifiedKey>);

impl Identity {
    pub(super) fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TransportError> {
        let chain = certificates(certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            bad(
                "the PEM has no private key in PKCS #8, PKCS #1 or SEC 1; decrypt an encrypted key \
                 with `openssl pkey` first",
            )
            .with_source(error)
        })?;
        let made = CertifiedKey::from_der(chain, key, &default_provider());
        let made = made.map_err(|error| {
            let why = match &error {
                Error::InconsistentKeys(_) => {
                    "the key does not match the first certificate; put the client's own \
                     certificate first, and then its issuers"
                        .to_owned()
                }
                error => error.to_string(),
            };
            bad(&why).with_source(error)
        })?;
        Ok(Self(Arc::new(made)))
    }

    /// The form that rustls needs.
    #[cfg(feature = "http1")]
    pub(super) fn resolver(&self) -> Arc<rustls::sign::SingleCertAndKey> {
        Arc::new(Arc::clone(&self.0).into())
    }

    /// The certificate, followed by those that signed it.
    #[cfg(feature = "ureq")]
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.cert
    }
}

/// The certificates in `pem`; an error if there is none.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let bad = |why: &str| TransportError::new(TransportErrorKind::Tls, why);
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| bad("the PEM is malformed").with_source(error))?;
    match found.is_empty() {
        true => Err(bad("there is no certificate in the PEM")),
        false => Ok(found),
    }
}

fn bad(why: &str) -> TransportError {
    let message = format!("the client certificate cannot be used: {why}");
    TransportError::new(TransportErrorKind::Tls, message)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

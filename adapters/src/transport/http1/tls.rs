//! TLS with rustls.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chatcore::{BoxFuture, TransportError, TransportErrorKind};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::client::danger::ServerCertVerifier;
use futures_rustls::rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use futures_rustls::rustls::crypto::CryptoProvider;
use futures_rustls::rustls::crypto::ring::default_provider;
use futures_rustls::rustls::{self, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::pins::Pins;
use super::stream::{Layer, Stream};
use super::verifier::ServerVerifier;
use crate::transport::certificate;
use crate::transport::identity::{Identity, certificates};

/// The settings that make a certificate trusted, for the advice in an error.
const TRUSTED_BY: &str = "`extra_roots` or the file in SSL_CERT_FILE";

/// The rest of the transport uses TLS only through this trait.
pub(super) trait Tls: Debug + Send + Sync {
    /// Starts a TLS session over `stream` with the server named `host`.
    fn handshake<'a>(
        &'a self,
        stream: Stream,
        host: &'a str,
    ) -> BoxFuture<'a, Result<Stream, TransportError>>;
}

/// Which servers to trust, and the client's own certificate.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Trusted in addition to the system's roots, or to those in `root_file`.
    pub(super) extra_roots: Vec<CertificateDer<'static>>,
    /// The roots in this file replace the system's.
    pub(super) root_file: Option<PathBuf>,
    /// Whether only `extra_roots` are trusted.
    pub(super) without_system_roots: bool,
    pub(super) pins: Pins,
    pub(super) identity: Option<Identity>,
}

/// TLS 1.2 and 1.3 with rustls on ring.
///
/// The operating system's rules verify certificates. If the variable `SSL_CERT_FILE` is set, the
/// roots in that file replace the system's on every platform.
#[derive(Clone, Debug)]
pub(super) struct Rustls {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// Created at the first handshake, because reading the system's roots takes milliseconds.
    config: Mutex<Option<Arc<ClientConfig>>>,
}

impl Rustls {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                config: Mutex::new(None),
            }),
        }
    }
}

impl Tls for Rustls {
    fn handshake<'a>(
        &'a self,
        stream: Stream,
        host: &'a str,
    ) -> BoxFuture<'a, Result<Stream, TransportError>> {
        Box::pin(async move {
            let inner = self.inner.clone();
            let ready = inner.ready();
            let config = match ready {
                Some(config) => config,
                None => blocking::unblock(move || inner.load()).await?,
            };
            let name = ServerName::try_from(host.to_owned()).map_err(|error| {
                failed(host, "this is not a valid name for a certificate").with_source(error)
            })?;
            let session = TlsConnector::from(config)
                .connect(name, stream)
                .await
                .map_err(|error| explain(host, error))?;
            Ok(Stream::Layered(Box::new(session)))
        })
    }
}

impl Inner {
    fn ready(&self) -> Option<Arc<ClientConfig>> {
        // `try_lock`, because waiting while another thread loads would block an executor.
        self.config
            .try_lock()
            .ok()
            .and_then(|config| config.clone())
    }

    /// Blocks, because it reads files.
    fn load(&self) -> Result<Arc<ClientConfig>, TransportError> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*config {
            return Ok(config.clone());
        }
        let provider = Arc::new(default_provider());
        let settings = &self.settings;
        let mut roots = settings.extra_roots.clone();
        let inner: Arc<dyn ServerCertVerifier> = match &settings.root_file {
            _ if settings.without_system_roots => verifier_of(&roots, provider.clone())
                .map_err(|error| unusable(error, "`extra_roots`"))?,
            Some(file) => {
                roots.extend(read(file)?);
                verifier_of(&roots, provider.clone())
                    .map_err(|error| bad_file(&error.to_string()).with_source(error))?
            }
            None => {
                let made = Verifier::new_with_extra_roots(roots.clone(), provider.clone());
                Arc::new(made.map_err(|error| unusable(error, "SSL_CERT_FILE or `extra_roots`"))?)
            }
        };
        let verifier = Arc::new(ServerVerifier {
            inner,
            roots,
            pins: settings.pins.clone(),
        });
        let made = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error, "SSL_CERT_FILE or `extra_roots`"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut made = match &settings.identity {
            Some(identity) => made.with_client_cert_resolver(identity.resolver()),
            None => made.with_no_client_auth(),
        };
        made.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config.insert(Arc::new(made)).clone())
    }
}

/// The roots in the file that SSL_CERT_FILE names.
fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let pem =
        std::fs::read(file).map_err(|error| bad_file(&error.to_string()).with_source(error))?;
    certificates(&pem).map_err(|error| bad_file(&error.to_string()))
}

fn verifier_of(
    roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, VerifierBuilderError> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots.iter().cloned());
    let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), provider).build()?;
    Ok(verifier)
}

fn bad_file(why: &str) -> TransportError {
    let message = format!("the file that SSL_CERT_FILE names cannot be used: {why}");
    TransportError::new(TransportErrorKind::Tls, message)
}

/// `by` is what names the roots.
fn unusable(error: impl std::error::Error + Send + Sync + 'static, by: &str) -> TransportError {
    let message = format!("the root certificates cannot be used: {error}; set them with {by}");
    TransportError::new(TransportErrorKind::Tls, message).with_source(error)
}

fn failed(host: &str, why: &str) -> TransportError {
    TransportError::new(
        TransportErrorKind::Tls,
        format!("the TLS handshake with {host} failed: {why}"),
    )
}

fn explain(host: &str, error: io::Error) -> TransportError {
    let cause = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match cause {
        Some(cause) => failed(host, &certificate::explain(cause, TRUSTED_BY)).with_source(error),
        // TLS did not fail: the connection was lost.
        None => TransportError::new(
            TransportErrorKind::Connect,
            format!("the connection to {host} was lost in the TLS handshake"),
        )
        .with_source(error),
    }
}

/// The server's TLS alert, if one caused `error` after the handshake. In TLS 1.3 a server refuses a
/// client's certificate, or a missing one, only then.
pub(super) fn refusal(peer: &str, error: &io::Error) -> Option<TransportError> {
    let cause = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let is_alert = matches!(cause, rustls::Error::AlertReceived(_));
    is_alert.then(|| failed(peer, &certificate::explain(cause, TRUSTED_BY)))
}

impl Layer for TlsStream<Stream> {
    fn below(&self) -> Option<&Stream> {
        Some(self.get_ref().0)
    }

    fn below_mut(&mut self) -> Option<&mut Stream> {
        Some(self.get_mut().0)
    }
}

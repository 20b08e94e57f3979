//! Decides which servers are trusted: those with a trusted certificate or root, and with a pinned
//! key if keys are pinned.

use std::sync::Arc;

use futures_rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use futures_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use futures_rustls::rustls::client::verify_server_name;
use futures_rustls::rustls::server::ParsedCertificate;
use futures_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::pins::Pins;
use crate::transport::certificate::is_authority;

/// Trusts what `inner` trusts, and also a server that presents one of `roots` as its own
/// certificate.
///
/// `openssl req -x509` makes self-signed certificates that may sign others (CA:TRUE), and people
/// use them for their own servers. OpenSSL accepts such a certificate if it was added as a root;
/// webpki refuses it, because a CA certificate should not be a server's. Accepting it trusts
/// nothing new, because trusting a root already trusts everything it signs.
///
/// If keys are pinned for the server's name, the server must also have one of them.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) pins: Pins,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let verified = match verified {
            // webpki checks the validity period first, so this error means that the certificate is
            // valid now.
            Err(Error::InvalidCertificate(cause))
                if is_authority(&cause) && self.roots.iter().any(|root| root == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                ServerCertVerified::assertion()
            }
            verified => verified?,
        };
        self.pins.check(end_entity, server_name)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

//! Pinned keys, a client without system roots, and client certificates.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatcore::TransportErrorKind;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::crypto::ring::default_provider;
use futures_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use futures_rustls::rustls::version::{TLS12, TLS13};
use futures_rustls::rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::secured::Secured;
use super::support::*;

/// The pin of a certificate's key, computed in the same way as in the transport.
fn pin(pem: &str) -> String {
    use futures_rustls::pki_types::pem::PemObject;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = ParsedCertificate::try_from(&der).unwrap();
    let key = key.subject_public_key_info();
    let digest = ring::digest::digest(&ring::digest::SHA256, &key);
    format!("sha256/{}", BASE64_STANDARD.encode(digest))
}

#[test]
fn a_host_has_one_of_its_pinned_keys() {
    let (secured, other) = (Secured::new(), Secured::new());
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let url = format!("https://localhost:{}/", server.port());
    let by_address = format!("https://{server}/");
    let [right, wrong] = [&secured, &other].map(|secured| pin(&secured.pem));
    let pinned = |host: &str, keys: &[&String]| {
        let builder = secured.trusted().pinned_keys(host, keys).unwrap();
        builder.build()
    };
    // The reserve key comes first.
    let transport = pinned("LOCALHOST", &[&wrong, &right]);
    assert_eq!(run(&transport, get(&url)).unwrap().1, "ok");
    let transport = pinned("localhost", &[&wrong]);
    let error = run(&transport, get(&url)).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    // The error shows the key to pin, and the host.
    let message = error.to_string();
    assert!(
        message.contains(&right) && message.contains("for localhost"),
        "{message}"
    );
    // Another host may have any key.
    assert_eq!(run(&transport, get(&by_address)).unwrap().1, "ok");
    let transport = pinned("127.0.0.1", &[&wrong]);
    assert!(run(&transport, get(&by_address)).is_err());
    // A pinned key does not make a certificate trusted.
    let transport = other
        .trusted()
        .pinned_keys("localhost", [&right])
        .unwrap()
        .build();
    assert!(run(&transport, get(&url)).is_err());
}

#[test]
fn roots_of_ones_own_may_be_the_only_ones() {
    let secured = Secured::new();
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let url = format!("https://{server}/");
    let transport = secured.trusted().without_system_roots().build();
    assert_eq!(run(&transport, get(&url)).unwrap().1, "ok");
    let error = run(&builder().without_system_roots().build(), get(&url)).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(error.to_string().contains("`extra_roots`"), "{error}");
}

/// A certificate authority for clients, and a server that asks for its certificates.
struct Clients {
    authority: CertifiedIssuer<'static, KeyPair>,
    secured: Secured,
}

impl Clients {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self {
            authority: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
            secured: Secured::new(),
        }
    }

    /// A client's certificate and key, as PEM.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["client".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn serve(&self, version: &'static SupportedProtocolVersion) -> SocketAddr {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let key = PrivateKeyDer::try_from(self.secured.key.clone()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![self.secured.certificate.clone()], key)
            .unwrap();
        let config = Arc::new(config);
        serve(move |_, socket| {
            let session = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(session, socket);
            answer_all(&mut stream, OK);
            // Reads what the client still sends, so that closing does not reset the connection.
            let mut rest = [0; 1024];
            while matches!(stream.sock.read(&mut rest), Ok(1..)) {}
        })
    }
}

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks() {
    let clients = Clients::new("ours");
    let (certificate, key) = clients.issue();
    let both = format!("{key}{certificate}");
    for version in [&TLS12, &TLS13] {
        let url = format!("https://{}/", clients.serve(version));
        for (certificate, key) in [(&certificate, &key), (&both, &both)] {
            let trusted = clients.secured.trusted();
            let transport = trusted
                .client_certificate(certificate, key)
                .unwrap()
                .build();
            assert_eq!(run(&transport, get(&url)).unwrap().1, "ok", "{version:?}");
        }
    }
}

#[test]
fn a_client_without_the_right_certificate_learns_what_the_server_wants() {
    let (clients, others) = (Clients::new("ours"), Clients::new("others"));
    let (certificate, key) = others.issue();
    for version in [&TLS12, &TLS13] {
        let url = format!("https://{}/", clients.serve(version));
        let none = clients.secured.trusted();
        let other = clients.secured.trusted();
        let other = other.client_certificate(&certificate, &key).unwrap();
        for builder in [none, other] {
            let error = run(&builder.build(), get(&url)).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Tls, "{error}");
            let message = error.to_string();
            assert!(
                message.contains("`client_certificate`"),
                "{version:?}: {message}"
            );
        }
    }
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_once() {
    let clients = Clients::new("ours");
    let (certificate, key) = clients.issue();
    let (other, _) = clients.issue();
    for (certificate, key, why) in [
        ("", &*key, "no certificate"),
        (&certificate, "", "no private key"),
        (&certificate, &certificate, "no private key"),
        (&other, &key, "does not match the first certificate"),
    ] {
        let error = builder().client_certificate(certificate, key).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(error.to_string().contains(why), "{error}");
    }
    let shown = format!(
        "{:?}",
        builder().client_certificate(&certificate, &key).unwrap()
    );
    assert!(
        shown.contains("Identity") && !shown.contains("PRIVATE"),
        "{shown}"
    );
}

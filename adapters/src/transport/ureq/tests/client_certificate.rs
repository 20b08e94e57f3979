//! A server that asks for a client certificate.

use rcgen::{CertificateParams, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;

use super::*;

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks() {
    // One self-signed certificate for each side, trusted by the other side.
    let [server, client] = ["127.0.0.1", "client"]
        .map(|name| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap());
    let mut roots = RootCertStore::empty();
    roots.add(client.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let key = PrivateKeyDer::try_from(server.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![server.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listening = Server::start(move |_, peer| {
        let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        peer.secure(tls, |peer| peer.serve());
    });
    let builder = || {
        let pool = ThreadPool::new(1).unwrap();
        let builder = UreqTransport::builder(pool).proxies(Proxies::none());
        builder.roots(server.cert.pem()).unwrap()
    };
    let url = format!("https://{}/", listening.addr);
    let request = || Request::get(&url).body(Bytes::new()).unwrap();

    let (certificate, key) = (client.cert.pem(), client.signing_key.serialize_pem());
    let known = builder().client_certificate(&certificate, &key).unwrap();
    let response = send(&known.build(), request()).unwrap();
    assert_eq!(read(response.into_body()).unwrap(), "ok");

    let error = send(&builder().build(), request()).unwrap_err();
    // The server may close before its alert was read.
    assert!(
        error.kind() == TransportErrorKind::Reset
            || error.to_string().contains("`client_certificate`"),
        "{error:?}"
    );

    let another = CertificateParams::new(["client".to_owned()]).unwrap();
    let another = another.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let refused = builder()
        .client_certificate(another.pem(), &key)
        .unwrap_err();
    assert_eq!(refused.kind(), TransportErrorKind::Tls);
}

//! TLS: which certificates are trusted, and that the rest works over TLS too.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use chatcore::{TransportError, TransportErrorKind};
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::crypto::ring::default_provider;
use futures_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair};

use super::support::*;
use crate::transport::Proxies;
use crate::transport::http1::tls::{Rustls, Settings};
use crate::transport::http1::{Http1Builder, Http1Transport};

/// The server's end of a TLS connection.
pub(super) struct ServerStream(StreamOwned<ServerConnection, TcpStream>);

impl ServerStream {
    pub(super) fn get_ref(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends a close_notify.
    pub(super) fn end(&mut self) {
        self.0.conn.send_close_notify();
        self.0.flush().unwrap();
    }
}

impl Read for ServerStream {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for ServerStream {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A self-signed certificate.
#[derive(Clone)]
pub(super) struct Secured {
    pub(super) pem: String,
    pub(super) certificate: CertificateDer<'static>,
    /// PKCS #8.
    pub(super) key: Vec<u8>,
    config: Arc<ServerConfig>,
}

impl Secured {
    /// A certificate for `localhost` and 127.0.0.1.
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// The same certificate, with its parameters changed by `change`.
    fn with(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let signing_key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&signing_key).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        Self {
            pem: cert.pem(),
            certificate: cert.der().clone(),
            key: signing_key.serialize_der(),
            config: Arc::new(config),
        }
    }

    pub(super) fn serve(
        &self,
        handler: impl Fn(usize, ServerStream) + Send + Sync + 'static,
    ) -> SocketAddr {
        let config = self.config.clone();
        serve(move |number, socket| {
            let session = ServerConnection::new(config.clone()).unwrap();
            handler(number, ServerStream(StreamOwned::new(session, socket)));
        })
    }

    /// A builder for a transport that trusts this certificate.
    pub(super) fn trusted(&self) -> Http1Builder {
        builder().extra_roots(&self.pem).unwrap()
    }
}

#[test]
fn a_certificate_that_was_added_is_trusted() {
    let secured = Secured::new();
    let server = secured.serve(|number, stream| {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}");
        answer_all(stream, answer.as_bytes());
    });
    let transport = secured.trusted().build();
    for _ in 0..3 {
        // The connection is reused, though TLS 1.3 session tickets arrived after the first answer.
        let (head, body) = run(&transport, post(format!("https://{server}/"), "hi")).unwrap();
        assert_eq!(
            (head.status().as_u16(), body.as_ref()),
            (200, b"0".as_slice())
        );
    }
    let by_name = format!("https://localhost:{}/", server.port());
    assert_eq!(run(&transport, get(by_name)).unwrap().1, "1");
}

#[test]
fn any_other_certificate_is_not() {
    let (secured, other) = (Secured::new(), Secured::new());
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let error = run(&other.trusted().build(), get(format!("https://{server}/"))).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(error.to_string().contains("127.0.0.1"), "{error}");
    // A trusted certificate that is not valid for this name.
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let url = format!("https://127.0.0.2:{}/", server.port());
    let listening = std::net::TcpListener::bind(("127.0.0.2", server.port()));
    if let Ok(listening) = listening {
        let config = secured.config.clone();
        std::thread::spawn(move || {
            let (socket, _) = listening.accept().unwrap();
            let session = ServerConnection::new(config).unwrap();
            answer_all(StreamOwned::new(session, socket), OK);
        });
        let error = run(&secured.trusted().build(), get(url)).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
    }
}

/// As `openssl req -x509` makes certificates: self-signed, and allowed to sign others.
fn authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// The result of a request, with `roots` trusted, to a server that presents `certificate`.
fn verdict(certificate: &Secured, roots: &Secured) -> Result<Bytes, TransportError> {
    let server = certificate.serve(|_, stream| answer_all(stream, OK));
    let answer = run(&roots.trusted().build(), get(format!("https://{server}/")));
    answer.map(|(_, body)| body)
}

#[test]
fn a_root_may_be_the_certificate_of_a_server_if_it_is_that_very_one() {
    let (root, other) = (Secured::with(authority), Secured::with(authority));
    assert_eq!(verdict(&root, &root).unwrap(), "ok");
    let error = verdict(&root, &other).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    // All other requirements still apply to such a certificate.
    let expired = Secured::with(|params| {
        authority(params);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let error = verdict(&expired, &expired).unwrap_err().to_string();
    assert!(error.contains("clock"), "{error}");
    let elsewhere = Secured::with(|params| {
        authority(params);
        params.subject_alt_names = Vec::new();
    });
    let error = verdict(&elsewhere, &elsewhere).unwrap_err().to_string();
    assert!(error.contains("subjectAltNames"), "{error}");
}

#[test]
fn the_advice_is_about_what_is_wrong() {
    let one = Secured::new();
    let stranger = Secured::with(|params| {
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "a stranger");
    });
    for (certificate, advice) in [
        (stranger, "add it to `extra_roots`"),
        // Named like the trusted authority, but with a different key.
        (Secured::new(), "was renewed"),
        (Secured::with(authority), "CA:FALSE"),
    ] {
        let error = verdict(&certificate, &one).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn a_server_without_tls_is_no_secure_server() {
    let server = serve(|_, mut socket| {
        let mut some = [0; 16];
        socket.read_exact(&mut some).unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    let transport = Secured::new().trusted().build();
    let error = run(&transport, get(format!("https://{server}/"))).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    let server = serve(|_, socket| drop(socket));
    let error = run(&transport, get(format!("https://{server}/"))).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
}

#[test]
fn a_root_file_stands_instead_of_the_system() {
    let secured = Secured::new();
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let name = format!(
        "chatcore-http1-{}-{}.pem",
        std::process::id(),
        server.port()
    );
    let file: PathBuf = std::env::temp_dir().join(name);
    std::fs::write(&file, &secured.pem).unwrap();
    let with_file = |path: PathBuf| -> Http1Transport {
        let mut transport = builder().proxies(Proxies::none()).build();
        let inner = Arc::get_mut(&mut transport.inner).unwrap();
        inner.tls = Box::new(Rustls::new(Settings {
            root_file: Some(path),
            ..Settings::default()
        }));
        transport
    };
    let url = format!("https://{server}/");
    assert_eq!(run(&with_file(file.clone()), get(&url)).unwrap().1, "ok");
    let root = Secured::with(authority);
    let by_root = root.serve(|_, stream| answer_all(stream, OK));
    std::fs::write(&file, &root.pem).unwrap();
    let answer = run(&with_file(file.clone()), get(format!("https://{by_root}/")));
    assert_eq!(answer.unwrap().1, "ok");
    std::fs::write(&file, "nothing").unwrap();
    for path in [file.clone(), "/nowhere/roots.pem".into()] {
        let error = run(&with_file(path), get(&url)).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Tls);
        assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    }
    std::fs::remove_file(file).unwrap();
    assert!(builder().extra_roots("nothing").is_err());
}

#[test]
fn an_end_that_tls_does_not_vouch_for_is_a_cut() {
    let secured = Secured::new();
    for (answer, vouched, whole) in [
        ("HTTP/1.1 200 OK\r\n\r\nsome", false, false),
        ("HTTP/1.1 200 OK\r\n\r\nsome", true, true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsome",
            true,
            false,
        ),
    ] {
        let server = secured.serve(move |_, mut stream| {
            read_request(&mut stream).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            if vouched {
                stream.end();
            }
        });
        let result = run(
            &secured.trusted().build(),
            get(format!("https://{server}/")),
        );
        match whole {
            true => assert_eq!(result.unwrap().1, "some"),
            false => assert_eq!(result.unwrap_err().kind(), TransportErrorKind::Truncated),
        }
    }
}

#[test]
fn a_large_request_and_a_large_answer_go_through() {
    let secured = Secured::new();
    let size = 3 * 1024 * 1024;
    let server = secured.serve(move |_, mut stream| {
        while let Some((_, body)) = read_request(&mut stream) {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    let transport = secured.trusted().build();
    let body: Vec<u8> = (0..size).map(|index| (index % 251) as u8).collect();
    let request = post(format!("https://{server}/"), body.clone());
    assert!(run(&transport, request).unwrap().1 == body);
    assert_eq!(transport.inner.pool.idle(), 1);
}

//! Name lookup, sockets, timeouts, proxies and TLS.

use super::*;

#[test]
fn what_cannot_be_reached() {
    let transport = transport(1);
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", refused.local_addr().unwrap());
    drop(refused);
    let get = |url: &str| Request::get(url).body(Bytes::new()).unwrap();
    assert_eq!(
        kind(send(&transport, get(&url))),
        TransportErrorKind::Connect
    );
    // This name never resolves (RFC 2606).
    let unknown = "http://nonexistent.invalid/";
    assert_eq!(
        kind(send(&transport, get(unknown))),
        TransportErrorKind::Dns
    );
    let scheme = "ftp://127.0.0.1/";
    assert_eq!(
        kind(send(&transport, get(scheme))),
        TransportErrorKind::InvalidInput
    );

    // A server that speaks plain HTTP on an `https` URL.
    let plain = Server::start(|_, peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_for_close();
    });
    let url = format!("https://{}/", plain.addr);
    assert_eq!(kind(send(&transport, get(&url))), TransportErrorKind::Tls);
}

/// The handshake never gets a response.
#[test]
fn the_connect_limit_covers_tls_and_the_proxy() {
    let silent = Server::start(|_, peer| {
        peer.wait_for_close();
    });
    let limit = Duration::from_millis(60);
    let request = |url: &str| {
        let mut request = Request::get(url).body(Bytes::new()).unwrap();
        request.extensions_mut().insert(ConnectTimeout(limit));
        request
    };
    let url = format!("https://{}/", silent.addr);
    let start = Instant::now();
    assert_eq!(
        kind(send(&transport(1), request(&url))),
        TransportErrorKind::ConnectTimeout
    );
    assert!(start.elapsed() >= limit);

    let proxy = Proxies::all(Proxy::parse(&format!("http://{}", silent.addr)).unwrap());
    let through = UreqTransport::builder(ThreadPool::new(1).unwrap())
        .proxies(proxy)
        .build();
    assert_eq!(
        kind(send(&through, request("https://api.test/"))),
        TransportErrorKind::ConnectTimeout
    );
}

#[test]
fn a_proxy_gets_a_connect_with_its_credentials_and_its_failures_are_its_own() {
    let (seen, requests) = mpsc::channel();
    let server = Server::start(move |number, peer| {
        seen.send(peer.request().unwrap()).unwrap();
        if number == 0 {
            peer.respond("407 Proxy Authentication Required", "");
            return;
        }
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        seen.send(peer.request().unwrap()).unwrap();
        peer.respond("200 OK", "through");
    });
    let proxy = format!("http://me:p%40ss@{}", server.addr);
    let proxies = Proxies::all(Proxy::parse(&proxy).unwrap());
    let transport = UreqTransport::builder(ThreadPool::new(1).unwrap())
        .proxies(proxies)
        .build();
    let request = || {
        Request::get("http://api.test/x")
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(
        kind(send(&transport, request())),
        TransportErrorKind::ProxyRefused
    );
    let refused = requests.recv().unwrap().head;
    assert!(refused.starts_with("CONNECT api.test:80 HTTP/1.1\r\n"));
    // me:p@ss
    assert!(
        refused.contains("\r\nProxy-Authorization: Basic bWU6cEBzcw==\r\n"),
        "{refused}"
    );

    let response = send(&transport, request()).unwrap();
    assert_eq!(read(response.into_body()).unwrap(), "through");
    let _connect = requests.recv().unwrap();
    assert!(
        requests
            .recv()
            .unwrap()
            .head
            .starts_with("GET /x HTTP/1.1\r\n")
    );

    let nobody = Proxies::all(Proxy::parse("http://127.0.0.1:1").unwrap());
    let transport = UreqTransport::builder(ThreadPool::new(1).unwrap())
        .proxies(nobody)
        .build();
    assert_eq!(kind(send(&transport, request())), TransportErrorKind::Proxy);
}

/// A self-signed certificate for 127.0.0.1, and a server configuration that uses it.
pub(super) fn tls_server() -> (String, Arc<rustls::ServerConfig>) {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key.unwrap())
        .unwrap();
    (signed.cert.pem(), Arc::new(config))
}

#[test]
fn tls_reuses_connections_and_a_body_without_its_end_is_truncated() {
    let (pem, config) = tls_server();
    let server = Server::start(move |_, peer| {
        let tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        peer.secure(tls, |peer| {
            for answer in [
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
                // No length, and the connection closes without a close_notify.
                "HTTP/1.1 200 OK\r\n\r\nhal",
            ] {
                if peer.request().is_none() {
                    return;
                }
                peer.send(answer);
            }
        });
    });
    let pool = ThreadPool::new(2).unwrap();
    let builder = UreqTransport::builder(pool.clone()).proxies(Proxies::none());
    let transport = builder.roots(pem).unwrap().build();
    let url = format!("https://{}/", server.addr);
    let get = || Request::get(&url).body(Bytes::new()).unwrap();
    for _ in 0..2 {
        let response = send(&transport, get()).unwrap();
        assert_eq!(read(response.into_body()).unwrap(), "ok");
    }
    let cut = send(&transport, get()).unwrap();
    assert_eq!(kind(read(cut.into_body())), TransportErrorKind::Truncated);
    assert_eq!(server.connections(), 1);

    let system = UreqTransport::builder(pool)
        .proxies(Proxies::none())
        .build();
    let error = send(&system, get()).err().unwrap();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(error.to_string().contains("add it to `roots`"), "{error}");
}

#[test]
fn roots_that_are_none_are_refused() {
    let pool = ThreadPool::new(1).unwrap();
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ] {
        let refused = UreqTransport::builder(pool.clone()).roots(pem).unwrap_err();
        assert_eq!(refused.kind(), TransportErrorKind::Tls);
    }
}

#[test]
fn a_socks_proxy_connects_and_looks_names_up() {
    use crate::transport::test_socks::{Manners, socks};
    let server = Server::start(|_, peer| peer.serve());
    let manners = Manners {
        method: 2,
        ..Manners::default()
    };
    let send_through = |proxy: &str, url: &str| {
        let transport = UreqTransport::builder(ThreadPool::new(1).unwrap())
            .proxies(Proxies::all(Proxy::parse(proxy).unwrap()))
            .build();
        let request = Request::get(url).body(Bytes::new()).unwrap();
        let response = send(&transport, request)?;
        read(response.into_body())
    };
    let (proxy, asked) = socks(manners, server.addr);
    let url = "http://only-there.invalid:8080/";
    let answer = send_through(&format!("socks5h://me:p%40ss@{proxy}"), url);
    assert_eq!(answer.unwrap(), "ok");
    let asked = asked.recv().unwrap();
    assert_eq!(asked.user, Some(("me".to_owned(), "p@ss".to_owned())));
    assert_eq!(asked.destination, ("only-there.invalid".to_owned(), 8080));

    let (proxy, asked) = socks(Manners::default(), server.addr);
    let answer = send_through(&format!("socks5://{proxy}"), "http://localhost:83/");
    assert_eq!(answer.unwrap(), "ok");
    let destination = asked.recv().unwrap().destination;
    assert_eq!(destination, ("127.0.0.1".to_owned(), 83));

    let manners = Manners {
        code: 2,
        ..Manners::default()
    };
    let (proxy, _asked) = socks(manners, server.addr);
    let refused = send_through(&format!("socks5h://{proxy}"), url);
    assert_eq!(kind(refused), TransportErrorKind::ProxyRefused);
}

//! Requests through a proxy.

use std::io::{Write, copy};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use chatcore::{TransportError, TransportErrorKind};

use super::secured::Secured;
use super::support::*;
use crate::transport::{Proxies, Proxy};

/// A proxy that reports the heads it gets and sends `answer`. With `tunnel`, it then connects the
/// client to that address.
fn proxy(answer: &'static [u8], tunnel: Option<SocketAddr>) -> (SocketAddr, Receiver<String>) {
    let (report, reports) = mpsc::channel();
    let report = Mutex::new(report);
    let address = serve(move |_, mut client| {
        let report = report.lock().unwrap().clone();
        while let Some((head, _)) = read_request(&mut client) {
            // The test may have dropped the receiver.
            report.send(head).ok();
            client.write_all(answer).unwrap();
            if let Some(server) = tunnel {
                return join(client, TcpStream::connect(server).unwrap());
            }
        }
    });
    (address, reports)
}

fn join(mut client: TcpStream, mut server: TcpStream) {
    let (mut up, mut down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || copy(&mut up, &mut down));
    copy(&mut server, &mut client).ok();
}

fn through(proxy: SocketAddr) -> Proxies {
    Proxies::all(Proxy::parse(&format!("http://me:p%40ss@{proxy}")).unwrap())
}

/// Settings for a proxy that opens tunnels to `server`, whatever address is requested.
pub(super) fn tunnel_to(server: SocketAddr) -> Proxies {
    through(proxy(ESTABLISHED, Some(server)).0)
}

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection Established\r\nvia: proxy\r\n\r\n";

#[test]
fn a_plain_request_is_forwarded_with_its_whole_url() {
    let (address, heads) = proxy(OK, None);
    let transport = builder().proxies(through(address)).build();
    for _ in 0..2 {
        run(&transport, post("http://a.test:8080/path?q", "hi")).unwrap();
        let head = heads.recv().unwrap();
        assert!(
            head.starts_with("POST http://a.test:8080/path?q HTTP/1.1\r\nhost: a.test:8080\r\n")
        );
        assert!(
            head.contains("proxy-authorization: Basic bWU6cEBzcw==\r\n"),
            "{head}"
        );
    }
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn a_secure_request_goes_through_a_tunnel_that_sees_no_header_of_it() {
    let secured = Secured::new();
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let (address, heads) = proxy(ESTABLISHED, Some(server));
    let transport = secured.trusted().proxies(through(address)).build();
    for _ in 0..2 {
        let mut request = post("https://localhost:4433/path", "hi");
        request
            .headers_mut()
            .insert("authorization", "Bearer key".parse().unwrap());
        assert_eq!(run(&transport, request).unwrap().1, "ok");
    }
    let head = heads.recv().unwrap();
    assert!(head.starts_with("CONNECT localhost:4433 HTTP/1.1\r\nhost: localhost:4433\r\n"));
    assert!(head.contains("proxy-authorization: Basic bWU6cEBzcw==\r\n"));
    assert!(!head.contains("key"));
    // The second request reused the tunnel from the pool.
    assert!(heads.try_recv().is_err());
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn the_connection_to_the_proxy_may_be_secure_too() {
    let secured = Secured::new();
    let plain = serve(|_, socket| answer_all(socket, OK));
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    // Both TLS layers end in this test: the proxy's at `front`, the server's at `server`.
    let front = secured.serve(move |_, mut client| {
        let (head, _) = read_request(&mut client).unwrap();
        if head.starts_with("CONNECT") {
            client.write_all(ESTABLISHED).unwrap();
            secured_join(client, TcpStream::connect(server).unwrap());
        } else {
            let mut onward = TcpStream::connect(plain).unwrap();
            onward.write_all(head.as_bytes()).unwrap();
            client.write_all(OK).unwrap();
        }
    });
    let proxy = Proxy::parse(&format!("https://localhost:{}", front.port())).unwrap();
    let transport = secured.trusted().proxies(Proxies::all(proxy)).build();
    assert_eq!(run(&transport, get("http://a.test/")).unwrap().1, "ok");
    assert_eq!(run(&transport, get("https://localhost/")).unwrap().1, "ok");
}

/// Carries bytes between a TLS client and a plain socket until one of them ends.
fn secured_join(mut client: super::secured::ServerStream, mut server: TcpStream) {
    use std::io::Read;
    use std::time::Duration;
    for socket in [client.get_ref(), &server] {
        socket
            .set_read_timeout(Some(Duration::from_millis(5)))
            .unwrap();
    }
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => server.write_all(&buffer[..count]).unwrap(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        match server.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => client.write_all(&buffer[..count]).unwrap(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

#[test]
fn a_proxy_that_refuses_is_an_error_with_its_status() {
    let refuse = |answer: &'static [u8], url: &str| -> TransportError {
        let (address, _heads) = proxy(answer, None);
        let transport = builder().proxies(through(address)).build();
        run(&transport, get(url)).unwrap_err()
    };
    let unauthorized = b"HTTP/1.1 407 Authenticate\r\ncontent-length: 4\r\n\r\nwho?";
    for error in [
        refuse(unauthorized, "https://a.test/"),
        refuse(unauthorized, "http://a.test/"),
        refuse(b"HTTP/1.1 407 Authenticate\r\n\r\n", "https://a.test/"),
    ] {
        assert_eq!(error.kind(), TransportErrorKind::ProxyRefused);
        assert!(error.to_string().contains("407"), "{error}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("p@ss") && !shown.contains("bWU6"),
            "{shown}"
        );
    }
    for answer in [
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n".as_slice(),
        b"HTTP/1.1 302 Elsewhere\r\nlocation: https://evil.test/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuncalled for",
        b"no http\r\n\r\n",
    ] {
        let error = refuse(answer, "https://a.test/");
        assert_eq!(error.kind(), TransportErrorKind::Proxy, "{error}");
    }
    // An error status from the server behind the proxy stays a response.
    let (address, _heads) = proxy(b"HTTP/1.1 502 Bad\r\ncontent-length: 0\r\n\r\n", None);
    let transport = builder().proxies(through(address)).build();
    assert_eq!(
        run(&transport, get("http://a.test/")).unwrap().0.status(),
        502
    );
}

#[test]
fn a_proxy_that_is_not_there_is_an_error_of_the_proxy() {
    let proxy = Proxy::parse("http://127.0.0.1:1").unwrap();
    let transport = builder().proxies(Proxies::all(proxy)).build();
    let error = run(&transport, get("https://a.test/")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Proxy);
}

#[test]
fn hosts_without_a_proxy_are_reached_directly() {
    let (address, heads) = proxy(OK, None);
    let server = serve(|_, socket| {
        answer_all(
            socket,
            b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\ndirect",
        );
    });
    let env = Proxies::from_vars(|name| match name {
        "HTTP_PROXY" => Some(address.to_string()),
        "NO_PROXY" => Some("b.test".to_owned()),
        _ => None,
    });
    let transport = builder().proxies(env).build();
    // Loopback never goes through the proxy.
    assert_eq!(
        run(&transport, get(format!("http://{server}/"))).unwrap().1,
        "direct"
    );
    assert_eq!(run(&transport, get("http://a.test/")).unwrap().1, "ok");
    assert!(heads.recv().unwrap().starts_with("GET http://a.test/ "));
    let error = run(&transport, get("http://b.test/")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Dns);
}

#[test]
fn a_proxy_variable_that_does_not_parse_stops_its_requests() {
    let env = Proxies::from_vars(|name| (name == "https_proxy").then(|| "socks4://h".to_owned()));
    let transport = builder().proxies(env).build();
    let error = run(&transport, get("https://a.test/")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ProxyRefused);
    assert!(error.to_string().contains("https_proxy"), "{error}");
}

#[test]
fn a_secure_proxy_with_an_unknown_certificate_is_no_passing_failure() {
    let (secured, other) = (Secured::new(), Secured::new());
    let front = secured.serve(|_, stream| answer_all(stream, OK));
    let proxy = Proxy::parse(&format!("https://localhost:{}", front.port())).unwrap();
    let transport = other.trusted().proxies(Proxies::all(proxy)).build();
    let error = run(&transport, get("http://a.test/")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Tls);
    assert!(error.to_string().contains("the proxy"), "{error}");
}

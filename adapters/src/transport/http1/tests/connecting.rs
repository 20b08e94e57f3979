//! Name lookup, addresses, and their common timeout.

use std::error::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use async_io::Async;
use chatcore::{ConnectTimeout, TransportErrorKind};
use futures_lite::future;

use super::support::*;
use crate::transport::http1::connect::Connector;
use crate::transport::{Proxies, Proxy};

#[test]
fn an_ipv6_host_is_named_in_brackets() {
    let server = serve_on("[::1]:0", |_, mut socket| {
        let (head, _) = read_request(&mut socket).unwrap();
        let host = head
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap();
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{host}",
            host.len()
        );
        std::io::Write::write_all(&mut socket, answer.as_bytes()).unwrap();
    });
    let (_, body) = run(&builder().build(), get(format!("http://{server}/"))).unwrap();
    assert_eq!(body, server.to_string());
}

#[test]
fn a_name_with_a_family_that_leads_nowhere_still_connects() {
    // `localhost` may resolve to ::1 first; this server listens on 127.0.0.1 only.
    let server = serve(|_, socket| answer_all(socket, OK));
    let url = format!("http://LOCALHOST:{}/", server.port());
    assert_eq!(run(&builder().build(), get(url)).unwrap().1, "ok");
}

#[test]
fn a_refused_connection_says_which() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let request = get(format!("http://127.0.0.1:{port}/secret?key=secret"));
    let error = run(&builder().build(), request).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Connect);
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("secret"));
    assert!(error.source().is_some());
}

#[test]
fn an_unknown_name_says_so() {
    let error = run(&builder().build(), get("http://chatcore.invalid/")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Dns);
    assert!(error.to_string().contains("chatcore.invalid"), "{error}");
}

#[test]
fn making_a_connection_has_a_limit_that_covers_the_proxy_and_tls() {
    // The system accepts the connection, but no byte is ever sent.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let through = Proxy::parse(&address.to_string()).unwrap();
    for (transport, url) in [
        (builder().build(), format!("https://{address}/")),
        (
            builder().proxies(Proxies::all(through)).build(),
            "https://a.test/".to_owned(),
        ),
    ] {
        let mut request = get(url);
        request
            .extensions_mut()
            .insert(ConnectTimeout(Duration::from_millis(30)));
        let error = run(&transport, request).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::ConnectTimeout, "{error}");
        assert!(error.to_string().contains("30ms"), "{error}");
    }
}

/// A server that accepts nothing: its backlog is full, and the system drops further connections.
fn deaf() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(socket) = TcpStream::connect_timeout(&address, Duration::from_millis(250)) {
        held.push(socket);
        assert!(held.len() < 10_000, "the backlog does not fill");
    }
    (address, full, held)
}

#[test]
fn an_address_that_fails_or_keeps_silent_is_passed_by() {
    let (silent, _full, _held) = deaf();
    let (good, closed) = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = listener.local_addr().unwrap();
        (serve(|_, socket| answer_all(socket, OK)), closed)
    };
    let clock = Clock::default();
    let transport = builder().build();
    let connector = Connector {
        executor: &clock,
        tls: &*transport.inner.tls,
        lookout: &transport.inner.lookout,
        user_agent: &transport.inner.user_agent,
        max_head: 1,
        forwards: true,
    };
    let peer = |socket: Async<TcpStream>| socket.get_ref().peer_addr().unwrap();
    // A failed address is followed by the next at once: the clock does not move here.
    let first = wait(connector.first_of(vec![closed, closed, good]));
    assert_eq!(peer(first.unwrap()), good);
    let none = wait(connector.first_of(vec![closed, closed]));
    assert_eq!(
        none.unwrap_err().kind(),
        std::io::ErrorKind::ConnectionRefused
    );
    // A silent address is followed by the next after 250 ms.
    wait(async {
        let mut first = Box::pin(connector.first_of(vec![silent, good]));
        let mut early = future::poll_once(&mut first).await;
        clock.advance(Duration::from_millis(249));
        early = early.or(future::poll_once(&mut first).await);
        assert!(early.is_none());
        clock.advance(Duration::from_millis(1));
        assert_eq!(peer(first.await.unwrap()), good);
    });
}

#[test]
fn a_server_that_does_not_accept_is_given_up() {
    let (address, _full, _held) = deaf();
    let timeout = Duration::from_millis(50);
    let mut request = get(format!("http://{address}/"));
    request.extensions_mut().insert(ConnectTimeout(timeout));
    let error = run(&builder().build(), request).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ConnectTimeout);
}

#[test]
fn only_http_urls_are_sent() {
    for url in ["ftp://a.test/", "/v1/chat"] {
        let error = run(&builder().build(), get(url)).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::InvalidInput);
    }
    let connect = http::Request::connect("http://a.test/")
        .body(bytes::Bytes::new())
        .unwrap();
    let error = run(&builder().build(), connect).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidInput);
}

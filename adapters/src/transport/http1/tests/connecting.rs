//! Names, addresses, and the limit on their time.

use std::error::Error;
use std::net::TcpListener;
use std::time::Duration;

use chatcore::{ConnectTimeout, TransportErrorKind};

use super::support::*;
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
    // `localhost` may stand for ::1 first; this server listens on 127.0.0.1 only.
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
    // It accepts (the system does), and never says a word.
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

#[test]
fn a_server_that_does_not_accept_is_given_up() {
    // A full backlog: the kernel drops what comes on top of it.
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    let mut held = Vec::new();
    let timeout = Duration::from_millis(50);
    while let Ok(socket) = std::net::TcpStream::connect_timeout(&address, timeout) {
        held.push(socket);
        assert!(held.len() < 10_000, "the backlog does not fill");
    }
    let mut request = get(format!("http://{address}/"));
    request.extensions_mut().insert(ConnectTimeout(timeout));
    let error = run(&builder().build(), request).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::ConnectTimeout);
}

#[test]
fn only_http_urls_are_sent() {
    for url in ["ftp://a.test/", "/v1/chat"] {
        let error = run(&builder().build(), get(url)).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
    }
    let connect = http::Request::connect("http://a.test/")
        .body(bytes::Bytes::new())
        .unwrap();
    let error = run(&builder().build(), connect).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidRequest);
}

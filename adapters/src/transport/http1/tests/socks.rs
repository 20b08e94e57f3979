//! Requests through a SOCKS proxy.

use std::net::SocketAddr;

use chatcore::{Secrets, Transport, TransportErrorKind};

use super::secured::Secured;
use super::support::*;
use crate::transport::test_socks::{Asked, Manners, socks};
use crate::transport::{Http1Transport, Proxies, Proxy};

fn through(proxy: &str) -> Proxies {
    Proxies::all(Proxy::parse(proxy).unwrap())
}

/// The error of a request through a proxy that behaves like this.
fn refusal(manners: Manners, user: &str) -> (TransportErrorKind, String) {
    let (proxy, _asked) = socks(manners, serve(|_, socket| answer_all(socket, OK)));
    let proxies = through(&format!("socks5h://{user}{proxy}"));
    let transport = builder().proxies(proxies).build();
    let error = run(&transport, get("http://a.test/")).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn the_proxy_looks_names_up_and_the_request_is_as_without_it() {
    let (seen, heads) = std::sync::mpsc::channel();
    let seen = std::sync::Mutex::new(seen);
    let server = serve(move |_, mut socket| {
        use std::io::Write;
        let seen = seen.lock().unwrap().clone();
        while let Some((head, _)) = read_request(&mut socket) {
            seen.send(head).unwrap();
            socket.write_all(OK).unwrap();
        }
    });
    let (proxy, asked) = socks(Manners::default(), server);
    let proxies = through(&format!("socks5h://{proxy}"));
    let transport = builder().proxies(proxies).build();
    for _ in 0..2 {
        // `.invalid` never resolves (RFC 2606).
        let request = post("http://only-there.invalid:8080/path", "hi");
        assert_eq!(run(&transport, request).unwrap().1, "ok");
        let head = heads.recv().unwrap();
        assert!(head.starts_with("POST /path HTTP/1.1\r\nhost: only-there.invalid:8080\r\n"));
        assert!(!head.contains("proxy"), "{head}");
    }
    let destination = ("only-there.invalid".to_owned(), 8080);
    let user = None;
    assert_eq!(asked.recv().unwrap(), Asked { user, destination });
    // The second request reused the connection from the pool.
    assert!(asked.try_recv().is_err());
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn an_address_goes_as_one_and_socks5_looks_names_up_here() {
    let server = serve(|_, socket| answer_all(socket, OK));
    let (proxy, asked) = socks(Manners::default(), server);
    let ask = |scheme: &str, url: &str| {
        let proxies = through(&format!("{scheme}://{proxy}"));
        let transport = builder().proxies(proxies).build();
        let answer = run(&transport, get(url)).map(|(_, body)| body);
        answer.map(|body| (body, asked.recv().unwrap().destination))
    };
    for (scheme, url, told) in [
        ("socks5h", "http://10.1.2.3:81/", ("10.1.2.3", 81)),
        ("socks5h", "http://[2001:db8::1]/", ("2001:db8::1", 80)),
        ("socks5h", "http://localhost:82/", ("localhost", 82)),
        ("socks5", "http://localhost:83/", ("127.0.0.1", 83)),
        ("socks5", "http://10.1.2.3/", ("10.1.2.3", 80)),
    ] {
        let (body, destination) = ask(scheme, url).unwrap();
        assert_eq!(body, "ok");
        assert_eq!((&*destination.0, destination.1), told, "{scheme} {url}");
    }
    let error = ask("socks5", "http://nowhere.invalid/").unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Dns);
    let long = format!("http://{}test/", "a.".repeat(126));
    let error = ask("socks5h", &long).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::InvalidInput, "{error}");
}

#[test]
fn a_secure_request_has_its_tls_within() {
    let secured = Secured::new();
    let server = secured.serve(|_, stream| answer_all(stream, OK));
    let manners = Manners {
        method: 2,
        ..Manners::default()
    };
    let (proxy, asked) = socks(manners, server);
    let proxies = through(&format!("socks5h://me:p%40ss-98765@{proxy}"));
    let transport = secured.trusted().proxies(proxies).build();
    let answer = run(&transport, post("https://localhost:4433/", "hi"));
    assert_eq!(answer.unwrap().1, "ok");
    let asked = asked.recv().unwrap();
    assert_eq!(asked.user, Some(("me".to_owned(), "p@ss-98765".to_owned())));
    assert_eq!(asked.destination, ("localhost".to_owned(), 4433));
    let mut secrets = Secrets::default();
    transport.tell_secrets(&mut secrets);
    let mut echoed = "the proxy echoes p@ss-98765".to_owned();
    secrets.redact(&mut echoed);
    assert!(!echoed.contains("98765"), "{echoed}");
}

#[test]
fn what_a_proxy_refuses_is_said() {
    for (code, why) in [
        (1, "it failed"),
        (2, "rules"),
        (3, "network is unreachable"),
        (4, "cannot reach or resolve"),
        (5, "refused"),
        (6, "TTL"),
        (7, "does not support CONNECT"),
        (8, "socks5h://"),
        (99, "code 99"),
    ] {
        let manners = Manners {
            code,
            ..Manners::default()
        };
        let (kind, message) = refusal(manners, "");
        // Its rules and the commands that it knows stay the same for another attempt.
        let is_lasting = matches!(code, 2 | 7 | 8);
        let expected = match is_lasting {
            true => TransportErrorKind::ProxyRefused,
            false => TransportErrorKind::Proxy,
        };
        assert_eq!(kind, expected, "{code}");
        assert!(
            message.contains(why) && message.contains("a.test:80"),
            "{message}"
        );
    }
}

#[test]
fn who_is_not_let_in_learns_what_to_do() {
    let wants = |method, admits| Manners {
        method,
        admits,
        code: 0,
    };
    for (manners, user, why) in [
        (wants(2, true), "", "write socks5://user:password@host"),
        (wants(255, true), "me:secret@", "neither"),
        (
            wants(2, false),
            "me:secret@",
            "rejected the user and password",
        ),
    ] {
        let (kind, message) = refusal(manners, user);
        assert_eq!(kind, TransportErrorKind::ProxyRefused);
        assert!(
            message.contains(why) && !message.contains("secret"),
            "{message}"
        );
    }
}

#[test]
fn what_is_no_socks_proxy_is_told_apart() {
    let check = |server: SocketAddr| {
        let proxies = through(&format!("socks5://{server}"));
        let transport: Http1Transport = builder().proxies(proxies).build();
        let error = run(&transport, get("http://127.0.0.9/")).unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Proxy);
        error.to_string()
    };
    let http = serve(|_, mut socket| {
        use std::io::{Read, Write};
        let mut some = [0; 3];
        socket.read_exact(&mut some).unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
    });
    assert!(check(http).contains("write http://"));
    assert!(check(serve(|_, socket| drop(socket))).contains("lost"));
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    assert!(check(address).contains("the proxy"));
}

//! What the transport promises, against scripted servers on loopback.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Instant;

use chatcore::ConnectTimeout;
use futures_lite::StreamExt;
use futures_lite::future::{block_on, poll_once};
use http::StatusCode;

use super::super::proxy::Proxy;
use super::super::test_server::{SOON, Server, read};
use super::*;

fn transport(workers: usize) -> UreqTransport {
    let pool = ThreadPool::new(workers).unwrap();
    UreqTransport::with_proxies(pool, Proxies::none())
}

fn send(
    transport: &UreqTransport,
    request: Request<Bytes>,
) -> Result<Response<ByteStream>, TransportError> {
    block_on(transport.send(request))
}

fn kind<T>(result: Result<T, TransportError>) -> TransportErrorKind {
    match result {
        Ok(_) => panic!("expected an error"),
        Err(error) => error.kind(),
    }
}

/// The end of a body that a server cuts or spoils after `answer`.
fn end_of(answer: &'static str) -> Result<String, TransportError> {
    let server = Server::start(move |_, peer| {
        peer.request();
        peer.send(answer);
    });
    read(send(&transport(1), server.post("{}"))?.into_body())
}

#[test]
fn a_request_goes_out_as_it_is_and_the_answer_comes_back() {
    let (seen, requests) = mpsc::channel();
    let server = Server::start(move |_, peer| {
        seen.send(peer.request().unwrap()).unwrap();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-request-id: 7\r\n\r\nhello");
    });
    let response = send(&transport(1), server.post("{\"a\":1}")).unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-request-id"], "7");
    assert_eq!(read(response.into_body()).unwrap(), "hello");

    let seen = requests.recv().unwrap();
    assert_eq!(seen.body, "{\"a\":1}");
    let mut lines: Vec<_> = seen
        .head
        .trim_end()
        .lines()
        .map(str::to_lowercase)
        .collect();
    assert_eq!(lines.remove(0), "post /v1/chat http/1.1");
    lines.sort();
    let host = format!("host: {}", server.addr);
    let expected = [
        "authorization: bearer key",
        "content-length: 7",
        "content-type: application/json",
        &host,
    ];
    assert_eq!(lines, expected);
}

#[test]
fn an_error_status_and_a_redirect_are_responses_like_any_other() {
    let server = Server::start(|number, peer| {
        peer.request();
        match number {
            0 => peer.respond("429 Too Many Requests", "slow down"),
            1 => peer.send(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 5\r\nconnection: close\r\n\r\nthere",
            ),
            _ => peer.send("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        }
        peer.wait_for_close();
    });
    let transport = transport(1);
    for (status, body) in [(429, "slow down"), (307, "there"), (302, "")] {
        let fresh = UreqTransport::with_proxies(transport.pool.clone(), Proxies::none());
        let response = send(&fresh, server.post("{}")).unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(read(response.into_body()).unwrap(), body);
    }
    assert_eq!(server.connections(), 3, "nothing was followed");
}

#[test]
fn a_request_without_a_body_has_no_length() {
    let (seen, requests) = mpsc::channel();
    let server = Server::start(move |_, peer| {
        seen.send(peer.request().unwrap()).unwrap();
        peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    let request = Request::get(server.url()).body(Bytes::new()).unwrap();
    let response = send(&transport(1), request).unwrap();
    assert_eq!(read(response.into_body()).unwrap(), "");
    let head = requests.recv().unwrap().head.to_lowercase();
    assert!(!head.contains("content-length") && !head.contains("transfer-encoding"));
}

#[test]
fn chunks_arrive_as_they_are_sent() {
    let (ack, acks) = mpsc::channel::<()>();
    let acks = Mutex::new(acks);
    let server = Server::start(move |_, peer| {
        let acks = acks.lock().unwrap();
        peer.request();
        peer.chunked_head();
        // Each chunk is sent only when the client has read the one before.
        for chunk in ["one", "two", "three"] {
            acks.recv().unwrap();
            peer.chunk(chunk);
        }
        acks.recv().unwrap();
        peer.send("0\r\n\r\n");
    });
    let mut body = send(&transport(1), server.post("{}")).unwrap().into_body();
    block_on(async {
        for expected in ["one", "two", "three"] {
            ack.send(()).unwrap();
            assert_eq!(body.next().await.unwrap().unwrap(), expected);
        }
        assert!(
            poll_once(body.next()).await.is_none(),
            "the body has not ended"
        );
        ack.send(()).unwrap();
        assert!(body.next().await.is_none());
    });
}

#[test]
fn a_body_that_is_cut_short_is_truncated() {
    let kinds = [
        end_of("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"),
        end_of("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"),
        end_of("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"),
        end_of("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        end_of("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel"),
    ]
    .map(kind);
    assert_eq!(kinds, [TransportErrorKind::Truncated; 5]);
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    assert_eq!(end_of("HTTP/1.1 200 OK\r\n\r\nhello").unwrap(), "hello");
}

#[test]
fn a_body_without_a_length_that_is_reset_is_truncated() {
    let (ack, acks) = mpsc::channel::<()>();
    let acks = Mutex::new(acks);
    let server = Server::start(move |_, peer| {
        // One byte of the request is read, so closing resets the connection.
        peer.send("HTTP/1.1 200 OK\r\n\r\nhello");
        let _ = acks.lock().unwrap().recv();
        peer.reset_with_unread_request();
    });
    let mut body = send(&transport(1), server.post("{}")).unwrap().into_body();
    let (first, end) = block_on(async {
        let first = body.next().await.unwrap().unwrap();
        ack.send(()).unwrap();
        (first, body.next().await.unwrap())
    });
    assert_eq!(first, "hello");
    assert_eq!(kind(end), TransportErrorKind::Truncated);
}

#[test]
fn what_is_not_http_is_a_protocol_error() {
    assert_eq!(
        kind(end_of("SSH-2.0-OpenSSH\r\n\r\n")),
        TransportErrorKind::Protocol
    );
    assert_eq!(
        kind(end_of(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n"
        )),
        TransportErrorKind::Protocol
    );
}

#[test]
fn a_head_that_is_too_large_says_so() {
    let server = Server::start(|number, peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\n");
        if number == 0 {
            peer.send(format!("x: {}\r\n", "y".repeat(INPUT_BUFFER)));
        } else {
            peer.send("x: y\r\n".repeat(129));
        }
        peer.send("content-length: 0\r\n\r\n");
        peer.wait_for_close();
    });
    let transport = transport(1);
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::TooLarge
    );
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::TooLarge
    );
}

#[test]
fn a_connection_that_is_lost_before_the_answer_is_a_reset() {
    let server = Server::start(|number, peer| {
        if number == 0 {
            peer.request();
        } else {
            peer.reset_with_unread_request();
        }
    });
    let transport = transport(1);
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::Reset
    );
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::Reset
    );
    assert_eq!(server.connections(), 2, "a new connection is not replaced");
}

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
    // A label may have 63 characters, so this one is refused without asking a server.
    let unknown = format!("http://{}.test/", "x".repeat(64));
    assert_eq!(
        kind(send(&transport, get(&unknown))),
        TransportErrorKind::Dns
    );
    let scheme = "ftp://127.0.0.1/";
    assert_eq!(
        kind(send(&transport, get(scheme))),
        TransportErrorKind::InvalidRequest
    );

    // A server that speaks plain HTTP where TLS is expected.
    let plain = Server::start(|_, peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_for_close();
    });
    let url = format!("https://{}/", plain.addr);
    assert_eq!(kind(send(&transport, get(&url))), TransportErrorKind::Tls);
}

/// A handshake that never gets an answer.
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
    let through = UreqTransport::with_proxies(ThreadPool::new(1).unwrap(), proxy);
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
    let transport = UreqTransport::with_proxies(ThreadPool::new(1).unwrap(), proxies);
    let request = || {
        Request::get("http://api.test/x")
            .body(Bytes::new())
            .unwrap()
    };
    assert_eq!(kind(send(&transport, request())), TransportErrorKind::Proxy);
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
    let transport = UreqTransport::with_proxies(ThreadPool::new(1).unwrap(), nobody);
    assert_eq!(kind(send(&transport, request())), TransportErrorKind::Proxy);
}

#[test]
fn connections_are_reused_by_every_worker() {
    let server = Server::start(|_, peer| peer.serve());
    let transport = transport(4);
    for _ in 0..20 {
        let response = send(&transport, server.post("{}")).unwrap();
        assert_eq!(read(response.into_body()).unwrap(), "ok");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_dead_reused_connection_is_replaced_once() {
    let (closed, has_closed) = mpsc::channel();
    let server = Server::start(move |number, peer| {
        peer.request();
        peer.respond("200 OK", "ok");
        if number == 0 {
            // The connection dies with the second request unanswered.
            peer.request();
            closed.send(()).unwrap();
        } else {
            peer.serve();
        }
    });
    let transport = transport(1);
    for _ in 0..3 {
        let response = send(&transport, server.post("{}")).unwrap();
        assert_eq!(read(response.into_body()).unwrap(), "ok");
    }
    has_closed.recv().unwrap();
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_reused_connection_that_dies_within_the_answer_is_not_replaced() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.respond("200 OK", "ok");
        peer.request();
        peer.send("HTTP/1.1 200 O");
    });
    let transport = transport(1);
    read(send(&transport, server.post("{}")).unwrap().into_body()).unwrap();
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::Reset
    );
    assert_eq!(server.connections(), 1);
}

#[test]
fn dropping_the_future_closes_the_connection() {
    let (at, closed_at) = mpsc::channel();
    let (came, has_come) = mpsc::channel();
    let server = Server::start(move |_, peer| {
        peer.request();
        came.send(()).unwrap();
        at.send(peer.wait_for_close()).unwrap();
    });
    let transport = transport(1);
    let mut sending = transport.send(server.post("{}"));
    assert!(block_on(poll_once(&mut sending)).is_none());
    has_come.recv().unwrap();
    let dropped = Instant::now();
    drop(sending);
    assert!(closed_at.recv().unwrap() - dropped < SOON);
}

#[test]
fn dropping_the_body_closes_the_connection_and_frees_the_worker() {
    let (at, closed_at) = mpsc::channel();
    let server = Server::start(move |number, peer| {
        if number > 0 {
            return peer.serve();
        }
        peer.request();
        peer.chunked_head();
        peer.chunk("first");
        at.send(peer.wait_for_close()).unwrap();
    });
    let transport = transport(1);
    let mut body = send(&transport, server.post("{}")).unwrap().into_body();
    assert_eq!(block_on(body.next()).unwrap().unwrap(), "first");
    let dropped = Instant::now();
    drop(body);
    assert!(closed_at.recv().unwrap() - dropped < SOON);
    let response = send(&transport, server.post("{}")).unwrap();
    assert_eq!(read(response.into_body()).unwrap(), "ok");
}

#[test]
fn a_tls_handshake_is_cancelled_too() {
    let (at, closed_at) = mpsc::channel();
    let (came, has_come) = mpsc::channel();
    let server = Server::start(move |_, peer| {
        peer.send([]);
        came.send(()).unwrap();
        at.send(peer.wait_for_close()).unwrap();
    });
    let transport = transport(1);
    let url = format!("https://{}/", server.addr);
    let mut sending = transport.send(Request::get(url).body(Bytes::new()).unwrap());
    assert!(block_on(poll_once(&mut sending)).is_none());
    has_come.recv().unwrap();
    let dropped = Instant::now();
    drop(sending);
    assert!(closed_at.recv().unwrap() - dropped < SOON);
}

#[test]
fn cancelling_a_call_that_is_over_leaves_its_connection_to_the_next() {
    let server = Server::start(|_, peer| peer.serve());
    let transport = transport(2);
    for _ in 0..200 {
        let mut body = send(&transport, server.post("{}")).unwrap().into_body();
        // The worker may or may not have come to the end of the body when it is dropped here.
        assert_eq!(block_on(body.next()).unwrap().unwrap(), "ok");
        drop(body);
        let response = send(&transport, server.post("{}")).unwrap();
        assert_eq!(read(response.into_body()).unwrap(), "ok");
    }
}

#[test]
fn a_call_that_waits_for_a_worker_leaves_the_queue_when_it_is_dropped() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.wait_for_close();
    });
    let transport = transport(1);
    let mut first = transport.send(server.post("{}"));
    let mut second = transport.send(server.post("{}"));
    assert!(block_on(poll_once(&mut first)).is_none());
    assert!(block_on(poll_once(&mut second)).is_none());
    while transport.pool.status().queued > 1 {
        std::thread::yield_now();
    }
    drop(second);
    assert_eq!(transport.pool.status().queued, 0);
    drop(first);
}

#[test]
fn a_slow_reader_holds_the_server_back() {
    let (sent, all_sent) = mpsc::channel();
    let total = 32 * 1024 * 1024;
    let server = Server::start(move |_, peer| {
        peer.request();
        peer.send(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n"
        ));
        let piece = vec![b'x'; 64 * 1024];
        for _ in 0..total / piece.len() {
            peer.send(&piece);
        }
        sent.send(()).unwrap();
        peer.wait_for_close();
    });
    let transport = transport(1);
    let body = send(&transport, server.post("{}")).unwrap().into_body();
    // The kernel's buffers hold a few MiB, the hand-over 64 KiB; 32 MiB fit in neither.
    assert!(all_sent.recv_timeout(Duration::from_millis(200)).is_err());
    assert_eq!(read(body).unwrap().len(), total);
    all_sent.recv().unwrap();
}

#[test]
fn closing_the_pool_does_not_wait_for_a_reader() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
        peer.send(vec![b'x'; 1_000_000]);
        peer.wait_for_close();
    });
    let transport = transport(1);
    let body = send(&transport, server.post("{}")).unwrap().into_body();
    transport.pool.close();
    assert_eq!(kind(read(body)), TransportErrorKind::Closed);
    assert_eq!(
        kind(send(&transport, server.post("{}"))),
        TransportErrorKind::Closed
    );
}

#[test]
fn a_body_outlives_its_transport() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.respond("200 OK", &"x".repeat(1_000_000));
    });
    let transport = transport(1);
    let body = send(&transport, server.post("{}")).unwrap().into_body();
    drop(transport);
    assert_eq!(read(body).unwrap().len(), 1_000_000);
}

#[test]
fn a_full_queue_is_an_error_at_once() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.wait_for_close();
    });
    let pool = ThreadPool::builder()
        .workers(1)
        .queue_size(0)
        .build()
        .unwrap();
    let transport = UreqTransport::with_proxies(pool, Proxies::none());
    let mut first = transport.send(server.post("{}"));
    assert!(block_on(poll_once(&mut first)).is_none());
    let error = send(&transport, server.post("{}")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Other);
    let source = std::error::Error::source(&error).unwrap();
    assert!(matches!(
        source.downcast_ref(),
        Some(JobError::QueueFull { queue_size: 0 })
    ));
}

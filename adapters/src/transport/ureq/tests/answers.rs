//! Requests and answers, complete and cut short.

use super::*;

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
        concat!("user-agent: chatcore/", env!("CARGO_PKG_VERSION")),
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
        let fresh = UreqTransport::builder(transport.pool.clone())
            .proxies(Proxies::none())
            .build();
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
        // Each chunk is sent only after the client has read the previous one.
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
fn interim_heads_are_skipped_and_http_1_0_is_read() {
    let hints =
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    assert_eq!(end_of(hints).unwrap(), "ok");
    let old = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok";
    assert_eq!(end_of(old).unwrap(), "ok");
}

#[test]
fn a_body_without_a_length_that_is_reset_is_truncated() {
    let (ack, acks) = mpsc::channel::<()>();
    let acks = Mutex::new(acks);
    let server = Server::start(move |_, peer| {
        // Only one byte of the request is read, so closing the socket resets the connection.
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
fn what_comes_without_any_content_has_a_largest_size() {
    let endless = |beginning: &'static str, piece: &'static str| {
        let server = Server::start(move |_, peer| {
            peer.request();
            peer.send(beginning);
            for _ in 0..10_000 {
                peer.send(piece.repeat(10));
            }
            peer.wait_for_close();
        });
        let response = send(&transport(1), server.post("{}"))?;
        read(response.into_body())
    };
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
    let trailers = endless(chunked, "checksum: 0123456789\r\n");
    assert_eq!(kind(trailers), TransportErrorKind::TooLarge);
    let interim = endless("", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n");
    assert_eq!(kind(interim), TransportErrorKind::TooLarge);
}

#[test]
fn an_encoded_body_and_its_header_come_as_they_are() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f-x");
    });
    let response = send(&transport(1), server.post("{}")).unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-length"], "3");
    assert_eq!(read(response.into_body()).unwrap(), "\x1f-x");
}

#[test]
fn other_tasks_go_on_beside_an_answer_that_always_has_more() {
    let size = 32 * 1024 * 1024;
    let server = Server::start(move |_, peer| {
        peer.request();
        peer.respond("200 OK", &"x".repeat(size));
        peer.wait_for_close();
    });
    let mut body = send(&transport(1), server.post("{}")).unwrap().into_body();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let (mut came, mut in_a_row) = (0, 0);
    while came < size {
        match Pin::new(&mut body).poll_next(&mut cx) {
            Poll::Ready(chunk) => {
                came += chunk.unwrap().unwrap().len();
                in_a_row += 1;
                assert!(in_a_row <= 16, "a body that never pauses");
            }
            Poll::Pending => {
                in_a_row = 0;
                std::thread::yield_now();
            }
        }
    }
}

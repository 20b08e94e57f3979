//! Connections that serve several calls.

use super::*;

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
            // The connection closes with the second request unanswered.
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
fn an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one() {
    for (rest, together) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong", false),
        // Some servers send an extra line end, which is harmless.
        ("\r\n", true),
        ("\r\n", false),
    ] {
        let (said, has_said) = mpsc::channel();
        let server = Server::start(move |_, peer| {
            while peer.request().is_some() {
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                match together {
                    true => peer.send(format!("{answer}{rest}")),
                    false => {
                        peer.send(answer);
                        peer.send(rest);
                    }
                }
                said.send(()).unwrap();
            }
        });
        let transport = transport(1);
        for _ in 0..3 {
            let response = send(&transport, server.post("{}")).unwrap();
            assert_eq!(read(response.into_body()).unwrap(), "ok");
            has_said.recv().unwrap();
        }
    }
}

#[test]
fn an_empty_line_before_an_answer_is_ignored() {
    let server = Server::start(|_, peer| {
        peer.request();
        peer.send("\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    let response = send(&transport(1), server.post("{}")).unwrap();
    assert_eq!(read(response.into_body()).unwrap(), "ok");
}

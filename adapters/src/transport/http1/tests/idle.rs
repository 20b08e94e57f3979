//! Idle connections that the server closes or sends bytes on.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::TransportErrorKind;

use super::pooling::{clocked, number};
use super::secured::Secured;
use super::support::*;
use crate::transport::http1::request::Origin;

/// A server that passes its first connection to `first`, and answers and counts the requests on all
/// later ones.
fn closing_once(
    first: impl Fn(TcpStream) + Send + Sync + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = requests.clone();
    let server = serve(move |number, mut socket| {
        if number == 0 {
            return first(socket);
        }
        while read_request(&mut socket).is_some() {
            seen.fetch_add(1, Ordering::SeqCst);
            socket.write_all(OK).unwrap();
        }
    });
    (server, requests)
}

/// What a server may send on an idle connection: an end, or unexpected bytes.
const REST: [&[u8]; 4] = [
    b"",
    b"\r\n",
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother",
];

#[test]
fn a_connection_that_its_server_gave_up_is_found_out_before_use() {
    for rest in REST {
        let (go, wait_for_go) = mpsc::channel::<()>();
        let (done, wait_for_done) = mpsc::channel();
        let (wait_for_go, done) = (Mutex::new(wait_for_go), Mutex::new(done));
        let (server, requests) = closing_once(move |mut socket| {
            read_request(&mut socket).unwrap();
            socket.write_all(OK).unwrap();
            wait_for_go.lock().unwrap().recv().unwrap();
            socket.write_all(rest).unwrap();
            socket.shutdown(Shutdown::Write).unwrap();
            let done = done.lock().unwrap();
            done.send(0).unwrap();
            let mut more = [0; 64];
            done.send(socket.read(&mut more).unwrap_or(0)).unwrap();
        });
        let transport = builder().build();
        let url = format!("http://{server}/");
        run(&transport, post(&url, "one")).unwrap();
        go.send(()).unwrap();
        wait_for_done.recv().unwrap();
        let (head, body) = run(&transport, post(&url, "two")).unwrap();
        assert_eq!(
            (head.status().as_u16(), body.as_ref()),
            (200, b"ok".as_slice())
        );
        assert_eq!(
            wait_for_done.recv(),
            Ok(0),
            "the request was sent into the void"
        );
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn over_tls_it_is_found_out_too() {
    for rest in REST {
        let (go, wait_for_go) = mpsc::channel::<()>();
        let (done, wait_for_done) = mpsc::channel();
        let (wait_for_go, done) = (Mutex::new(wait_for_go), Mutex::new(done));
        let secured = Secured::new();
        let server = secured.serve(move |number, mut stream| {
            if number > 0 {
                return answer_all(stream, OK);
            }
            read_request(&mut stream).unwrap();
            stream.write_all(OK).unwrap();
            wait_for_go.lock().unwrap().recv().unwrap();
            stream.write_all(rest).unwrap();
            stream.end();
            let done = done.lock().unwrap();
            done.send(0).unwrap();
            let mut more = [0; 64];
            done.send(stream.read(&mut more).unwrap_or(0)).unwrap();
        });
        let transport = secured.trusted().build();
        let url = format!("https://{server}/");
        run(&transport, post(&url, "one")).unwrap();
        assert_eq!(transport.inner.pool.idle(), 1);
        go.send(()).unwrap();
        wait_for_done.recv().unwrap();
        assert_eq!(run(&transport, post(&url, "two")).unwrap().0.status(), 200);
        assert_eq!(
            wait_for_done.recv(),
            Ok(0),
            "the request was sent into the void"
        );
    }
}

/// A server that sends `rest` after its first answer, in a separate write, and reports it. It then
/// answers every request with the number of its connection.
fn saying_more(rest: &'static [u8]) -> (SocketAddr, mpsc::Receiver<()>) {
    let (said, has_said) = mpsc::channel();
    let said = Mutex::new(said);
    let server = serve(move |number, mut socket| {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}");
        if number == 0 {
            read_request(&mut socket).unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
            socket.write_all(rest).unwrap();
            said.lock().unwrap().send(()).unwrap();
        }
        // An error here means that the client closed the connection.
        while read_request(&mut socket).is_some() && socket.write_all(answer.as_bytes()).is_ok() {}
    });
    (server, has_said)
}

#[test]
fn an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one() {
    let (server, has_said) = saying_more(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong");
    let transport = builder().build();
    assert_eq!(number(&transport, server), "0");
    has_said.recv().unwrap();
    assert_eq!(number(&transport, server), "1");
    assert_eq!(number(&transport, server), "1");
}

#[test]
fn a_line_end_too_many_after_a_body_is_no_answer() {
    let (server, has_said) = saying_more(b"\r\n");
    let transport = builder().build();
    assert_eq!(number(&transport, server), "0");
    has_said.recv().unwrap();
    assert_eq!(number(&transport, server), "0");
    // More than `MAX_BLANK` line ends are not taken for a harmless mistake.
    let (server, has_said) = saying_more(&[b'\n'; 100]);
    assert_eq!(number(&transport, server), "0");
    has_said.recv().unwrap();
    assert_eq!(number(&transport, server), "1");
}

#[test]
fn over_tls_a_line_end_too_many_is_no_answer_either() {
    for (rest, reused) in [("\r\n", true), ("\r\nHTTP/1.1 200 OK\r\n\r\n", false)] {
        let (said, has_said) = mpsc::channel();
        let said = Mutex::new(said);
        let secured = Secured::new();
        let server = secured.serve(move |_, mut stream| {
            while read_request(&mut stream).is_some() {
                stream.write_all(OK).unwrap();
                stream.write_all(rest.as_bytes()).unwrap();
                said.lock().unwrap().send(()).unwrap();
            }
        });
        let transport = secured.trusted().build();
        for _ in 0..3 {
            let answer = run(&transport, get(format!("https://{server}/")));
            assert_eq!(answer.unwrap().1, "ok");
            has_said.recv().unwrap();
        }
        let mut idle = transport.inner.pool.take(&origin_of(server, true));
        assert_eq!(idle.take().is_some(), reused, "{rest:?}");
    }
}

fn origin_of(server: SocketAddr, tls: bool) -> Origin {
    Origin {
        tls,
        host: server.ip().to_string(),
        port: server.port(),
    }
}

#[test]
fn a_reused_connection_that_dies_before_any_answer_is_replaced() {
    let (server, requests) = closing_once(|mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        // Closes while the next request is on its way.
        read_request(&mut socket).unwrap();
    });
    // The clock does not move, so that the loss counts as early even on a busy machine.
    let (_, transport) = clocked();
    let url = format!("http://{server}/");
    run(&transport, post(&url, "one")).unwrap();
    assert_eq!(run(&transport, post(&url, "two")).unwrap().1, "ok");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[test]
fn nothing_is_sent_again_once_a_byte_of_the_answer_came() {
    let (server, requests) = closing_once(|mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        read_request(&mut socket).unwrap();
        socket.write_all(b"H").unwrap();
    });
    let transport = builder().build();
    let url = format!("http://{server}/");
    run(&transport, post(&url, "one")).unwrap();
    let error = run(&transport, post(&url, "two")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Reset);
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_request_that_the_server_may_have_worked_on_is_not_sent_again() {
    let (clock, transport) = clocked();
    let time = clock.clone();
    let (server, requests) = closing_once(move |mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        read_request(&mut socket).unwrap();
        time.advance(Duration::from_secs(4));
    });
    let url = format!("http://{server}/");
    run(&transport, post(&url, "one")).unwrap();
    let error = run(&transport, post(&url, "two")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Reset);
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_new_connection_that_dies_is_an_error() {
    let server = serve(|_, mut socket| {
        read_request(&mut socket).unwrap();
    });
    let error = run(&builder().build(), get(format!("http://{server}/"))).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Reset);
    assert!(error.to_string().contains("before it answered"), "{error}");
}

//! A dropped future or body leaves nothing behind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use async_io::Async;
use bytes::Bytes;
use chatcore::{Instant, Transport};
use futures_lite::{StreamExt, future};

use super::support::*;
use crate::transport::http1::Http1Transport;
use crate::transport::http1::exchange::Connection;
use crate::transport::http1::stream::{Socket, Stream};

/// A server that sends `answer`, then reports when its connection is closed.
fn watching(answer: &'static [u8]) -> (SocketAddr, Receiver<&'static str>) {
    let (report, reports) = mpsc::channel();
    let report = Mutex::new(report);
    let server = serve(move |_, mut socket: TcpStream| {
        let report = report.lock().unwrap().clone();
        read_request(&mut socket).unwrap();
        report.send("request").unwrap();
        socket.write_all(answer).unwrap();
        // An end or a reset: in both cases the client has closed.
        while matches!(socket.read(&mut [0; 64]), Ok(1..)) {}
        report.send("closed").unwrap();
    });
    (server, reports)
}

/// Fails only on a hang, because a busy machine may be slow.
fn expect_close(reports: &Receiver<&'static str>) {
    assert_eq!(reports.recv_timeout(HANG), Ok("closed"));
}

#[test]
fn a_dropped_send_closes_the_connection() {
    let (server, reports) = watching(b"");
    let transport = builder().build();
    let send = transport.send(post(format!("http://{server}/"), "hello"));
    wait(async {
        let arrived = blocking::unblock(move || {
            assert_eq!(reports.recv(), Ok("request"));
            reports
        });
        let reports = future::or(
            async {
                send.await.unwrap();
                unreachable!("the server does not answer")
            },
            arrived,
        )
        .await;
        // `or` has already dropped `send` here.
        expect_close(&reports);
    });
    assert_eq!(transport.inner.pool.idle(), 0);
}

#[test]
fn a_dropped_body_closes_the_connection() {
    for answer in [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart".as_slice(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\npart\r\n",
        b"HTTP/1.1 200 OK\r\n\r\npart",
    ] {
        for read_some in [false, true] {
            let (server, reports) = watching(answer);
            let transport = builder().build();
            wait(async {
                let request = get(format!("http://{server}/"));
                let response = transport.send(request).await.unwrap();
                let mut body = response.into_body();
                if read_some {
                    assert_eq!(body.next().await.unwrap().unwrap(), "part");
                }
                assert_eq!(reports.recv(), Ok("request"));
                drop(body);
                expect_close(&reports);
            });
            assert_eq!(transport.inner.pool.idle(), 0);
        }
    }
}

#[test]
fn a_dropped_connection_is_closed_whoever_else_holds_its_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    // A duplicate of the descriptor, as a child process may inherit one.
    let _copy = client.try_clone().unwrap();
    drop(Connection {
        stream: Stream::Plain(Socket::new(Async::new(client).unwrap(), Arc::default())),
        unread: Vec::new(),
        born: Instant::default(),
    });
    server.set_read_timeout(Some(HANG)).unwrap();
    assert_eq!(server.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_dropped_transport_closes_what_is_idle() {
    let (server, reports) = watching(OK);
    let transport = builder().build();
    run(&transport, get(format!("http://{server}/"))).unwrap();
    assert_eq!(reports.recv(), Ok("request"));
    assert_eq!(transport.inner.pool.idle(), 1);
    drop(transport);
    expect_close(&reports);
}

#[test]
fn a_body_outlives_its_transport() {
    let server = serve(|_, mut socket| {
        read_request(&mut socket).unwrap();
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n")
            .unwrap();
        socket.write_all(b"body").unwrap();
        read_request(&mut socket);
    });
    wait(async {
        let transport = builder().build();
        let response = transport
            .send(get(format!("http://{server}/")))
            .await
            .unwrap();
        drop(transport);
        assert_eq!(collect(response.into_body()).await.unwrap(), "body");
    });
}

#[test]
fn the_rest_of_a_request_goes_out_while_its_answer_comes_in() {
    // Larger than all buffers in between, so that the answer begins before the whole request is
    // read.
    let size = 16 * 1024 * 1024;
    let server = serve(move |_, mut socket| {
        let mut first = vec![0; 1024];
        socket.read_exact(&mut first).unwrap();
        socket
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbo")
            .unwrap();
        let head = first
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let mut left = size - (first.len() - head);
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            left -= socket.read(&mut buffer).unwrap();
        }
        socket.write_all(b"dy").unwrap();
        read_request(&mut socket);
    });
    let transport = builder().build();
    let request = post(format!("http://{server}/"), vec![b'x'; size]);
    assert_eq!(run(&transport, request).unwrap().1, "body");
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn a_refusal_is_seen_though_the_server_does_not_read_the_request() {
    let server = serve(|_, mut socket| {
        let mut first = [0; 1024];
        socket.read_exact(&mut first).unwrap();
        socket
            .write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")
            .unwrap();
        // Stays open until the client has finished with it.
        socket.set_read_timeout(Some(HANG)).unwrap();
        let (mut rest, mut buffer) = (0, vec![0; 4096]);
        while rest < 8192 {
            match socket.read(&mut buffer) {
                Ok(1..) => rest += 4096,
                _ => break,
            }
        }
    });
    let transport = builder().build();
    let request = post(format!("http://{server}/"), vec![b'x'; 16 * 1024 * 1024]);
    let (head, body) = run(&transport, request).unwrap();
    assert_eq!(
        (head.status().as_u16(), body),
        (401, Bytes::from_static(b"no"))
    );
    assert_eq!(transport.inner.pool.idle(), 0);
}

#[test]
fn an_answer_may_dribble_in() {
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let server = serve(move |_, mut socket| {
        while read_request(&mut socket).is_some() {
            for byte in answer {
                socket.write_all(&[*byte]).unwrap();
            }
        }
    });
    let transport = builder().build();
    for _ in 0..2 {
        assert_eq!(
            run(&transport, get(format!("http://{server}/"))).unwrap().1,
            "abc"
        );
    }
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn a_waiting_send_stays_small() {
    let transport: Http1Transport = builder().build();
    let send = transport.send(get("http://127.0.0.1:1/"));
    let size = std::mem::size_of_val(&*send);
    assert!(size <= 1400, "{size} bytes");
}

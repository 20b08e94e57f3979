//! Queueing for workers, and what dropping a call frees.

use super::*;

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
fn dropping_a_body_that_has_ended_leaves_its_connection_to_the_next_call() {
    let (ack, acks) = mpsc::channel::<()>();
    let acks = Mutex::new(acks);
    let server = Server::start(move |_, peer| {
        let acks = acks.lock().unwrap();
        peer.request();
        peer.respond("200 OK", "ok");
        peer.request();
        peer.chunked_head();
        peer.chunk("one");
        acks.recv().unwrap();
        peer.chunk("two");
        peer.send("0\r\n\r\n");
        peer.wait_for_close();
    });
    let transport = transport(1);
    let mut ended = send(&transport, server.post("{}")).unwrap().into_body();
    block_on(async {
        assert_eq!(ended.next().await.unwrap().unwrap(), "ok");
        assert!(ended.next().await.is_none());
    });
    let mut next = send(&transport, server.post("{}")).unwrap().into_body();
    assert_eq!(block_on(next.next()).unwrap().unwrap(), "one");
    drop(ended);
    ack.send(()).unwrap();
    assert_eq!(read(next).unwrap(), "two");
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_body_dropped_near_its_end_does_not_disturb_the_next_call() {
    let server = Server::start(|_, peer| peer.serve());
    let transport = transport(2);
    for _ in 0..200 {
        let mut body = send(&transport, server.post("{}")).unwrap().into_body();
        // When the body is dropped here, the worker may or may not have reached its end.
        assert_eq!(block_on(body.next()).unwrap().unwrap(), "ok");
        drop(body);
        let response = send(&transport, server.post("{}")).unwrap();
        assert_eq!(read(response.into_body()).unwrap(), "ok");
    }
}

#[test]
fn cancelled_calls_never_give_their_answer_to_another() {
    let server = Server::start(|_, peer| {
        while let Some(seen) = peer.request() {
            peer.chunked_head();
            peer.chunk(&seen.body);
            peer.chunk("!");
            peer.send("0\r\n\r\n");
        }
    });
    let transport = transport(3);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (transport, server) = (&transport, &server);
            scope.spawn(move || {
                for n in 0..150 {
                    let text = format!("{thread}-{n}");
                    let mut sending = transport.send(server.post(&text));
                    match n % 3 {
                        0 => drop(block_on(poll_once(&mut sending))),
                        1 => drop(block_on(sending).unwrap().into_body()),
                        _ => {
                            let body = block_on(sending).unwrap().into_body();
                            assert_eq!(read(body).unwrap(), format!("{text}!"));
                        }
                    }
                }
            });
        }
    });
    transport.pool.close();
    assert_eq!(transport.pool.status().active, 0);
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
    let (sent, how_much) = mpsc::channel();
    let total = 64 * 1024 * 1024;
    let server = Server::start(move |_, peer| {
        peer.request();
        peer.send(format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {total}\r\n\r\n"
        ));
        peer.send_slowly(&vec![b'x'; total], |n| sent.send(n).unwrap());
        peer.wait_for_close();
    });
    let transport = transport(1);
    let body = send(&transport, server.post("{}")).unwrap().into_body();
    // The kernel's buffers hold a few MiB and the hand-over 64 KiB, so 64 MiB do not fit.
    let early = how_much.recv().unwrap();
    assert!(
        early < total,
        "{early} bytes went out to a client that read none"
    );
    assert_eq!(read(body).unwrap().len(), total);
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
    let transport = UreqTransport::builder(pool)
        .proxies(Proxies::none())
        .build();
    let mut first = transport.send(server.post("{}"));
    assert!(block_on(poll_once(&mut first)).is_none());
    let error = send(&transport, server.post("{}")).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::QueueFull);
    let source = std::error::Error::source(&error).unwrap();
    assert!(matches!(
        source.downcast_ref(),
        Some(JobError::QueueFull { queue_size: 0 })
    ));
}

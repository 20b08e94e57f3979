//! Which connection a request goes over.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

use chatcore::{Executor, Instant, Transport, TransportErrorKind};
use futures_lite::{AsyncRead, AsyncWrite, StreamExt};

use super::support::*;
use crate::transport::Proxies;
use crate::transport::http1::Http1Transport;
use crate::transport::http1::exchange::Connection;
use crate::transport::http1::pool::{Limits, Pool};
use crate::transport::http1::request::Origin;
use crate::transport::http1::stream::{Layer, Stream};

/// A server that answers every request with the number of its connection.
fn numbered() -> SocketAddr {
    serve(|number, socket| {
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}");
        answer_all(socket, answer.as_bytes());
    })
}

fn number(transport: &Http1Transport, server: SocketAddr) -> String {
    let (_, body) = run(transport, post(format!("http://{server}/"), "hello")).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn clocked() -> (Arc<Clock>, Http1Transport) {
    let clock = Arc::new(Clock::default());
    let transport = Http1Transport::builder(clock.clone())
        .proxies(Proxies::none())
        .build();
    (clock, transport)
}

#[test]
fn a_connection_is_used_again() {
    let (server, transport) = (numbered(), builder().build());
    for _ in 0..5 {
        assert_eq!(number(&transport, server), "0");
    }
    assert_eq!(transport.inner.pool.idle(), 1);
}

#[test]
fn head_and_body_leave_in_one_write() {
    let server = serve(|_, mut socket| {
        let mut buffer = [0; 4096];
        for _ in 0..2 {
            let count = socket.read(&mut buffer).unwrap();
            assert!(buffer[..count].starts_with(b"POST / HTTP/1.1\r\n"));
            assert!(buffer[..count].ends_with(b"\r\n\r\nhello"));
            socket.write_all(OK).unwrap();
        }
    });
    let transport = builder().build();
    for _ in 0..2 {
        run(&transport, post(format!("http://{server}/"), "hello")).unwrap();
    }
}

#[test]
fn a_request_may_ask_for_its_connection_to_be_closed() {
    let (server, transport) = (numbered(), builder().build());
    let mut request = get(format!("http://{server}/"));
    request
        .headers_mut()
        .insert("connection", "close".parse().unwrap());
    run(&transport, request).unwrap();
    assert_eq!(number(&transport, server), "1");
}

#[test]
fn origins_do_not_share_connections() {
    let (one, two, transport) = (numbered(), numbered(), builder().build());
    number(&transport, one);
    number(&transport, two);
    assert_eq!(transport.inner.pool.idle(), 2);
    // The same server by another name is another origin.
    let by_name = format!("http://localhost:{}/", one.port());
    assert_eq!(run(&transport, get(by_name)).unwrap().1, "1");
}

#[test]
fn the_connection_used_last_is_used_first_and_surplus_is_dropped() {
    let executor = Arc::new(Clock::default());
    let limits = Limits {
        max_idle: 2,
        idle: Duration::from_secs(10),
        age: Duration::from_secs(10),
    };
    let pool = Arc::new(Pool::new(executor, limits));
    let origin = Arc::new(Origin::of(&"http://a.test/".parse().unwrap()).unwrap());
    for millis in 0..3 {
        let connection = Connection {
            stream: Stream::Layered(Box::new(Quiet)),
            unread: Vec::new(),
            born: Instant::from_epoch(Duration::from_millis(millis)),
        };
        pool.put(&origin, connection, None);
    }
    let take = || {
        pool.take(&origin)
            .map(|taken| taken.born.since_epoch().as_millis())
    };
    assert_eq!([take(), take(), take()], [Some(2), Some(1), None]);
}

/// A stream that is open and says nothing.
struct Quiet;

impl AsyncRead for Quiet {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Pending
    }
}

impl AsyncWrite for Quiet {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl Layer for Quiet {
    fn socket(&self) -> Option<&TcpStream> {
        None
    }
}

#[test]
fn a_body_at_its_end_gives_the_connection_back_without_another_poll() {
    let (more, wait_for_more) = mpsc::channel::<()>();
    let wait_for_more = std::sync::Mutex::new(wait_for_more);
    let server = serve(move |_, mut socket| {
        while read_request(&mut socket).is_some() {
            socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
                .unwrap();
            wait_for_more.lock().unwrap().recv().ok();
            socket.write_all(b"cd").unwrap();
        }
    });
    let transport = builder().build();
    wait(async {
        let response = transport
            .send(get(format!("http://{server}/")))
            .await
            .unwrap();
        let mut body = response.into_body();
        assert_eq!(body.next().await.unwrap().unwrap(), "ab");
        assert_eq!(transport.inner.pool.idle(), 0);
        more.send(()).unwrap();
        assert_eq!(body.next().await.unwrap().unwrap(), "cd");
        assert_eq!(transport.inner.pool.idle(), 1);
    });
}

/// A server that closes its first connection at some point; `first` does so and says when.
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

#[test]
fn a_connection_that_was_closed_while_idle_is_found_out_before_use() {
    let (closed, wait_for_close) = mpsc::channel();
    let closed = std::sync::Mutex::new(closed);
    let (server, requests) = closing_once(move |mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        // The client closes its side as soon as it knows.
        socket.shutdown(Shutdown::Write).unwrap();
        closed.lock().unwrap().send(()).unwrap();
        assert!(
            read_request(&mut socket).is_none(),
            "the request was sent into the void"
        );
    });
    let transport = builder().build();
    let url = format!("http://{server}/");
    run(&transport, post(&url, "one")).unwrap();
    wait_for_close.recv().unwrap();
    assert_eq!(run(&transport, post(&url, "two")).unwrap().1, "ok");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_reused_connection_that_dies_before_any_answer_is_replaced() {
    let (server, requests) = closing_once(|mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        // Closed while the next request is on its way.
        read_request(&mut socket).unwrap();
    });
    let transport = builder().build();
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

#[test]
fn what_a_server_says_after_its_answer_is_not_taken_for_the_next_one() {
    let (said, wait_for_it) = mpsc::channel();
    let said = std::sync::Mutex::new(said);
    let (server, _) = closing_once(move |mut socket| {
        read_request(&mut socket).unwrap();
        socket.write_all(OK).unwrap();
        socket
            .write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        said.lock().unwrap().send(()).unwrap();
        assert!(read_request(&mut socket).is_none());
    });
    let transport = builder().build();
    let url = format!("http://{server}/");
    assert_eq!(run(&transport, get(&url)).unwrap().0.status(), 200);
    wait_for_it.recv().unwrap();
    assert_eq!(run(&transport, get(&url)).unwrap().0.status(), 200);
}

#[test]
fn idle_connections_are_reaped_and_the_reaper_stops_with_them() {
    let (clock, transport) = clocked();
    let pool = transport.inner.pool.clone();
    let server = numbered();
    assert!(!pool.is_reaping());
    assert_eq!(number(&transport, server), "0");
    assert!(pool.is_reaping());
    assert_eq!(number(&transport, server), "0");
    clock.advance(Duration::from_secs(54));
    assert_eq!(pool.idle(), 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!((pool.idle(), pool.is_reaping()), (0, false));
    assert!(!clock.has_tasks());
    assert_eq!(number(&transport, server), "1");
    assert!(pool.is_reaping());
}

#[test]
fn a_reaper_that_the_executor_dropped_is_started_again() {
    let (clock, transport) = clocked();
    let server = numbered();
    number(&transport, server);
    clock.drop_tasks();
    assert!(!transport.inner.pool.is_reaping());
    number(&transport, server);
    assert!(transport.inner.pool.is_reaping());
}

#[test]
fn the_reaper_does_not_keep_the_pool() {
    let (clock, transport) = clocked();
    number(&transport, numbered());
    clock.advance(Duration::ZERO);
    let pool = Arc::downgrade(&transport.inner.pool);
    drop(transport);
    assert!(pool.upgrade().is_none());
    assert!(clock.has_tasks());
    clock.advance(Duration::from_secs(55));
    assert!(!clock.has_tasks());
}

#[test]
fn a_busy_connection_is_not_kept_past_its_age() {
    let (clock, transport) = clocked();
    let server = numbered();
    assert_eq!(number(&transport, server), "0");
    for _ in 0..12 {
        clock.advance(Duration::from_secs(49));
        assert_eq!(number(&transport, server), "0");
    }
    clock.advance(Duration::from_secs(12));
    assert_eq!(number(&transport, server), "1");
    assert!(clock.now().since_epoch() >= Duration::from_secs(600));
}

#[test]
fn the_limits_and_the_server_say_how_long_a_connection_waits() {
    let clock = Arc::new(Clock::default());
    let short = serve(|number, socket| {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nkeep-alive: max=9, timeout=5\r\n\r\n{number}"
        );
        answer_all(socket, answer.as_bytes());
    });
    let transport = Http1Transport::builder(clock.clone())
        .proxies(Proxies::none())
        .build();
    assert_eq!(number(&transport, short), "0");
    clock.advance(Duration::from_millis(3900));
    assert_eq!(number(&transport, short), "0");
    clock.advance(Duration::from_secs(4));
    assert_eq!(number(&transport, short), "1");
    let none = Http1Transport::builder(clock)
        .proxies(Proxies::none())
        .idle_limit(Duration::ZERO)
        .build();
    assert_eq!(number(&none, short), "2");
    assert_eq!(
        (none.inner.pool.idle(), none.inner.pool.is_reaping()),
        (0, false)
    );
}

//! Which connection a request uses.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use chatcore::{Executor, Instant, Transport};
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

pub(super) fn number(transport: &Http1Transport, server: SocketAddr) -> String {
    let (_, body) = run(transport, post(format!("http://{server}/"), "hello")).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

pub(super) fn clocked() -> (Arc<Clock>, Http1Transport) {
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
    // The same server under another name is another origin.
    let by_name = format!("http://localhost:{}/", one.port());
    assert_eq!(run(&transport, get(by_name)).unwrap().1, "1");
}

#[test]
fn the_connection_used_last_is_used_first_and_surplus_is_dropped() {
    let executor = Arc::new(Clock::default());
    let limits = Limits {
        reaps: true,
        max_idle: 2,
        idle: Duration::from_secs(10),
        age: Duration::from_secs(10),
    };
    let pool = Arc::new(Pool::new(executor.clone(), limits));
    let origin = Arc::new(Origin::of(&"http://a.test/".parse().unwrap()).unwrap());
    let put = |millis| {
        let connection = Connection {
            stream: Stream::Layered(Box::new(Quiet)),
            unread: Vec::new(),
            born: Instant::from_epoch(Duration::from_millis(millis)),
        };
        pool.put(&origin, connection, None);
    };
    for millis in 0..3 {
        put(millis);
    }
    let take = || {
        pool.take(&origin)
            .map(|taken| taken.born.since_epoch().as_millis())
    };
    assert_eq!([take(), take(), take()], [Some(2), Some(1), None]);
    // An expired connection is not used, even if the reaper has not removed it yet.
    put(3);
    executor.drop_tasks();
    executor.advance(Duration::from_secs(10));
    assert_eq!((pool.idle(), take()), (1, None));
}

/// A stream that stays open and never sends anything.
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
    fn below(&self) -> Option<&Stream> {
        None
    }

    fn below_mut(&mut self) -> Option<&mut Stream> {
        None
    }
}

#[test]
fn a_body_at_its_end_gives_the_connection_back_without_another_poll() {
    let (more, wait_for_more) = mpsc::channel::<()>();
    let wait_for_more = Mutex::new(wait_for_more);
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
fn without_a_reaper_the_next_request_closes_what_is_over_its_time() {
    let clock = Arc::new(Clock::default());
    let builder = Http1Transport::builder(clock.clone()).proxies(Proxies::none());
    let transport = builder.without_reaper().build();
    let server = numbered();
    assert_eq!(number(&transport, server), "0");
    assert_eq!(number(&transport, server), "0");
    assert!(!clock.has_tasks());
    clock.advance(Duration::from_secs(55));
    assert_eq!(transport.inner.pool.idle(), 1);
    assert_eq!(number(&transport, server), "1");
    assert_eq!(transport.inner.pool.idle(), 1);
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

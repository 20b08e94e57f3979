//! Which connection a request goes over.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use chatcore::{Executor, Instant, Transport, TransportErrorKind};
use futures_lite::{AsyncRead, AsyncWrite, StreamExt};

use super::secured::Secured;
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
    // What the reaper has not come to yet is not used either.
    put(3);
    executor.drop_tasks();
    executor.advance(Duration::from_secs(10));
    assert_eq!((pool.idle(), take()), (1, None));
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

/// What an idle connection may hear from its server: its end, or something uncalled for.
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

/// A server that sends `rest` behind its first answer, in a write of its own, and says so; then it
/// answers as long as it is asked, each time with the number of its connection.
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
        // An error here is a connection that the client gave up.
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
    // As many as that are no mistake of one line.
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
        // Closed while the next request is on its way.
        read_request(&mut socket).unwrap();
    });
    // Its time stands still: a busy machine must not make the loss a late one.
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

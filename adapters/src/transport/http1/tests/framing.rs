//! Where a head and a body end, however their bytes arrive.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chatcore::{Executor, TransportError, TransportErrorKind};
use futures_lite::{AsyncRead, AsyncWrite};
use http::{Method, Response, Version};
use proptest::prelude::*;

use super::support::{Clock, collect};
use crate::transport::http1::body::{Home, receive};
use crate::transport::http1::exchange::*;
use crate::transport::http1::pool::{Limits, Pool};
use crate::transport::http1::request::Origin;
use crate::transport::http1::stream::{Layer, Stream};

/// A stream that gives one of these pieces per read, is pending once before each, and then ends.
struct Script {
    pieces: VecDeque<Result<Vec<u8>, io::ErrorKind>>,
    waited: bool,
    /// How many bytes can be written before writing blocks forever.
    window: usize,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.waited = !self.waited;
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match self.pieces.pop_front() {
            None => Poll::Ready(Ok(0)),
            Some(Err(kind)) => Poll::Ready(Err(kind.into())),
            Some(Ok(mut piece)) => {
                let count = piece.len().min(buf.len());
                buf[..count].copy_from_slice(&piece[..count]);
                piece.drain(..count);
                if !piece.is_empty() {
                    self.pieces.push_front(Ok(piece));
                }
                Poll::Ready(Ok(count))
            }
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let count = buf.len().min(self.window);
        self.window -= count;
        match count {
            0 => Poll::Pending,
            count => Poll::Ready(Ok(count)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.to_vec()).collect();
        self.poll_write(cx, &all)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Layer for Script {
    fn below(&self) -> Option<&Stream> {
        None
    }

    fn below_mut(&mut self) -> Option<&mut Stream> {
        None
    }
}

/// An answer as the caller sees it, and whether its connection can be reused.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    version: Version,
    headers: usize,
    body: Result<Bytes, TransportErrorKind>,
    reusable: bool,
}

fn see_through(method: Method, script: Script) -> Result<Seen, TransportError> {
    let executor: Arc<dyn Executor> = Arc::new(Clock::default());
    let limits = Limits {
        reaps: true,
        max_idle: 1,
        idle: Duration::from_secs(1),
        age: Duration::from_secs(1),
    };
    let home = Home {
        pool: Arc::new(Pool::new(executor.clone(), limits)),
        origin: Arc::new(Origin {
            tls: false,
            host: "a.test".to_owned(),
            port: 80,
        }),
        keep_alive: true,
    };
    let pool = home.pool.clone();
    let mut connection = Connection {
        stream: Stream::Layered(Box::new(script)),
        unread: Vec::new(),
        born: executor.now(),
    };
    let mut outgoing = Outgoing::new(b"head".to_vec(), Bytes::from_static(b"body"));
    let mut incoming = Incoming::new(answer_to(&method)?, 1024);
    smol::block_on(async {
        let head: Response<()> =
            poll_fn(|cx| poll_exchange(&mut connection, &mut outgoing, &mut incoming, cx))
                .await
                .map_err(|failure| failure.into_error("a.test"))?;
        let body = receive(&head, incoming.into_call(), connection, outgoing, home)?;
        Ok(Seen {
            status: head.status().as_u16(),
            version: head.version(),
            headers: head.headers().len(),
            body: collect(body).await.map_err(|error| error.kind()),
            reusable: pool.idle() == 1,
        })
    })
}

fn script(pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Script {
    Script {
        pieces: pieces
            .into_iter()
            .map(|piece| Ok(piece.as_ref().to_vec()))
            .collect(),
        waited: false,
        window: usize::MAX,
        writes: Arc::default(),
    }
}

fn see(answer: &str) -> Result<Seen, TransportErrorKind> {
    see_to(Method::POST, answer)
}

fn see_to(method: Method, answer: &str) -> Result<Seen, TransportErrorKind> {
    see_through(method, script([answer])).map_err(|error| error.kind())
}

fn seen(status: u16, headers: usize, body: &'static str, reusable: bool) -> Seen {
    Seen {
        status,
        version: Version::HTTP_11,
        headers,
        body: Ok(Bytes::from_static(body.as_bytes())),
        reusable,
    }
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n";

/// Answers of every kind, and how each must be read.
fn corpus() -> Vec<(String, Seen)> {
    vec![
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello".to_owned(),
            seen(200, 2, "hello", true),
        ),
        (
            format!("{CHUNKED}5\r\nhello\r\n00a;x=y\r\n, world!\r\n\r\n0\r\n\r\n"),
            seen(200, 1, "hello, world!\r\n", true),
        ),
        (
            format!("{CHUNKED}1\r\na\r\n0\r\nchecksum: 1\r\nother: 2\r\n\r\n"),
            seen(200, 1, "a", true),
        ),
        (
            "HTTP/1.1 200 OK\r\nx: y\r\n\r\nuntil the end\r\n".to_owned(),
            seen(200, 1, "until the end\r\n", false),
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\nserver: x\r\n\r\n\
             HTTP/1.1 103 Early Hints\r\nlink: a\r\nlink: b\r\n\r\n\
             HTTP/1.1 429 Slow Down\r\ncontent-length: 2\r\nretry-after: 1\r\n\r\nno"
                .to_owned(),
            seen(429, 2, "no", true),
        ),
        (
            "HTTP/1.1 200 OK\ncontent-length: 2\n\nok".to_owned(),
            seen(200, 1, "ok", true),
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            seen(200, 1, "", true),
        ),
        (
            "\r\n\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\r\n\r\n".to_owned(),
            seen(200, 1, "ok", true),
        ),
        (
            format!("{CHUNKED}2\r\nok\r\n0\r\n\r\n\r\n"),
            seen(200, 1, "ok", true),
        ),
        (
            "HTTP/1.1 307 Elsewhere\r\nlocation: /b\r\ncontent-length: 4\r\n\r\nthis".to_owned(),
            seen(307, 2, "this", true),
        ),
    ]
}

#[test]
fn each_kind_of_answer_ends_where_http_says() {
    for (answer, expected) in corpus() {
        assert_eq!(see(&answer).unwrap(), expected, "{answer}");
    }
}

#[test]
fn a_byte_at_a_time_is_the_same_answer() {
    for (answer, expected) in corpus() {
        let bytes = answer.as_bytes().chunks(1);
        assert_eq!(
            see_through(Method::POST, script(bytes)).unwrap(),
            expected,
            "{answer}"
        );
    }
}

proptest! {
    #[test]
    fn any_split_is_the_same_answer(
        which in 0..corpus().len(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let (answer, expected) = corpus().swap_remove(which);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(answer.len())).collect();
        cuts.extend([0, answer.len()]);
        cuts.sort_unstable();
        let pieces = cuts
            .windows(2)
            .map(|pair| &answer.as_bytes()[pair[0]..pair[1]])
            .filter(|piece| !piece.is_empty());
        prop_assert_eq!(see_through(Method::POST, script(pieces)).unwrap(), expected);
    }

    #[test]
    fn a_large_chunked_body_comes_whole(
        sizes in proptest::collection::vec(1usize..40_000, 1..6),
        piece in 1000usize..50_000,
    ) {
        let mut answer = CHUNKED.as_bytes().to_vec();
        let mut body = Vec::new();
        for (index, size) in sizes.into_iter().enumerate() {
            let chunk = vec![b'a' + index as u8; size];
            answer.extend(format!("{size:X}\r\n").bytes().chain(chunk.clone()).chain(*b"\r\n"));
            body.extend(chunk);
        }
        answer.extend(*b"0\r\n\r\n");
        let seen = see_through(Method::GET, script(answer.chunks(piece))).unwrap();
        prop_assert_eq!(seen.body.unwrap(), Bytes::from(body));
        prop_assert!(seen.reusable);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut chunked = CHUNKED.as_bytes().to_vec();
        chunked.extend(&bytes);
        see_through(Method::GET, script([chunked])).ok();
        let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
        head.extend(&bytes);
        see_through(Method::GET, script([head])).ok();
    }
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    for (method, answer) in [
        (Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
        (Method::GET, "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n"),
        (
            Method::GET,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
        ),
    ] {
        let seen = see_to(method, answer).unwrap();
        assert_eq!(seen.body, Ok(Bytes::new()), "{answer}");
        assert!(seen.reusable, "{answer}");
    }
}

#[test]
fn a_body_cut_short_is_an_error() {
    let chunk_cut = format!("{CHUNKED}5\r\nhel");
    let no_last_chunk = format!("{CHUNKED}5\r\nhello\r\n");
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        CHUNKED,
        &chunk_cut,
        &no_last_chunk,
    ] {
        let seen = see(answer).unwrap();
        assert_eq!(seen.body, Err(TransportErrorKind::Truncated), "{answer}");
        assert!(!seen.reusable, "{answer}");
    }
    // All content has arrived; only the connection cannot be reused.
    let unfinished = format!("{CHUNKED}5\r\nhello\r\n0\r\n");
    assert_eq!(see(&unfinished).unwrap(), seen(200, 1, "hello", false));
}

#[test]
fn a_connection_lost_in_its_body_is_told_from_one_lost_before() {
    let until_close = "HTTP/1.1 200 OK\r\n\r\nsome";
    for kind in [
        io::ErrorKind::ConnectionReset,
        // What rustls reports at an end without a close_notify.
        io::ErrorKind::UnexpectedEof,
    ] {
        let mut script = script([until_close]);
        script.pieces.push_back(Err(kind));
        let seen = see_through(Method::GET, script).unwrap();
        assert_eq!(seen.body, Err(TransportErrorKind::Truncated));
    }
    for cut in ["", "\r\n", "HTT", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
        assert_eq!(see(cut), Err(TransportErrorKind::Reset), "{cut}");
    }
}

#[test]
fn what_cannot_be_trusted_to_end_there_is_not_reused() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok and more".to_owned(),
        "HTTP/1.1 204 No Content\r\n\r\nmore".to_owned(),
        format!("{CHUNKED}2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_owned(),
        "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok".to_owned(),
        format!(
            "{}content-length: 3\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            &CHUNKED[..CHUNKED.len() - 2]
        ),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1\r\n\r\nok".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n".to_owned(),
    ] {
        let seen = see(&answer).unwrap();
        assert!(seen.body.is_ok() && !seen.reusable, "{answer}");
    }
    let seen = see("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok");
    assert_eq!(seen.as_ref().map(|seen| seen.version), Ok(Version::HTTP_10));
    assert!(seen.unwrap().reusable);
}

#[test]
fn what_is_no_answer_is_refused() {
    for answer in [
        "SSH-2.0-OpenSSH_9.9\r\n",
        "\r\nSSH-2.0-OpenSSH_9.9\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        assert_eq!(see(answer), Err(TransportErrorKind::Protocol), "{answer}");
    }
    let blank = format!("{}HTTP/1.1 200 OK\r\n\r\n", "\r\n".repeat(100));
    assert_eq!(see(&blank), Err(TransportErrorKind::Protocol));
    for body in [
        "x\r\n",
        "5\r\nhello!!\r\n",
        "fffffffffffffffff\r\n",
        // 17 digits, which are 5 where they overflow.
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "\r\n\r\n",
    ] {
        let seen = see(&format!("{CHUNKED}{body}")).unwrap();
        assert_eq!(seen.body, Err(TransportErrorKind::Protocol), "{body}");
    }
}

#[test]
fn every_part_that_is_kept_has_a_largest_size() {
    let long = "x".repeat(2000);
    let many = "x: y\r\n".repeat(150);
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n".repeat(40);
    for answer in [
        format!("HTTP/1.1 200 OK\r\nx: {long}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nx: {long}"),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        format!("{hints}HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        assert_eq!(see(&answer), Err(TransportErrorKind::TooLarge), "{answer}");
    }
    let endless = "checksum: 0123456789\r\n".repeat(5000);
    for body in [
        format!("0\r\nx: {}", "y".repeat(9000)),
        format!("0\r\n{endless}"),
    ] {
        let seen = see(&format!("{CHUNKED}{body}")).unwrap();
        assert_eq!(seen.body, Err(TransportErrorKind::TooLarge));
    }
    let seen = see(&format!("{CHUNKED}5;{}\r\n", "y".repeat(9000))).unwrap();
    assert_eq!(seen.body, Err(TransportErrorKind::Protocol));
}

#[test]
fn an_answer_may_come_before_the_request_is_sent() {
    let mut early = script(["HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"]);
    early.window = 5;
    assert_eq!(
        see_through(Method::POST, early).unwrap(),
        seen(413, 1, "no", false)
    );
}

#[test]
fn head_and_body_leave_in_one_write() {
    let answer = script(["HTTP/1.1 204 No Content\r\n\r\n"]);
    let writes = answer.writes.clone();
    see_through(Method::POST, answer).unwrap();
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[test]
fn an_encoded_body_and_its_header_come_as_they_are() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f-x";
    assert_eq!(see(answer).unwrap(), seen(200, 2, "\x1f-x", true));
}

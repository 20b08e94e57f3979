//! Executors that poll a task now and then, not when its socket is ready: the frame loop of a game
//! or a user interface, and a runtime whose thread is busy with other tasks.
//!
//! Most tests fail by hanging. Short frames suffice, because what matters is that the reactor runs
//! on another thread, so that a task always registers during one of its turns. That is certain only
//! in a process where nothing else blocks on a future: see the example `custom_executor`.

use std::future::Future;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant};

use async_io::Async;
use bytes::Bytes;
use chatcore::{Transport, TransportError};
use futures_lite::AsyncRead;
use smol::LocalExecutor;

use super::proxying::tunnel_to;
use super::secured::Secured;
use super::support::*;
use crate::transport::http1::Http1Transport;
use crate::transport::http1::lookout::Lookout;
use crate::transport::http1::stream::{Socket, Stream};

const FRAME: Duration = Duration::from_millis(2);

/// Runs `future` on a loop that polls the ready tasks once per frame.
fn in_frames<T>(future: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let local = LocalExecutor::new();
    let mut task = local.spawn(future);
    loop {
        while local.try_tick() {}
        if task.is_finished() {
            let mut cx = Context::from_waker(Waker::noop());
            match pin!(&mut task).poll(&mut cx) {
                Poll::Ready(result) => return result,
                Poll::Pending => unreachable!("it is finished"),
            }
        }
        assert!(began.elapsed() < HANG, "it hangs in a frame loop");
        sleep(FRAME);
    }
}

/// Polls `future` once per frame, even if it was not woken, with a new waker each time.
fn unasked<T>(future: impl Future<Output = T>) -> T {
    struct Nobody;

    impl Wake for Nobody {
        fn wake(self: Arc<Self>) {}
    }

    let began = Instant::now();
    let mut future = pin!(future);
    loop {
        let waker = Waker::from(Arc::new(Nobody));
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        assert!(
            began.elapsed() < HANG,
            "it hangs where it is polled unasked"
        );
        sleep(FRAME);
    }
}

async fn ask(transport: &Http1Transport, url: &str) -> Result<Bytes, TransportError> {
    let response = transport.send(post(url, "hello")).await?;
    collect(response.into_body()).await
}

/// Requests whole answers and a stream, one alone and three at once, each several times, so that
/// both new and reused connections are used.
fn check(transport: &Http1Transport, whole: &str, stream: &str) {
    for _ in 0..3 {
        for url in [whole, stream] {
            assert_eq!(in_frames(ask(transport, url)).unwrap(), "ok");
            assert_eq!(unasked(ask(transport, url)).unwrap(), "ok");
        }
        let three = async {
            let [one, two, three] = [whole, stream, whole].map(|url| ask(transport, url));
            let two_of_them = futures_lite::future::zip(one, two);
            futures_lite::future::zip(two_of_them, three).await
        };
        let ((one, two), three) = in_frames(three);
        for answer in [one, two, three] {
            assert_eq!(answer.unwrap(), "ok");
        }
    }
}

/// A server that sends its answers, and each piece of a stream, after a delay.
fn unhurried() -> SocketAddr {
    serve(|_, mut socket| {
        while let Some((head, _)) = read_request(&mut socket) {
            answer_in_pieces(&mut socket, &head);
        }
    })
}

fn answer_in_pieces(socket: &mut impl Write, head: &str) {
    let pieces: &[&[u8]] = match head.contains("/stream") {
        true => &[
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b"1\r\no\r\n",
            b"1\r\nk\r\n",
            b"0\r\n\r\n",
        ],
        false => &[OK],
    };
    for piece in pieces {
        sleep(FRAME);
        socket.write_all(piece).unwrap();
        socket.flush().unwrap();
    }
}

#[test]
fn what_has_arrived_is_read_whether_or_not_the_reactor_has_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let seen = client.try_clone().unwrap();
    let lookout = Arc::<Lookout>::default();
    let mut stream = Stream::Plain(Socket::new(Async::new(client).unwrap(), lookout.clone()));
    let mut poll = || {
        let mut cx = Context::from_waker(Waker::noop());
        let mut buffer = [0; 8];
        let read = Pin::new(&mut stream).poll_read(&mut cx, &mut buffer);
        read.map(Result::unwrap)
    };
    // A reactor that happens to run at the right moments does not do so 100 times in a row.
    for round in 0..200 {
        if round >= 100 {
            // Uses up the looks, so that the socket registers at once.
            while lookout.looks() > 0 {
                lookout.found_nothing();
            }
        }
        assert_eq!(poll(), Poll::Pending);
        server.write_all(b"x").unwrap();
        while seen.peek(&mut [0]).is_err() {
            std::thread::yield_now();
        }
        assert_eq!(poll(), Poll::Ready(1), "in round {round}");
    }
}

#[test]
fn a_plain_request_is_answered_in_a_frame_loop() {
    let server = unhurried();
    let url = |path: &str| format!("http://{server}/{path}");
    check(&builder().build(), &url("whole"), &url("stream"));
}

#[test]
fn a_secure_request_is_answered_in_a_frame_loop_through_a_tunnel_too() {
    let secured = Secured::new();
    let server = secured.serve(|_, mut stream| {
        while let Some((head, _)) = read_request(&mut stream) {
            answer_in_pieces(&mut stream, &head);
        }
    });
    let url = |path: &str| format!("https://localhost:{}/{path}", server.port());
    let direct = secured.trusted().build();
    check(&direct, &url("whole"), &url("stream"));
    let tunneled = secured.trusted().proxies(tunnel_to(server)).build();
    check(&tunneled, &url("whole"), &url("stream"));
}

#[test]
fn a_large_request_leaves_in_a_frame_loop() {
    // Larger than the sockets' buffers, so that writing has to wait more than once.
    let server = serve(|_, mut socket| {
        while let Some((_, body)) = read_request(&mut socket) {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            socket.write_all(answer.as_bytes()).unwrap();
            socket.write_all(&body).unwrap();
        }
    });
    let transport = builder().build();
    let body = Bytes::from(vec![b'x'; 8 * 1024 * 1024]);
    for _ in 0..2 {
        let answer = in_frames(async {
            let request = post(format!("http://{server}/"), body.clone());
            collect(transport.send(request).await.unwrap().into_body()).await
        });
        assert!(answer.unwrap() == body);
    }
}

#[test]
fn other_tasks_go_on_beside_an_answer_that_always_has_more() {
    let size = 64 * 1024 * 1024;
    let server = serve(move |_, mut socket| {
        read_request(&mut socket).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        let piece = vec![b'x'; 1024 * 1024];
        for _ in 0..size / piece.len() {
            socket.write_all(&piece).unwrap();
        }
    });
    let transport = builder().build();
    let body = wait(transport.send(get(format!("http://{server}/"))))
        .unwrap()
        .into_body();
    let ticks = std::cell::Cell::new(0);
    let executor = LocalExecutor::new();
    wait(executor.run(async {
        let others = executor.spawn(async {
            loop {
                ticks.set(ticks.get() + 1);
                futures_lite::future::yield_now().await;
            }
        });
        assert_eq!(collect(body).await.unwrap().len(), size);
        drop(others);
    }));
    // The stream yields after every 16 pieces of at most 16 KiB.
    let pauses = size / (16 * 16 * 1024);
    assert!(ticks.get() >= pauses, "{} turns for others", ticks.get());
}

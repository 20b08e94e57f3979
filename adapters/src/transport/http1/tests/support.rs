//! Servers, clocks and requests for the tests.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chatcore::{BoxFuture, ByteStream, Executor, Instant, Transport, TransportError};
use futures_lite::{FutureExt, StreamExt};
use http::{Request, Response};

use crate::executor::SmolExecutor;
use crate::transport::Proxies;
use crate::transport::http1::{Http1Builder, Http1Transport};

pub(super) const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// How long a test waits for an expected event. Only a hang takes this long, even on a busy
/// machine.
pub(super) const HANG: Duration = Duration::from_secs(60);

/// A server on loopback. `handler` gets each connection with its number.
pub(super) fn serve(handler: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> SocketAddr {
    serve_on("127.0.0.1:0", handler)
}

pub(super) fn serve_on(
    address: &str,
    handler: impl Fn(usize, TcpStream) + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(handler);
    thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let handler = handler.clone();
            let socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            thread::spawn(move || handler(number, socket));
        }
    });
    address
}

/// Reads one request: its head, and the body by its length. `None` once the client has closed.
pub(super) fn read_request(socket: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        match socket.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Answers every request on a connection with `answer`.
pub(super) fn answer_all(mut socket: impl Read + Write, answer: &[u8]) {
    while read_request(&mut socket).is_some() {
        socket.write_all(answer).unwrap();
    }
}

pub(super) fn builder() -> Http1Builder {
    Http1Transport::builder(Arc::new(SmolExecutor::new())).proxies(Proxies::none())
}

pub(super) fn get(url: impl AsRef<str>) -> Request<Bytes> {
    Request::get(url.as_ref()).body(Bytes::new()).unwrap()
}

pub(super) fn post(url: impl AsRef<str>, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(url.as_ref()).body(body.into()).unwrap()
}

/// Sends `request` and reads the body to its end.
pub(super) fn run(
    transport: &Http1Transport,
    request: Request<Bytes>,
) -> Result<(Response<()>, Bytes), TransportError> {
    wait(async {
        let (head, body) = transport.send(request).await?.into_parts();
        Ok((Response::from_parts(head, ()), collect(body).await?))
    })
}

pub(super) async fn collect(mut body: ByteStream) -> Result<Bytes, TransportError> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.try_next().await? {
        assert!(!chunk.is_empty());
        whole.extend_from_slice(&chunk);
    }
    assert!(body.next().await.is_none(), "a body ends once");
    Ok(whole.freeze())
}

/// Runs `future`, and fails instead of hanging.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    smol::block_on(future.or(async {
        smol::Timer::after(HANG).await;
        panic!("the test hangs")
    }))
}

/// An executor with a clock that only `advance` moves. Its tasks run only in `advance`.
#[derive(Debug, Default)]
pub(super) struct Clock {
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    now: Duration,
    sleepers: Vec<(Duration, smol::channel::Sender<()>)>,
    tasks: Arc<smol::Executor<'static>>,
}

impl Clock {
    /// Moves the clock by `duration`, and runs the tasks until each sleeps or has ended.
    pub(super) fn advance(&self, duration: Duration) {
        self.settle();
        let mut state = self.state.lock().unwrap();
        state.now += duration;
        let now = state.now;
        let woken: Vec<_> = state
            .sleepers
            .extract_if(.., |(until, _)| *until <= now)
            .collect();
        drop(state);
        for (_, sleeper) in woken {
            // Fails if the sleep was cancelled.
            sleeper.try_send(()).ok();
        }
        self.settle();
    }

    fn settle(&self) {
        let tasks = self.state.lock().unwrap().tasks.clone();
        while tasks.try_tick() {}
    }

    pub(super) fn has_tasks(&self) -> bool {
        !self.state.lock().unwrap().tasks.is_empty()
    }

    /// Drops all tasks, as an executor does when it shuts down.
    pub(super) fn drop_tasks(&self) {
        let tasks = std::mem::take(&mut self.state.lock().unwrap().tasks);
        drop(tasks);
    }
}

impl Executor for Clock {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.state.lock().unwrap().tasks.spawn(task).detach();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (sleeper, woken) = smol::channel::bounded(1);
        let mut state = self.state.lock().unwrap();
        let until = state.now.saturating_add(duration);
        state.sleepers.push((until, sleeper));
        Box::pin(async move {
            woken.recv().await.ok();
        })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.state.lock().unwrap().now)
    }
}

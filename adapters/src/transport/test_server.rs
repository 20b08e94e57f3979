//! A scripted server for the transports' tests: a std listener on loopback, and a thread per
//! connection that runs a script. Channels order the steps, not the clock.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatcore::{ByteStream, TransportError};
use futures_lite::StreamExt;
use futures_lite::future::block_on;
use http::Request;

/// How soon a server must see that a call was dropped. Even on a busy machine, only a server that
/// was not told takes longer.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// How long a test waits for an expected event.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Runs `script` for each connection, on its own thread, with the connection's number.
    pub(crate) fn start(script: impl Fn(usize, &mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&script);
                let stream = stream.unwrap();
                thread::spawn(move || script(number, &mut Peer::new(stream)));
            }
        });
        Self { addr, connections }
    }

    /// How many connections the server has accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1/chat", self.addr)
    }

    pub(crate) fn post(&self, body: &str) -> Request<Bytes> {
        Request::post(self.url())
            .header("content-type", "application/json")
            .header("authorization", "Bearer key")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap()
    }
}

/// The server's end of a connection.
pub(crate) struct Peer(Box<dyn Io>);

trait Io: Read + Write {
    fn tcp(&self) -> &TcpStream;
}

impl Io for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

#[cfg(feature = "ureq")]
impl Io for rustls::StreamOwned<rustls::ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }
}

/// A request as the server saw it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(Box::new(stream))
    }

    /// Runs `script` over TLS, then drops the session without a close_notify.
    #[cfg(feature = "ureq")]
    pub(crate) fn secure(&mut self, tls: rustls::ServerConnection, script: impl FnOnce(&mut Peer)) {
        let socket = self.0.tcp().try_clone().unwrap();
        let mut secured = Self(Box::new(rustls::StreamOwned::new(tls, socket)));
        script(&mut secured);
    }

    /// Reads one request; `None` if the client closed the connection instead.
    pub(crate) fn request(&mut self) -> Option<Seen> {
        let mut bytes = Vec::new();
        let head = loop {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => bytes.push(byte[0]),
                _ => return None,
            }
            if bytes.ends_with(b"\r\n\r\n") {
                break String::from_utf8(bytes).unwrap();
            }
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.trim().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        Some(Seen { head, body })
    }

    /// Reads the beginning of a request that is longer than 1,024 bytes.
    #[cfg(feature = "ureq")]
    pub(crate) fn reads_some(&mut self) {
        self.0.read_exact(&mut [0; 1024]).unwrap();
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref());
    }

    /// Sends `bytes`. Calls `blocked` once, with the number of bytes sent by the time the client
    /// stopped reading.
    #[cfg(feature = "ureq")]
    pub(crate) fn send_slowly(&mut self, bytes: &[u8], blocked: impl FnOnce(usize)) {
        let a_while = Duration::from_millis(200);
        self.0.tcp().set_write_timeout(Some(a_while)).unwrap();
        let mut sent = 0;
        while sent < bytes.len() {
            match self.0.write(&bytes[sent..]) {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        blocked(sent);
        self.0.tcp().set_write_timeout(None).unwrap();
        self.send(&bytes[sent..]);
    }

    /// Sends a response with a content-length.
    pub(crate) fn respond(&mut self, status: &str, body: &str) {
        let length = body.len();
        self.send(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
    }

    pub(crate) fn chunked_head(&mut self) {
        self.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    }

    pub(crate) fn chunk(&mut self, data: &str) {
        self.send(format!("{:x}\r\n{data}\r\n", data.len()));
    }

    /// Answers requests with `200 ok` until the client closes.
    pub(crate) fn serve(&mut self) {
        while self.request().is_some() {
            self.respond("200 OK", "ok");
        }
    }

    /// Closes the connection with a reset: unread data in the buffer makes the kernel send one.
    pub(crate) fn reset_with_unread_request(&mut self) {
        let mut byte = [0];
        let _ = self.0.read(&mut byte);
        // The rest of the request stays unread.
    }

    /// Waits until the client has closed or reset the connection, and returns the time.
    pub(crate) fn wait_for_close(&mut self) -> Instant {
        let mut buffer = [0; 1024];
        while matches!(self.0.read(&mut buffer), Ok(n) if n > 0) {}
        Instant::now()
    }
}

/// Reads a body to its end.
pub(crate) fn read(mut body: ByteStream) -> Result<String, TransportError> {
    block_on(async {
        let mut all = Vec::new();
        while let Some(chunk) = body.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(String::from_utf8(all).unwrap())
    })
}

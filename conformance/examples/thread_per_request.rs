//! A transport from outside chatcore, tested with the suite. It speaks plain HTTP on the standard
//! library's sockets, with one thread and one connection for each request.
//!
//! `cargo run --example thread_per_request` runs every case and prints the cases that fail.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::TransportErrorKind::{self as Kind, *};
use chatcore::{ByteStream, ConnectTimeout, Transport, TransportError};
use chatcore_conformance::{Skips, check_transport, hosts};
use futures_lite::stream;
use http::{Request, Response};
use smol::channel::{Receiver, Sender, bounded};

/// The cases that it cannot pass, and why.
pub const SKIPS: Skips = &[
    ("connections_are_reused", NO_REUSE),
    ("a_stream_hands_its_connection_back", NO_REUSE),
    ("an_error_status_hands_its_connection_back", NO_REUSE),
    ("streams_share_a_connection", NO_REUSE),
];

const NO_REUSE: &str = "each request has a connection of its own";

fn main() -> ExitCode {
    let report = check_transport(hosts::smol, |_| Arc::new(ThreadPerRequest), SKIPS);
    // If standard output is closed, nothing is printed.
    let _ = writeln!(io::stdout(), "{report}");
    match report.is_held() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The transport.
#[derive(Debug)]
pub struct ThreadPerRequest;

type Piece = Result<Bytes, TransportError>;

#[async_trait]
impl Transport for ThreadPerRequest {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let (heads, head) = bounded(1);
        let (sender, pieces) = bounded(1);
        let line = Line::default();
        let hang_up = HangUp(line.clone());
        let exchange = move || {
            let failed = match begin(&request, &line) {
                Ok((response, body)) => {
                    // If nobody waits any more, the return closes the connection.
                    match heads.send_blocking(Ok(response)) {
                        Ok(()) => body.send_to(&sender),
                        Err(_) => return,
                    }
                }
                Err(error) => heads.send_blocking(Err(error)).map_err(|_| Gone),
            };
            drop(failed);
        };
        let thread = thread::Builder::new().spawn(exchange);
        thread.map_err(|error| failed(Other, "no thread for a request", error))?;
        let head = head.recv().await;
        let head: Response<()> =
            head.map_err(|_| TransportError::new(Other, "the request's thread is gone"))??;
        // The body keeps `hang_up`: dropping either of them closes the connection.
        let body = stream::unfold((pieces, hang_up), next_piece);
        Ok(head.map(|()| ByteStream::new(body)))
    }
}

async fn next_piece(
    state: (Receiver<Piece>, HangUp),
) -> Option<(Piece, (Receiver<Piece>, HangUp))> {
    let piece = state.0.recv().await.ok()?;
    Some((piece, state))
}

/// The connection of a request, as soon as there is one.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stream: Option<TcpStream>,
    is_given_up: bool,
}

/// Closes the connection when it is dropped, even while the request's thread waits for something.
struct HangUp(Line);

impl Drop for HangUp {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_given_up = true;
        if let Some(stream) = state.stream.take() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// The error if nobody waits for the answer any more.
struct Gone;

fn failed(kind: Kind, what: &str, error: io::Error) -> TransportError {
    TransportError::new(kind, format!("{what}: {error}")).with_source(error)
}

/// Sends the request and reads the head of the response.
fn begin(request: &Request<Bytes>, line: &Line) -> Result<(Response<()>, Body), TransportError> {
    let stream = connect(request)?;
    {
        let mut state = line.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_given_up {
            return Err(TransportError::new(Other, "the request was given up"));
        }
        let handle = stream.try_clone();
        state.stream = Some(handle.map_err(|error| failed(Other, "no second handle", error))?);
    }
    let lost = |error| failed(Reset, "the connection was lost while sending", error);
    (&stream).write_all(&written(request)).map_err(lost)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (head, framing) = parse(&read_head(&mut reader)?)?;
        // An informational response, such as 103 Early Hints, comes before the real response.
        if !head.status().is_informational() {
            return Ok((head, Body { reader, framing }));
        }
    }
}

fn connect(request: &Request<Bytes>) -> Result<TcpStream, TransportError> {
    let uri = request.uri();
    let refused = || TransportError::new(InvalidInput, "only http:// with a host is known here");
    let host = uri.host().filter(|_| uri.scheme_str() == Some("http"));
    let host = host.ok_or_else(refused)?;
    let port = uri.port_u16().unwrap_or(80);
    let unknown = |error| failed(Dns, &format!("{host} is not found"), error);
    let addresses = (host, port).to_socket_addrs().map_err(unknown)?;
    let limit = request.extensions().get().copied();
    let ConnectTimeout(limit) = limit.unwrap_or(ConnectTimeout::DEFAULT);
    let limit = limit.max(Duration::from_millis(1));
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    let kind = match last.kind() {
        io::ErrorKind::TimedOut => Kind::ConnectTimeout,
        _ => Connect,
    };
    Err(failed(kind, &format!("no connection to {host}"), last))
}

/// The request as HTTP/1.1.
fn written(request: &Request<Bytes>) -> Vec<u8> {
    let uri = request.uri();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let (method, length) = (request.method(), request.body().len());
    let mut bytes = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n"
    )
    .into_bytes();
    for (name, value) in request.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body());
    bytes
}

/// The maximum size of a head, in bytes.
const HEAD: u64 = 64 << 10;

fn read_head(reader: &mut impl BufRead) -> Result<Vec<u8>, TransportError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let left = HEAD - head.len() as u64;
        let read = reader.by_ref().take(left).read_until(b'\n', &mut head);
        read.map_err(|error| failed(Reset, "the connection was lost in the head", error))?;
        let begins = head.len().min(7);
        if head[..begins] != b"HTTP/1."[..begins] {
            return Err(TransportError::new(Protocol, "the answer is not HTTP/1"));
        }
        if head.len() as u64 == HEAD {
            return Err(TransportError::new(
                TooLarge,
                "the head is longer than 64 KiB",
            ));
        }
        if !head.ends_with(b"\n") {
            return Err(TransportError::new(
                Reset,
                "the connection ended in the head",
            ));
        }
    }
    Ok(head)
}

/// How the end of a body is marked.
#[derive(Clone, Copy)]
enum Framing {
    Length(u64),
    Chunked,
    Close,
}

fn parse(head: &[u8]) -> Result<(Response<()>, Framing), TransportError> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Response::new(&mut headers);
    let bad = |error: &dyn std::fmt::Display| TransportError::new(Protocol, error.to_string());
    parsed.parse(head).map_err(|error| bad(&error))?;
    let status = parsed.code.unwrap_or_default();
    let mut response = Response::builder().status(status);
    let mut framing = Framing::Close;
    for header in parsed.headers {
        response = response.header(header.name, header.value);
        let value = String::from_utf8_lossy(header.value);
        match &*header.name.to_ascii_lowercase() {
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => {
                framing = Framing::Chunked
            }
            "content-length" => {
                framing = Framing::Length(value.parse().map_err(|error| bad(&error))?)
            }
            _ => {}
        }
    }
    if matches!(status, 204 | 304) {
        framing = Framing::Length(0);
    }
    Ok((response.body(()).map_err(|error| bad(&error))?, framing))
}

struct Body {
    reader: BufReader<TcpStream>,
    framing: Framing,
}

impl Body {
    fn send_to(mut self, pieces: &Sender<Piece>) -> Result<(), Gone> {
        let sent = match self.framing {
            Framing::Length(length) => self.pass(Some(length), pieces),
            Framing::Close => self.pass(None, pieces),
            Framing::Chunked => self.chunks(pieces),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(error) => pieces.send_blocking(Err(error)).map_err(|_| Gone),
        }
    }

    /// Passes on `length` bytes as they arrive. Without a length, passes on all bytes until the
    /// end.
    fn pass(&mut self, length: Option<u64>, pieces: &Sender<Piece>) -> Result<(), TransportError> {
        let mut left = length.unwrap_or(u64::MAX);
        while left > 0 {
            let came = self.reader.fill_buf();
            let came = came.map_err(|error| failed(Truncated, "the body breaks off", error))?;
            let count = came.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if count == 0 {
                return match length {
                    None => Ok(()),
                    Some(_) => Err(TransportError::new(Truncated, "the body ends early")),
                };
            }
            let piece = Bytes::copy_from_slice(&came[..count]);
            let gone = |_| TransportError::new(Other, "nobody reads the body");
            pieces.send_blocking(Ok(piece)).map_err(gone)?;
            self.reader.consume(count);
            left -= count as u64;
        }
        Ok(())
    }

    fn chunks(&mut self, pieces: &Sender<Piece>) -> Result<(), TransportError> {
        loop {
            let size = self.line()?;
            let size = size.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16).map_err(|error| {
                TransportError::new(Protocol, format!("a chunk's size: {error}"))
            })?;
            if size > 0 {
                self.pass(Some(size), pieces)?;
                self.line()?;
                continue;
            }
            // Skip the trailers, up to an empty line.
            while !self.line()?.is_empty() {}
            return Ok(());
        }
    }

    /// A line between chunks.
    fn line(&mut self) -> Result<String, TransportError> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(HEAD).read_until(b'\n', &mut line);
        read.map_err(|error| failed(Truncated, "the body breaks off", error))?;
        match line.pop() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            _ => Err(TransportError::new(
                Truncated,
                "the body ends between two chunks",
            )),
        }
    }
}

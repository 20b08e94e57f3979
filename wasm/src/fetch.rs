//! The transport: the host's `fetch`, or a function that the caller gave.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::dialect::COMMON_RESPONSE_HEADERS;
use chatcore::{ByteStream, Transport, TransportError, TransportErrorKind as Kind};
use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use wasm_bindgen::prelude::*;

use crate::bridge::{self, Local};
use crate::imports::{self, Exchange};
use crate::pending::{Completion, Failure, Operation};

/// A value that belongs to one call, passed to the function like `fetch` as its third argument.
#[derive(Clone)]
pub(crate) struct More(pub(crate) Local<JsValue>);

/// A transport on `fetch`. It adds no headers, because in a page most headers to another origin
/// need a preflight that the server must allow. The core sends only headers that the dialect
/// requires or the caller set.
#[derive(Debug)]
pub(crate) struct Fetch {
    fetch: Local<JsValue>,
    /// The response headers that the dialect reads in addition to those of every dialect.
    reads: &'static [HeaderName],
}

impl Fetch {
    pub(crate) fn new(fetch: JsValue, reads: &'static [HeaderName]) -> Self {
        Self {
            fetch: bridge::local(fetch),
            reads,
        }
    }

    fn start(&self, request: &Request<Bytes>) -> Result<(Operation, Connection), TransportError> {
        let mut lines = request.method().as_str().to_owned();
        lines.push('\n');
        lines.push_str(&request.uri().to_string());
        for (name, value) in request.headers() {
            let name = text_of(name);
            let Ok(value) = value.to_str() else {
                let message = format!("the header {name} has a value that fetch cannot send");
                return Err(TransportError::new(Kind::InvalidInput, message));
            };
            for line in [name, value] {
                lines.push('\n');
                lines.push_str(line);
            }
        }
        let more = request.extensions().get::<More>();
        let more = more.map_or(JsValue::UNDEFINED, |more| JsValue::clone(&more.0));
        let operation = Operation::new();
        let exchange = imports::send(&self.fetch, operation.id(), &lines, request.body(), &more);
        let connection = Connection {
            exchange,
            open: true,
        };
        Ok((operation, connection))
    }
}

#[async_trait]
impl Transport for Fetch {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        bridge::future(async move {
            let (operation, connection) = self.start(&request)?;
            drop(request);
            match operation.await {
                Completion::Failed(failure) => Err(failed(failure, false)),
                Completion::Text(lines) => response(&lines, self.reads, connection),
                _ => Err(TransportError::new(
                    Kind::Other,
                    "the host returned no response",
                )),
            }
        })
        .await
    }
}

fn response(
    lines: &str,
    reads: &'static [HeaderName],
    connection: Connection,
) -> Result<Response<ByteStream>, TransportError> {
    let mut lines = lines.split('\n');
    let status = lines.next().unwrap_or_default();
    if status == "opaqueredirect" {
        return Err(TransportError::new(
            Kind::Protocol,
            "the server redirects, and redirects are not followed: set baseURL to the address that \
             it redirects to",
        ));
    }
    let status = StatusCode::from_bytes(status.as_bytes()).map_err(|error| {
        TransportError::new(Kind::Protocol, "the answer's status is not an HTTP status")
            .with_source(error)
    })?;
    let mut headers = HeaderMap::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        // Known names only: the code that builds a header's name at run time is large.
        let mut known = COMMON_RESPONSE_HEADERS.iter().chain(reads);
        if let Some(header) = known.find(|known| text_of(known) == name)
            && let Ok(value) = HeaderValue::try_from(value)
        {
            // The host has already joined headers of the same name.
            headers.insert(header.clone(), value);
        }
    }
    let mut response = Response::new(bridge::body(Body {
        reading: None,
        connection,
    }));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A header's name. Not inlined, because the names of all standard headers would be in the module once
/// for each place that asks.
#[inline(never)]
fn text_of(name: &HeaderName) -> &str {
    name.as_str()
}

/// An open request of the host, aborted if it is dropped before its end.
struct Connection {
    exchange: Exchange,
    open: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.open {
            self.exchange.abort();
        }
    }
}

struct Body {
    reading: Option<Operation>,
    connection: Connection,
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while this.connection.open {
            let exchange = &this.connection.exchange;
            let reading = this.reading.get_or_insert_with(|| {
                let operation = Operation::new();
                exchange.read(operation.id());
                operation
            });
            let read = ready!(Pin::new(reading).poll(cx));
            this.reading = None;
            match read {
                Completion::Piece(bytes, is_last) => {
                    this.connection.open = !is_last;
                    if !bytes.is_empty() {
                        return Poll::Ready(Some(Ok(Bytes::from(bytes))));
                    }
                }
                Completion::Failed(failure) => {
                    this.connection.open = false;
                    return Poll::Ready(Some(Err(failed(failure, true))));
                }
                _ => {}
            }
        }
        Poll::Ready(None)
    }
}

/// The host's own error, which becomes the cause of chatcore's error.
pub(crate) struct HostError(pub(crate) Local<JsValue>);

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostError")
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error of the host")
    }
}

impl std::error::Error for HostError {}

/// Whether `text` contains `word`, which is not empty. The two-way search of `str::contains` would
/// be much more code.
fn holds(text: &str, word: &str) -> bool {
    let mut places = text.as_bytes().windows(word.len().max(1));
    places.any(|place| place == word.as_bytes())
}

/// Words in error codes for a certificate or a handshake that fails every time.
const TLS_WORDS: [&str; 9] = [
    "CERT",
    "TLS",
    "SSL",
    "CRL",
    "EPROTO",
    "UNABLE_TO_",
    "INVALID_CA",
    "INVALID_PURPOSE",
    "HOSTNAME_MISMATCH",
];

/// Turns the host's failure into a transport error. Browsers give no cause; Node names it.
fn failed(failure: Failure, in_body: bool) -> TransportError {
    let kind = match failure.code.as_str() {
        "CHATCORE_BODY" => Kind::Protocol,
        "CHATCORE_PROXY" => Kind::Proxy,
        "ENOTFOUND" | "EAI_AGAIN" => Kind::Dns,
        "ECONNREFUSED" | "EHOSTUNREACH" | "ENETUNREACH" | "EADDRNOTAVAIL" => Kind::Connect,
        "UND_ERR_CONNECT_TIMEOUT" => Kind::ConnectTimeout,
        "UND_ERR_HEADERS_OVERFLOW" | "HPE_HEADER_OVERFLOW" => Kind::TooLarge,
        code if code.starts_with("HPE_") => Kind::Protocol,
        code if TLS_WORDS.iter().any(|word| holds(code, word)) => Kind::Tls,
        // Deno's errors have no codes.
        "" if holds(&failure.message, "certificate") => Kind::Tls,
        _ if in_body => Kind::Truncated,
        "" => Kind::Connect,
        _ => Kind::Reset,
    };
    let cause = HostError(bridge::local(failure.error));
    TransportError::new(kind, failure.message).with_source(cause)
}

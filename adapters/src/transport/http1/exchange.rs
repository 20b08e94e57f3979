//! Sends one request and reads the head of its response.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use chatcore::{Instant, TransportError, TransportErrorKind};
use futures_lite::{AsyncRead, AsyncWrite};
use http::{Method, Request, Response, Uri};
use ureq_proto::client::state::RecvResponse;
use ureq_proto::client::{Call, MAX_RESPONSE_HEADERS, SendRequestResult};
use ureq_proto::parser::try_parse_response;

use super::stream::{MAX_BLANK, Stream, is_blank};
use super::{read_buffers, tls};
use crate::transport::budget::Budget;

/// A connection that carries one request at a time. Dropping it closes the socket.
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Bytes that were read but not parsed yet. Empty, and without an allocation, while nothing
    /// arrives.
    pub(super) unread: Vec<u8>,
    pub(super) born: Instant,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.stream.shut_down();
    }
}

/// The bytes of a request, and how many of them have been sent.
pub(super) struct Outgoing {
    head: Vec<u8>,
    body: Bytes,
    sent: usize,
    flushed: bool,
    budget: Budget,
}

impl Outgoing {
    pub(super) fn new(head: Vec<u8>, body: Bytes) -> Self {
        Self {
            head,
            body,
            sent: 0,
            flushed: false,
            budget: Budget::default(),
        }
    }

    /// Starts again from the first byte, for another connection.
    pub(super) fn rewind(&mut self) {
        self.sent = 0;
        self.flushed = false;
    }

    pub(super) fn is_done(&self) -> bool {
        self.flushed
    }

    /// Sends the rest. Head and body leave in one write.
    pub(super) fn poll_send(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.head.len() + self.body.len() {
            // A peer that reads as fast as this side writes must not keep other tasks waiting.
            ready!(self.budget.poll(cx));
            let head = self.head.get(self.sent..).unwrap_or_default();
            let body = &self.body[self.sent.saturating_sub(self.head.len())..];
            let rest = [IoSlice::new(head), IoSlice::new(body)];
            let written = Pin::new(&mut *stream).poll_write_vectored(cx, &rest);
            if written.is_pending() {
                self.budget.waited();
            }
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        if !self.flushed {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }
}

/// A reader for the response to a request with `method`.
///
/// `request::encode` writes the real request. `ureq-proto` only has to know how the method affects
/// the response, so it is taken through a minimal request here.
pub(super) fn answer_to(method: &Method) -> Result<Call<RecvResponse>, TransportError> {
    let mut request = Request::new(());
    *request.method_mut() = match *method {
        Method::HEAD => Method::HEAD,
        Method::CONNECT => Method::CONNECT,
        _ => Method::GET,
    };
    *request.uri_mut() = match *method {
        Method::CONNECT => Uri::from_static("tunnel:443"),
        _ => Uri::from_static("/"),
    };
    let mut call = Call::new(request).map_err(unexpected)?.proceed();
    call.write(&mut [0; 128]).map_err(unexpected)?;
    match call.proceed().map_err(unexpected)? {
        Some(SendRequestResult::RecvResponse(call)) => Ok(call),
        _ => Err(unexpected(ureq_proto::Error::OutputOverflow)),
    }
}

fn unexpected(error: ureq_proto::Error) -> TransportError {
    TransportError::new(
        TransportErrorKind::Other,
        "the request could not be started",
    )
    .with_source(error)
}

/// Why no head was received.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection was lost. `answered` says whether any byte of a response had arrived.
    Lost { error: io::Error, answered: bool },
    /// The response cannot be used.
    Invalid(TransportError),
}

impl Failure {
    pub(super) fn into_error(self, peer: &str) -> TransportError {
        match self {
            Self::Invalid(error) => error,
            Self::Lost { error, answered } => {
                if let Some(refusal) = tls::refusal(peer, &error) {
                    return refusal.with_source(error);
                }
                let when = match answered {
                    false => "before it answered",
                    true => "in the headers of its answer",
                };
                let message = format!("the connection to {peer} was lost {when}");
                TransportError::new(TransportErrorKind::Reset, message).with_source(error)
            }
        }
    }
}

/// Sends `outgoing` and waits for the head of the response, which may arrive before everything is
/// sent.
///
/// A write error is not a failure yet, because a server that refuses a long body may still respond
/// before it closes.
pub(super) fn poll_exchange(
    connection: &mut Connection,
    outgoing: &mut Outgoing,
    incoming: &mut Incoming,
    cx: &mut Context<'_>,
) -> Poll<Result<Response<()>, Failure>> {
    if incoming.send_error.is_none()
        && let Poll::Ready(Err(error)) = outgoing.poll_send(&mut connection.stream, cx)
    {
        incoming.send_error = Some(error);
    }
    let Connection { stream, unread, .. } = connection;
    let result = ready!(incoming.poll_head(stream, unread, cx));
    Poll::Ready(result.map_err(|failure| match failure {
        // A TLS alert from the server explains more than a write error.
        Failure::Lost { error, answered } if tls::refusal("", &error).is_none() => Failure::Lost {
            error: incoming.send_error.take().unwrap_or(error),
            answered,
        },
        failure => failure,
    }))
}

/// The head of a response, while it arrives.
pub(super) struct Incoming {
    call: Call<RecvResponse>,
    /// The limit for the heads of one response together, interim ones included.
    limit: usize,
    /// How many of the unread bytes were already searched for the end of a head.
    scanned: usize,
    /// The size of the interim heads skipped so far.
    skipped: usize,
    /// How many bytes of empty lines were skipped before the head.
    blank: usize,
    send_error: Option<io::Error>,
}

impl Incoming {
    pub(super) fn new(call: Call<RecvResponse>, limit: usize) -> Self {
        Self {
            call,
            limit,
            scanned: 0,
            skipped: 0,
            blank: 0,
            send_error: None,
        }
    }

    /// Waits for a response on another connection. Only valid before any byte of a response
    /// arrived.
    pub(super) fn rewind(&mut self) {
        self.blank = 0;
        self.send_error = None;
    }

    /// Turns this into the reader of the body.
    pub(super) fn into_call(self) -> Call<RecvResponse> {
        self.call
    }

    /// Reads until the head is complete. Bytes after the head stay in `unread`.
    pub(super) fn poll_head(
        &mut self,
        stream: &mut Stream,
        unread: &mut Vec<u8>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, Failure>> {
        loop {
            if let Some(response) = self.parse(unread).map_err(Failure::Invalid)? {
                return Poll::Ready(Ok(response));
            }
            let answered = self.skipped > 0 || !unread.is_empty();
            let read = read_buffers::with(|buffers| {
                let count = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffers.input))?;
                unread.extend_from_slice(&buffers.input[..count]);
                Poll::Ready(io::Result::Ok(count))
            });
            match ready!(read) {
                Ok(0) => {
                    let error = io::ErrorKind::UnexpectedEof.into();
                    return Poll::Ready(Err(Failure::Lost { error, answered }));
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(Failure::Lost { error, answered })),
            }
        }
    }

    fn parse(&mut self, unread: &mut Vec<u8>) -> Result<Option<Response<()>>, TransportError> {
        // RFC 9112 lets a server ignore empty lines before a request. Doing the same before a
        // response tolerates a server that sent an extra line end after the previous one.
        while let Some(byte) = unread.first()
            && is_blank(&[*byte])
            && self.blank < MAX_BLANK
        {
            unread.remove(0);
            self.blank += 1;
        }
        // Checked at once, so that bytes that cannot be a head are refused without waiting for its
        // end.
        let start = unread.len().min(7);
        if unread[..start] != b"HTTP/1."[..start] {
            return Err(protocol("the answer is not HTTP/1"));
        }
        while has_end(unread, self.scanned) {
            let (used, response) = match self.call.try_response(unread, false) {
                // An interim response may have headers, though `ureq-proto` refuses them.
                Err(ureq_proto::Error::HeadersWith100) => {
                    let interim = try_parse_response::<MAX_RESPONSE_HEADERS>(unread);
                    (interim.ok().flatten().map_or(0, |(used, _)| used), None)
                }
                Err(ureq_proto::Error::HttpParseTooManyHeaders) => {
                    return Err(too_large("the answer has more than 128 headers"));
                }
                Err(error) => {
                    return Err(protocol("the head of the answer is malformed").with_source(error));
                }
                Ok(parsed) => parsed,
            };
            if self.skipped + used > self.limit {
                break;
            }
            unread.drain(..used);
            self.scanned = 0;
            if response.is_some() {
                return Ok(response);
            }
            if used == 0 {
                break;
            }
            self.skipped += used;
        }
        self.scanned = unread.len();
        if self.skipped + unread.len() > self.limit {
            return Err(too_large("the headers of the answer are too large"));
        }
        Ok(None)
    }
}

/// Whether an empty line ends after `from`. Parsing only then means that a head that arrives byte
/// by byte is parsed once, not once per byte.
pub(super) fn has_end(bytes: &[u8], from: usize) -> bool {
    let tail = &bytes[from.saturating_sub(3).min(bytes.len())..];
    memchr::memchr_iter(b'\n', tail)
        .filter_map(|line_end| tail.get(line_end + 1..))
        .any(|next| next.starts_with(b"\n") || next.starts_with(b"\r\n"))
}

pub(super) fn protocol(why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::Protocol, why)
}

pub(super) fn too_large(why: &str) -> TransportError {
    TransportError::new(TransportErrorKind::TooLarge, why)
}

//! The body of a response, as a stream.

use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use chatcore::{ByteStream, TransportError, TransportErrorKind};
use futures_lite::AsyncRead;
use http::header;
use http::{Response, Version};
use ureq_proto::BodyMode;
use ureq_proto::client::state::{RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult};

use super::exchange::{Connection, Outgoing, protocol, too_large};
use super::pool::Pool;
use super::read_buffers::{self, ReadBuffers};
use super::request::Origin;
use super::stream::is_blank;
use crate::transport::budget::Budget;

/// The longest line between two chunks of a body: a chunk's size or a trailer.
const MAX_LINE: usize = 8 * 1024;

/// The most bytes without content that are accepted in a row. Trailers are skipped, but not without
/// limit.
const MAX_SILENCE: usize = 64 * 1024;

/// What `settle` needs to return the connection to the pool once the response is complete.
pub(super) struct Home {
    pub(super) pool: Arc<Pool>,
    pub(super) origin: Arc<Origin>,
    /// Whether the request allows the connection to be reused.
    pub(super) keep_alive: bool,
}

/// Makes the body of `response` from the bytes that follow its head.
pub(super) fn receive(
    response: &Response<()>,
    call: Call<RecvResponse>,
    connection: Connection,
    outgoing: Outgoing,
    mut home: Home,
) -> Result<ByteStream, TransportError> {
    let chunked = response.headers().contains_key(header::TRANSFER_ENCODING);
    if chunked && response.headers().contains_key(header::CONTENT_LENGTH) {
        // The two headers can disagree about where the body ends, and a proxy in between may have
        // used the other header. So the connection is not reused.
        home.keep_alive = false;
    }
    let server_limit = keep_alive_timeout(response);
    match call.proceed() {
        Some(RecvResponseResult::RecvBody(call)) => {
            if chunked && !only_chunked(response) {
                return Err(protocol("the answer has an unknown transfer-encoding"));
            }
            let close_delimited = call.body_mode() == BodyMode::CloseDelimited;
            let mut flow = Flow {
                connection,
                call,
                outgoing,
                home,
                server_limit,
                close_delimited,
                silence: 0,
            };
            // The bytes that arrived with the head are often the whole body.
            let early = mem::take(&mut flow.connection.unread);
            let first = read_buffers::with(|buffers| flow.decode(&early, &mut buffers.output));
            drop(early);
            Ok(match first {
                Ok(first) if flow.is_ended() => {
                    flow.finish();
                    first.map_or_else(ByteStream::empty, ByteStream::from_bytes)
                }
                first => ByteStream::new(Body {
                    first: first.transpose(),
                    flow: Some(flow),
                    budget: Budget::default(),
                }),
            })
        }
        Some(RecvResponseResult::Cleanup(call)) => {
            let close = call.must_close_connection();
            home.settle(connection, &outgoing, close, server_limit);
            Ok(ByteStream::empty())
        }
        // Redirects are not followed. Here the state only means that there is no body.
        Some(RecvResponseResult::Redirect(call)) => {
            let close = call.must_close_connection();
            home.settle(connection, &outgoing, close, server_limit);
            Ok(ByteStream::empty())
        }
        None => Err(protocol("the head of the answer is incomplete")),
    }
}

impl Home {
    /// Returns the connection to the pool if it can serve another request, else closes it.
    fn settle(
        self,
        connection: Connection,
        outgoing: &Outgoing,
        close: bool,
        server_limit: Option<Duration>,
    ) {
        // Some servers send an extra line end after a body, which is harmless. Any other bytes
        // belong to no request, so the connection is not reused.
        let clean = is_blank(&connection.unread) && outgoing.is_done();
        if self.keep_alive && clean && !close {
            self.pool.put(&self.origin, connection, server_limit);
        }
    }
}

/// Whether `chunked` is the only transfer encoding, because no other can be decoded here.
fn only_chunked(response: &Response<()>) -> bool {
    let mut encodings = response.headers().get_all(header::TRANSFER_ENCODING).iter();
    response.version() == Version::HTTP_11
        && encodings
            .next()
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && encodings.next().is_none()
}

/// How long the server keeps an idle connection (`Keep-Alive: timeout=5`).
fn keep_alive_timeout(response: &Response<()>) -> Option<Duration> {
    let value = response.headers().get("keep-alive")?.to_str().ok()?;
    let seconds = value
        .split(',')
        .find_map(|parameter| parameter.trim().strip_prefix("timeout="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

struct Body {
    /// The content or error that arrived with the head.
    first: Option<Result<Bytes, TransportError>>,
    /// `None` after the end or an error. Dropping the flow closes the connection.
    flow: Option<Flow>,
    budget: Budget,
}

struct Flow {
    connection: Connection,
    call: Call<RecvBody>,
    outgoing: Outgoing,
    home: Home,
    server_limit: Option<Duration>,
    close_delimited: bool,
    /// How many bytes arrived since the last content.
    silence: usize,
}

impl futures_lite::Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            if first.is_err() {
                self.flow = None;
            }
            return Poll::Ready(Some(first));
        }
        let Self { flow, budget, .. } = &mut *self;
        let Some(open) = flow else {
            return Poll::Ready(None);
        };
        ready!(budget.poll(cx));
        let Poll::Ready(chunk) = read_buffers::with(|buffers| open.poll_chunk(cx, buffers)) else {
            budget.waited();
            return Poll::Pending;
        };
        if !matches!(chunk, Ok(Some(_))) || open.is_ended() {
            let flow = flow.take();
            // After an error, dropping the flow closes the connection.
            if let (Some(flow), Ok(_)) = (flow, &chunk) {
                flow.finish();
            }
        }
        Poll::Ready(chunk.transpose())
    }
}

impl Flow {
    /// The next content, or `None` at the end.
    fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        buffers: &mut ReadBuffers,
    ) -> Poll<Result<Option<Bytes>, TransportError>> {
        // The server may respond before it has read the whole request. If sending fails, the rest
        // of the response is still read.
        if !self.outgoing.is_done() {
            let _ = self.outgoing.poll_send(&mut self.connection.stream, cx);
        }
        loop {
            let unread = &mut self.connection.unread;
            let kept = unread.len();
            buffers.input[..kept].copy_from_slice(unread);
            let free = &mut buffers.input[kept..];
            let stream = Pin::new(&mut self.connection.stream);
            let end = match ready!(stream.poll_read(cx, free)) {
                Ok(0) => return Poll::Ready(self.end_of_stream().map(|()| None)),
                Ok(count) => kept + count,
                Err(error) => return Poll::Ready(Err(lost(error))),
            };
            unread.clear();
            let chunk = self.decode(&buffers.input[..end], &mut buffers.output)?;
            if chunk.is_some() || self.is_ended() {
                return Poll::Ready(Ok(chunk));
            }
        }
    }

    /// Decodes `input` and keeps the undecoded rest, which is at most part of a line.
    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8; read_buffers::SIZE],
    ) -> Result<Option<Bytes>, TransportError> {
        let (used, produced) = self.call.read(input, output).map_err(|error| {
            protocol("the chunks of the answer's body are malformed").with_source(error)
        })?;
        let rest = input.get(used..).unwrap_or_default();
        if !self.is_ended() && rest.len() > MAX_LINE {
            return Err(too_large(
                "a line between the chunks of the body is too long",
            ));
        }
        self.connection.unread.extend_from_slice(rest);
        if produced == 0 {
            self.silence += used;
            if self.silence > MAX_SILENCE {
                return Err(too_large("the trailers of the body are too large"));
            }
            return Ok(None);
        }
        self.silence = 0;
        Ok(output.get(..produced).map(Bytes::copy_from_slice))
    }

    fn is_ended(&self) -> bool {
        !self.close_delimited && self.call.can_proceed()
    }

    fn end_of_stream(&self) -> Result<(), TransportError> {
        // Some servers close right after the `0` of the last chunk. The content is complete then.
        if self.close_delimited || self.call.is_ended_chunked() {
            return Ok(());
        }
        Err(TransportError::new(
            TransportErrorKind::Truncated,
            "the server closed the connection before the end of the answer's body",
        ))
    }

    /// Called when the response has been received to its end.
    fn finish(self) {
        let close = match self.call.proceed() {
            Some(RecvBodyResult::Cleanup(call)) => call.must_close_connection(),
            Some(RecvBodyResult::Redirect(call)) => call.must_close_connection(),
            None => true,
        };
        self.home
            .settle(self.connection, &self.outgoing, close, self.server_limit);
    }
}

fn lost(error: io::Error) -> TransportError {
    let message = match error.kind() {
        // TLS that ends without a close_notify may have been cut by an attacker.
        io::ErrorKind::UnexpectedEof => "the connection ended before the end of the answer's body",
        _ => "the connection was lost in the answer's body",
    };
    TransportError::new(TransportErrorKind::Truncated, message).with_source(error)
}

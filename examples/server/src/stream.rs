//! Answers that are sent as they are produced, to a client that may disconnect.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chatcore::{ToolLoopEvent, ToolLoopStream};
use futures_core::Stream;
use futures_lite::io::AsyncRead;
use futures_lite::{StreamExt, stream};
use smol::net::TcpStream;

use crate::errors::ApiError;
use crate::metrics::Metrics;

/// The pieces of an answer, as bytes.
pub(crate) type Pieces = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;

/// The pieces of an answer. The first event has already been awaited, so that an error before it
/// could still be an HTTP status.
pub(crate) fn pieces<T: Send + 'static, E: Send + 'static>(
    first: T,
    rest: impl Stream<Item = Result<T, E>> + Send + 'static,
    write: impl FnMut(Result<T, E>) -> Option<Vec<u8>> + Send + 'static,
) -> Pieces {
    let all = stream::once(Ok(first)).chain(rest);
    Box::pin(all.filter_map(write))
}

/// The steps of a loop in which each turn is a chat of its client: `take` counts it before the
/// model is asked, because the loop goes on only when its stream is polled again. If `take` refuses
/// the turn, the loop ends with that error.
pub(crate) fn counted(
    steps: ToolLoopStream,
    take: impl Fn() -> Result<(), ApiError> + Send + 'static,
) -> impl Stream<Item = Result<ToolLoopEvent, ApiError>> + Send + 'static {
    stream::unfold((Some(steps), take), async |(steps, take)| {
        let mut steps = steps?;
        let step = match steps.next().await? {
            Ok(step @ ToolLoopEvent::TurnStart { .. }) => take().map(|()| step),
            step => step.map_err(ApiError::from),
        };
        let steps = step.is_ok().then_some(steps);
        Some((step, (steps, take)))
    })
}

/// A response body that is produced as it is read. When the client disconnects, reading fails; the
/// connection then drops this body and the call that produces its pieces.
pub(crate) struct Streamed {
    pieces: Pieces,
    /// The piece that is being read.
    piece: Vec<u8>,
    read: usize,
    is_whole: bool,
    gone: Pin<Box<dyn Future<Output = ()> + Send>>,
    metrics: Arc<Metrics>,
}

impl Streamed {
    /// A body for the client at the other end of `socket`.
    pub(crate) fn new(pieces: Pieces, socket: Option<TcpStream>, metrics: Arc<Metrics>) -> Self {
        Self {
            pieces,
            piece: Vec::new(),
            read: 0,
            is_whole: false,
            gone: Box::pin(gone(socket)),
            metrics,
        }
    }
}

impl AsyncRead for Streamed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        while this.read == this.piece.len() {
            match this.pieces.as_mut().poll_next(cx) {
                Poll::Ready(Some(piece)) => (this.piece, this.read) = (piece, 0),
                Poll::Ready(None) => {
                    this.is_whole = true;
                    return Poll::Ready(Ok(0));
                }
                Poll::Pending => {
                    let gone = this.gone.as_mut().poll(cx);
                    return gone.map(|()| Err(io::ErrorKind::ConnectionAborted.into()));
                }
            }
        }
        let rest = &this.piece[this.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        this.read += count;
        Poll::Ready(Ok(count))
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        if !self.is_whole {
            self.metrics.client_gone();
        }
    }
}

/// Completes when the other end closes `socket`. If the client has already sent its next request,
/// it is connected, and is no longer watched.
async fn gone(socket: Option<TcpStream>) {
    if let Some(socket) = socket
        && socket.peek(&mut [0]).await.unwrap_or(0) == 0
    {
        return;
    }
    pending().await
}

//! A response's body. The bytes are counted here, because surf ends a body that is cut short as if
//! it were complete.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use chatcore::{TransportError, TransportErrorKind};
use futures_core::Stream;
use futures_lite::AsyncBufRead;

use crate::transport::budget::Budget;

type Reader = Box<dyn AsyncBufRead + Unpin + Send + Sync>;

pub(super) struct Body {
    /// `None` once the body has ended, which closes the connection.
    reader: Option<Reader>,
    /// How many bytes are still to come, if the response has a content-length.
    left: Option<u64>,
    budget: Budget,
}

impl Body {
    pub(super) fn new(reader: Reader, length: Option<u64>) -> Self {
        Self {
            reader: Some(reader),
            left: length,
            budget: Budget::default(),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, TransportError>> {
        let Some(reader) = self.reader.as_mut().filter(|_| self.left != Some(0)) else {
            return Poll::Ready(Ok(None));
        };
        let buffer = ready!(Pin::new(&mut *reader).poll_fill_buf(cx)).map_err(failed)?;
        if buffer.is_empty() {
            return Poll::Ready(match self.left {
                Some(_) => Err(truncated()),
                None => Ok(None),
            });
        }
        let chunk = Bytes::copy_from_slice(buffer);
        Pin::new(reader).consume(chunk.len());
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(chunk.len() as u64);
        }
        Poll::Ready(Ok(Some(chunk)))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        ready!(self.budget.poll(cx));
        let Poll::Ready(item) = self.poll_read(cx) else {
            self.budget.waited();
            return Poll::Pending;
        };
        let item = item.transpose();
        if !matches!(item, Some(Ok(_))) {
            self.reader = None;
        }
        Poll::Ready(item)
    }
}

fn truncated() -> TransportError {
    TransportError::new(
        TransportErrorKind::Truncated,
        "the body ended before its length or its last chunk",
    )
}

fn failed(error: io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => truncated(),
        io::ErrorKind::InvalidData => TransportError::new(
            TransportErrorKind::Protocol,
            "the body is not framed as HTTP says",
        ),
        _ => TransportError::new(
            TransportErrorKind::Truncated,
            "the connection failed in the body",
        ),
    }
    .with_source(error)
}

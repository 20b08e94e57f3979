//! The answer of one call as a response body: a stream of events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use chatcore::{TransportError, TransportErrorKind};
use futures_core::Stream;

use super::closed;
use super::inbox::{End, MAX_WAITING};
use super::message::as_event;
use super::pool::Seat;
use crate::transport::budget::Budget;

/// The answer of one call. Dropping it abandons its lane.
pub(super) struct Body {
    first: Option<Bytes>,
    seat: Option<Seat>,
    budget: Budget,
}

impl Body {
    /// An answer whose first message was already read.
    pub(super) fn new(first: Bytes, seat: Seat) -> Self {
        Self {
            first: Some(first),
            seat: Some(seat),
            budget: Budget::default(),
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        if let Some(first) = body.first.take() {
            return Poll::Ready(Some(Ok(as_event(&first))));
        }
        let Some(seat) = &body.seat else {
            return Poll::Ready(None);
        };
        ready!(body.budget.poll(cx));
        let next = seat.inbox.poll_next(cx);
        if next.is_pending() {
            body.budget.waited();
        }
        let end = match ready!(next) {
            Ok(text) => return Poll::Ready(Some(Ok(as_event(&text)))),
            Err(end) => end,
        };
        body.seat = None;
        let error = match end {
            End::Complete => return Poll::Ready(None),
            End::Closed(why) => closed(&why, TransportErrorKind::Truncated, "within the answer"),
            End::TooMuch | End::Abandoned => TransportError::new(
                TransportErrorKind::TooLarge,
                format!(
                    "the answer was dropped because more than {MAX_WAITING} bytes of it were not \
                     read"
                ),
            ),
        };
        Poll::Ready(Some(Err(error)))
    }
}

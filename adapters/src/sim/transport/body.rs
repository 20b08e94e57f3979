//! A body that follows its plan.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use chatcore::TransportError;
use futures_core::Stream;

use super::plan::{Piece, Plan};
use super::server::{End, Exchange};
use crate::sim::Sleep;

pub(super) struct Body {
    plan: Plan,
    exchange: Exchange,
    /// Whether the response has status 200.
    is_answer: bool,
    /// When the piece before the next one was due.
    sent: Duration,
    /// The wait for the next piece, once it has begun.
    waits: Option<Sleep>,
}

impl Body {
    pub(super) fn new(plan: Plan, exchange: Exchange, is_answer: bool) -> Self {
        Self {
            sent: exchange.sim().now().since_epoch(),
            plan,
            exchange,
            is_answer,
            waits: None,
        }
    }
}

impl Stream for Body {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(&(wait, ref piece)) = this.plan.pieces.front() else {
            let completed = this.is_answer;
            this.exchange.end(End::Read { completed });
            return Poll::Ready(None);
        };
        if matches!(piece, Piece::Hang | Piece::Linger) {
            return Poll::Pending;
        }
        if !wait.is_zero() {
            // Counted from when the previous piece was due, because a provider does not wait for
            // its reader.
            let due = this.sent.saturating_add(wait);
            let sim = this.exchange.sim();
            let left = due.saturating_sub(sim.now().since_epoch());
            let waits = this.waits.get_or_insert_with(|| sim.sleep(left));
            ready!(Pin::new(waits).poll(cx));
            this.waits = None;
            this.sent = due;
        }
        Poll::Ready(match this.plan.pieces.pop_front() {
            Some((_, Piece::Data(bytes, tokens))) => {
                this.exchange.read_tokens(tokens);
                if this.plan.is_said() {
                    this.exchange.worked();
                }
                Some(Ok(bytes))
            }
            Some((_, Piece::Fail(kind, message))) => {
                this.exchange.end(End::Failed);
                Some(Err(TransportError::new(kind, message)))
            }
            Some((_, Piece::Repeat(bytes, every))) => {
                let again = Piece::Repeat(bytes.clone(), every);
                this.plan.pieces.push_back((every, again));
                // The first repetition also comes only after its interval.
                match wait.is_zero() {
                    true => return Pin::new(this).poll_next(cx),
                    false => Some(Ok(bytes)),
                }
            }
            Some((_, Piece::Hang | Piece::Linger)) | None => None,
        })
    }
}

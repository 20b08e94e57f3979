//! Two attempts at once: the first content wins, and the other is cancelled.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::Request;

use super::attempt::{Attempt, Held};
use super::watch::Watch;
use super::{Core, Locked, Outcome, attempt};
use crate::admission::limiter::Reservation;
use crate::dialect::Mode;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;
use crate::policy::hedge::Hedge;

/// One attempt, and a second beside it where the first is late, and a place and the budget allow.
/// Both fail only if both fail: the error is then the first's.
pub(super) async fn hedged(
    core: &Core,
    mode: Mode,
    request: &Request<Bytes>,
    held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
    outcome: &mut Outcome,
) -> Result<Box<Attempt>, Error> {
    let Some(hedge) = &core.hedge else {
        return attempt(
            core,
            mode,
            request,
            outcome.attempts(),
            held,
            watch,
            deadlines,
        )
        .await;
    };
    let began = core.executor.now();
    // Boxed, so that calls which are not hedged need no room for two attempts.
    let racing = race(core, hedge, mode, request, held, watch, deadlines, outcome);
    let result = Box::pin(racing).await;
    if result.is_ok() {
        hedge.lock().observe(core.executor.now() - began);
    }
    result
}

#[expect(
    clippy::too_many_arguments,
    reason = "what an attempt needs, and the hedge"
)]
async fn race(
    core: &Core,
    hedge: &Locked<Hedge>,
    mode: Mode,
    request: &Request<Bytes>,
    held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
    outcome: &mut Outcome,
) -> Result<Box<Attempt>, Error> {
    let Some(delay) = hedge.lock().delay() else {
        return attempt(
            core,
            mode,
            request,
            outcome.attempts(),
            held,
            watch,
            deadlines,
        )
        .await;
    };
    let mut others = deadlines.clone();
    let tokens = held.reservation.as_deref().map_or(0, Reservation::tokens);
    let mut first = pin!(attempt(
        core,
        mode,
        request,
        outcome.attempts(),
        held,
        watch,
        deadlines
    ));
    // Not set for an answer that is there at once.
    let mut timer = None;
    let early = poll_fn(|cx| match first.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => {
            let timer = timer.get_or_insert_with(|| core.executor.sleep(delay));
            timer.as_mut().poll(cx).map(|()| None)
        }
    });
    if let Some(result) = early.await {
        return result;
    }
    let Some(held) = spare(core, hedge, tokens) else {
        return first.await;
    };
    outcome.started();
    let mut watch = Watch::new(Arc::clone(&core.executor));
    let second = attempt(
        core,
        mode,
        request,
        outcome.attempts(),
        held,
        &mut watch,
        &mut others,
    );
    let mut second = pin!(second);
    let (mut lost_first, mut lost_second) = (None, None);
    poll_fn(|cx| {
        for (attempt, lost) in [
            (
                first.as_mut() as Pin<&mut dyn Future<Output = _>>,
                &mut lost_first,
            ),
            (second.as_mut(), &mut lost_second),
        ] {
            if lost.is_none()
                && let Poll::Ready(result) = attempt.poll(cx)
            {
                match result {
                    Ok(won) => return Poll::Ready(Ok(won)),
                    Err(error) => *lost = Some(error),
                }
            }
        }
        match (
            lost_first.is_some() && lost_second.is_some(),
            lost_first.take(),
        ) {
            (true, Some(error)) => Poll::Ready(Err(error)),
            (_, kept) => {
                lost_first = kept;
                Poll::Pending
            }
        }
    })
    .await
}

/// What a second attempt needs, if it is there without waiting. The budget is asked last: what it
/// gives is spent.
fn spare(core: &Core, hedge: &Locked<Hedge>, tokens: u64) -> Option<Held> {
    let permit = core.admission.try_acquire()?;
    let reservation = match &core.limiter {
        Some(limiter) => Some(Box::new(limiter.try_acquire(tokens)?)),
        None => None,
    };
    hedge.lock().try_spend().then_some(Held {
        permit,
        reservation,
    })
}

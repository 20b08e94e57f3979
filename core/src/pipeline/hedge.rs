//! Two attempts at once: the one with the first content wins, and the other is cancelled.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::Either;
use http::Request;

use super::attempt::{Held, attempt};
use super::exchange::Exchange;
use super::job::Job;
use super::settle::Outcome;
use super::watch::Watch;
use super::{Locked, Shared};
use crate::admission::limiter::Reservation;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;
use crate::policy::hedge::Hedge;

/// Runs one attempt, and a second one at the same time if the first is late, a permit is free and
/// the budget allows it. Fails only if both attempts fail, with the error of the first.
pub(super) fn hedged<'a>(
    shared: &'a Shared,
    job: &'a dyn Job,
    request: &'a Request<Bytes>,
    held: Held,
    watch: &'a mut Watch,
    deadlines: &'a mut Deadlines,
    outcome: &'a mut Outcome,
) -> impl Future<Output = Result<Box<Exchange>, Error>> + 'a {
    let Some(hedge) = &shared.hedge else {
        let number = outcome.attempts();
        let attempt = attempt(shared, job, request, number, held, watch, deadlines);
        return Either::Left(attempt);
    };
    // Boxed, so that calls without hedging reserve no space for two attempts.
    Either::Right(Box::pin(async move {
        let began = shared.executor.now();
        let racing = race(shared, hedge, job, request, held, watch, deadlines, outcome);
        let result = racing.await;
        if result.is_ok() {
            hedge.lock().observe(shared.executor.now() - began);
        }
        result
    }))
}

#[expect(
    clippy::too_many_arguments,
    reason = "what an attempt needs, and the hedge"
)]
async fn race(
    shared: &Shared,
    hedge: &Locked<Hedge>,
    job: &dyn Job,
    request: &Request<Bytes>,
    held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
    outcome: &mut Outcome,
) -> Result<Box<Exchange>, Error> {
    let Some(delay) = hedge.lock().delay() else {
        return attempt(
            shared,
            job,
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
        shared,
        job,
        request,
        outcome.attempts(),
        held,
        watch,
        deadlines
    ));
    // Created only if the first attempt does not complete at once.
    let mut timer = None;
    let early = poll_fn(|cx| match first.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => {
            let timer = timer.get_or_insert_with(|| shared.executor.sleep(delay));
            timer.as_mut().poll(cx).map(|()| None)
        }
    });
    if let Some(result) = early.await {
        return result;
    }
    let Some(held) = spare(shared, hedge, tokens) else {
        return first.await;
    };
    outcome.started();
    let mut watch = Watch::new(Arc::clone(&shared.executor));
    let second = attempt(
        shared,
        job,
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

/// The permit and reservation for a second attempt, if both are free without a wait. The budget is
/// asked last, because asking spends it.
fn spare(shared: &Shared, hedge: &Locked<Hedge>, tokens: u64) -> Option<Held> {
    let permit = shared.admission.try_acquire()?;
    let reservation = match &shared.limiter {
        Some(limiter) => Some(Box::new(limiter.try_acquire(tokens)?)),
        None => None,
    };
    hedge.lock().try_spend().then_some(Held {
        permit,
        reservation,
    })
}

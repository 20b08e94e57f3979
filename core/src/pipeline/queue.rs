//! The step that waits for the rate limits and for a permit.

use std::future::Future;

use super::Shared;
use super::attempt::Held;
use super::watch::Watch;
use crate::admission::limiter::Reservation;
use crate::admission::queue::WhenFull;
use crate::error::Error;
use crate::policy::deadlines::Deadline;

/// Waits for the rate limits, and then for a permit. Both queues share the limit `queue_size`. A
/// call enters the second queue only after those that wait in the first one, so a call that was
/// admitted to the first queue finds room in the second.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn holds its arguments twice while it waits"
)]
pub(super) fn take_place<'a>(
    shared: &'a Shared,
    tokens: Option<u64>,
    when_full: WhenFull,
    in_queue: Option<Deadline>,
    watch: &'a mut Watch,
) -> impl Future<Output = Result<Held, Error>> + 'a {
    async move {
        let reservation = reserve(shared, tokens, when_full, in_queue, watch).await?;
        let permit = watch
            .limit(in_queue, shared.admission.acquire(when_full))
            .await??;
        Ok(Held {
            permit,
            reservation,
        })
    }
}

/// Waits until the rate limits admit the call, if the client has any.
#[cfg(feature = "limits")]
async fn reserve(
    shared: &Shared,
    tokens: Option<u64>,
    when_full: WhenFull,
    in_queue: Option<Deadline>,
    watch: &mut Watch,
) -> Result<Option<Box<Reservation>>, Error> {
    let (Some(limiter), Some(tokens)) = (&shared.limiter, tokens) else {
        return Ok(None);
    };
    let others = shared.admission.snapshot().queued;
    // Boxed, because this future is large and most clients have no rate limits.
    let acquire = Box::pin(limiter.acquire(tokens, when_full).beside(others));
    let reservation = watch.limit(in_queue, acquire).await??;
    Ok(Some(Box::new(reservation)))
}

/// Without the feature `limits` no client has rate limits.
#[cfg(not(feature = "limits"))]
async fn reserve(
    _: &Shared,
    _: Option<u64>,
    _: WhenFull,
    _: Option<Deadline>,
    _: &mut Watch,
) -> Result<Option<Box<Reservation>>, Error> {
    Ok(None)
}

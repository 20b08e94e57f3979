//! The step that sends a request once and reads its answer.

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};

use super::Shared;
use super::authorize::authorize;
use super::exchange::Exchange;
use super::job::Job;
use super::watch::Watch;
use crate::admission::limiter::Reservation;
use crate::admission::queue::Permit;
use crate::dialect::Mode;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;
use crate::transport::{ByteStream, ConnectTimeout, TransportError};

/// The shared resources that an attempt holds. Dropping it gives them back.
pub(super) struct Held {
    pub(super) permit: Permit,
    pub(super) reservation: Option<Box<Reservation>>,
}

/// Runs attempt `number` of a call to its first content (a stream) or to its end (a whole answer).
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn holds its arguments twice while it waits"
)]
pub(super) fn attempt<'a>(
    shared: &'a Shared,
    job: &'a dyn Job,
    request: &'a Request<Bytes>,
    number: u32,
    mut held: Held,
    watch: &'a mut Watch,
    deadlines: &'a mut Deadlines,
) -> impl Future<Output = Result<Box<Exchange>, Error>> + 'a {
    async move {
        deadlines.start_attempt(watch.now());
        let mut request = copy(request, deadlines);
        if let Some(credentials) = &shared.credentials {
            // Boxed, so that calls without `Credentials` reserve no space for this future.
            let authorizing = authorize(shared, &**credentials, request, number, watch, deadlines);
            request = Box::pin(authorizing).await?;
        }
        if let Some(reservation) = &mut held.reservation {
            reservation.sent();
        }
        let sending = shared.transport.send(request);
        let sent = watch.limit(deadlines.in_attempt(), sending).await?;
        let mut exchange = answered(shared, job, sent, held, watch, deadlines)?;
        match deadlines.mode() {
            Mode::Whole => exchange.read_to_end().await?,
            Mode::Stream => exchange.read_to_content().await?,
        }
        Ok(exchange)
    }
}

/// The request for one attempt. [`ConnectTimeout`] is inserted only when it differs from the
/// transport's default, because cloning `Extensions` is expensive.
fn copy(request: &Request<Bytes>, deadlines: &Deadlines) -> Request<Bytes> {
    let mut request = request.clone();
    let connect = deadlines
        .connect()
        .map_or(ConnectTimeout::NONE, ConnectTimeout);
    match connect {
        ConnectTimeout::DEFAULT => drop(request.extensions_mut().remove::<ConnectTimeout>()),
        other => drop(request.extensions_mut().insert(other)),
    }
    request
}

/// Turns a response head into an [`Exchange`]. Not inlined: values moved inside an async function
/// keep their space in its future until it ends.
fn answered(
    shared: &Shared,
    job: &dyn Job,
    sent: Result<Response<ByteStream>, TransportError>,
    held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
) -> Result<Box<Exchange>, Error> {
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            // A request that never reached the provider does not count towards its limits.
            if let Some(reservation) = held.reservation
                && error.kind().is_before_sending()
            {
                reservation.refund();
            }
            return Err(error.into());
        }
    };
    deadlines.saw_headers(watch.now());
    if let Some(reservation) = &held.reservation {
        reservation.hint(&job.dialect(shared).limits(response.headers()));
    }
    let (head, body) = response.into_parts();
    let reader = job.reader(shared, &head);
    let watch = watch.take();
    // Boxed, because an `Exchange` is moved a few times, and none exists while the headers are
    // awaited.
    Ok(Box::new(Exchange::new(
        held,
        watch,
        deadlines.clone(),
        &head,
        body,
        reader,
    )))
}

//! The core's only async logic. It runs one [`Job`](job::Job) from its request to its answer.
//!
//! ```text
//!  begin → loop { rate reservation → permit → attempt (or two): authorize, send, read
//!                  → adjust or backoff }
//!    → settle
//! ```
//!
//! The order of the policies is written once, in [`open`], which reads from top to bottom. Dropping
//! the call's future cancels everything, because permits, reservations and connections give
//! themselves back in `Drop`. No permit is held during a backoff.

mod adjust;
mod attempt;
mod authorize;
mod backoff;
#[cfg(feature = "provider-batches")]
mod batches;
mod begin;
mod call;
mod chat;
mod chat_reader;
#[cfg(feature = "jobs")]
mod embed;
mod exchange;
mod headers;
#[cfg_attr(not(feature = "limits"), path = "hedge_off.rs")]
mod hedge;
mod job;
mod largest;
#[cfg(feature = "provider-batches")]
mod lines;
mod locked;
#[cfg(feature = "jobs")]
mod models;
mod opened;
mod queue;
#[cfg(feature = "typed")]
mod schema;
#[cfg(feature = "typed")]
mod schema_form;
mod settle;
mod shared;
#[cfg(test)]
mod tests;
mod validate;
mod watch;
#[cfg(feature = "jobs")]
mod whole;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "provider-batches")]
pub(crate) use batches::{
    batch_dialect, batch_lines, batch_request, decode_item, encode_item, finish_item,
};
pub(crate) use call::Rules;
pub use call::{Call, JobCall};
#[cfg(feature = "typed")]
pub(crate) use call::{CallParts, SchemaUse};
pub(crate) use chat::chat;
pub(crate) use chat_reader::ChatReader;
#[cfg(feature = "jobs")]
pub(crate) use embed::embed;
pub(crate) use headers::CallHeaders;
#[cfg(feature = "provider-batches")]
pub(crate) use lines::{Line, LinesReader};
pub(crate) use locked::Locked;
#[cfg(feature = "jobs")]
pub(crate) use models::models;
pub(crate) use opened::Opened;
#[cfg(feature = "typed")]
pub(crate) use schema::fit_request;
#[cfg(feature = "typed")]
pub(crate) use schema_form::{SchemaForm, SchemaNote};
pub(crate) use settle::{Counters, Observing};
pub(crate) use shared::Shared;

use crate::admission::queue::WhenFull;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;
use crate::policy::timeouts;
use authorize::renews;
use backoff::may_retry;
use begin::Begun;
use exchange::Exchange;
use hedge::hedged;
use job::Reader;
use queue::take_place;
use watch::Watch;

/// Runs a call to its first content (a stream) or to its end (a whole answer). `R` is the type of
/// the job's reader. `begin` runs inside this future, because every future that a `Begun` is moved
/// through would reserve space for it.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn holds its arguments twice while it waits"
)]
pub(crate) fn open<R: Reader>(
    begin: impl FnOnce() -> Result<Begun, Error>,
) -> impl Future<Output = Result<Opened<R>, Error>> {
    async move {
        let mut call = begin()?;
        let span = call.outcome.span().clone();
        match span.around(run(&mut call)).await {
            Ok(exchange) => Ok(Opened::new(call, exchange)),
            Err(error) => Err(call.outcome.failed(error, &call.rules.headers)),
        }
    }
}

/// Applies the policies in their order.
async fn run(call: &mut Begun) -> Result<Box<Exchange>, Error> {
    let Begun {
        shared,
        outcome,
        job,
        request,
        tokens,
        rules,
        mode,
    } = call;
    let shared = &**shared;
    timeouts::fit(&mut rules.timeouts, job.plan(), rules.patient);
    let mut now = outcome.began();
    let mut watch = Watch::new(Arc::clone(&shared.executor));
    let called = rules.called.unwrap_or(now);
    let mut deadlines = Deadlines::new(Arc::clone(&rules.timeouts), *mode, called);
    if rules.waits_freely {
        deadlines.begin_at_place();
    }
    let mut causes = Vec::new();
    // Attempts that the provider refused because of a default, or because of credentials that were
    // then renewed.
    let mut refused = 0;
    let mut has_renewed = false;
    shared.earn(now);
    loop {
        outcome.queued();
        let in_queue = deadlines.in_queue(now);
        let held = match take_place(shared, *tokens, rules.when_full, in_queue, &mut watch).await {
            Ok(held) => held,
            Err(error) => return Err(error.with_causes(causes)),
        };
        // A call that was admitted once is never turned away later, so its next attempts wait even
        // in a full queue.
        rules.when_full = WhenFull::Wait;
        outcome.started();
        let began = shared.executor.now();
        deadlines.got_place(began);
        let attempted = hedged(
            shared,
            &**job,
            request,
            held,
            &mut watch,
            &mut deadlines,
            outcome,
        )
        .await;
        shared.adapt(attempted.as_ref().err(), began);
        let error = match attempted {
            Ok(exchange) => {
                if !causes.is_empty() {
                    job.learn(shared, None);
                    let retries = causes.len() - refused as usize;
                    shared.retry_budget.lock().give_back(retries);
                }
                if job.streams()
                    && let Some(at) = exchange.first_content()
                {
                    outcome.first_content(at);
                }
                return Ok(exchange);
            }
            Err(error) => error,
        };
        // The permit and the connection are free again here.
        let wait = match job.adjust(shared, request, &error) {
            // The provider did no work for the refused attempt, so no policy counts it.
            Some(adjusted) => {
                *request = adjusted;
                refused += 1;
                deadlines.fit(job.plan(), rules.patient);
                Duration::ZERO
            }
            None if !has_renewed && renews(shared, &error) => {
                has_renewed = true;
                refused += 1;
                Duration::ZERO
            }
            None => {
                job.learn(shared, Some(&error));
                let attempts = outcome.attempts() - refused;
                match may_retry(shared, &rules.retry, &error, attempts, &deadlines) {
                    Some(wait) => wait,
                    None => return Err(job.explain(shared, error, request).with_causes(causes)),
                }
            }
        };
        outcome.retrying(&error, wait, &rules.headers);
        causes.push(error);
        if !wait.is_zero() {
            shared.executor.sleep(wait).await;
        }
        now = shared.executor.now();
    }
}

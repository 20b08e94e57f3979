//! The only async logic: one job, from its request to its answer.
//!
//! ```text
//!  encode → loop { rate reservation → permit → attempt (or two): authorize, send, read
//!                  → adjust or backoff }
//!    → settle
//! ```
//!
//! The order of the policies stands once, in [`open`], which reads from top to bottom. Nothing
//! that must be given back lives in a local across an `.await`: permits and connections give
//! themselves back when they are dropped, so dropping the future cancels everything. Backoff
//! holds no permit.

mod adjust;
mod attempt;
mod authorize;
mod backoff;
mod call;
mod chat;
mod chat_reader;
mod embed;
mod exchange;
mod headers;
mod hedge;
mod job;
mod locked;
mod models;
mod opened;
mod queue;
mod settle;
mod shared;
#[cfg(test)]
mod tests;
mod validate;
mod watch;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

pub use call::{Call, JobCall};
pub(crate) use call::{CallParts, Rules};
pub(crate) use chat_reader::ChatReader;
pub(crate) use embed::embed;
pub(crate) use headers::CallHeaders;
pub(crate) use locked::Locked;
pub(crate) use models::models;
pub(crate) use opened::Opened;
pub(crate) use settle::Counters;
pub(crate) use shared::Shared;

use crate::admission::queue::WhenFull;
use crate::dialect::Mode;
use crate::error::Error;
use crate::observe::Asked;
use crate::policy::deadlines::Deadlines;
use crate::policy::timeouts;
use authorize::renews;
use backoff::may_retry;
use chat::ChatJob;
use exchange::Exchange;
use hedge::hedged;
use job::{Job, Reader};
use queue::take_place;
use settle::Outcome;
use watch::Watch;

/// Runs a chat up to its first content (a stream) or to its end (a whole answer).
pub(crate) async fn chat(
    shared: Arc<Shared>,
    call: Call,
    mode: Mode,
) -> Result<Opened<ChatReader>, Error> {
    let CallParts {
        mut request,
        defaults,
        fetches_as_stream,
        rules,
    } = *call.0;
    let plan = shared.fill_in(&mut request, &defaults);
    let job = ChatJob::new(request, plan, mode, fetches_as_stream);
    open(shared, Box::new(job), rules, mode).await
}

/// Runs a job whose reader is an `R` up to its first content, where it is streamed, or to its end.
pub(crate) async fn open<R: Reader>(
    shared: Arc<Shared>,
    mut job: Box<dyn Job>,
    rules: Rules,
    mode: Mode,
) -> Result<Opened<R>, Error> {
    let mut outcome = Outcome::begin(&shared, &job.asked(&shared), &rules.headers);
    let span = outcome.span().clone();
    match span
        .around(run(&shared, &mut *job, rules, mode, &mut outcome))
        .await
    {
        Ok(exchange) => Ok(Opened::new(outcome, exchange, job)),
        Err(error) => Err(outcome.failed(error)),
    }
}

/// The order of the policies.
async fn run(
    shared: &Shared,
    job: &mut dyn Job,
    mut rules: Rules,
    mode: Mode,
    outcome: &mut Outcome,
) -> Result<Box<Exchange>, Error> {
    let tokens = shared.limiter.as_ref().map(|_| job.tokens());
    let mut request = encode(shared, job, &rules)?;
    timeouts::fit(&mut rules.timeouts, job.plan(), rules.patient);
    let mut now = outcome.began();
    let mut watch = Watch::new(Arc::clone(&shared.executor));
    let mut deadlines = Deadlines::new(rules.timeouts, mode, rules.called.unwrap_or(now));
    if rules.waits_freely {
        deadlines.begin_at_place();
    }
    let mut causes = Vec::new();
    // Attempts that the provider refused for a default or for credentials that were renewed then.
    let mut refused = 0;
    let mut has_renewed = false;
    shared.earn(now);
    loop {
        outcome.queued();
        let in_queue = deadlines.in_queue(now);
        let held = match take_place(shared, tokens, rules.when_full, in_queue, &mut watch).await {
            Ok(held) => held,
            Err(error) => return Err(error.with_causes(causes)),
        };
        // What was let in once is not turned away later: it waits, however many do.
        rules.when_full = WhenFull::Wait;
        outcome.started();
        let began = shared.executor.now();
        deadlines.got_place(began);
        let attempted = hedged(
            shared,
            job,
            &request,
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
                if mode == Mode::Stream {
                    outcome.first_content();
                }
                return Ok(exchange);
            }
            Err(error) => error,
        };
        // Neither the permit nor the connection is held any more.
        let wait = match job.adjust(shared, &request, &error) {
            // Nothing was done for the refused attempt: it counts for no policy.
            Some(adjusted) => {
                request = adjusted;
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
                    None => return Err(job.explain(error, &request).with_causes(causes)),
                }
            }
        };
        outcome.retrying(&error, wait);
        causes.push(error);
        if !wait.is_zero() {
            shared.executor.sleep(wait).await;
        }
        now = shared.executor.now();
    }
}

/// Writes down the request of a job, with what its call adds: all that can be refused before
/// anything is sent.
fn encode(shared: &Shared, job: &mut dyn Job, rules: &Rules) -> Result<Request<Bytes>, Error> {
    let mut request = job.encode(shared)?;
    shared.check_origin(&request)?;
    rules
        .headers
        .add_to(request.headers_mut(), &shared.own_headers, &shared.endpoint)?;
    request.extensions_mut().extend(rules.extensions.clone());
    Ok(request)
}

/// The end of a call that could not even be written down: it is counted and observed as any other.
fn refuse(shared: &Arc<Shared>, asked: &Asked<'_>, rules: &Rules, why: Error) -> Error {
    Outcome::begin(shared, asked, &rules.headers).failed(why)
}

/// Refuses a request that is larger than may be sent. `largest` says what makes it large.
fn check_size(
    shared: &Shared,
    request: &Request<Bytes>,
    largest: impl FnOnce() -> String,
) -> Result<(), Error> {
    let (size, limit) = (request.body().len(), shared.max_request_bytes);
    if size <= limit {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the request has {size} bytes, more than the {limit} that may be sent{}; shorten it, or \
         raise max_request_bytes",
        largest()
    )))
}

//! The only async logic: one call, from its request to its answer.
//!
//! ```text
//!  fill in defaults → validate → encode
//!    → loop { rate reservation → permit → attempt (or two): send, decode → adjust or backoff }
//!    → settle usage → answer
//! ```
//!
//! The order of the policies stands once, in [`open`], which reads from top to bottom. Nothing
//! that must be given back lives in a local across an `.await`: permits and connections give
//! themselves back when they are dropped, so dropping the future cancels everything. Backoff
//! holds no permit.

mod adjust;
mod answer;
mod attempt;
mod authorize;
mod core;
mod encode;
mod headers;
mod hedge;
mod locked;
mod outcome;
#[cfg(test)]
mod tests;
mod validate;
mod watch;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

pub(crate) use self::core::Core;
pub(crate) use answer::Answer;
pub(crate) use headers::CallHeaders;
pub(crate) use locked::Locked;
pub(crate) use outcome::{Counters, Outcome};

use crate::admission::limiter::Reservation;
use crate::admission::queue::WhenFull;
use crate::chat::{ChatRequest, ChatResponse};
use crate::dialect::Mode;
use crate::error::Error;
use crate::policy::deadlines::{Deadline, Deadlines};
use crate::policy::defaults::Defaults;
use crate::policy::estimate;
use crate::policy::plan::Plan;
use crate::policy::retry::{Retry, RetryPolicy};
use crate::policy::timeouts::{self, Timeouts};
use crate::transport::{ByteStream, ConnectTimeout, TransportError};
use adjust::{adjust, explain};
use attempt::{Attempt, Held};
use authorize::authorize;
use encode::encode;
use hedge::hedged;
use watch::Watch;

/// What one call asks for.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) request: ChatRequest,
    /// What is asked for where the request says nothing.
    pub(crate) defaults: Defaults,
    /// Whether a whole answer is fetched as a stream, where the caller says so.
    pub(crate) fetches_as_stream: Option<bool>,
    pub(crate) headers: CallHeaders,
    /// What the caller tells the transport.
    pub(crate) extensions: http::Extensions,
    pub(crate) timeouts: Arc<Timeouts>,
    /// Whether it waits for its place as long as it takes.
    pub(crate) patient: bool,
    pub(crate) when_full: WhenFull,
    pub(crate) retry: Arc<RetryPolicy>,
}

/// What chatcore made of a call, and the model that it names.
struct Asked {
    plan: Plan,
    named: Option<String>,
}

/// How a call is to run, without what it asks.
struct Rules {
    timeouts: Arc<Timeouts>,
    patient: bool,
    when_full: WhenFull,
    retry: Arc<RetryPolicy>,
}

impl Call {
    /// How it is to run, and the model that it names.
    fn into_rules(self: Box<Self>) -> (Rules, Option<String>) {
        let rules = Rules {
            timeouts: self.timeouts,
            patient: self.patient,
            when_full: self.when_full,
            retry: self.retry,
        };
        (rules, self.request.model)
    }
}

/// Runs a call up to its first content (a stream) or to its end (a whole answer).
pub(crate) async fn open(
    core: Arc<Core>,
    mut call: Box<Call>,
    mode: Mode,
) -> Result<Answer, Error> {
    let mut asked = Asked {
        plan: core.plan(&mut call),
        named: None,
    };
    let mut outcome = Outcome::begin(&core, &call.request, &call.headers, mode);
    let span = outcome.span().clone();
    match span
        .around(open_attempts(&core, call, &mut asked, mode, &mut outcome))
        .await
    {
        Ok(attempt) => Ok(Answer::new(outcome, attempt, asked)),
        Err(error) => Err(outcome.failed(error)),
    }
}

/// The order of the policies.
async fn open_attempts(
    core: &Core,
    call: Box<Call>,
    asked: &mut Asked,
    mode: Mode,
    outcome: &mut Outcome,
) -> Result<Box<Attempt>, Error> {
    let mut request = encode(core, &call, &mut asked.plan, mode)?;
    let tokens = core
        .limiter
        .as_ref()
        .map(|_| estimate::tokens(&call.request));
    // What was asked is written down now, and need not be held twice.
    let (mut rules, named) = call.into_rules();
    asked.named = named;
    timeouts::fit(&mut rules.timeouts, &asked.plan, rules.patient);
    let mut now = outcome.began();
    let mut watch = Watch::new(Arc::clone(&core.executor));
    let mut deadlines = Deadlines::new(rules.timeouts, mode, now);
    let mut causes = Vec::new();
    // Attempts that the provider refused for a default.
    let mut refused = 0;
    core.earn(now);
    loop {
        outcome.queued();
        let in_queue = deadlines.in_queue(now);
        let held = match take_place(core, tokens, rules.when_full, in_queue, &mut watch).await {
            Ok(held) => held,
            Err(error) => return Err(error.with_causes(causes)),
        };
        // What was let in once is not turned away later: it waits, however many do.
        rules.when_full = WhenFull::Wait;
        outcome.started();
        let began = core.executor.now();
        let attempted = hedged(
            core,
            mode,
            &request,
            held,
            &mut watch,
            &mut deadlines,
            outcome,
        )
        .await;
        core.adapt(attempted.as_ref().err(), began);
        let error = match attempted {
            Ok(attempt) => {
                if !causes.is_empty() {
                    core.learn(asked.named.as_deref(), asked.plan.found);
                    let retries = causes.len() - refused as usize;
                    core.retry_budget.lock().give_back(retries);
                }
                if mode == Mode::Stream {
                    outcome.first_content();
                }
                return Ok(attempt);
            }
            Err(error) => error,
        };
        // Neither the permit nor the connection is held any more.
        let wait = match adjust(core, asked, &request, &error) {
            // Nothing was done for the refused attempt: it counts for no policy.
            Some(adjusted) => {
                request = adjusted;
                refused += 1;
                deadlines.fit(&asked.plan, rules.patient);
                Duration::ZERO
            }
            None => {
                core.learn(asked.named.as_deref(), asked.plan.found_in(&error));
                let attempts = outcome.attempts() - refused;
                match may_retry(core, &rules.retry, &error, attempts, &deadlines) {
                    Some(wait) => wait,
                    None => return Err(explain(error, &request).with_causes(causes)),
                }
            }
        };
        outcome.retrying(&error, wait);
        causes.push(error);
        if !wait.is_zero() {
            core.executor.sleep(wait).await;
        }
        now = core.executor.now();
    }
}

/// Waits for the rate limits, and then for the right to run. Both queues together hold as many
/// as may wait: nobody enters the second one before those who wait in the first, so who was let
/// into the first finds room in the second.
async fn take_place(
    core: &Core,
    tokens: Option<u64>,
    when_full: WhenFull,
    in_queue: Option<Deadline>,
    watch: &mut Watch,
) -> Result<Held, Error> {
    let reservation = reserve(core, tokens, when_full, in_queue, watch).await?;
    let permit = watch
        .limit(in_queue, core.admission.acquire(when_full))
        .await??;
    Ok(Held {
        permit,
        reservation,
    })
}

/// Waits until the rate limits let it go, where there are any.
async fn reserve(
    core: &Core,
    tokens: Option<u64>,
    when_full: WhenFull,
    in_queue: Option<Deadline>,
    watch: &mut Watch,
) -> Result<Option<Box<Reservation>>, Error> {
    let (Some(limiter), Some(tokens)) = (&core.limiter, tokens) else {
        return Ok(None);
    };
    let others = core.admission.snapshot().queued;
    // Boxed: few have limits, and it is large for those who have none.
    let acquire = Box::pin(limiter.acquire(tokens, when_full).beside(others));
    let reservation = watch.limit(in_queue, acquire).await??;
    Ok(Some(Box::new(reservation)))
}

/// One attempt, up to its first content (a stream) or to its end (a whole answer).
async fn attempt(
    core: &Core,
    mode: Mode,
    request: &Request<Bytes>,
    number: u32,
    mut held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
) -> Result<Box<Attempt>, Error> {
    deadlines.start_attempt(watch.now());
    let mut request = copy(request, deadlines);
    if let Some(credentials) = &core.credentials {
        // Boxed, so that calls with a key need no room for it.
        let authorizing = authorize(core, &**credentials, request, number, watch, deadlines);
        request = Box::pin(authorizing).await?;
    }
    if let Some(reservation) = &mut held.reservation {
        reservation.sent();
    }
    let sending = core.transport.send(request);
    let mut attempt = answered(
        core,
        mode,
        watch.limit(deadlines.in_attempt(), sending).await?,
        held,
        watch,
        deadlines,
    )?;
    match mode {
        Mode::Whole => attempt.read_to_end().await?,
        Mode::Stream => attempt.read_to_content().await?,
    }
    Ok(attempt)
}

/// The request for one attempt. What goes with it is put in here: it is dear to copy, and to make,
/// so that a transport is told of a limit only where it would take another.
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

/// The attempt whose headers are there. A function of its own: what is moved within an async one
/// takes its room to the end.
fn answered(
    core: &Core,
    mode: Mode,
    sent: Result<Response<ByteStream>, TransportError>,
    held: Held,
    watch: &mut Watch,
    deadlines: &mut Deadlines,
) -> Result<Box<Attempt>, Error> {
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            // What never reached the provider counts for nothing.
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
        reservation.hint(&core.dialect.limits(response.headers()));
    }

    let watch = watch.take();
    let attempt = Attempt::new(core, mode, held, watch, deadlines.clone(), response);
    // Boxed: it is handed on a few times, and there is none while the headers are awaited.
    Ok(Box::new(attempt))
}

/// How long to wait before another attempt, if there is to be one. A wait that would outlast the
/// call is no wait: the error that is known says more than a time limit would.
fn may_retry(
    core: &Core,
    policy: &RetryPolicy,
    error: &Error,
    attempts: u32,
    deadlines: &Deadlines,
) -> Option<Duration> {
    let now = core.executor.now();
    let counter = core.counters.retried.load(Relaxed);
    // No random source: what differs between any two attempts is enough.
    let jitter = now
        .nanos()
        .wrapping_mul(31)
        .wrapping_add(counter << 8)
        .wrapping_add(attempts.into());
    let Retry::After(wait) = policy.decide(error, attempts, jitter) else {
        return None;
    };
    let in_time = deadlines
        .in_backoff()
        .is_none_or(|deadline| now + wait < deadline.at);
    (in_time && core.retry_budget.lock().spend(now)).then_some(wait)
}

/// Reads a whole answer.
pub(crate) async fn run(core: Arc<Core>, call: Box<Call>) -> Result<ChatResponse, Error> {
    Ok(open(core, call, Mode::Whole).await?.into_response())
}

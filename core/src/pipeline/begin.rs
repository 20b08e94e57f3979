//! The step that encodes a request. The question itself is not kept after it.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::job::{Ask, Job};
use super::settle::Outcome;
use super::{Rules, Shared};
use crate::dialect::Mode;
use crate::error::Error;
#[cfg(any(feature = "jobs", feature = "typed"))]
use crate::observe::Asked;

/// A call whose request is encoded and not sent yet.
pub(crate) struct Begun {
    pub(super) shared: Arc<Shared>,
    pub(super) outcome: Outcome,
    pub(super) job: Box<dyn Job>,
    pub(super) request: Request<Bytes>,
    /// An estimate of the request's tokens, if the client has rate limits.
    pub(super) tokens: Option<u64>,
    pub(super) rules: Rules,
    pub(super) mode: Mode,
}

/// Begins a call: checks and encodes its request.
///
/// # Errors
/// Everything that can be refused before anything is sent.
pub(super) fn begin(
    shared: Arc<Shared>,
    ask: impl Ask,
    rules: Rules,
    mode: Mode,
) -> Result<Begun, Error> {
    let mut outcome = Outcome::begin(&shared, &ask.asked(&shared));
    let tokens = shared.is_limited().then(|| ask.tokens());
    let written = outcome.span().enter(|| write(&shared, ask, &rules));
    match written {
        Ok((request, job)) => Ok(Begun {
            shared,
            outcome,
            job,
            request,
            tokens,
            rules,
            mode,
        }),
        Err(why) => Err(outcome.failed(why, &rules.headers)),
    }
}

/// Encodes the request, and adds the call's own headers and extensions.
fn write(
    shared: &Shared,
    ask: impl Ask,
    rules: &Rules,
) -> Result<(Request<Bytes>, Box<dyn Job>), Error> {
    let (mut request, job) = ask.write(shared)?;
    shared.check_origin(&request)?;
    rules
        .headers
        .add_to(request.headers_mut(), &shared.own_headers, &shared.endpoint)?;
    request.extensions_mut().extend(rules.extensions.clone());
    Ok((request, job))
}

/// Ends a call that could not be encoded. It is counted and observed like any other call.
#[cfg(any(feature = "jobs", feature = "typed"))]
pub(super) fn refuse(shared: &Arc<Shared>, asked: &Asked<'_>, rules: &Rules, why: Error) -> Error {
    Outcome::begin(shared, asked).failed(why, &rules.headers)
}

/// Refuses a request that is larger than `max_request_bytes`. `largest` names its largest part.
pub(super) fn check_size(
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

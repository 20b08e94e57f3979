//! Stands in for hedging in builds without the feature `limits`: one attempt at a time.

use std::future::Future;

use bytes::Bytes;
use http::Request;

use super::Shared;
use super::attempt::{Held, attempt};
use super::exchange::Exchange;
use super::job::Job;
use super::settle::Outcome;
use super::watch::Watch;
use crate::error::Error;
use crate::policy::deadlines::Deadlines;

pub(super) fn hedged<'a>(
    shared: &'a Shared,
    job: &'a dyn Job,
    request: &'a Request<Bytes>,
    held: Held,
    watch: &'a mut Watch,
    deadlines: &'a mut Deadlines,
    outcome: &'a mut Outcome,
) -> impl Future<Output = Result<Box<Exchange>, Error>> + 'a {
    let number = outcome.attempts();
    attempt(shared, job, request, number, held, watch, deadlines)
}

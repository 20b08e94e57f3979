//! How a case is run: by a host, on a thread of its own, within a time limit.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Transport};
use futures_lite::FutureExt;

use crate::{
    CHAT_CASES, DIALECT_CASES, EXECUTOR_CASES, Outcome, Pair, Subject, TRANSPORT_CASES, promise,
};

/// A case may take this long; one that takes longer hangs.
pub const CASE_CAP: Duration = Duration::from_secs(120);

/// After its time limit a case still gets this long, for the sentence in which it says so.
const GRACE: Duration = Duration::from_secs(30);

type Case = BoxFuture<'static, Outcome>;

/// An event loop that drives a case, as an application's event loop drives a chat.
pub struct Host {
    executor: Arc<dyn Executor>,
    drive: Box<dyn FnOnce(Case) -> Outcome + Send>,
}

impl Host {
    /// `drive` runs a future to its end on the thread that calls it, and beside it the tasks that
    /// `executor` is given.
    pub fn new(
        executor: Arc<dyn Executor>,
        drive: impl FnOnce(BoxFuture<'static, Outcome>) -> Outcome + Send + 'static,
    ) -> Self {
        Self {
            executor,
            drive: Box::new(drive),
        }
    }

    /// Drives the case outside of `executor`, by smol's `block_on` in a plain thread.
    pub fn outside(executor: Arc<dyn Executor>) -> Self {
        Self::new(executor, smol::block_on)
    }

    /// The executor under test.
    pub fn executor(&self) -> &Arc<dyn Executor> {
        &self.executor
    }

    /// Runs `case` to its end, or says that it hangs when `cap` has passed.
    ///
    /// It has a thread of its own, so that a loop that never polls again does not hang the caller.
    ///
    /// # Errors
    /// What the case says, or that it hangs or panicked.
    pub fn run(self, cap: Duration, case: BoxFuture<'static, Outcome>) -> Outcome {
        let late = async move {
            smol::Timer::after(cap).await;
            Err(format!("hangs: no outcome within {cap:?}"))
        };
        let (done, outcome) = mpsc::channel();
        let run = move || {
            let outcome = (self.drive)(Box::pin(case.or(late)));
            // Nobody waits any more where the loop was given up.
            let _ = done.send(outcome);
        };
        let thread = thread::Builder::new().name("host".into()).spawn(run);
        let thread = thread.map_err(|error| format!("no thread for the host: {error}"))?;
        let outcome = outcome.recv_timeout(cap.saturating_add(GRACE));
        match outcome {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(format!("the event loop hangs: {cap:?} passed unnoticed"))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                Err("the event loop panicked; its message stands above".into())
            }
            Ok(outcome) => thread
                .join()
                .map_err(|_| "the event loop panicked at its end".into())
                .and(outcome),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.executor).finish()
    }
}

/// Runs the executor case called `name` on `host`; past `cap` (see [`CASE_CAP`]) it hangs.
///
/// # Errors
/// What does not hold, that it hangs, or that no case has this name.
pub fn run_executor_case(name: &str, cap: Duration, host: Host) -> Outcome {
    let case = EXECUTOR_CASES.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| format!("no executor case is called `{name}`"))?;
    let future = (case.run)(Arc::clone(&host.executor));
    host.run(cap, future)
        .map_err(|failure| promised(name, failure))
}

/// Runs the dialect case called `name`, on the thread that calls it.
///
/// # Errors
/// What does not hold, or that no case has this name.
pub fn run_dialect_case(name: &str, subject: &Subject) -> Outcome {
    let case = DIALECT_CASES.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| format!("no dialect case is called `{name}`"))?;
    (case.run)(subject).map_err(|failure| promised(name, failure))
}

/// What a case saw, and what the documentation says in its place.
fn promised(name: &str, failure: String) -> String {
    match promise(name) {
        Some(promise) => format!(
            "{failure}\nThe documentation of {} says: \"{}\"",
            promise.of, promise.says
        ),
        None => failure,
    }
}

/// Whether a case reaches its server with TLS or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// TLS, with the certificate of [`Secured`](crate::server::Secured).
    Https,
}

/// Runs the transport case, or the case over the whole client, called `name` on `host`, against a
/// server of its own; past `cap` (see [`CASE_CAP`]) it hangs.
///
/// # Errors
/// What does not hold and what the server saw, that it hangs, or that no case has this name.
pub fn run_transport_case(
    name: &str,
    cap: Duration,
    host: Host,
    scheme: Scheme,
    transport: Arc<dyn Transport>,
) -> Outcome {
    let mut cases = TRANSPORT_CASES.iter().chain(CHAT_CASES);
    let case = *cases
        .find(|case| case.name == name)
        .ok_or_else(|| format!("no transport case is called `{name}`"))?;
    let pair = Pair::start(Arc::clone(&host.executor), transport, scheme)
        .map_err(|error| format!("the server does not start: {error}"))?;
    let pair = Arc::new(pair);
    let driven = Arc::clone(&pair);
    let future = Box::pin(async move { (case.run)(&driven).await });
    host.run(cap, future)
        .map_err(|failure| format!("{}\n{}", promised(name, failure), pair.history()))
}

/// Runs a case on `count` plain threads at once, each with a server of its own. They share
/// `executor` and `transport`, and block until their case is done, as callers without async do.
///
/// # Errors
/// The first failure of any of them, as of [`run_transport_case`].
pub fn run_on_threads(
    count: usize,
    name: &str,
    cap: Duration,
    scheme: Scheme,
    executor: &Arc<dyn Executor>,
    transport: &Arc<dyn Transport>,
) -> Outcome {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|_| {
                scope.spawn(|| {
                    let host = Host::new(Arc::clone(executor), futures_lite::future::block_on);
                    run_transport_case(name, cap, host, scheme, Arc::clone(transport))
                })
            })
            .collect();
        let outcomes = threads.into_iter().map(|thread| {
            let outcome = thread.join();
            outcome.unwrap_or_else(|_| Err("a caller's thread panicked".into()))
        });
        // All of them are waited for, and the first failure is told.
        outcomes.fold(Ok(()), Result::and)
    })
}

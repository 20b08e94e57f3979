//! Runs a case on a host, on a separate thread, within a time limit.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Transport};
use futures_lite::FutureExt;

use crate::{
    CHAT_CASES, DIALECT_CASES, EXECUTOR_CASES, JOURNAL_CASES, Keeper, Outcome, Pair, Subject,
    TRANSPORT_CASES, promise,
};

/// The time limit of a case. A case that takes longer hangs.
pub const CASE_CAP: Duration = Duration::from_secs(120);

/// The extra time after the limit in which a case can report that it hangs.
const GRACE: Duration = Duration::from_secs(30);

type Case = BoxFuture<'static, Outcome>;

/// An event loop that runs a case, as an application's event loop runs a chat.
pub struct Host {
    executor: Arc<dyn Executor>,
    drive: Box<dyn FnOnce(Case) -> Outcome + Send>,
}

impl Host {
    /// `drive` runs a future to its end on the calling thread, together with the tasks that are
    /// spawned on `executor`.
    pub fn new(
        executor: Arc<dyn Executor>,
        drive: impl FnOnce(BoxFuture<'static, Outcome>) -> Outcome + Send + 'static,
    ) -> Self {
        Self {
            executor,
            drive: Box::new(drive),
        }
    }

    /// Runs the case outside `executor`, with smol's `block_on` on a plain thread.
    pub fn outside(executor: Arc<dyn Executor>) -> Self {
        Self::new(executor, smol::block_on)
    }

    /// The executor under test.
    pub fn executor(&self) -> &Arc<dyn Executor> {
        &self.executor
    }

    /// Runs `case` to its end. A case that takes longer than `cap` hangs.
    ///
    /// It runs on a separate thread, so that a loop that never polls again does not hang the
    /// caller.
    ///
    /// # Errors
    /// What does not hold, or that the case hangs or panicked.
    pub fn run(self, cap: Duration, case: BoxFuture<'static, Outcome>) -> Outcome {
        let late = async move {
            smol::Timer::after(cap).await;
            Err(format!("hangs: no outcome within {cap:?}"))
        };
        let (done, outcome) = mpsc::channel();
        let run = move || {
            let outcome = (self.drive)(Box::pin(case.or(late)));
            // The receiver is gone if the caller gave the loop up.
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

/// Runs the executor case `name` on `host`. A case that takes longer than `cap` (see [`CASE_CAP`])
/// hangs.
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

/// Runs the journal case called `name` on `host`; past `cap` (see [`CASE_CAP`]) it hangs.
///
/// # Errors
/// What does not hold, that it hangs, or that no case has this name.
pub fn run_journal_case(name: &str, cap: Duration, host: Host, keeper: Keeper) -> Outcome {
    let case = JOURNAL_CASES.iter().find(|case| case.name == name);
    let run = case
        .ok_or_else(|| format!("no journal case is called `{name}`"))?
        .run;
    let executor = Arc::clone(&host.executor);
    let future = Box::pin(async move { run(&keeper, executor).await });
    host.run(cap, future)
        .map_err(|failure| promised(name, failure))
}

/// Runs the dialect case `name` on the calling thread.
///
/// # Errors
/// What does not hold, or that no case has this name.
pub fn run_dialect_case(name: &str, subject: &Subject) -> Outcome {
    let case = DIALECT_CASES.iter().find(|case| case.name == name);
    let case = case.ok_or_else(|| format!("no dialect case is called `{name}`"))?;
    (case.run)(subject).map_err(|failure| promised(name, failure))
}

/// What a case saw, with the sentence of the documentation that it contradicts.
fn promised(name: &str, failure: String) -> String {
    match promise(name) {
        Some(promise) => format!(
            "{failure}\nThe documentation of {} says: \"{}\"",
            promise.of, promise.says
        ),
        None => failure,
    }
}

/// Whether a case connects to its server with or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// TLS, with the certificate of [`Secured`](crate::server::Secured).
    Https,
}

/// Runs the case `name`, of a transport or over the whole client, on `host` against its own server.
/// A case that takes longer than `cap` (see [`CASE_CAP`]) hangs.
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

/// Runs a case on `count` plain threads at once, each with its own server. The threads share
/// `executor` and `transport`, and block until their case is done, like callers without async.
///
/// # Errors
/// The first failure among the threads, as in [`run_transport_case`].
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
        // Waits for all threads, and returns the first failure.
        outcomes.fold(Ok(()), Result::and)
    })
}

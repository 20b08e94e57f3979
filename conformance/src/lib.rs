//! Tests what every [`Executor`], [`Transport`] and [`Dialect`] of `chatcore` must do, as a suite
//! to run on your own implementation.
//!
//! The suite needs no test framework and no particular runtime. Each case has a name. A case that
//! fails says why in a sentence, and quotes the sentence of the trait's documentation that does not
//! hold. No case depends on how fast the machine is.
//!
//! # As tests
//!
//! Add the crate to your `dev-dependencies`, and generate one `#[test]` for each case:
//!
//! ```no_run
//! # use chatcore::{Executor, Transport};
//! # use std::{sync::Arc, time::Duration};
//! # use chatcore::{BoxFuture, ByteStream, Instant, TransportError};
//! # #[derive(Debug)] struct MyExecutor;
//! # impl Executor for MyExecutor {
//! #     fn spawn(&self, _: BoxFuture<'static, ()>) {}
//! #     fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> { Box::pin(async {}) }
//! #     fn now(&self) -> Instant { Instant::from_epoch(Duration::ZERO) }
//! # }
//! # #[derive(Debug)] struct MyTransport;
//! # #[async_trait::async_trait]
//! # impl Transport for MyTransport {
//! #     async fn send(&self, _: http::Request<bytes::Bytes>)
//! #         -> Result<http::Response<ByteStream>, TransportError>
//! #     { Ok(http::Response::new(ByteStream::empty())) }
//! # }
//! # fn main() {}
//! use chatcore_conformance::{Host, NONE, Skips};
//!
//! /// Cases that it cannot pass, each with the reason.
//! const SKIPS: Skips = &[(
//!     "connections_are_reused",
//!     "one connection for each request",
//! )];
//!
//! fn host() -> Host {
//!     Host::outside(Arc::new(MyExecutor))
//! }
//!
//! chatcore_conformance::executor_tests! {
//!     my_executor: host(), NONE;
//! }
//!
//! chatcore_conformance::transport_tests! {
//!     my_transport: host(), |_executor| Arc::new(MyTransport), SKIPS;
//! }
//! ```
//!
//! A [`Host`] is an event loop that runs a case. To test only a transport, use [`hosts::smol`],
//! smol's global executor. [`hosts`] has further event loops on which a transport must work too:
//! one polls once per frame, another polls tasks that were not woken.
//!
//! # As a program
//!
//! [`check_executor`], [`check_transport`] and [`check_dialect`] run all cases and return a
//! [`Report`]. The example `thread_per_request` has a small transport, and a `main` that prints its
//! report: `cargo run --example thread_per_request`.
//!
//! # A dialect
//!
//! A dialect is tested with answers that you have recorded, which are split at every byte: see
//! [`Recording`] and [`dialect_tests!`].
//!
//! # A journal
//!
//! A journal is held by a run that is begun, opened, dropped and opened again: see [`Keeper`] and
//! [`journal_tests!`].
//!
//! # Over TLS
//!
//! [`https_tests!`] runs some of the cases over TLS. The transport must trust the certificate from
//! [`server::Secured::roots`].
//!
//! # The server
//!
//! The transport cases use [`server::Server`], a loopback server whose paths say how it misbehaves.
//! It is useful in other tests, too.
//!
//! [`Executor`]: chatcore::Executor
//! [`Transport`]: chatcore::Transport
//! [`Dialect`]: chatcore::Dialect

mod bodies;
mod cancelling;
mod cases;
mod chat;
mod chat_failures;
mod chat_retries;
mod connections;
mod dialect;
mod executor;
mod faults;
mod heads;
pub mod hosts;
mod journal;
mod judge;
mod pair;
mod promises;
mod report;
mod run;
pub mod server;
mod stamp;

pub use self::cases::{
    CHAT_CASES, DIALECT_CASES, DialectCase, EXECUTOR_CASES, ExecutorCase, JOURNAL_CASES,
    JournalCase, TRANSPORT_CASES, TransportCase,
};
pub use self::dialect::{Recording, Subject};
pub use self::journal::Keeper;
pub use self::judge::{NONE, Skips, judge};
pub use self::pair::Pair;
pub use self::promises::{PROMISES, Promise, promise};
pub use self::report::{Report, check_dialect, check_executor, check_journal, check_transport};
pub use self::run::{
    CASE_CAP, Host, Scheme, run_dialect_case, run_executor_case, run_journal_case, run_on_threads,
    run_transport_case,
};
pub use self::stamp::assert_held;

pub(crate) use self::chat::patient;

/// Called by the macros.
#[doc(hidden)]
pub mod __stamp {
    pub use crate::stamp::{on_dialect, on_executor, on_journal, on_transport};
}

/// The result of a case: `Ok`, or a sentence about what does not hold.
pub type Outcome = Result<(), String>;

/// Returns from a case with a sentence if a condition does not hold.
///
/// ```
/// use chatcore_conformance::{Outcome, ensure};
///
/// fn case(status: u16) -> Outcome {
///     ensure!(status == 200, "the status is {status} in place of 200");
///     Ok(())
/// }
/// assert_eq!(case(500).unwrap_err(), "the status is 500 in place of 200");
/// ```
#[macro_export]
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err(format!($($sentence)+));
        }
    };
}

/// Every Rust snippet of the crate's README compiles as it stands.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

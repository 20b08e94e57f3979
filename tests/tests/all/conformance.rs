//! The conformance suite, stamped: one test for each case and executor, and for each case and
//! pair of executor and transport.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatcore::{Executor, Transport};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, SurfTransport, UreqTransport};
use chatcore_tests::conformance::{CASE_CAP, Outcome, run_executor_case, run_transport_case};
use chatcore_tests::{chat_cases, executor_cases, transport_cases};

/// Cases that an adapter cannot pass, each with the reason. They are run all the same: one that
/// passes must leave the list.
type Skips = &'static [(&'static str, &'static str)];

const NONE: Skips = &[];

const UREQ: Skips = &[
    (
        "a_continue_with_headers_is_skipped",
        "ureq-proto refuses headers on 100 Continue",
    ),
    (
        "an_unknown_host_is_named",
        "the adapter's message does not name the host",
    ),
];

/// What surf and async-h1 cannot do; the documentation of `SurfTransport` says more.
const SURF: Skips = &[
    ("connections_are_reused", NO_REUSE),
    ("a_stream_hands_its_connection_back", NO_REUSE),
    ("an_error_status_hands_its_connection_back", NO_REUSE),
    ("streams_share_a_connection", NO_REUSE),
    ("bodies_without_a_length_stream", NO_LENGTH),
    ("answers_survive_any_framing", NO_LENGTH),
    ("a_body_ends_with_its_connection", NO_LENGTH),
    ("a_reset_does_not_end_a_body_without_a_length", NO_LENGTH),
    ("interim_answers_are_skipped", INTERIM),
    ("a_continue_is_skipped", INTERIM),
    ("a_continue_with_headers_is_skipped", INTERIM),
    (
        "unregistered_statuses_are_responses",
        "http-types knows no status that is not in its list",
    ),
];

const NO_REUSE: &str = "one new connection for each request: async-h1 cannot tell a clean end";
const NO_LENGTH: &str = "async-h1 takes a body without a length for an empty one";
const INTERIM: &str = "async-h1 takes an interim answer for the answer";

fn smol() -> Arc<dyn Executor> {
    Arc::new(SmolExecutor::new())
}

fn threads() -> Arc<dyn Executor> {
    Arc::new(ThreadPool::new(4).unwrap())
}

fn http1(executor: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    Arc::new(Http1Transport::new(executor.clone()))
}

fn ureq(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    // As many workers as the widest case has requests at once.
    Arc::new(UreqTransport::new(ThreadPool::new(32).unwrap()))
}

fn surf(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    Arc::new(SurfTransport::new())
}

/// Judges an outcome by the list of what an adapter cannot pass.
fn judge(name: &str, skips: Skips, run: impl FnOnce() -> Outcome) {
    let began = Instant::now();
    let outcome = run();
    let took = began.elapsed();
    let skip = skips.iter().find(|(case, _)| *case == name);
    match (outcome, skip) {
        (Ok(()), None) => {}
        (Ok(()), Some((_, reason))) => {
            panic!("`{name}` passes, so it must leave the list of skips (\"{reason}\")")
        }
        (Err(failure), Some((_, reason))) => {
            println!("skipped `{name}`: {reason} ({took:?}: {failure})");
        }
        (Err(failure), None) => panic!("`{name}` does not hold: {failure}"),
    }
    assert!(took < Duration::from_secs(60), "`{name}` took {took:?}");
}

macro_rules! stamp_executor {
    ([$executor:ident] $($module:ident: $($name:ident),+ $(,)?);+) => {
        $($(#[test]
        fn $name() {
            super::judge(stringify!($name), super::NONE, || {
                super::run_executor_case(stringify!($name), super::CASE_CAP, super::$executor())
            });
        })+)+
    };
}

macro_rules! stamp_transport {
    ([$executor:ident $transport:ident $skips:ident] $($module:ident: $($name:ident),+ $(,)?);+) => {
        $($(#[test]
        fn $name() {
            super::judge(stringify!($name), super::$skips, || {
                let executor = super::$executor();
                let transport = super::$transport(&executor);
                super::run_transport_case(stringify!($name), super::CASE_CAP, executor, transport)
            });
        })+)+
    };
}

mod smol_executor {
    super::executor_cases!(stamp_executor![smol]);
}

mod threads_executor {
    super::executor_cases!(stamp_executor![threads]);
}

mod smol_http1 {
    super::transport_cases!(stamp_transport! [smol http1 NONE]);
    super::chat_cases!(stamp_transport! [smol http1 NONE]);
}

mod threads_http1 {
    super::transport_cases!(stamp_transport! [threads http1 NONE]);
    super::chat_cases!(stamp_transport! [threads http1 NONE]);
}

mod smol_ureq {
    super::transport_cases!(stamp_transport! [smol ureq UREQ]);
    super::chat_cases!(stamp_transport! [smol ureq UREQ]);
}

mod threads_ureq {
    super::transport_cases!(stamp_transport! [threads ureq UREQ]);
    super::chat_cases!(stamp_transport! [threads ureq UREQ]);
}

mod smol_surf {
    super::transport_cases!(stamp_transport! [smol surf SURF]);
    super::chat_cases!(stamp_transport! [smol surf SURF]);
}

mod threads_surf {
    super::transport_cases!(stamp_transport! [threads surf SURF]);
    super::chat_cases!(stamp_transport! [threads surf SURF]);
}

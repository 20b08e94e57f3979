//! Stamps tests from the lists of cases. The workspace `tests/foreign` uses this file as well.

use std::sync::Arc;

use chatcore::{Executor, Transport};
use chatcore_adapters::executor::ThreadPool;
use chatcore_adapters::transport::{Http1Transport, SurfTransport, UreqTransport};
pub(crate) use chatcore_tests::conformance::{
    CASE_CAP, Host, NONE, Outcome, SURF, Scheme, Skips, UREQ, judge, run_executor_case,
    run_transport_case,
};
use chatcore_tests::server::Secured;
pub(crate) use chatcore_tests::{chat_cases, executor_cases, https_cases, transport_cases};

/// Makes a transport for an executor.
pub(crate) type Make = fn(&Arc<dyn Executor>) -> Arc<dyn Transport>;

pub(crate) fn http1(executor: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    let builder = Http1Transport::builder(executor.clone());
    let builder = builder.extra_roots(Secured::roots().unwrap()).unwrap();
    Arc::new(builder.build())
}

pub(crate) fn ureq(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    // As many workers as the widest case has requests at once; eight of it at once have to wait.
    let pool = ThreadPool::builder().workers(64).queue_size(usize::MAX);
    let builder = UreqTransport::builder(pool.build().unwrap());
    let builder = builder.roots(Secured::roots().unwrap()).unwrap();
    Arc::new(builder.build())
}

pub(crate) fn surf(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    Arc::new(SurfTransport::new())
}

/// Fails the test, or prints why a case was skipped.
pub(crate) fn assert_held(name: &str, skips: Skips, outcome: Outcome) {
    match judge(name, skips, outcome) {
        Ok(skipped) => skipped.into_iter().for_each(|why| println!("{why}")),
        Err(failure) => panic!("{failure}"),
    }
}

pub(crate) fn on_executor(name: &str, host: Host) {
    assert_held(name, NONE, run_executor_case(name, CASE_CAP, host));
}

pub(crate) fn on_pair(name: &str, skips: Skips, scheme: Scheme, host: Host, make: Make) {
    let transport = make(host.executor());
    let outcome = run_transport_case(name, CASE_CAP, host, scheme, transport);
    assert_held(name, skips, outcome);
}

/// A test for each case of a list, which calls `run` with the case's name.
macro_rules! stamp {
    ([$run:path] $($module:ident: $($name:ident),+ $(,)?);+) => {
        $($(#[test]
        fn $name() {
            $run(stringify!($name));
        })+)+
    };
}

/// A module for an executor, with a test for each of its cases.
macro_rules! executor_tests {
    ($($module:ident: $host:expr;)+) => {
        $(mod $module {
            use super::*;

            fn run(name: &str) {
                on_executor(name, $host);
            }

            executor_cases!(stamp![run]);
        })+
    };
}

/// A module for a pair, with a test for each case over plain HTTP.
macro_rules! pair_tests {
    ($($module:ident: $host:expr, $transport:expr, $skips:expr;)+) => {
        $(mod $module {
            use super::*;

            fn run(name: &str) {
                on_pair(name, $skips, Scheme::Http, $host, $transport);
            }

            transport_cases!(stamp![run]);
            chat_cases!(stamp![run]);
        })+
    };
}

/// A module for a pair, with a test for each case that runs over TLS.
macro_rules! https_tests {
    ($($module:ident: $host:expr, $transport:expr;)+) => {
        $(mod $module {
            use super::*;

            fn run(name: &str) {
                on_pair(name, NONE, Scheme::Https, $host, $transport);
            }

            https_cases!(stamp![run]);
        })+
    };
}

pub(crate) use {executor_tests, https_tests, pair_tests, stamp};

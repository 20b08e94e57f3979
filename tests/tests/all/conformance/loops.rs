//! Every transport on event loops that are not part of chatcore; see
//! [`chatcore_conformance::hosts`]. The tests on tokio and glib run in the workspace
//! `tests/foreign`.

use chatcore_conformance::hosts::{frame_loop, local_executor, local_pool, restless};
use chatcore_conformance::{Scheme, assert_held, chat_cases, https_cases, run_on_threads};

use super::adapters::{smol, threads};
use super::stamp::*;

/// The seed of the restless executor.
const SEED: u64 = 14;

executor_tests! {
    frame_loop_executor: frame_loop(), NONE;
    local_executor_executor: local_executor(), NONE;
    local_pool_executor: local_pool(), NONE;
    restless_executor: restless(SEED), NONE;
}

transport_tests! {
    frame_loop_http1: frame_loop(), http1, NONE;
    frame_loop_ureq: frame_loop(), ureq, UREQ;
    frame_loop_surf: frame_loop(), surf, SURF;
    local_executor_http1: local_executor(), http1, NONE;
    local_executor_ureq: local_executor(), ureq, UREQ;
    local_executor_surf: local_executor(), surf, SURF;
    local_pool_http1: local_pool(), http1, NONE;
    local_pool_ureq: local_pool(), ureq, UREQ;
    local_pool_surf: local_pool(), surf, SURF;
    restless_http1: restless(SEED), http1, NONE;
    restless_ureq: restless(SEED), ureq, UREQ;
    restless_surf: restless(SEED), surf, SURF;
}

https_tests! {
    frame_loop_http1_https: frame_loop(), http1, NONE;
    frame_loop_ureq_https: frame_loop(), ureq, NONE;
    local_executor_http1_https: local_executor(), http1, NONE;
    local_pool_http1_https: local_pool(), http1, NONE;
    restless_http1_https: restless(SEED), http1, NONE;
    restless_ureq_https: restless(SEED), ureq, NONE;
}

/// Callers without async: this many threads, each of which blocks until its case is done.
const CALLERS: usize = 8;

fn on_threads(name: &str, skips: Skips, scheme: Scheme, host: &Host, make: Make) {
    let transport = make(host.executor());
    let outcome = run_on_threads(CALLERS, name, CASE_CAP, scheme, host.executor(), &transport);
    assert_held(name, skips, outcome);
}

macro_rules! caller_tests {
    ($($module:ident: $cases:ident, $host:expr, $transport:expr, $skips:expr, $scheme:expr;)+) => {
        $(mod $module {
            use super::*;

            fn run(name: &str) {
                on_threads(name, $skips, $scheme, &$host, $transport);
            }

            $cases!(chatcore_conformance::stamp![run]);
        })+
    };
}

caller_tests! {
    eight_callers_http1: chat_cases, smol(), http1, NONE, Scheme::Http;
    eight_callers_ureq: chat_cases, threads(), ureq, UREQ, Scheme::Http;
    eight_callers_surf: chat_cases, smol(), surf, SURF, Scheme::Http;
    eight_callers_http1_https: https_cases, smol(), http1, NONE, Scheme::Https;
    eight_callers_ureq_https: https_cases, threads(), ureq, NONE, Scheme::Https;
}

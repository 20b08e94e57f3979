//! The transports under test, and the cases that they cannot pass. The workspace `tests/foreign`
//! also uses this file.

use std::sync::Arc;

use chatcore::{Executor, Transport};
use chatcore_adapters::executor::ThreadPool;
use chatcore_adapters::transport::{Http1Transport, SurfTransport, UreqTransport};
use chatcore_conformance::server::Secured;
pub(crate) use chatcore_conformance::{
    CASE_CAP, Host, NONE, Skips, executor_tests, https_tests, transport_tests,
};

/// Makes a transport for an executor.
pub(crate) type Make = fn(&Arc<dyn Executor>) -> Arc<dyn Transport>;

pub(crate) fn http1(executor: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    let builder = Http1Transport::builder(executor.clone());
    let builder = builder.extra_roots(Secured::roots().unwrap()).unwrap();
    Arc::new(builder.build())
}

pub(crate) fn ureq(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    // Enough workers for the widest case. Eight of that case at once have to wait.
    let pool = ThreadPool::builder().workers(64).queue_size(usize::MAX);
    let builder = UreqTransport::builder(pool.build().unwrap());
    let builder = builder.roots(Secured::roots().unwrap()).unwrap();
    Arc::new(builder.build())
}

pub(crate) fn surf(_: &Arc<dyn Executor>) -> Arc<dyn Transport> {
    Arc::new(SurfTransport::new())
}

/// Cases that ureq cannot pass.
pub(crate) const UREQ: Skips = &[
    (
        "a_continue_with_headers_is_skipped",
        "ureq-proto refuses headers on 100 Continue",
    ),
    (
        "an_unknown_host_is_named",
        "the adapter's message does not name the host",
    ),
];

/// Cases that surf and async-h1 cannot pass; the documentation of `SurfTransport` has details.
pub(crate) const SURF: Skips = &[
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

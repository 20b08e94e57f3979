//! The transport of the example passes the suite on three event loops. Each case is one test.

#[path = "../examples/thread_per_request.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "an example, with a `main` of its own"
)]
mod example;

use std::sync::Arc;

use chatcore_conformance::hosts::{frame_loop, restless, smol};
use example::{SKIPS, ThreadPerRequest};

chatcore_conformance::transport_tests! {
    on_smol: smol(), |_| Arc::new(ThreadPerRequest), SKIPS;
    on_a_frame_loop: frame_loop(), |_| Arc::new(ThreadPerRequest), SKIPS;
    on_a_restless_loop: restless(7), |_| Arc::new(ThreadPerRequest), SKIPS;
}

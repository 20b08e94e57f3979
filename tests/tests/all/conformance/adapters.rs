//! The executors and transports of `chatcore-adapters`, run by callers outside of them.

use std::sync::Arc;

use chatcore_adapters::executor::{SmolExecutor, ThreadPool};

use super::stamp::*;

pub(super) fn smol() -> Host {
    Host::outside(Arc::new(SmolExecutor::new()))
}

pub(super) fn threads() -> Host {
    Host::outside(Arc::new(ThreadPool::new(4).unwrap()))
}

executor_tests! {
    smol_executor: smol(), NONE;
    threads_executor: threads(), NONE;
}

transport_tests! {
    smol_http1: smol(), http1, NONE;
    threads_http1: threads(), http1, NONE;
    smol_ureq: smol(), ureq, UREQ;
    threads_ureq: threads(), ureq, UREQ;
    smol_surf: smol(), surf, SURF;
    threads_surf: threads(), surf, SURF;
}

https_tests! {
    smol_http1_https: smol(), http1, NONE;
    threads_ureq_https: threads(), ureq, NONE;
}

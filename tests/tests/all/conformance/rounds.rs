//! Rounds of chats against a server in its own process, on event loops that are not part of
//! chatcore: none may hang. The program `latency` in `tests/foreign` prints how late the chats are.

use std::process::Command;
use std::sync::Arc;

use chatcore_conformance::hosts::{frame_loop, lateness, local_executor, local_pool, restless};
use chatcore_conformance::server::Process;

use super::adapters::threads;
use super::stamp::*;

fn ten_rounds(host: Host, make: Make) {
    let server = Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap();
    let transport = make(host.executor());
    let late = lateness(host, transport, server.base_url(), 10, CASE_CAP).unwrap();
    println!("{late:?}");
    let counts = [&late.whole, &late.streamed, &late.three].map(Vec::len);
    assert_eq!(counts, [10, 10, 30]);
}

/// A plain thread that blocks, without any reactor.
fn plain() -> Host {
    Host::new(
        Arc::clone(threads().executor()),
        futures_lite::future::block_on,
    )
}

macro_rules! rounds_tests {
    ($($name:ident: $host:expr, $transport:expr;)+) => {
        $(#[test]
        fn $name() {
            ten_rounds($host, $transport);
        })+
    };
}

rounds_tests! {
    frame_loop_http1: frame_loop(), http1;
    frame_loop_ureq: frame_loop(), ureq;
    frame_loop_surf: frame_loop(), surf;
    local_executor_http1: local_executor(), http1;
    local_executor_ureq: local_executor(), ureq;
    local_pool_http1: local_pool(), http1;
    local_pool_ureq: local_pool(), ureq;
    restless_http1: restless(14), http1;
    restless_ureq: restless(14), ureq;
    plain_http1: plain(), http1;
    plain_ureq: plain(), ureq;
}

//! Runs the conformance suite on tokio and on GLib's main loop, with every transport.

#[path = "../../tests/all/conformance/stamp.rs"]
mod stamp;

use std::process::Command;

use chatcore_conformance::hosts::lateness;
use chatcore_conformance::server::Process;
use chatcore_foreign::runtime::{current_thread_beside, two_workers};

use stamp::*;

/// How many tasks share the thread with the chats. Each occupies it for 1 ms in each poll.
const BUSY: usize = 2;

fn beside_busy_tasks() -> Host {
    current_thread_beside(BUSY).unwrap()
}

fn workers() -> Host {
    two_workers().unwrap()
}

executor_tests! {
    tokio_beside_busy_tasks_executor: beside_busy_tasks(), NONE;
    tokio_workers_executor: workers(), NONE;
}

transport_tests! {
    tokio_beside_busy_tasks_http1: beside_busy_tasks(), http1, NONE;
    tokio_beside_busy_tasks_ureq: beside_busy_tasks(), ureq, UREQ;
    tokio_beside_busy_tasks_surf: beside_busy_tasks(), surf, SURF;
    tokio_workers_http1: workers(), http1, NONE;
    tokio_workers_ureq: workers(), ureq, UREQ;
    tokio_workers_surf: workers(), surf, SURF;
}

https_tests! {
    tokio_beside_busy_tasks_http1_https: beside_busy_tasks(), http1, NONE;
    tokio_workers_http1_https: workers(), http1, NONE;
    tokio_workers_ureq_https: workers(), ureq, NONE;
}

/// Runs ten rounds of chats against a server in a separate process. None may hang.
fn ten_rounds(host: Host, make: Make) {
    let mut server = Command::new(env!("CARGO_BIN_EXE_latency"));
    let server = Process::start(server.arg("--serve")).unwrap();
    let transport = make(host.executor());
    let late = lateness(host, transport, server.base_url(), 10, CASE_CAP).unwrap();
    println!("{late:?}");
    let counts = [&late.whole, &late.streamed, &late.three].map(Vec::len);
    assert_eq!(counts, [10, 10, 30]);
}

#[test]
fn ten_rounds_on_tokio() {
    for make in [http1 as Make, ureq, surf] {
        ten_rounds(beside_busy_tasks(), make);
        ten_rounds(workers(), make);
    }
}

#[cfg(feature = "glib")]
mod glib {
    use chatcore_foreign::main_loop::main_loop;

    use super::stamp::*;

    #[test]
    fn ten_rounds_on_glib() {
        for make in [http1 as Make, ureq, surf] {
            super::ten_rounds(main_loop(), make);
        }
    }

    executor_tests! {
        main_loop_executor: main_loop(), NONE;
    }

    transport_tests! {
        main_loop_http1: main_loop(), http1, NONE;
        main_loop_ureq: main_loop(), ureq, UREQ;
        main_loop_surf: main_loop(), surf, SURF;
    }

    https_tests! {
        main_loop_http1_https: main_loop(), http1, NONE;
        main_loop_ureq_https: main_loop(), ureq, NONE;
    }
}

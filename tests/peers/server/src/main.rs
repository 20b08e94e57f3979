//! The server that all peers talk to: one thread, one epoll, prepared answers, keep-alive.
//!
//! ```text
//! POST /v1/…         600 bytes, or 200 events of 200 bytes where the body has "stream":true
//! POST /d50/v1/…     the same after 50 ms
//! POST /paced/v1/…   a stream whose events go out one by one, 1 ms apart
//! GET  /stats        its own idle time, CPU time and counters
//! ```
//!
//! It prints its port and runs until its standard input is closed.

mod answers;
mod connection;
mod poll;
mod server;
mod stats;

use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    // The harness holds the other end of standard input. When the harness ends, the server ends
    // too.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    // 10,000 connections need as many descriptors.
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives through both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
    let mut server = server::Server::bind()?;
    println!("{}", server.port());
    std::io::stdout().flush()?;
    server.run()
}

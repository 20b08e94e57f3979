//! Prints the latency that each event loop adds to a chat: the time beyond the server's own time.
//!
//! ```text
//! cargo run --release --bin latency               # a hundred rounds on every loop
//! cargo run --release --bin latency -- 10 frame   # ten rounds, on the loops named so
//! ```
//!
//! The loopback server runs in a separate process: this program with `--serve`.

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, Transport};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use chatcore_conformance::Host;
use chatcore_conformance::hosts::{
    Lateness, frame_loop, lateness, local_executor, local_pool, restless,
};
use chatcore_conformance::server::{Process, Server};
use chatcore_foreign::runtime::{current_thread_beside, two_workers};

type Fallible<T> = Result<T, Box<dyn Error>>;

type Loop = (&'static str, fn() -> Fallible<Host>);

const LOOPS: &[Loop] = &[
    ("smol: block_on", || {
        Ok(Host::outside(Arc::new(SmolExecutor::new())))
    }),
    ("frame loop, 16 ms", || Ok(frame_loop())),
    ("tokio, one thread", || Ok(current_thread_beside(0)?)),
    ("tokio, beside 1 busy task", || {
        Ok(current_thread_beside(1)?)
    }),
    ("tokio, beside 3 busy tasks", || {
        Ok(current_thread_beside(3)?)
    }),
    ("tokio, two workers", || Ok(two_workers()?)),
    ("LocalExecutor", || Ok(local_executor())),
    ("LocalPool", || Ok(local_pool())),
    #[cfg(feature = "glib")]
    ("GLib main loop", || {
        Ok(chatcore_foreign::main_loop::main_loop())
    }),
    ("late and spurious polls", || Ok(restless(14))),
    ("a plain thread, no reactor", || {
        let executor = Arc::new(ThreadPool::new(4)?);
        Ok(Host::new(executor, futures_lite::future::block_on))
    }),
];

/// The time limit of a row.
const CAP: Duration = Duration::from_secs(600);

fn main() -> Fallible<()> {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "--serve").is_some() {
        return serve();
    }
    let rounds = match words.peek().and_then(|word| word.parse().ok()) {
        Some(rounds) => {
            words.next();
            rounds
        }
        None => 100,
    };
    let wanted = words.next().unwrap_or_default();
    let server = Process::start(Command::new(std::env::current_exe()?).arg("--serve"))?;
    println!("Milliseconds beyond the server's own time, {rounds} rounds: median, p99, worst\n");
    println!("| event loop | transport | alone, whole | alone, streamed | three at once |");
    println!("|---|---|---|---|---|");
    for (name, host) in LOOPS.iter().filter(|(name, _)| name.contains(&wanted)) {
        for (transport, make) in TRANSPORTS {
            let host = host()?;
            let made = make(host.executor())?;
            let Lateness {
                mut whole,
                mut streamed,
                mut three,
            } = lateness(host, made, server.base_url(), rounds, CAP)?;
            let [whole, streamed, three] =
                [&mut whole, &mut streamed, &mut three].map(|late| figures(late));
            println!("| {name} | {transport} | {whole} | {streamed} | {three} |");
        }
    }
    Ok(())
}

type Make = fn(&Arc<dyn Executor>) -> Fallible<Arc<dyn Transport>>;

const TRANSPORTS: [(&str, Make); 2] = [
    ("http1", |executor| {
        Ok(Arc::new(Http1Transport::new(executor.clone())))
    }),
    ("ureq", |_| {
        Ok(Arc::new(UreqTransport::new(ThreadPool::new(4)?)))
    }),
];

/// Median, 99th percentile and worst.
fn figures(late: &mut [Duration]) -> String {
    late.sort_unstable();
    let at = |share: usize| {
        let index = (late.len() * share / 100).min(late.len().saturating_sub(1));
        late.get(index).map_or(0.0, |late| late.as_secs_f64() * 1e3)
    };
    format!("{:.1}, {:.1}, {:.1}", at(50), at(99), at(100))
}

/// Runs the loopback server until standard input ends.
fn serve() -> Fallible<()> {
    let server = Server::start()?;
    writeln!(stdout(), "{}", server.base_url())?;
    stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

//! A chat server for pages and scripts.
//!
//! ```text
//! cargo run --release --bin server
//! ```
//!
//! ```text
//!  socket ─► listen ─► app ─► ask, fronts ─► chatcore (queue, limits, retries) ─► provider
//!            time,     guard,  JSON → request
//!            drain     limits
//!  socket ◄─ stream, ws, batch ◄─ events, fronts ◄─ chatcore ◄───────────────────┘
//! ```
//!
//! The fronts speak the protocols of providers: `openai`, `responses` and `anthropic`. Each front
//! reads requests and writes answers in its protocol.
//!
//! If no key is set and no provider is named, the offline demo model answers. `--help` shows the
//! settings.

mod anthropic;
mod app;
mod ask;
mod batch;
mod body;
mod drain;
mod errors;
mod events;
mod fields;
mod guard;
mod limits;
mod listen;
mod metrics;
mod openai;
mod page;
mod responses;
mod settings;
mod stream;
mod upstream;
mod ws;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use async_signal::{Signal, Signals};
use futures_lite::StreamExt;

use app::Shared;
use ask::Allowed;
use limits::PerClient;
use metrics::Metrics;
use settings::{Asked, Settings};
use upstream::Upstream;

fn main() -> ExitCode {
    let settings = match settings::read(std::env::args().skip(1), |name| std::env::var(name).ok()) {
        Ok(Asked::Serve(settings)) => *settings,
        Ok(Asked::Print(text)) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(2, &error),
    };
    // Each client needs a descriptor. If raising the limit fails, the limit stays as it is.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    match smol::block_on(run(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, error)) => fail(status, &error),
    }
}

async fn run(settings: Settings) -> Result<(), (u8, String)> {
    let metrics = Metrics::new().map_err(|error| (1, error.to_string()))?;
    let metrics = Arc::new(metrics);
    let upstream =
        Upstream::from_env(Arc::clone(&metrics)).map_err(|error| (2, error.to_string()))?;
    let addr = settings.addr;
    let listener =
        listen::bind(addr).map_err(|error| (1, format!("cannot listen on {addr}: {error}")))?;
    let addr = listener.local_addr().unwrap_or(addr);
    // Before the server announces its address, so that no signal is missed.
    let mut signals = Signals::new([Signal::Term, Signal::Int])
        .map_err(|error| (1, format!("cannot wait for signals: {error}")))?;
    let (starter, drain) = drain::drain();
    let who = match (upstream.is_demo, &upstream.advice) {
        (true, Some(advice)) => format!("the offline demo model answers. {advice}"),
        (true, None) => "the offline demo model answers, because USE_MOCK_LLM is set".to_owned(),
        (false, _) => format!("{} of {} answers", upstream.model, upstream.provider),
    };
    let client = upstream.client.clone();
    let shared = Arc::new(Shared {
        allowed: Allowed::new(&settings, &upstream.model),
        per_client: PerClient::new(settings.requests_per_minute),
        settings,
        upstream,
        metrics,
        drain,
        began: (openai::now(), Instant::now()),
    });
    say(&format!("http://{addr}\n{who}\n"));
    let stop = async {
        let signal = signals.next().await;
        if signal.is_some() {
            say("shutting down: running chats may finish\n");
        }
        starter.begin();
        // A second signal stops the server at once.
        signals.next().await;
        Ok(usize::MAX)
    };
    let cut = futures_lite::future::or(listen::serve(listener, shared), stop)
        .await
        .map_err(|error| (1, format!("cannot listen on {addr}: {error}")))?;
    match cut {
        0 => client.close().await,
        usize::MAX => say("stopped at once\n"),
        cut => say(&format!(
            "the grace period is over: {cut} connections were cut\n"
        )),
    }
    Ok(())
}

/// Prints for people to read. Ignores a closed pipe.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn fail(status: u8, error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "error: {error}");
    ExitCode::from(status)
}

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
//! settings. The program `chatcore` runs the same server as `chatcore serve`.

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
mod tools;
mod upstream;
mod ws;

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use async_signal::{Signal, Signals};
use futures_lite::StreamExt;

pub use settings::{Asked, SETTINGS, Setting, Settings, read};

use app::Shared;
use ask::Allowed;
use limits::PerClient;
use metrics::Metrics;
use upstream::Upstream;

/// Why the server did not start, or ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The exit status of a program that ends because of it: 2 if a setting is wrong, otherwise 1.
    pub status: u8,
    /// One sentence.
    pub message: String,
}

fn failure(status: u8, message: impl ToString) -> Failure {
    Failure {
        status,
        message: message.to_string(),
    }
}

/// Serves until SIGTERM or SIGINT, then lets the running chats finish for the grace period. A second
/// signal ends it at once. Prints its address and which model answers to standard output.
///
/// `var` reads the variables of [`chatcore::SETTINGS`], for example from the environment.
///
/// # Errors
/// If a setting cannot be used, or the address is not free.
pub async fn serve(
    settings: Settings,
    var: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    // Each client needs a descriptor. If raising the limit fails, the limit stays as it is.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let metrics = Metrics::new().map_err(|error| failure(1, error))?;
    let metrics = Arc::new(metrics);
    let upstream =
        Upstream::from_vars(&var, Arc::clone(&metrics)).map_err(|error| failure(2, error))?;
    let addr = settings.addr;
    let unusable = |error| failure(1, format!("cannot listen on {addr}: {error}"));
    let listener = listen::bind(addr).map_err(unusable)?;
    let addr = listener.local_addr().unwrap_or(addr);
    // Before the server announces its address, so that no signal is missed.
    let mut signals = Signals::new([Signal::Term, Signal::Int])
        .map_err(|error| failure(1, format!("cannot wait for signals: {error}")))?;
    let (starter, drain) = drain::drain();
    let who = match (upstream.is_demo, &upstream.advice) {
        (true, Some(advice)) => format!("the offline demo model answers. {advice}"),
        (true, None) => "the offline demo model answers, because USE_MOCK_LLM is set".to_owned(),
        (false, _) => format!("{} of {} answers", upstream.model, upstream.provider),
    };
    let client = upstream.client.clone();
    let tools = tools::toolbox().map_err(|error| failure(1, error))?;
    let shared = Arc::new(Shared {
        allowed: Allowed::new(&settings, &upstream.model),
        per_client: PerClient::new(settings.requests_per_minute),
        settings,
        upstream,
        tools,
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
        .map_err(unusable)?;
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

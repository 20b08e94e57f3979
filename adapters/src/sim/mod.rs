//! The simulator: an executor with virtual time and a seeded order, and a network with an LLM
//! provider at its end. It is for tests of chatcore and of applications that embed it.
//!
//! A test of an hour of traffic, with rate limits, resets and stalls, takes milliseconds. It gives
//! the same bytes for the same seed, and reports a deadlock instead of hanging.
//!
//! # Testing an application
//!
//! Give the application's client a [`SimExecutor`] and a [`SimTransport`], run the scenario with
//! many seeds, and check what must always hold:
//!
//! ```
//! use std::time::Duration;
//! use chatcore::{LlmClient, Provider};
//! use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimTransport};
//!
//! /// The application: it asks twice, and makes do with less where the provider fails.
//! async fn summarize(client: &LlmClient, text: &str) -> String {
//!     let long = client.ask(format!("Summarize: {text}")).await;
//!     match long {
//!         Ok(answer) => answer.text().into_owned(),
//!         Err(_) => "(no summary)".to_owned(),
//!     }
//! }
//!
//! Sim::run_seeds(0..50, |sim| async move {
//!     let transport = SimTransport::builder(&sim)
//!         .connect(Latency::millis(20))
//!         .first_token(Latency::Exponential { mean: Duration::from_millis(300) })
//!         .script(Script::new().chance(0.1, Fault::ResetBeforeHeaders))
//!         .build();
//!     let client = LlmClient::builder(sim.clone(), transport.clone())
//!         .provider(Provider::deepseek().with_api_key("sk-simulated"))
//!         .build()
//!         .unwrap();
//!
//!     let summary = summarize(&client, "a long text").await;
//!     assert!(summary == "echo: Summarize: a long text" || summary == "(no summary)");
//!
//!     client.close().await;
//!     transport.assert_idle();
//! });
//! ```
//!
//! A failure prints its seed; `CHATCORE_SIM_SEED=17 cargo test …` runs only that seed.
//!
//! [`SimTransport::set_script`] and [`SimTransport::set_limits`] change the network during a run,
//! for an outage of ten seconds or a lowered limit.
//!
//! # What the client must withstand
//!
//! Each line is a simulation in `adapters/tests/sim`. One command prints all figures:
//!
//! ```text
//! cargo test --release -p chatcore-adapters --no-default-features \
//!     --features sim,provider-batches,journal-memory --lib --test sim -- \
//!     --include-ignored --nocapture
//! ```
//!
//! | what | bar | seen |
//! |---|---|---|
//! | same seed, same trace hash (`mix`) | 1,000 seeds | 1,000 seeds |
//! | random faults, drops and closes: each call ends once, permits and reservations balance, nothing is left (`mix`) | 10,000 seeds | 10,000 seeds |
//! | polls a second, 1 to 10,000 tasks | 1,000,000 | 3.7 to 15.6 million |
//! | everything fails, 100 to 150 calls of any arrival: attempts for each call (`outage`) | at most 1.1 in each of 10,000 seeds | 1.1 |
//! | a lone call in an hour of outage: attempts (`outage`) | all three | three |
//! | `status()` against a model, after each of 150 random steps (`status`) | exact, 10,000 seeds | exact, 10,000 seeds |
//! | memory after 10 and after 30 waves of 100 calls with faults (`drain`) | the same within 4 KiB | 16.8 and 16.9 KB |
//! | a call that can never end (`drain`) | a deadlock that names it | so |
//! | `LLM_ASYNC_ENABLED=false` (`one_at_a_time`) | one at a time, no background task | so |
//! | requests per minute, three kinds of window (`pace`) | none refused at 98 % of the limit | none at 99.0 % |
//! | tokens per minute, estimated half too high (`tokens`) | none refused at 98 % | none at 99.0 % |
//! | retries before Retry-After has passed (`retries`) | none | none |
//! | adaptive, hidden limits of 4, 20 and 50 (`adaptive`) | 90 % of it, under 2 % refused | 95 to 101 %, 0.4 to 1.6 % |
//! | adaptive, a hidden limit that falls from 40 to 10 and comes back (`changes`) | the same, two minutes later | 95 to 100 %, 0.6 to 1.5 % |
//! | hedging, one in a hundred slow (`hedging`) | p99.9 ten times lower, 5 % more requests | 34 times, 3.6 % |
//! | a batch of N under a limit of W (`batch`) | 1.02 × ⌈N/W⌉ × latency | 1.00 |
//! | peak memory of a stream of 1,000,000 items (`batch`) | that of 10,000 | 32 KB and 32 KB |
//! | tool loops with faults, drops, limits and refusals: each call answered once or reported, none begins after a drop (`tools`) | 1,000 seeds | 1,000 seeds |
//! | a batch in files, killed at every await (`journal`) | each item once, no more repeats than were in flight | so |
//! | the same with lost power, zeros and torn lines (`journal`) | each item once | so, 40 seeds |
//! | two workers that both believe they hold a chunk (`journal`) | each result once | so, 100 seeds |
//! | a run through each of three Batch APIs, killed or without power at every await (`provider_batches`) | each item once, none paid twice | so |
//! | the same, killed again and again, one in ten connections lost (`provider_batches`) | the same | so, 40 seeds each |
//!
//! # What must stay outside
//!
//! A run repeats exactly if nothing outside takes part in it: no wall clock, no other thread, no
//! randomness except [`SimExecutor::random`], and nothing that depends on the iteration order of
//! std's hash maps. [`Latency::Exponential`] uses the platform's logarithm, so its last bits may
//! differ between platforms.

#[cfg(feature = "provider-batches")]
mod batch_api;
#[cfg(feature = "journal-files")]
mod disk;
mod executor;
mod rng;
mod transport;

#[cfg(feature = "provider-batches")]
pub use batch_api::{BatchApi, BatchFault, BatchTransport, ItemFate};
#[cfg(feature = "journal-files")]
pub use disk::SimDisk;
pub use executor::{PendingTask, Sim, SimError, SimErrorKind, SimExecutor, Sleep};
pub use transport::{
    Fault, Latency, Limits, RetryAfter, Script, SimRequest, SimTransport, SimTransportBuilder,
    Stats, Window,
};

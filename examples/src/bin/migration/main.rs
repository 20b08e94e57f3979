//! Moving from the Python client: each of its documented snippets beside the Rust form.
//!
//! ```text
//! cargo run --release --bin migration
//! ```
//!
//! Read the functions: each has the Python in its documentation and the Rust in its body. For
//! `AsyncBatchProcessor` see `chatcore::BatchProcessor`, which has the same methods.

#![allow(clippy::print_stdout)] // an example program talks to people

mod concurrency;
mod errors;
mod flaky;
mod lifetime;
mod sync_to_async;

use std::process::ExitCode;

use chatcore::{Error, LlmClient};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit};

fn main() -> ExitCode {
    exit(client_or_demo().and_then(|client| {
        // Blocking calls run outside async code, as in Python.
        sync_to_async::blocking(&client)?;
        sync_to_async::hybrid(&client)?;
        run_async_in_sync(run(client))
    }))
}

async fn run(client: LlmClient) -> Result<(), Error> {
    sync_to_async::asynchronous(&client).await?;
    sync_to_async::context(&client).await?;
    errors::handling(&client).await;
    errors::retries().await?;
    concurrency::gather(&client).await;
    concurrency::limit(&client).await;
    concurrency::timeout(&client).await;
    concurrency::status(&client).await?;
    lifetime::cleanup(client).await;
    lifetime::scope().await
}

fn title(text: &str) {
    println!("\n── {text} ──");
}

//! Typed answers: the same type is read from several texts at once. The offline demo model only
//! fills the type with words and numbers of the text; a real model understands it.
//!
//! ```text
//! cargo run --release --bin extract -- "Two tickets to Rome on 3 May, please." "I want my money back!"
//! ```

#![allow(clippy::print_stdout)] // an example program talks to people

use std::process::ExitCode;

use chatcore::schemars::{self, JsonSchema};
use chatcore::{Error, LlmClient, Mismatch, gather_with_limit};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit};
use serde::Deserialize;

/// How many texts are read at once.
const AT_ONCE: usize = 4;

/// A message to a shop.
#[derive(Debug, Deserialize, JsonSchema)]
struct Ticket {
    /// What the customer wants, in one line.
    subject: String,
    kind: Kind,
    /// How many pieces are meant, if the text says it.
    pieces: Option<u32>,
    /// Names of products in the text.
    #[serde(default)]
    products: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Order,
    Complaint,
    Question,
}

fn main() -> ExitCode {
    let mut texts: Vec<String> = std::env::args().skip(1).collect();
    if texts.is_empty() {
        texts = [
            "I would like 3 of the blue mugs.",
            "A complaint: my kettle leaks, and it is the second one!",
            "A question: do you ship 2 lamps to Norway?",
        ]
        .map(str::to_owned)
        .into();
    }
    exit(client_or_demo().and_then(|client| run_async_in_sync(run(&client, texts))))
}

async fn run(client: &LlmClient, texts: Vec<String>) -> Result<(), Error> {
    let calls = texts.iter().map(|text| {
        // A model that gets it wrong is asked once to correct its answer.
        let call = client
            .ask(format!("Read this message: {text}"))
            .wait_for_place()
            .json::<Ticket>()
            .repairs(1);
        async move { call.await }
    });
    let answers = gather_with_limit(calls, AT_ONCE).await;
    let mut failed = None;
    for (text, answer) in texts.iter().zip(answers) {
        println!("> {text}");
        match answer {
            Ok(answer) => print(&answer.value),
            Err(error) => {
                if let Some(mismatch) = Mismatch::of(&error) {
                    println!("  the model wrote: {}", mismatch.text());
                }
                println!("  {error}");
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn print(ticket: &Ticket) {
    println!("  {:?}: {}", ticket.kind, ticket.subject);
    if let Some(pieces) = ticket.pieces {
        println!("  pieces: {pieces}");
    }
    if !ticket.products.is_empty() {
        println!("  products: {}", ticket.products.join(", "));
    }
}

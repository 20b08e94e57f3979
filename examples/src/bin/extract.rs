//! Typed answers to a batch that can be resumed: a type is read from each line of a file, and the
//! output file is the journal. Stop it at any moment and run it again: it goes on where it was.
//!
//! ```text
//! cargo run --release --bin extract -- messages.txt tickets.jsonl
//! ```
//!
//! Without a file, three messages are read into a temporary folder. The offline demo model only
//! fills the type with words and numbers of the text; a real model understands it.

#![allow(clippy::print_stdout)] // an example program talks to people

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use chatcore::schemars::{self, JsonSchema};
use chatcore::{
    BatchProcessor, ChatRequest, ChatResponse, Config, Error, ErrorKind, Journal, LlmClient,
};
use chatcore_adapters::journal::files::{FilesJournal, Format, Identity};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit, say};
use serde::Deserialize;

/// How many texts are read at once.
const AT_ONCE: usize = 4;

const MESSAGES: &str = "I would like 3 of the blue mugs.
A complaint: my kettle leaks, and it is the second one!
A question: do you ship 2 lamps to Norway?
";

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
    let files = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => example(),
        [input, output] => Ok((input.into(), output.into())),
        _ => {
            let why = "give it a file of messages, one on each line, and a file for the results";
            Err(Error::new(ErrorKind::Config, why))
        }
    };
    exit(files.and_then(|(input, output)| {
        client_or_demo().and_then(|client| run_async_in_sync(run(client, &input, &output)))
    }))
}

/// Writes the messages of the example. Returns its input and its output.
fn example() -> Result<(PathBuf, PathBuf), Error> {
    let folder = std::env::temp_dir().join(format!("chatcore-extract-{}", std::process::id()));
    let input = folder.join("messages.txt");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&input, MESSAGES));
    match written {
        Ok(()) => Ok((input, folder.join("tickets.jsonl"))),
        Err(error) => Err(Error::new(
            ErrorKind::Config,
            format!(
                "the messages cannot be written to {}: {error}",
                folder.display()
            ),
        )),
    }
}

async fn run(client: LlmClient, input: &Path, output: &Path) -> Result<(), Error> {
    let executor = Arc::clone(client.executor());
    // What the results depend on: a run with another provider, model or type is not resumed.
    let identity = Identity::of(&Config::from_env()?.provider).with("type", "Ticket");
    let journal = FilesJournal::builder(Arc::clone(&executor), identity, input, output)
        .format(Format::Text)
        .open()
        .await?;
    let journal: Arc<dyn Journal> = Arc::new(journal);
    let before = journal.progress().await?;
    if before.done + before.failed > 0 {
        say!(
            "{} already has {} results; their messages are not read again.",
            output.display(),
            before.done + before.failed
        );
    }
    let batch = BatchProcessor::new(executor, move |message| read(client.clone(), message));
    let mut run = batch
        .max_workers(AT_ONCE)
        .process_journal(Arc::clone(&journal));
    let (mut done, mut failed) = (0, None);
    while let Some(finished) = run.next().await {
        let outcome = finished?.outcome;
        match outcome.result {
            Ok(_) => done += 1,
            Err(error) => {
                say!("> message {}\n  {error}", outcome.place);
                failed = Some(error);
            }
        }
    }
    let all = journal.progress().await?;
    say!(
        "{done} messages were read now. {} has {} results.",
        output.display(),
        all.done + all.failed
    );
    failed.map_or(Ok(()), Err)
}

/// Reads one message. A model that gets it wrong is asked once to correct its answer.
async fn read(client: LlmClient, message: ChatRequest) -> Result<ChatResponse, Error> {
    let prompt = format!("Read this message: {}", text(&message));
    let call = client.ask(prompt).patient().json::<Ticket>().repairs(1);
    let ticket = call.await?;
    print(&text(&message), &ticket.value);
    // The journal keeps the answer: its text is the JSON of the ticket.
    Ok(ticket.response)
}

fn text(message: &ChatRequest) -> String {
    let texts = message.messages.iter().map(|message| message.text());
    texts.collect()
}

fn print(message: &str, ticket: &Ticket) {
    let mut shown = format!("> {message}\n  {:?}: {}", ticket.kind, ticket.subject);
    if let Some(pieces) = ticket.pieces {
        shown.push_str(&format!("\n  pieces: {pieces}"));
    }
    if !ticket.products.is_empty() {
        shown.push_str(&format!("\n  products: {}", ticket.products.join(", ")));
    }
    say!("{shown}");
}

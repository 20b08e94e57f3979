//! The journal in PostgreSQL, on a server of its own. Without one, these tests are skipped and say
//! so.

mod control;
mod failures;
mod follow;
mod groups;
mod input;
mod journal;
mod leases;
mod limits;
mod logs;
mod stopped;
mod takeover;

use std::fmt::Write;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chatcore::journal::{Item, Outcome};
use chatcore::{ChatRequest, ChatResponse, Error, Executor, Usage};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::postgres::{
    Database, Identity, Input, PostgresJournal, Submission,
};
use chatcore_tests::postgres::Postgres;
use serde_json::json;

/// The name of a new run.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("run {}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn database(server: &Postgres, executor: &Arc<dyn Executor>) -> Database {
    Database::new(Arc::clone(executor), &server.url()).unwrap()
}

/// A run of a test on the server that all tests share.
struct Setup {
    server: &'static Postgres,
    executor: Arc<dyn Executor>,
    database: Database,
    run: String,
}

impl Setup {
    fn run(test: impl AsyncFnOnce(&Self)) {
        let Some(server) = Postgres::shared() else {
            return;
        };
        let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
        let setup = Self {
            server,
            database: database(server, &executor),
            executor,
            run: name(),
        };
        smol::block_on(test(&setup));
    }

    async fn submit(&self, input: &str) -> Input {
        self.submit_as(input, Submission::default()).await
    }

    async fn submit_as(&self, input: &str, submission: Submission) -> Input {
        let input = Cursor::new(input.to_owned());
        let submitted = self.database.submit(&self.run, input, submission).await;
        submitted.unwrap()
    }
}

async fn open(setup: &Setup) -> PostgresJournal {
    let journal = PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
    journal.open().await.unwrap()
}

/// This many requests, named `n0`, `n1`, …
fn prompts(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            "{{\"custom_id\":\"n{number}\",\"prompt\":\"p{number}\"}}"
        )
        .unwrap();
        text
    })
}

fn answer() -> Result<ChatResponse, Error> {
    let mut answer = ChatResponse::default();
    answer.usage = Some(Usage::new(3, 2));
    Ok(answer)
}

fn outcome(item: &Item, result: Result<ChatResponse, Error>) -> Outcome {
    Outcome {
        place: item.place,
        id: item.id.clone(),
        tag: item.tag,
        result,
        took: Duration::from_millis(5),
    }
}

fn line((id, request): &(String, ChatRequest)) -> String {
    let line = json!({
        "custom_id": id,
        "model": request.model,
        "messages": [{"role": "user", "content": request.messages[0].text()}],
        "max_tokens": request.max_tokens,
    });
    format!("{line}\n")
}

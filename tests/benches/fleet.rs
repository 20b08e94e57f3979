//! Measures a run on many machines, with a PostgreSQL server of its own:
//! `cargo bench -p chatcore-tests --bench fleet`.
//!
//! - `makespan`: how long 1, 2 and 4 workers take for a run at a provider that takes 50 ms for each
//!   request, the processor time that they spend on the database, and the dead rows that are left.
//! - `limits`: how much of a limit of requests per minute five clients use together.
//!
//! The numbers in the documentation come from `-- makespan 100000` and `-- limits 3`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::fmt::Write;
use std::io::Cursor;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chatcore::{
    BatchProcessor, ByteStream, ChatRequest, Executor, Journal, LlmClient, Message, Provider,
    Transport, TransportError, async_trait,
};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::MemoryJournal;
use chatcore_adapters::journal::postgres::{
    Database, Identity, PostgresJournal, RunLimits, Submission,
};
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Process;
use chatcore_tests::postgres::Postgres;
use cpu_time::ProcessTime;

const CONCURRENCY: usize = 16;
const DELAY: Duration = Duration::from_millis(50);

/// A prompt of typical length.
const PROMPT: &str = "Classify the sentiment of this review as positive, negative or neutral: I \
                      bought this for my brother, and he has used it every day since. Item";

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    // `cargo bench` adds `--bench`.
    match args.as_slice() {
        ["makespan", "--bench"] => makespan(10_000),
        ["makespan", items, ..] => makespan(items.parse().unwrap()),
        ["limits", "--bench"] => limits(1),
        ["limits", minutes, ..] => limits(minutes.parse().unwrap()),
        // `makespan` starts these.
        ["worker", url, database, run] => worker(url, Some((database, run)), 0),
        ["memory", url, items] => worker(url, None, items.parse().unwrap()),
        _ => {
            makespan(10_000);
            limits(1);
        }
    }
}

fn requests(items: usize) -> impl Iterator<Item = (String, ChatRequest)> {
    (0..items).map(|number| {
        let request = ChatRequest::new([Message::user(format!("{PROMPT} {number}"))])
            .model("tiny")
            .max_tokens(100);
        (format!("request-{number}"), request)
    })
}

fn input(items: usize) -> String {
    (0..items).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            "{{\"custom_id\":\"request-{number}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
             \"body\":{{\"model\":\"tiny\",\"messages\":[{{\"role\":\"user\",\"content\":\"{PROMPT} \
             {number}\"}}],\"max_tokens\":100}}}}"
        )
        .unwrap();
        text
    })
}

/// Works on a run, or on a journal in memory, to its end. Prints the processor time.
fn worker(url: &str, run: Option<(&str, &str)>, items: usize) {
    let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let transport = Http1Transport::builder(Arc::clone(&executor))
        .max_idle(CONCURRENCY)
        .build();
    let client = LlmClient::builder(Arc::clone(&executor), Arc::new(transport))
        .provider(Provider::openai_compatible(url.to_owned(), "tiny").with_api_key("sk-bench"))
        .workers(CONCURRENCY)
        .build()
        .unwrap();
    smol::block_on(async {
        let journal: Arc<dyn Journal> = match run {
            Some((url, run)) => {
                let database = Database::new(Arc::clone(&executor), url).unwrap();
                let journal = PostgresJournal::builder(database, run, Identity::new());
                Arc::new(journal.open().await.unwrap())
            }
            None => {
                let journal = MemoryJournal::new(executor, requests(items));
                Arc::new(journal.lease(Duration::from_secs(60)))
            }
        };
        let start = ProcessTime::now();
        // As the program does it: an answer is recorded while its permit serves the next item.
        let batch = BatchProcessor::requests(&client);
        let batch = batch.max_workers(CONCURRENCY + CONCURRENCY / 4 + 4);
        let mut run = batch.process_journal(journal);
        while let Some(finished) = run.next().await {
            finished.unwrap().outcome.result.unwrap();
        }
        println!("{}", start.elapsed().as_micros());
    });
}

fn spawn(args: &[&str]) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The processor time of a worker that has ended, in microseconds.
fn micros(worker: std::process::Child) -> f64 {
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

fn makespan(items: usize) {
    let server = Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap();
    let url = format!(
        "{}/delay/{}ms/words/56/v1",
        server.base_url(),
        DELAY.as_millis()
    );
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let database = Database::new(executor, &postgres.url()).unwrap();
    let few = (items / 5).to_string();
    let bare = micros(spawn(&["memory", &url, &few])) / (items / 5) as f64;
    println!(
        "makespan: {items} items at {DELAY:?}, {CONCURRENCY} at once for each worker; without a \
         database, a worker spends {bare:.0} µs for each item"
    );
    for workers in [1, 2, 4] {
        let run = format!("{workers} workers");
        let submitted = database.submit(&run, Cursor::new(input(items)), Submission::default());
        smol::block_on(submitted).unwrap();
        let began = Instant::now();
        let args = ["worker", &url, &postgres.url(), &run];
        let children: Vec<_> = (0..workers).map(|_| spawn(&args)).collect();
        let spent: f64 = children.into_iter().map(micros).sum();
        let took = began.elapsed().as_secs_f64();
        let ideal = DELAY.as_secs_f64() * items as f64 / (workers * CONCURRENCY) as f64;
        let status = smol::block_on(database.status(&run)).unwrap();
        assert_eq!(status.counts.done, items as u64);
        println!(
            "  {workers} workers: {took:.1} s, {:.3} of the ideal; {:.1} µs for each item for the \
             database",
            took / ideal,
            spent / items as f64 - bare
        );
    }
    dead_rows(&postgres);
}

fn dead_rows(postgres: &Postgres) {
    postgres.psql("CREATE EXTENSION IF NOT EXISTS pgstattuple");
    let rows = postgres.psql(
        "SELECT c.relname, s.tuple_count, s.dead_tuple_count FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL pgstattuple(c.oid) s \
         WHERE n.nspname = 'chatcore' AND c.relkind = 'r' ORDER BY 1",
    );
    let (mut live, mut dead) = (0.0, 0.0);
    println!("dead rows:");
    for row in rows.lines() {
        let fields: Vec<_> = row.split('|').collect();
        let count = |field: usize| fields[field].parse::<f64>().unwrap();
        live += count(1);
        dead += count(2);
        println!("  {:8} {} live, {} dead", fields[0], fields[1], fields[2]);
    }
    println!("  {:.2} % in all", 100.0 * dead / (live + dead));
}

/// A provider that answers at once and notes when each request comes.
#[derive(Debug, Default)]
struct Arrivals(Mutex<Vec<Instant>>);

#[async_trait]
impl Transport for Arrivals {
    async fn send(
        &self,
        _: chatcore::http::Request<chatcore::bytes::Bytes>,
    ) -> Result<chatcore::http::Response<ByteStream>, TransportError> {
        self.0.lock().unwrap().push(Instant::now());
        let body = r#"{"choices":[{"message":{"content":"ok"},"finish_reason":"stop"}]}"#;
        let body = ByteStream::from_bytes(body);
        let response = chatcore::http::Response::builder();
        Ok(response
            .header("content-type", "application/json")
            .body(body)
            .unwrap())
    }
}

fn limits(minutes: u64) {
    const CLIENTS: usize = 5;
    const LIMIT: usize = 600;
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    let time = Duration::from_secs(60 * minutes);
    let transport = Arc::new(Arrivals::default());
    smol::block_on(async {
        let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            // Each client has a connection of its own, as it would on another machine.
            let database = Database::new(Arc::clone(&executor), &postgres.url()).unwrap();
            if number == 0 {
                let mut limits = RunLimits::default();
                limits.requests_per_minute = Some(LIMIT as u64);
                let submission = Submission::default().limits(limits);
                let input = Cursor::new("one");
                database.submit("run", input, submission).await.unwrap();
            }
            let limits = database.shared_limits("run").await.unwrap().unwrap();
            let builder = LlmClient::builder(Arc::clone(&executor), transport.clone());
            let provider = Provider::openai_compatible("http://127.0.0.1/v1".to_owned(), "m");
            let client = builder.provider(provider).shared_limits(Arc::new(limits));
            clients.push(client.workers(20).build().unwrap());
        }
        let began = Instant::now();
        let tasks: Vec<_> = clients
            .iter()
            .flat_map(|client| (0..20).map(|_| client.clone()))
            .map(|client| {
                smol::spawn(async move {
                    while began.elapsed() < time {
                        client.ask("x").patient().await.unwrap();
                    }
                })
            })
            .collect();
        smol::Timer::after(time).await;
        drop(tasks);
    });
    let arrivals = transport.0.lock().unwrap();
    let minute = Duration::from_secs(60);
    let within = |from: usize| {
        let later = arrivals[from..].iter();
        later
            .take_while(|at| **at < arrivals[from] + minute)
            .count()
    };
    let most = (0..arrivals.len()).map(within).max().unwrap_or(0);
    let share = arrivals.len() as f64 / (LIMIT as f64 * minutes as f64);
    println!(
        "limits: {CLIENTS} clients, {LIMIT} requests a minute, {minutes} min: {:.1} % of the limit, \
         at most {most} in any minute",
        100.0 * share
    );
}

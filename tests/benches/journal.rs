//! Measures the cost of a journal in files: `cargo bench -p chatcore-tests --bench journal`.
//!
//! - `cpu`: the CPU time of this process for each item of a batch on loopback, with and without the
//!   journal. The server is a separate process.
//! - `instructions`: the instructions of this process for each item, counted by valgrind (Debian's
//!   package `valgrind`). They do not depend on how busy the machine is, and leave out the kernel.
//! - `memory`: the peak memory of a process, with 10,000 items and with many more.
//! - `open`: the time to open a run that has many results already.
//!
//! To run only one of them: `cargo bench -p chatcore-tests --bench journal -- cpu`. The numbers in
//! the documentation come from `-- cpu`, `-- memory 1000000` and `-- open 10000000` (which needs 5
//! GB of disk).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatcore::{BatchProcessor, ChatRequest, ChatResponse, LlmClient, Message, Provider};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::files::{FilesJournal, Identity};
use chatcore_adapters::transport::Http1Transport;
use chatcore_conformance::server::Process;
use cpu_time::ProcessTime;

const WORKERS: usize = 64;
const TURNS: usize = 9;
const ITEMS: usize = 20_000;

/// A prompt of typical length.
const PROMPT: &str = "Classify the sentiment of this review as positive, negative or neutral: I \
                      bought this for my brother, and he has used it every day since. Item";

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().unwrap();
    // `cargo bench` adds `--bench`.
    match args.as_slice() {
        ["cpu", ..] => cpu(),
        ["memory", "--bench"] => memory(100_000),
        ["memory", items, ..] => memory(number(items)),
        ["open", "--bench"] => open(1_000_000),
        ["open", items, ..] => open(number(items)),
        ["instructions", ..] => instructions(),
        // `memory` and `instructions` start this.
        ["one", url, form, items] => one(url, form, number(items)),
        _ => {
            cpu();
            memory(100_000);
            open(1_000_000);
        }
    }
}

/// A folder that is deleted when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("chatcore-bench-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn write_input(path: &Path, items: usize) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for number in 0..items {
        writeln!(
            file,
            "{{\"custom_id\":\"request-{number}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
             \"body\":{{\"model\":\"tiny\",\"messages\":[{{\"role\":\"user\",\"content\":\"{PROMPT} \
             {number}\"}}],\"max_tokens\":100}}}}"
        )
        .unwrap();
    }
    file.flush().unwrap();
}

fn client(url: &str) -> LlmClient {
    let executor = Arc::new(SmolExecutor::new());
    let transport = Http1Transport::builder(executor.clone())
        .max_idle(WORKERS)
        .build();
    LlmClient::builder(executor, Arc::new(transport))
        .provider(Provider::openai_compatible(url.to_owned(), "tiny").with_api_key("sk-bench"))
        .workers(WORKERS)
        .build()
        .unwrap()
}

fn server() -> (Process, String) {
    let server = Process::start(&mut Command::new(env!("CARGO_BIN_EXE_loopback"))).unwrap();
    // An answer of about 600 bytes, as in the other benchmarks.
    let url = format!("{}/words/56/v1", server.base_url());
    (server, url)
}

/// Runs a batch over files to its end.
fn with_journal(client: &LlmClient, folder: &Path, in_place: bool) {
    let output = folder.join("out.jsonl");
    for file in ["out.jsonl", "out.jsonl.run"] {
        let _ = std::fs::remove_file(folder.join(file));
    }
    let executor = Arc::clone(client.executor());
    smol::block_on(async {
        let input = folder.join("in.jsonl");
        let journal = FilesJournal::builder(executor, Identity::new(), input, output);
        let journal = Arc::new(journal.write_in_place(in_place).open().await.unwrap());
        let batch = BatchProcessor::requests(client).max_workers(WORKERS);
        let mut run = batch.process_journal(journal);
        while let Some(finished) = run.next().await {
            finished.unwrap().outcome.result.unwrap();
        }
    });
}

/// Runs the same batch only in memory.
fn without(client: &LlmClient, items: usize) {
    let batch: BatchProcessor<ChatRequest, ChatResponse> =
        BatchProcessor::requests(client).max_workers(WORKERS);
    let requests = (0..items).map(|number| {
        ChatRequest::new([Message::user(format!("{PROMPT} {number}"))])
            .model("tiny")
            .max_tokens(100)
    });
    smol::block_on(async {
        let mut results = batch.process_iter(requests);
        while let Some((_, result)) = results.next().await {
            result.unwrap();
        }
    });
}

fn cpu() {
    let (_server, url) = server();
    let (client, folder) = (client(&url), Folder::new());
    write_input(&folder.0.join("in.jsonl"), ITEMS);
    without(&client, ITEMS);
    let mut turns: [Vec<f64>; 5] = Default::default();
    for _ in 0..TURNS {
        let bare = measure(|| without(&client, ITEMS));
        let in_place = measure(|| with_journal(&client, &folder.0, true));
        let on_thread = measure(|| with_journal(&client, &folder.0, false));
        let figures = [bare, in_place, in_place - bare, on_thread, on_thread - bare];
        turns
            .iter_mut()
            .zip(figures)
            .for_each(|(turns, figure)| turns.push(figure));
    }
    println!(
        "cpu: {ITEMS} items, {WORKERS} at once, microseconds for each, median of {TURNS} turns"
    );
    let names = [
        "without a journal",
        "written in place",
        "  added",
        "on a thread",
        "  added",
    ];
    for (name, mut turns) in names.iter().zip(turns) {
        turns.sort_by(f64::total_cmp);
        let (least, most) = (turns[0], turns[TURNS - 1]);
        println!(
            "  {name:18} {:6.1}  ({least:.1} to {most:.1})",
            turns[TURNS / 2]
        );
    }
}

fn measure(run: impl FnOnce()) -> f64 {
    let start = ProcessTime::now();
    run();
    start.elapsed().as_secs_f64() * 1e6 / ITEMS as f64
}

/// Instructions of an item, from the difference between two runs, so that start-up does not count.
fn instructions() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("instructions: skipped, since there is no valgrind here");
        return;
    }
    let (_server, url) = server();
    let count = |form, items: usize| -> u64 {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().unwrap())
            .args(["one", &url, form, &items.to_string()])
            .output()
            .unwrap();
        let report = String::from_utf8(run.stderr).unwrap();
        let line = report
            .lines()
            .find_map(|line| line.split_once("Collected : "));
        line.unwrap().1.trim().parse().unwrap()
    };
    println!("instructions: of an item, without the kernel's");
    let bare = (count("none", 2_500) - count("none", 500)) / 2_000;
    println!("  without a journal  {bare:7}");
    for (name, form) in [
        ("written in place", "in_place"),
        ("on a thread", "on_thread"),
    ] {
        let each = (count(form, 2_500) - count(form, 500)) / 2_000;
        println!("  {name:18} {each:7} ({} added)", each.saturating_sub(bare));
    }
}

/// Runs `items` items in this process, and prints its peak memory and the time.
fn one(url: &str, form: &str, items: usize) {
    let folder = Folder::new();
    write_input(&folder.0.join("in.jsonl"), items);
    let start = Instant::now();
    match form {
        "none" => without(&client(url), items),
        form => with_journal(&client(url), &folder.0, form == "in_place"),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1));
    println!("{} {:.1}", peak.unwrap(), seconds(start.elapsed()));
}

fn memory(items: usize) {
    if !cfg!(target_os = "linux") {
        println!("memory: skipped, since it is read from Linux's /proc");
        return;
    }
    let (_server, url) = server();
    println!("memory: the most that a process held");
    for items in [10_000, items] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command
            .args(["one", &url, "in_place", &items.to_string()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (peak, took) = text.trim().split_once(' ').unwrap();
        println!("  {items:9} items: {peak} KiB, {took} s");
    }
}

fn open(items: usize) {
    let folder = Folder::new();
    let (input, output) = (folder.0.join("in.jsonl"), folder.0.join("out.jsonl"));
    write_input(&input, items);
    let executor = Arc::new(SmolExecutor::new());
    // Opens the run. Returns the number of its results, and the time.
    let open = || {
        let journal =
            FilesJournal::builder(executor.clone(), Identity::new(), &input, &output).force(true);
        let start = ProcessTime::now();
        let journal = smol::block_on(journal.open()).unwrap();
        (journal.counts().done, start.elapsed())
    };
    write_results(&input, &output);
    let size = |path: &Path| std::fs::metadata(path).unwrap().len() as f64 / 1e6;
    let (results, requests) = (size(&output), size(&input));
    println!(
        "open: {items} results of {results:.0} MB, {requests:.0} MB of input, all in the page cache"
    );
    for _ in 0..3 {
        let (done, took) = open();
        assert_eq!(done, items as u64);
        let took = seconds(took);
        println!("  {took:.2} s: {:.0} MB/s", (results + requests) / took);
    }
    let start = Instant::now();
    std::io::copy(&mut File::open(&output).unwrap(), &mut std::io::sink()).unwrap();
    println!(
        "  (reading the results alone: {:.2} s)",
        seconds(start.elapsed())
    );
}

/// Writes a result for each line of the input, with the digest of the line.
fn write_results(input: &Path, output: &Path) {
    use std::io::BufRead;
    let mut file = BufWriter::new(File::create(output).unwrap());
    let lines = std::io::BufReader::new(File::open(input).unwrap()).lines();
    let answer = "word ".repeat(56);
    for (number, line) in lines.enumerate() {
        let digest = twox_hash::XxHash3_64::oneshot(line.unwrap().as_bytes());
        writeln!(
            file,
            "{{\"id\":\"batch_req_{}_{digest:016x}_20_56\",\"custom_id\":\"request-{number}\",\"response\":\
             {{\"status_code\":200,\"request_id\":\"req-{number}\",\"body\":{{\"id\":\"chatcmpl-{number}\",\
             \"object\":\"chat.completion\",\"created\":1795934260,\"model\":\"tiny\",\"choices\":[{{\"index\":0,\
             \"message\":{{\"role\":\"assistant\",\"content\":\"{answer}\",\"refusal\":null}},\"logprobs\":null,\
             \"finish_reason\":\"stop\"}}],\"usage\":{{\"prompt_tokens\":20,\"completion_tokens\":56,\
             \"total_tokens\":76}}}}}},\"error\":null}}",
            number + 1
        )
        .unwrap();
    }
    file.flush().unwrap();
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

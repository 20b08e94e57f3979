//! One chat, one stream, one conversation, and ten prompts at once, each with the time it took.
//!
//! ```text
//! cargo run --release --bin quickstart
//! ```

use std::process::ExitCode;
use std::time::Duration;

use chatcore::{ChatResponse, Error, LlmClient, Message, gather_with_limit};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit, put, say};

/// How many of the ten prompts are in flight at once.
const LIMIT: usize = 4;

const TEN: [&str; 10] = [
    "What is 17 * 23?",
    "Translate 'good morning' to French.",
    "Count from 1 to 12.",
    "你好！",
    "What is (2 + 3) * 4?",
    "Why is the sky blue?",
    "Tell me a joke.",
    "12加30等于多少？",
    "Say hello, world.",
    "What is your name?",
];

fn main() -> ExitCode {
    exit(client_or_demo().and_then(|client| run_async_in_sync(run(&client))))
}

async fn run(client: &LlmClient) -> Result<(), Error> {
    one_chat(client).await?;
    one_stream(client).await?;
    one_conversation(client).await?;
    ten_at_once(client).await;
    show_status(client);
    client.close().await;
    Ok(())
}

async fn one_chat(client: &LlmClient) -> Result<(), Error> {
    heading("One chat");
    let prompt = "What is 17 * 23?";
    let began = client.executor().now();

    let answer = client.ask(prompt).await?;

    say!("> {prompt}\n{answer}");
    show_cost(&answer, client.executor().now() - began);
    Ok(())
}

async fn one_stream(client: &LlmClient) -> Result<(), Error> {
    heading("One stream, as it arrives");
    let prompt = "Write a short poem about the sea.";
    say!("> {prompt}");
    let began = client.executor().now();
    let mut first = None;

    let mut stream = client.ask(prompt).stream();
    while let Some(text) = stream.next_text().await {
        let text = text?;
        first.get_or_insert_with(|| client.executor().now() - began);
        put(format_args!("{text}"));
    }
    let answer = stream.into_response().await?;

    say!("");
    if let Some(first) = first {
        put(format_args!("first word after {}, ", seconds(first)));
    }
    show_cost(&answer, client.executor().now() - began);
    Ok(())
}

async fn one_conversation(client: &LlmClient) -> Result<(), Error> {
    heading("One conversation");
    let mut conversation = vec![Message::system("Answer in one sentence.")];
    for prompt in ["My name is Ada and I like tea.", "What is my name?"] {
        let began = client.executor().now();
        conversation.push(Message::user(prompt));

        let answer = client.ask(&conversation).await?;

        say!("> {prompt}\n{answer}");
        show_cost(&answer, client.executor().now() - began);
        conversation.push(answer.message);
    }
    Ok(())
}

async fn ten_at_once(client: &LlmClient) {
    heading(&format!("Ten prompts at once, {LIMIT} of them in flight"));
    let executor = client.executor();
    let began = executor.now();

    // 40 tokens leave no room for reasoning, which `chat_async` turns off where it can.
    let tasks = TEN.map(|prompt| async move {
        let began = executor.now();
        let answer = client.chat_async(prompt).max_tokens(40).await;
        (answer, executor.now() - began)
    });
    let answers = gather_with_limit(tasks, LIMIT).await;

    let took = executor.now() - began;
    let mut one_by_one = Duration::ZERO;
    for (prompt, (answer, took)) in TEN.iter().zip(answers) {
        one_by_one += took;
        // A failed prompt does not stop the others.
        let (tokens, answer) = match answer {
            Ok(answer) => (tokens(&answer), one_line(&answer.text())),
            Err(error) => ("failed".to_owned(), error.to_string()),
        };
        say!("{:>7}  {tokens:>9}  {prompt} → {answer}", seconds(took));
    }
    say!(
        "all ten took {}; one by one they would have taken {}",
        seconds(took),
        seconds(one_by_one)
    );
}

fn show_status(client: &LlmClient) {
    heading("Status");
    let status = client.status();
    say!(
        "{} workers, {} active, {} of {} queued; {} calls: {} succeeded, {} failed, {} cancelled",
        status.max_workers,
        status.active,
        status.queued,
        status.queue_size,
        status.started,
        status.succeeded,
        status.failed,
        status.cancelled
    );
}

fn heading(text: &str) {
    say!("\n── {text} ──");
}

fn show_cost(answer: &ChatResponse, took: Duration) {
    say!("[{}, {}]", seconds(took), tokens(answer));
}

/// The number of tokens of the prompt and of the answer.
fn tokens(answer: &ChatResponse) -> String {
    match &answer.usage {
        Some(usage) => format!("{}+{} tok", usage.input_tokens, usage.output_tokens),
        None => "? tok".to_owned(),
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// The beginning of a text, on one line.
fn one_line(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

//! A model that calls functions of the program. The loop runs the calls and sends the results back,
//! until the model answers with text. Each step is printed as it happens.
//!
//! ```text
//! cargo run --release --bin tools -- "What is 72 degrees Fahrenheit in Celsius?"
//! cargo run --release --bin tools -- --ask "What is 72 degrees Fahrenheit in Celsius?"
//! ```
//!
//! With `--ask`, the program asks before each call.

#![allow(clippy::print_stdout)] // an example program talks to people

use std::io::BufRead;
use std::process::ExitCode;

use chatcore::chat::ToolResult;
use chatcore::schemars::{self, JsonSchema};
use chatcore::{
    Approval, Error, FunctionTool, LlmClient, Message, Role, ToolContext, ToolError, ToolLoopEvent,
    Toolbox,
};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit, put, say};
use serde::Deserialize;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let asks = args.first().is_some_and(|arg| arg == "--ask");
    if asks {
        args.remove(0);
    }
    // The demo model calls a tool whose name is in the prompt.
    let prompt = match args.is_empty() {
        true => "convert_temperature: 72 degrees to celsius".to_owned(),
        false => args.join(" "),
    };
    exit(client_or_demo().and_then(|client| run_async_in_sync(run(&client, &prompt, asks))))
}

async fn run(client: &LlmClient, prompt: &str, asks: bool) -> Result<(), Error> {
    say!("> {prompt}");
    let mut work = client.ask(prompt).toolbox(&tools()?).max_turns(5);
    if asks {
        work = work.approval(ask);
    }
    let mut stream = work.stream();
    while let Some(event) = stream.next().await {
        match event? {
            ToolLoopEvent::CallAsked { call, .. } => say!("  {}({})", call.name, call.arguments),
            ToolLoopEvent::CallResult { result, .. } => say!("  → {}", shown(result)),
            event => put(format_args!("{}", event.as_text().unwrap_or_default())),
        }
    }
    let answer = stream.into_answer().await?;
    let tokens = answer.usage.map_or(0, |usage| usage.total_tokens());
    say!("\n({} turns, {tokens} tokens)", answer.turns);
    Ok(())
}

fn shown(result: ToolResult) -> String {
    let prefix = if result.is_error { "error: " } else { "" };
    format!(
        "{prefix}{}",
        Message::new(Role::Tool, result.content).text()
    )
}

/// Asks the person at the terminal. A thread reads the line, so that calls that are approved already
/// go on meanwhile.
async fn ask(call: ToolContext) -> Approval {
    put(format_args!(
        "  run {}({})? [y/n] ",
        call.name, call.arguments
    ));
    let line = smol::unblock(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    match line.await {
        Ok(line) if line.trim().eq_ignore_ascii_case("y") => Approval::Approve,
        _ => Approval::refuse("the user does not want this call"),
    }
}

/// What `convert_temperature` takes.
#[derive(Debug, Deserialize, JsonSchema)]
struct Convert {
    degrees: f64,
    /// The scale of the result.
    to: Scale,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Scale {
    Celsius,
    Fahrenheit,
}

/// What `count_letters` takes.
#[derive(Debug, Deserialize, JsonSchema)]
struct Count {
    text: String,
    /// One letter. Upper and lower case count as the same.
    letter: String,
}

fn tools() -> Result<Toolbox, Error> {
    let mut tools = Toolbox::new();
    tools.add(FunctionTool::of(
        "convert_temperature",
        "Converts degrees Fahrenheit to Celsius, or Celsius to Fahrenheit.",
        |Convert { degrees, to }| async move {
            match to {
                Scale::Celsius => format!("{:.1} °C", (degrees - 32.0) / 1.8),
                Scale::Fahrenheit => format!("{:.1} °F", degrees * 1.8 + 32.0),
            }
        },
    ))?;
    tools.add(FunctionTool::of(
        "count_letters",
        "Counts how often a letter is in a text.",
        |Count { text, letter }| async move {
            let letter = letter.to_lowercase();
            // The model reads the error, and may try again.
            if letter.chars().count() != 1 {
                return Err(ToolError::new("`letter` must be one letter"));
            }
            Ok(text.to_lowercase().matches(&letter).count().to_string())
        },
    ))?;
    Ok(tools)
}

//! A model that calls functions of the program. The program sends the results back until the model
//! answers with text.
//!
//! ```text
//! cargo run --release --bin tools -- "What is 72 degrees Fahrenheit in Celsius?"
//! ```

#![allow(clippy::print_stdout)] // an example program talks to people

use std::process::ExitCode;

use chatcore::chat::ToolResult;
use chatcore::schemars::{self, JsonSchema};
use chatcore::{Error, LlmClient, Message, Part, Role, Tool, ToolCall};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit};
use serde::Deserialize;

/// How many rounds of calls the model may make before it must answer.
const ROUNDS: usize = 5;

fn main() -> ExitCode {
    let prompt = std::env::args().nth(1);
    // The demo model calls a tool whose name is in the prompt.
    let prompt = prompt
        .as_deref()
        .unwrap_or("convert_temperature: 72 degrees to celsius");
    exit(client_or_demo().and_then(|client| run_async_in_sync(run(&client, prompt))))
}

async fn run(client: &LlmClient, prompt: &str) -> Result<(), Error> {
    println!("> {prompt}");
    let mut conversation = vec![Message::user(prompt)];
    for _ in 0..ROUNDS {
        let answer = client
            .chat_with_context_async(conversation.clone())
            .tool(convert_temperature())
            .await?;
        let results: Vec<Part> = answer.tool_calls().map(call).collect();
        if results.is_empty() {
            println!("{answer}");
            return Ok(());
        }
        // The answer with its calls is sent back unchanged, followed by the results.
        conversation.push(answer.message);
        conversation.push(Message::new(Role::Tool, results));
    }
    println!("no answer after {ROUNDS} rounds of calls");
    Ok(())
}

/// The arguments of the tool.
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

fn convert_temperature() -> Tool {
    Tool::of::<Convert>(
        "convert_temperature",
        "Converts degrees Fahrenheit to Celsius, or Celsius to Fahrenheit.",
    )
}

/// Runs one call. An error is sent to the model, which may try again.
fn call(call: &ToolCall) -> Part {
    let result = match call.name.as_str() {
        "convert_temperature" => convert(call),
        other => Err(format!("there is no tool {other:?}")),
    };
    println!("  {}({}) → {result:?}", call.name, call.arguments);
    match result {
        Ok(text) => ToolResult::new(&call.id, text),
        Err(why) => ToolResult::error(&call.id, why),
    }
    .into()
}

fn convert(call: &ToolCall) -> Result<String, String> {
    let Convert { degrees, to } = call.arguments().map_err(|error| error.to_string())?;
    Ok(match to {
        Scale::Celsius => format!("{:.1} °C", (degrees - 32.0) / 1.8),
        Scale::Fahrenheit => format!("{:.1} °F", degrees * 1.8 + 32.0),
    })
}

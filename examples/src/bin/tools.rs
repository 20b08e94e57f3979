//! A model that calls functions of the program. The program sends the results back until the model
//! answers with text.
//!
//! ```text
//! cargo run --release --bin tools -- "What is 72 degrees Fahrenheit in Celsius?"
//! ```

#![allow(clippy::print_stdout)] // an example program talks to people

use std::process::ExitCode;

use chatcore::chat::ToolResult;
use chatcore::serde_json::{Value, json};
use chatcore::{Error, LlmClient, Message, Part, Role, Tool, ToolCall};
use chatcore_adapters::run_async_in_sync;
use chatcore_examples::{client_or_demo, exit};

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

fn convert_temperature() -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": {
            "degrees": {"type": "number"},
            "to": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["degrees", "to"],
    });
    Tool::new("convert_temperature", parameters)
        .description("Converts degrees Fahrenheit to Celsius, or Celsius to Fahrenheit.")
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
    let arguments = call.arguments_json().map_err(|error| error.to_string())?;
    let degrees = arguments["degrees"]
        .as_f64()
        .ok_or("degrees must be a number")?;
    match arguments["to"].as_str() {
        Some("celsius") => Ok(format!("{:.1} °C", (degrees - 32.0) / 1.8)),
        Some("fahrenheit") => Ok(format!("{:.1} °F", degrees * 1.8 + 32.0)),
        _ => Err(format!(
            "`to` must be celsius or fahrenheit, not {}",
            given(&arguments["to"])
        )),
    }
}

fn given(value: &Value) -> String {
    match value {
        Value::Null => "missing".to_owned(),
        other => other.to_string(),
    }
}

//! The loop over tools, through its public API, in virtual time.

mod approval;
mod cancelling;
mod dialects;
mod events;
mod limits;
mod loops;
mod mistakes;
mod replies;
mod typed;
mod uses;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{FunctionTool, LlmClient, Message, Part, Role, Tool, ToolError, Toolbox};
use chatcore_adapters::sim::{Sim, SimExecutor};
use serde_json::{Value, json};

use crate::jobs::{Scripted, client};
use replies::{Ask, calls, text};

/// What the tools did, in order.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Notes in the log that a call was dropped before its end.
struct Dropped(Option<(Log, String)>);

impl Drop for Dropped {
    fn drop(&mut self) {
        if let Some((log, name)) = self.0.take() {
            log.add(format!("{name} dropped"));
        }
    }
}

/// A tool that takes `seconds` and returns `{name} {seconds} done`. It notes its beginning and its
/// end.
fn wait(sim: &Sim, log: &Log) -> FunctionTool {
    let schema = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "seconds": {"type": "integer"}},
        "required": ["name", "seconds"],
    });
    let (executor, log) = (sim.executor(), log.clone());
    FunctionTool::new(
        Tool::new("wait", schema).description("Waits."),
        move |arguments: Value| {
            let (executor, log) = (executor.clone(), log.clone());
            let name = arguments["name"].as_str().unwrap_or_default().to_owned();
            async move {
                log.add(format!("{name} begins at {}", seconds(&executor)));
                let mut dropped = Dropped(Some((log.clone(), name.clone())));
                let wait = Duration::from_secs(arguments["seconds"].as_u64().unwrap());
                executor.sleep(wait).await;
                dropped.0 = None;
                log.add(format!("{name} ends at {}", seconds(&executor)));
                format!("{name} is done")
            }
        },
    )
}

fn seconds(executor: &SimExecutor) -> u64 {
    executor.now().since_epoch().as_secs()
}

/// A tool that fails with the text that it is given.
fn fail() -> FunctionTool {
    let schema = json!({"type": "object", "properties": {"why": {"type": "string"}}});
    FunctionTool::new(Tool::new("fail", schema), |arguments: Value| async move {
        let why = arguments["why"].as_str().unwrap_or_default();
        Err::<String, _>(ToolError::new(why))
    })
}

/// A tool that panics.
fn panic() -> FunctionTool {
    let schema = json!({"type": "object", "properties": {}});
    FunctionTool::new(Tool::new("panic", schema), |_: Value| async move {
        std::panic::resume_unwind(Box::new("on purpose"));
        #[expect(unreachable_code, reason = "the output's type")]
        ""
    })
}

/// The tools `wait`, `fail` and `panic`.
fn tools(sim: &Sim, log: &Log) -> Toolbox {
    let mut tools = Toolbox::new();
    tools.add(wait(sim, log)).unwrap();
    tools.add(fail()).unwrap();
    tools.add(panic()).unwrap();
    tools
}

/// The arguments of `wait`.
fn waits(name: &str, seconds: u64) -> (&'static str, String) {
    let arguments = json!({"name": name, "seconds": seconds});
    ("wait", arguments.to_string())
}

/// A client of chat completions whose server asks for the calls of each turn, and then answers
/// "Done.".
fn asking(sim: &Sim, turns: Vec<Vec<(&'static str, String)>>) -> (LlmClient, Arc<Scripted>) {
    client(
        sim,
        replies::chat(),
        |builder| builder,
        move |number, sent| match turns.get(number) {
            Some(asked) => calls(sent, &Ask::of(asked)),
            None => text(sent, "Done."),
        },
    )
}

/// The results in a conversation: their ids, their texts, and whether they are errors.
fn results(messages: &[Message]) -> Vec<(String, String, bool)> {
    let results = messages.iter().filter(|message| message.role == Role::Tool);
    let parts = results.flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            Part::ToolResult(result) => {
                let text = Message::new(Role::Tool, result.content.clone());
                let text = text.text().into_owned();
                Some((result.call_id.clone(), text, result.is_error))
            }
            _ => None,
        })
        .collect()
}

//! What the tool loop costs above the calls that it makes: `cargo bench -p chatcore-tests --bench
//! tools`.
//!
//! The same conversations, once written out with bare calls and once with a `Toolbox`, in memory and
//! with tools that return at once. Prints the CPU time per turn of both, and the difference.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::chat::ToolResult;
use chatcore::{
    ByteStream, ChatResponse, FunctionTool, LlmClient, Message, Part, Provider, Role, Tool,
    Toolbox, Transport, TransportError,
};
use chatcore_adapters::executor::SmolExecutor;
use cpu_time::ProcessTime;
use http::{Request, Response};
use serde_json::{Value, json};

/// Turns of a conversation: all but the last one ask for calls.
const TURNS: usize = 20;
/// Conversations in one measurement.
const CONVERSATIONS: usize = 20;
/// Measurements, of which the median counts.
const ROUNDS: usize = 41;
/// The size of a tool's result, in bytes.
const RESULT: usize = 200;

/// A provider in memory.
#[derive(Debug)]
struct Memory {
    sent: AtomicUsize,
    asking: Bytes,
    answer: Bytes,
}

#[async_trait]
impl Transport for Memory {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let turn = self.sent.fetch_add(1, Relaxed) % TURNS + 1;
        let body = if turn == TURNS {
            &self.answer
        } else {
            &self.asking
        };
        Ok(Response::new(ByteStream::from_bytes(body.clone())))
    }
}

fn main() {
    println!(
        "{TURNS} turns, {RESULT} bytes of a tool's result; CPU time per turn, medians of {ROUNDS}"
    );
    println!("| calls in a turn | fetched | bare calls | with a toolbox | difference |");
    println!("|---|---|---|---|---|");
    for calls in [1, 4] {
        for streams in [false, true] {
            let client = client(calls, streams);
            let tools = toolbox();
            let (mut bare, mut looped) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                bare.push(measured(|| smol::block_on(written_out(&client, streams))));
                looped.push(measured(|| {
                    smol::block_on(with_toolbox(&client, &tools, streams))
                }));
            }
            let [bare, looped] = [bare, looped].map(median);
            let how = if streams { "as streams" } else { "whole" };
            let difference = looped - bare;
            println!("| {calls} | {how} | {bare:.1} µs | {looped:.1} µs | {difference:.1} µs |");
        }
    }
}

/// The CPU time per turn, in microseconds.
fn measured(run: impl Fn()) -> f64 {
    let before = ProcessTime::now();
    for _ in 0..CONVERSATIONS {
        run();
    }
    let spent: Duration = before.elapsed();
    spent.as_secs_f64() * 1e6 / (CONVERSATIONS * TURNS) as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

async fn with_toolbox(client: &LlmClient, tools: &Toolbox, streams: bool) {
    let work = client.ask("go").toolbox(tools).max_turns(100);
    let answer = match streams {
        false => work.await.unwrap(),
        true => {
            let mut stream = work.stream();
            while let Some(event) = stream.next().await {
                black_box(event.unwrap());
            }
            stream.into_answer().await.unwrap()
        }
    };
    assert_eq!(answer.turns as usize, TURNS);
}

/// The loop as a program without a toolbox would write it.
async fn written_out(client: &LlmClient, streams: bool) {
    let mut messages = vec![Message::user("go")];
    for turn in 1.. {
        let call = client.ask(&messages).tool(definition());
        let answer: ChatResponse = match streams {
            false => call.await.unwrap(),
            true => {
                let mut stream = call.stream();
                while let Some(event) = stream.next().await {
                    black_box(event.unwrap());
                }
                stream.into_response().await.unwrap()
            }
        };
        let mut results: Vec<Part> = Vec::new();
        for call in answer.tool_calls() {
            let arguments = call.arguments_json().unwrap();
            results.push(ToolResult::new(&call.id, look(&arguments)).into());
        }
        messages.push(answer.message);
        if results.is_empty() {
            assert_eq!(turn, TURNS);
            return;
        }
        messages.push(Message::new(Role::Tool, results));
    }
}

fn definition() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    });
    Tool::new("look", schema).description("Looks a city's weather up.")
}

fn look(arguments: &Value) -> String {
    assert_eq!(arguments["city"], "Lyon");
    "x".repeat(RESULT)
}

fn toolbox() -> Toolbox {
    let mut tools = Toolbox::new();
    let look = |arguments: Value| async move { look(&arguments) };
    tools.add(FunctionTool::new(definition(), look)).unwrap();
    tools
}

fn client(calls: usize, streams: bool) -> LlmClient {
    let call = |index: usize| {
        json!({"index": index, "id": format!("call_{index}"), "type": "function", "function":
            {"name": "look", "arguments": r#"{"city":"Lyon","days":3}"#}})
    };
    let calls: Vec<Value> = (0..calls).map(call).collect();
    let asking = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let answer = json!({"role": "assistant", "content": "Dry."});
    let transport = Memory {
        sent: AtomicUsize::new(0),
        asking: body(&asking, "tool_calls", streams),
        answer: body(&answer, "stop", streams),
    };
    let provider = Provider::openai_compatible("https://api.test/v1", "m").with_api_key("sk-test");
    LlmClient::builder(Arc::new(SmolExecutor::new()), Arc::new(transport))
        .provider(provider)
        .build()
        .unwrap()
}

fn body(message: &Value, reason: &str, streams: bool) -> Bytes {
    let usage = json!({"prompt_tokens": 50, "completion_tokens": 10, "total_tokens": 60});
    if !streams {
        let choice = json!({"index": 0, "message": message, "finish_reason": reason});
        let whole = json!({"id": "c", "model": "m", "choices": [choice], "usage": usage});
        return whole.to_string().into();
    }
    let chunk = |delta: &Value, reason: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": reason});
        json!({"id": "c", "model": "m", "choices": [choice]})
    };
    let events = [
        chunk(message, Value::Null),
        chunk(&json!({}), reason.into()),
        json!({"id": "c", "model": "m", "choices": [], "usage": usage}),
    ];
    let events = events.map(|event| format!("data: {event}\n\n"));
    format!("{}data: [DONE]\n\n", events.concat()).into()
}

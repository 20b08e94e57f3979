//! Twenty turns of a conversation with tools, with server-sent events and over WebSocket, on
//! loopback. Measures time and the client's CPU time per turn.
//! `cargo bench -p chatcore-tests --bench turns`
//!
//! The server is a separate process (this program with the argument `serve`), so that its CPU time
//! does not count. It answers at once, so only the client and the transfer are measured.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_tungstenite::tungstenite::{self, Message as Frame};
use chatcore::dialect::OpenAiResponses;
use chatcore::{LlmClient, Message, Provider, Tool, Transport};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::{Http1Transport, Proxies, WebSocketTransport};
use cpu_time::ProcessTime;
use serde_json::{Value, json};

const TURNS: usize = 20;
const CONVERSATIONS: usize = 20;
/// The size of a tool's result, in bytes.
const RESULT: usize = 4_000;

fn main() {
    if std::env::args().any(|word| word == "serve") {
        return serve();
    }
    let program = std::env::current_exe().unwrap();
    let mut server = Command::new(program)
        .arg("serve")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut base = String::new();
    BufReader::new(server.stdout.as_mut().unwrap())
        .read_line(&mut base)
        .unwrap();
    let base = base.trim();

    let executor = Arc::new(SmolExecutor::new());
    let http = Http1Transport::builder(executor.clone())
        .proxies(Proxies::none())
        .build();
    let sockets = || WebSocketTransport::new(executor.clone(), http.clone());
    let connector = chatcore_adapters::transport::websocket::Http1Connector::new(http.clone());
    let whole = WebSocketTransport::builder(executor.clone(), connector, http.clone());
    let transports: [(&str, Arc<dyn Transport>); 3] = [
        ("server-sent events", Arc::new(http.clone())),
        ("WebSocket", Arc::new(sockets())),
        (
            "WebSocket, whole input",
            Arc::new(whole.whole_input().build()),
        ),
    ];
    println!(
        "{TURNS} turns, {RESULT} bytes of a tool's result in each; medians of {CONVERSATIONS}"
    );
    for (name, transport) in transports {
        let provider = Provider::new("bench", base.to_owned(), "m", OpenAiResponses::default());
        let client = LlmClient::builder(executor.clone(), transport)
            .provider(provider)
            .build()
            .unwrap();
        let mut runs: Vec<_> = (0..CONVERSATIONS).map(|_| converse(&client)).collect();
        // The first conversation opens the connection.
        runs.remove(0);
        let [time, cpu] = [0, 1].map(|at| {
            let mut times: Vec<Duration> = runs.iter().map(|run| run[at]).collect();
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e6 / TURNS as f64
        });
        println!("{name:24} {time:8.1} µs and {cpu:8.1} µs of CPU for each turn");
    }
    server.kill().unwrap();
    server.wait().unwrap();
}

/// Runs one conversation. Returns its duration and its CPU time.
fn converse(client: &LlmClient) -> [Duration; 2] {
    let tool = Tool::new("look", json!({"type": "object", "properties": {}}));
    let result = "x".repeat(RESULT);
    let mut messages = vec![Message::user("go")];
    let (time, cpu) = (Instant::now(), ProcessTime::now());
    for _ in 0..TURNS {
        let call = client.chat_with_context_async(messages.clone());
        let answer = smol::block_on(call.tool(tool.clone()).into_future()).unwrap();
        let ids: Vec<_> = answer.tool_calls().map(|call| call.id.clone()).collect();
        assert_eq!(ids.len(), 1);
        messages.push(answer.message);
        let results = ids.into_iter();
        messages.extend(results.map(|id| Message::tool_result(id, result.clone())));
    }
    [time.elapsed(), cpu.elapsed()]
}

fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}/v1", listener.local_addr().unwrap());
    for socket in listener.incoming() {
        let socket = socket.unwrap();
        socket.set_nodelay(true).unwrap();
        std::thread::spawn(move || {
            let mut first = [0];
            socket.peek(&mut first).ok();
            match &first {
                b"G" => serve_web_socket(socket),
                _ => serve_http(socket),
            }
        });
    }
}

fn serve_web_socket(socket: TcpStream) {
    let mut socket = tungstenite::accept(socket).unwrap();
    let mut turn = 0;
    while let Ok(message) = socket.read() {
        let Frame::Text(text) = message else { continue };
        let create: Value = serde_json::from_str(&text).unwrap();
        turn += 1;
        for event in answer(turn, &create) {
            socket.send(Frame::text(event.to_string())).unwrap();
        }
    }
}

fn serve_http(socket: TcpStream) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut writer = socket;
    for turn in 1.. {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let create: Value = serde_json::from_slice(&body).unwrap();
        let events = answer(turn, &create);
        let body: String = events
            .iter()
            .map(|event| format!("data: {event}\n\n"))
            .collect();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer
            .write_all(&[head.as_bytes(), body.as_bytes()].concat())
            .unwrap();
    }
}

/// The events of one turn: a call of the tool.
fn answer(turn: usize, create: &Value) -> Vec<Value> {
    let item = json!({
        "type": "function_call", "id": format!("fc_{turn}"), "call_id": format!("call_{turn}"),
        "name": "look", "arguments": "{}", "status": "completed",
    });
    let response = json!({
        "id": format!("resp_{turn}"), "model": "m", "status": "completed", "output": [],
        "previous_response_id": create["previous_response_id"],
    });
    let events = [
        json!({"type": "response.created", "response": response}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": item}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": response}),
    ];
    let with_lane = |mut event: Value| {
        if let Some(lane) = create.get("stream_id") {
            event["stream_id"] = lane.clone();
        }
        event
    };
    events.into_iter().map(with_lane).collect()
}

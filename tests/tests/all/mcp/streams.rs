//! A pair of byte streams in memory, on the simulator's clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore_adapters::mcp::{McpClient, McpClientBuilder, McpErrorKind};
use chatcore_adapters::sim::{Sim, SimExecutor};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt, FutureExt};
use serde_json::{Value, json};

use super::script::text;

/// What a server writes for a message: texts, each after a time.
type Script = dyn Fn(&Value) -> Vec<(Duration, String)> + Send + Sync;

/// What the server has read.
type Seen = Arc<Mutex<Vec<Value>>>;

/// A builder of a client, and what its server has read. The server ends when its script returns
/// nothing for `exit`.
fn server(
    sim: &Sim,
    script: impl Fn(&Value) -> Vec<(Duration, String)> + Send + Sync + 'static,
) -> (McpClientBuilder, Seen) {
    let (output, writer) = piper::pipe(1 << 16);
    let (reader, input) = piper::pipe(1 << 16);
    let seen = Seen::default();
    let executor = sim.executor();
    executor.spawn(serve(
        sim.executor(),
        reader,
        writer,
        Box::new(script),
        seen.clone(),
    ));
    (McpClient::streams(executor, output, input), seen)
}

async fn serve(
    executor: Arc<SimExecutor>,
    reader: piper::Reader,
    mut writer: piper::Writer,
    script: Box<Script>,
    seen: Seen,
) {
    let mut lines = BufReader::new(reader);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        let message: Value = serde_json::from_str(&line).unwrap();
        seen.lock().unwrap().push(message.clone());
        for (after, text) in script(&message) {
            executor.sleep(after).await;
            if text == "exit" {
                return;
            }
            writer.write_all(text.as_bytes()).await.ok();
        }
    }
}

fn at_once(text: impl Into<String>) -> Vec<(Duration, String)> {
    vec![(Duration::ZERO, text.into())]
}

fn result(message: &Value, result: &Value) -> String {
    format!(
        "{}\n",
        json!({"jsonrpc": "2.0", "id": message["id"], "result": result})
    )
}

/// The answer to `initialize`, and none to other messages that a handshake has.
fn old(message: &Value) -> Vec<(Duration, String)> {
    match message["method"].as_str() {
        Some("initialize") => {
            let answer = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}});
            at_once(result(message, &answer))
        }
        _ => Vec::new(),
    }
}

fn methods(seen: &Seen) -> Vec<String> {
    let seen = seen.lock().unwrap();
    let methods = seen
        .iter()
        .map(|message| message["method"].as_str().unwrap_or("").to_owned());
    methods.collect()
}

#[test]
fn a_server_that_does_not_know_the_question_for_its_version_is_an_old_one() {
    // One says so, one says nothing.
    for is_silent in [false, true] {
        let sim = Sim::new(1);
        let (client, seen) = server(&sim, move |message| match message["method"].as_str() {
            Some("server/discover") if is_silent => Vec::new(),
            Some("server/discover") => {
                let error = json!({"code": -32601, "message": "Method not found"});
                at_once(format!(
                    "{}\n",
                    json!({"id": message["id"], "error": error})
                ))
            }
            Some("tools/call") => at_once(result(message, &text("done"))),
            _ => old(message),
        });
        let client = client.build().unwrap();
        sim.run(async {
            let before = sim.executor().now();
            let result = client.call_tool("search", json!({})).await.unwrap();
            assert_eq!(result.text(), "done");
            let waited = sim.executor().now() - before;
            assert_eq!(waited >= Duration::from_secs(5), is_silent, "{waited:?}");
            client.close().await;
        });
        let right = [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
        ];
        assert_eq!(methods(&seen), right);
    }
}

/// A new server that starts so slowly that it is taken for an old one.
#[test]
fn a_slow_start_does_not_hide_a_new_server() {
    let sim = Sim::new(1);
    let first = Mutex::new(true);
    let (client, seen) = server(&sim, move |message| {
        let is_first = std::mem::take(&mut *first.lock().unwrap());
        let after = Duration::from_secs(if is_first { 8 } else { 0 });
        let text = match message["method"].as_str() {
            Some("server/discover") => result(
                message,
                &json!({
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": {"tools": {}},
                }),
            ),
            _ => {
                let error = json!({"code": -32601, "message": "only 2026-07-28"});
                format!("{}\n", json!({"id": message["id"], "error": error}))
            }
        };
        vec![(after, text)]
    });
    let client = client.build().unwrap();
    let info = sim.run(client.connect()).unwrap();
    assert_eq!(info.protocol_version, "2026-07-28");
    assert_eq!(
        methods(&seen),
        ["server/discover", "initialize", "server/discover"]
    );
}

/// Answers in another order than the requests, between lines that are no messages.
#[test]
fn each_call_gets_its_own_answer() {
    let sim = Sim::new(1);
    let held = Mutex::new(Vec::new());
    let (client, _) = server(&sim, move |message| match message["method"].as_str() {
        Some("tools/call") => {
            let mut held = held.lock().unwrap();
            let name = message["params"]["name"].as_str().unwrap();
            held.push(result(message, &text(name)));
            if held.len() < 3 {
                return Vec::new();
            }
            let noise = "starting…\n\n{\"id\": 99999, \"result\": {}}\n{\"id\": 3\r\n";
            let mut lines = vec![(Duration::ZERO, noise.to_owned())];
            lines.extend(
                held.drain(..)
                    .rev()
                    .map(|line| (Duration::from_secs(1), line)),
            );
            lines
        }
        _ => old(message),
    });
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        let calls = ["a", "b", "c"].map(|name| client.call_tool(name, json!({})));
        let results = futures_util::future::try_join_all(calls).await.unwrap();
        let texts: Vec<_> = results.iter().map(|result| result.text()).collect();
        assert_eq!(texts, ["a", "b", "c"]);
    });
}

#[test]
fn a_dropped_call_and_a_late_one_are_cancelled() {
    let sim = Sim::new(1);
    let (client, seen) = server(&sim, old);
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        let dropped = async {
            sim.executor().sleep(Duration::from_secs(1)).await;
            Ok(Default::default())
        };
        client
            .call_tool("dropped", json!({}))
            .or(dropped)
            .await
            .unwrap();
        let error = client.call_tool("late", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Timeout);
        sim.executor().sleep(Duration::from_secs(1)).await;
    });
    let seen = seen.lock().unwrap();
    let of = |method: &str| -> Vec<_> {
        let messages = seen.iter().filter(|message| message["method"] == method);
        messages.cloned().collect()
    };
    let (calls, cancelled) = (of("tools/call"), of("notifications/cancelled"));
    assert_eq!((calls.len(), cancelled.len()), (2, 2));
    for (call, cancelled) in calls.iter().zip(&cancelled) {
        assert_eq!(call["id"], cancelled["params"]["requestId"]);
    }
}

#[test]
fn what_the_server_asks_is_answered() {
    let sim = Sim::new(1);
    let (client, seen) = server(&sim, |message| match message["method"].as_str() {
        Some("tools/call") => {
            let ask =
                "{\"id\": \"x\", \"method\": \"ping\"}\n{\"id\": 5, \"method\": \"roots/list\"}\n";
            at_once(ask.to_owned() + &result(message, &text("done")))
        }
        _ => old(message),
    });
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        client.call_tool("search", json!({})).await.unwrap();
        client.close().await;
        sim.executor().sleep(Duration::from_secs(1)).await;
    });
    let seen = seen.lock().unwrap();
    let replies: Vec<_> = seen
        .iter()
        .filter(|message| message.get("method").is_none())
        .collect();
    assert_eq!(
        replies[0],
        &json!({"jsonrpc": "2.0", "id": "x", "result": {}})
    );
    assert_eq!(
        (&replies[1]["id"], &replies[1]["error"]["code"]),
        (&json!(5), &json!(-32601))
    );
}

#[test]
fn a_server_that_ends_fails_what_waits_and_what_follows() {
    let sim = Sim::new(1);
    let (client, _) = server(&sim, |message| match message["method"].as_str() {
        Some("tools/call") => at_once("exit"),
        _ => old(message),
    });
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        let error = client.call_tool("search", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Interrupted, "{error}");
        let error = client.call_tool("search", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Connection, "{error}");
    });
}

#[test]
fn a_message_that_is_too_long_is_an_error_of_its_call() {
    let sim = Sim::new(1);
    let (client, _) = server(&sim, |message| match message["method"].as_str() {
        Some("tools/call") if message["params"]["name"] == "long" => {
            at_once(result(message, &text(&"x".repeat(5_000))))
        }
        Some("tools/call") => at_once(result(message, &text("short"))),
        _ => old(message),
    });
    let client = client
        .protocol_version("2025-06-18")
        .max_answer(4_000)
        .build()
        .unwrap();
    sim.run(async {
        let error = client.call_tool("long", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::TooLarge, "{error}");
        assert_eq!(
            client.call_tool("short", json!({})).await.unwrap().text(),
            "short"
        );
    });
}

/// A server that stops reading: its messages wait, and the tasks end with the client.
#[test]
fn a_server_that_does_not_read_holds_nothing_up() {
    let sim = Sim::new(1);
    let (output, _writer) = piper::pipe(16);
    let (_reader, input) = piper::pipe(16);
    let client = McpClient::streams(sim.executor(), output, input);
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        let error = client.connect().await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Timeout, "{error}");
        drop(client);
        sim.executor().sleep(Duration::from_secs(5)).await;
        assert_eq!(sim.executor().pending_tasks().len(), 0);
    });
}

/// What is sent over streams has no place for headers.
#[test]
fn tokens_are_refused() {
    let sim = Sim::new(1);
    let (client, _) = server(&sim, old);
    let error = client.bearer("tok-0123456789").build().unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Config);
}

/// `close` does not wait for a handshake that hangs.
#[test]
fn a_client_can_be_closed_while_it_connects() {
    let sim = Sim::new(1);
    let (client, _) = server(&sim, |_| Vec::new());
    let client = client.protocol_version("2025-06-18").build().unwrap();
    sim.run(async {
        let before = sim.executor().now();
        let close = async {
            sim.executor().sleep(Duration::from_secs(1)).await;
            client.close().await;
        };
        let (connected, ()) = futures_util::future::join(client.connect(), close).await;
        assert_eq!(connected.unwrap_err().kind(), McpErrorKind::Connection);
        assert_eq!(sim.executor().now() - before, Duration::from_secs(3));
        let error = client.connect().await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Closed);
    });
}

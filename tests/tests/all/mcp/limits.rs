//! Limits of time, on the simulator's clock, and of size.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError};
use chatcore_adapters::mcp::{McpClient, McpErrorKind};
use chatcore_adapters::sim::{Sim, SimExecutor};
use futures_util::stream;
use http::{Request, Response};
use serde_json::{Value, json};

use super::script::{event, text};

/// A server whose answers come piece by piece, each after a time.
struct Slow {
    executor: Arc<SimExecutor>,
    answer: Box<Pieces>,
    /// The methods or verbs that came.
    seen: Arc<Mutex<Vec<String>>>,
}

type Pieces = dyn Fn(&Value) -> Vec<(Duration, String)> + Send + Sync;

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let message: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let name = message["method"]
            .as_str()
            .unwrap_or(request.method().as_str());
        self.seen.lock().unwrap().push(name.to_owned());
        let (kind, pieces) = match name {
            "initialize" => {
                let result =
                    json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}});
                let answer = json!({"id": message["id"], "result": result});
                (
                    "application/json",
                    vec![(Duration::ZERO, answer.to_string())],
                )
            }
            name if name.starts_with("notifications/") => ("text/plain", Vec::new()),
            _ => ("text/event-stream", (self.answer)(&message)),
        };
        let executor = Arc::clone(&self.executor);
        let body = stream::unfold(pieces.into_iter(), move |mut pieces| {
            let executor = Arc::clone(&executor);
            async move {
                let (after, piece) = pieces.next()?;
                executor.sleep(after).await;
                Some((Ok(Bytes::from(piece)), pieces))
            }
        });
        let mut response = Response::new(ByteStream::new(body));
        response
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        Ok(response)
    }
}

impl fmt::Debug for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Slow")
    }
}

/// A client of a server with sessions, and what the server has seen.
fn client(
    sim: &Sim,
    answer: impl Fn(&Value) -> Vec<(Duration, String)> + Send + Sync + 'static,
) -> (McpClient, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::default();
    let slow = Slow {
        executor: sim.executor(),
        answer: Box::new(answer),
        seen: Arc::clone(&seen),
    };
    let client = McpClient::http(sim.executor(), slow, "http://localhost/mcp")
        .protocol_version("2025-11-25")
        .max_answer(100_000)
        .build();
    (client.unwrap(), seen)
}

fn answer(message: &Value) -> String {
    event(&json!({"id": message["id"], "result": text("done")}))
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_the_same() {
    let sim = Sim::new(1);
    let (client, _) = client(&sim, |message| {
        let bytes = answer(message).into_bytes();
        let piece = |byte: u8| (Duration::from_millis(100), char::from(byte).to_string());
        bytes.into_iter().map(piece).collect()
    });
    sim.run(async {
        let before = sim.executor().now();
        let result = client.call_tool("search", json!({})).await.unwrap();
        assert_eq!(result.text(), "done");
        // Each byte took its time.
        assert!(sim.executor().now() - before > Duration::from_secs(5));
    });
}

/// Bytes without an end do not keep a call alive.
#[test]
fn the_time_limit_holds_whatever_comes() {
    let sim = Sim::new(1);
    let (client, seen) = client(&sim, |_| {
        let progress = event(&json!({"method": "notifications/progress"}));
        vec![(Duration::from_secs(1), progress); 1_000]
    });
    sim.run(async {
        let before = sim.executor().now();
        let error = client.call_tool("search", json!({})).await.unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Timeout, "{error}");
        assert_eq!(sim.executor().now() - before, Duration::from_secs(60));
        client.close().await;
        sim.executor().sleep(Duration::from_secs(10)).await;
    });
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains(&"notifications/cancelled".to_owned()),
        "{seen:?}"
    );
}

#[test]
fn the_wait_before_a_stream_is_resumed_is_the_servers() {
    let sim = Sim::new(1);
    let (client, seen) = client(&sim, |message| match message["method"].as_str() {
        Some("tools/call") => vec![(Duration::ZERO, "retry: 7000\nid: 1\ndata:\n\n".to_owned())],
        // The number of the call.
        _ => vec![(Duration::ZERO, answer(&json!({"id": 2})))],
    });
    sim.run(async {
        let before = sim.executor().now();
        client.call_tool("search", json!({})).await.unwrap();
        assert_eq!(sim.executor().now() - before, Duration::from_secs(7));
    });
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "initialize",
            "notifications/initialized",
            "tools/call",
            "GET"
        ]
    );
}

#[test]
fn sizes_are_limited() {
    let line = "x".repeat(1_000);
    let cases: [Vec<String>; 3] = [
        // One event.
        vec![format!("data: {}\n\n", "x".repeat(100_001))],
        // One line without an end.
        vec![line.clone(); 200],
        // Many events that are no answer.
        vec![format!("data: {{\"method\": \"{line}\"}}\n\n"); 200],
    ];
    for pieces in cases {
        let sim = Sim::new(1);
        let (client, _) = client(&sim, move |_| {
            pieces
                .iter()
                .map(|piece| (Duration::ZERO, piece.clone()))
                .collect()
        });
        let error = sim.run(client.call_tool("search", json!({}))).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::TooLarge, "{error}");
    }
}

/// The list of a server that says after each page that there is another one. A page takes `after`
/// and has `bytes` bytes.
fn endless_list(after: Duration, bytes: usize) -> (McpErrorKind, Duration, usize) {
    let sim = Sim::new(1);
    let (client, seen) = client(&sim, move |message| {
        let next = format!("{}x", message["params"]["cursor"].as_str().unwrap_or(""));
        let page = json!({"tools": [], "nextCursor": next, "pad": "x".repeat(bytes)});
        let answer = json!({"id": message["id"], "result": page});
        vec![(after, event(&answer))]
    });
    let (kind, time) = sim.run(async {
        let before = sim.executor().now();
        let error = client.list_tools().await.unwrap_err();
        (error.kind(), sim.executor().now() - before)
    });
    let seen = seen.lock().unwrap();
    let pages = seen.iter().filter(|method| *method == "tools/list").count();
    (kind, time, pages)
}

#[test]
fn the_list_of_tools_has_one_limit_for_all_its_pages() {
    let second = Duration::from_secs(1);
    // No page is slow or large.
    let slow = endless_list(25 * second, 10);
    assert_eq!(slow, (McpErrorKind::Timeout, 60 * second, 3));
    let large = endless_list(Duration::ZERO, 40_000);
    assert_eq!(large, (McpErrorKind::TooLarge, Duration::ZERO, 3));
}

/// JSON that is deeper than a parser may recurse.
#[test]
fn deep_json_is_no_stack_overflow() {
    let deep = |message: &Value, field: &str| {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        format!(
            "data: {{\"id\": {}, \"result\": {{\"{field}\": {deep}}}}}\n\n",
            message["id"]
        )
    };
    for field in ["content", "structuredContent", "inputRequests", "tools"] {
        let sim = Sim::new(1);
        let (client, _) = client(&sim, move |message| {
            let notification = deep(message, "x").replace("\"id\"", "\"method\": \"x\", \"a\"");
            vec![
                (Duration::ZERO, notification.replace("result", "params")),
                (Duration::ZERO, deep(message, field)),
            ]
        });
        // A tool that cannot be read does not take the others away.
        if field == "tools" {
            let list = sim.run(client.list_tools()).unwrap();
            assert_eq!((list.tools.len(), list.rejected.len()), (0, 1));
            continue;
        }
        let error = sim.run(client.call_tool("search", json!({}))).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Protocol, "{field}");
    }
}

/// A server that wants the same call again, with a note of its own, or input from the user.
#[test]
fn a_result_that_wants_more_is_asked_for_again_or_refused() {
    let sim = Sim::new(1);
    let (client, seen) = client(&sim, |message| {
        let params = &message["params"];
        let result = match (params["name"].as_str(), params["requestState"].as_str()) {
            (Some("busy"), None) => json!({"resultType": "input_required", "requestState": "1"}),
            (Some("busy"), Some("1")) => {
                json!({"resultType": "input_required", "requestState": "2"})
            }
            (Some("busy"), Some("2")) => text("done"),
            (Some("ever"), _) => json!({"resultType": "input_required", "requestState": "x"}),
            (Some("new"), _) => json!({"resultType": "task"}),
            _ => json!({"resultType": "input_required", "inputRequests": {"a": {}}}),
        };
        vec![(
            Duration::ZERO,
            event(&json!({"id": message["id"], "result": result})),
        )]
    });
    sim.run(async {
        let result = client.call_tool("busy", json!({})).await.unwrap();
        assert_eq!(result.text(), "done");
        for (name, kind) in [
            ("ever", McpErrorKind::Protocol),
            ("new", McpErrorKind::Unsupported),
            ("ask", McpErrorKind::Unsupported),
        ] {
            let error = client.call_tool(name, json!({})).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
        }
    });
    assert!(seen.lock().unwrap().len() < 20);
}

//! Calls over HTTP, and what goes wrong there.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatcore_adapters::mcp::McpErrorKind;
use futures_lite::FutureExt;
use serde_json::{Value, json};
use smol::block_on;

use super::script::{Reply, Seen, Server, event, text};

type Refuse = fn(&Seen) -> Reply;

/// The answer to a call, beside what else a server may send on the stream.
#[test]
fn the_answer_is_found_among_everything_else() {
    let server = Server::with_sessions(|seen| {
        if seen.method() != "tools/call" {
            return Reply::accepted();
        }
        let id = seen.message["id"].as_u64().unwrap();
        let stranger = json!({"jsonrpc": "2.0", "id": id + 1000, "result": text("not yours")});
        let named = json!({"jsonrpc": "2.0", "id": "abc", "result": text("not yours")});
        let progress = json!({"method": "notifications/progress", "params": {"progress": 1}});
        let ping = json!({"jsonrpc": "2.0", "id": "p-1", "method": "ping"});
        let asks = json!({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage"});
        let mut body = String::from(": hello\n\nevent: other\ndata: {\"id\": 1}\n\n");
        for message in [stranger, named, progress, ping, asks] {
            body.push_str(&event(&message));
        }
        body.push_str("data: not JSON\n\ndata: [1, 2\n\ndata: 5\n\n");
        body.push_str(&event(&seen.result(text("yours"))));
        body.push_str(&event(&seen.result(text("too late"))));
        Reply::events(body)
    });
    let client = server.client();
    let result = block_on(client.call_tool("search", json!({}))).unwrap();
    assert_eq!(result.text(), "yours");
    let call = server.next_of("tools/call");
    assert_eq!(call.message["params"].get("_meta"), None);
    // What the server asked is answered, in the session.
    let pong = server.next();
    assert_eq!(
        pong.message,
        json!({"jsonrpc": "2.0", "id": "p-1", "result": {}})
    );
    assert_eq!(pong.header("mcp-session-id"), Some("s-1"));
    let refused = server.next();
    assert_eq!(
        (&refused.message["id"], &refused.message["error"]["code"]),
        (&json!(7), &json!(-32601))
    );
}

#[test]
fn notifications_are_reported() {
    let server = Server::stateless(|seen| {
        let token = &seen.message["params"]["_meta"]["progressToken"];
        let progress =
            json!({"method": "notifications/progress", "params": {"progressToken": token}});
        let log = json!({"method": "notifications/message", "params": {"data": "hi"}});
        let body = event(&progress) + &event(&log) + &event(&seen.result(text("done")));
        Reply::events(body)
    });
    let (tell, told) = std::sync::mpsc::channel();
    let client = server.builder().on_notification(move |method, params| {
        tell.send((method.to_owned(), params.clone())).unwrap();
        assert_ne!(
            method, "notifications/progress",
            "a panic stays in the function"
        );
    });
    let client = client.build().unwrap();
    block_on(client.call_tool("search", json!({}))).unwrap();
    let call = server.next_of("tools/call").message;
    let (first, params) = told.recv().unwrap();
    assert_eq!(
        (&*first, &params["progressToken"]),
        ("notifications/progress", &call["id"])
    );
    let (second, params) = told.recv().unwrap();
    assert_eq!(
        (&*second, &params["data"]),
        ("notifications/message", &json!("hi"))
    );
}

#[test]
fn a_lost_session_is_begun_again_once() {
    // 404 is what the protocol says; 400 is what many servers do.
    let refusals: [Refuse; 2] = [
        |_| Reply::status(404, "Not Found"),
        |seen| {
            let message = "Bad Request: No valid session ID provided";
            Reply::json(seen.error(-32000, message, Value::Null)).with_status(400)
        },
    ];
    for refusal in refusals {
        let calls = AtomicUsize::new(0);
        let server =
            Server::with_sessions(move |seen| match calls.fetch_add(1, Ordering::SeqCst) {
                1 => refusal(seen),
                _ => Reply::json(seen.result(text("done"))),
            });
        let client = server.client();
        for _ in 0..3 {
            block_on(client.call_tool("search", json!({}))).unwrap();
        }
        let methods = server.methods();
        let right = [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
            "tools/call",
            // The version is known.
            "initialize",
            "notifications/initialized",
            "tools/call",
            "tools/call",
        ];
        assert_eq!(methods, right);
    }
}

#[test]
fn a_session_that_is_lost_at_once_again_is_an_error() {
    let server = Server::with_sessions(|_| Reply::status(404, ""));
    let error = block_on(server.client().call_tool("search", json!({}))).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::SessionLost, "{error}");
    assert!(error.kind().is_before_running());
    let calls = server.methods();
    assert_eq!(
        calls
            .iter()
            .filter(|method| *method == "tools/call")
            .count(),
        2
    );
}

#[test]
fn errors_of_the_server_are_told() {
    let cases: [(Refuse, McpErrorKind, &str); 8] = [
        (
            |seen| Reply::json(seen.error(-32602, "Unknown tool", json!({"a": 1}))),
            McpErrorKind::Rpc,
            "Unknown tool (code -32602)",
        ),
        (
            |seen| Reply::json(seen.error(-32603, "broken", json!(1))).with_status(500),
            McpErrorKind::Rpc,
            "broken (code -32603, HTTP 500)",
        ),
        (
            |_| Reply::status(502, "bad gateway"),
            McpErrorKind::Status,
            "bad gateway (HTTP 502)",
        ),
        (
            |_| Reply::status(302, "").header("location", "https://example.com/?key=secret-value"),
            McpErrorKind::Status,
            "Found (HTTP 302): redirects are not followed",
        ),
        (
            |_| Reply::status(200, "<html>").header("content-type", "text/html; charset=utf-8"),
            McpErrorKind::Protocol,
            "\"text/html\"",
        ),
        (
            |_| Reply::accepted(),
            McpErrorKind::Protocol,
            "without an answer",
        ),
        (
            |_| Reply::json(json!({"jsonrpc": "2.0", "id": 10_000, "result": {}})),
            McpErrorKind::Protocol,
            "another request",
        ),
        (
            |_| Reply::status(200, "{").header("content-type", "application/json"),
            McpErrorKind::Protocol,
            "not JSON-RPC",
        ),
    ];
    for (reply, kind, what) in cases {
        let server = Server::stateless(reply);
        let error = block_on(server.client().call_tool("search", json!({}))).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let shown = error.to_string();
        assert!(shown.contains(what), "{shown}");
        assert!(!shown.contains("secret-value"), "{shown}");
    }
}

#[test]
fn arguments_that_are_no_object_are_refused_before_anything_is_sent() {
    let server = Server::stateless(|_| Reply::accepted());
    let error = block_on(server.client().call_tool("search", json!([1]))).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::InvalidInput);
    assert_eq!(server.methods(), [""; 0]);
}

/// Before 2026-07-28 the server is told; since then the end of the connection tells it.
#[test]
fn a_dropped_call_is_cancelled() {
    let hang = |_: &Seen| Reply::events(": wait\n\n").hang();
    for (server, end) in [
        (Server::with_sessions(hang), "notifications/cancelled"),
        (Server::stateless(hang), "GONE"),
    ] {
        let client = server.client();
        let call = async {
            client.call_tool("search", json!({})).await.unwrap();
            unreachable!("the call never ends")
        };
        let called = smol::unblock(move || {
            let id = server.next_of("tools/call").message["id"].clone();
            (server, id)
        });
        let (server, id) = block_on(call.or(called));
        let seen = server.next_of(end);
        if end != "GONE" {
            assert_eq!(seen.message["params"]["requestId"], id);
            assert_eq!(seen.header("mcp-session-id"), Some("s-1"));
        }
    }
}

/// The last clone and the last tool are dropped without `close`.
#[test]
fn a_dropped_client_ends_its_session() {
    let server = Server::with_sessions(|seen| {
        let tool = json!({"name": "search", "inputSchema": {"type": "object"}});
        Reply::json(seen.result(json!({"tools": [tool]})))
    });
    let client = server.client();
    let tools = block_on(client.tools().into_future()).unwrap();
    drop(client);
    drop(tools);
    let end = server.next_of("DELETE");
    assert_eq!(end.header("mcp-session-id"), Some("s-1"));
}

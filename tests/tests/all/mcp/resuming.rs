//! A stream that breaks before the result.

use std::sync::atomic::{AtomicUsize, Ordering};

use chatcore_adapters::mcp::McpErrorKind;
use serde_json::json;
use smol::block_on;

use super::script::{Reply, Server, event, event_with_id, text};

/// Ends the wait before each resumption.
const AT_ONCE: &str = "retry: 0\n\n";

#[test]
fn a_stream_with_ids_is_resumed_after_its_last_whole_event() {
    let id = AtomicUsize::new(0);
    let server = Server::with_sessions(move |seen| {
        let progress = json!({"method": "notifications/progress", "params": {}});
        match (&*seen.verb, seen.header("last-event-id")) {
            ("POST", _) => {
                id.store(
                    seen.message["id"].as_u64().unwrap() as usize,
                    Ordering::SeqCst,
                );
                let primed = format!("{AT_ONCE}id: e1\ndata:\n\n");
                Reply::events(primed + "id: e2\ndata: {\"half").cut()
            }
            // A connection that the server closes on purpose ends cleanly.
            ("GET", Some("e1")) => Reply::events(event_with_id("e3", &progress)),
            ("GET", Some("e3")) => {
                let id = id.load(Ordering::SeqCst);
                let result = json!({"jsonrpc": "2.0", "id": id, "result": text("whole")});
                Reply::events(event_with_id("e4", &result))
            }
            other => panic!("{other:?}"),
        }
    });
    let result = block_on(server.client().call_tool("search", json!({}))).unwrap();
    assert_eq!(result.text(), "whole");
    let resumed = server.next_of("GET");
    assert_eq!(resumed.header("accept"), Some("text/event-stream"));
    assert_eq!(resumed.header("mcp-session-id"), Some("s-1"));
    assert_eq!(resumed.header("mcp-protocol-version"), Some("2025-11-25"));
}

/// The call is not repeated, because the tool may have run.
#[test]
fn a_stream_that_cannot_be_resumed_is_interrupted() {
    let primed = format!("{AT_ONCE}id: e1\ndata:\n\n");
    for (first, resumed) in [
        (String::new(), Reply::status(500, "")),
        (primed.clone(), Reply::status(405, "")),
        (primed.clone(), Reply::status(404, "")),
        (primed.clone(), Reply::json(json!({}))),
        (primed.clone(), Reply::status(503, "")),
        (primed, Reply::events("").cut()),
    ] {
        let (gets, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let server = Server::with_sessions(move |seen| match &*seen.verb {
            "POST" => {
                assert_eq!(calls.fetch_add(1, Ordering::SeqCst), 0);
                Reply::events(first.clone()).cut()
            }
            _ => {
                assert!(gets.fetch_add(1, Ordering::SeqCst) < 5);
                resumed.clone()
            }
        });
        let error = block_on(server.client().call_tool("search", json!({}))).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Interrupted, "{error}");
        assert!(
            error
                .to_string()
                .ends_with("check before you call it again"),
            "{error}"
        );
        // Nobody waits for the answer any more.
        server.next_of("notifications/cancelled");
    }
}

/// Since 2026-07-28 there is nothing to resume.
#[test]
fn a_stateless_stream_is_never_resumed() {
    let server = Server::stateless(|seen| {
        let log = json!({"method": "notifications/message"});
        assert_eq!(seen.verb, "POST");
        Reply::events(format!("{AT_ONCE}{}", event_with_id("e1", &log))).cut()
    });
    let error = block_on(server.client().call_tool("search", json!({}))).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Interrupted);
    assert_eq!(server.methods(), ["server/discover", "tools/call"]);
}

#[test]
fn an_answer_that_cannot_be_read_is_told_instead_of_the_end_of_its_stream() {
    let server = Server::stateless(|seen| {
        let answer = event(&seen.result(text("done")));
        Reply::events(answer.replace("\"jsonrpc\"", "jsonrpc"))
    });
    let error = block_on(server.client().call_tool("search", json!({}))).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Protocol, "{error}");
}

/// A lost list is no tool that ran.
#[test]
fn a_lost_list_is_a_lost_connection() {
    let server = Server::stateless(|_| Reply::events("").cut());
    let error = block_on(server.client().list_tools()).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Connection, "{error}");
}

//! Which revision of the protocol is spoken.

use chatcore_adapters::mcp::McpErrorKind;
use serde_json::json;
use smol::block_on;

use super::script::{Reply, Server, initialized, text};

#[test]
fn a_server_without_sessions_is_asked_for_its_versions_once() {
    let server = Server::stateless(|seen| Reply::json(seen.result(text("done"))));
    let client = server.client();
    let info = block_on(client.connect()).unwrap();
    assert_eq!((&*info.name, &*info.version), ("new", "2"));
    assert_eq!(info.protocol_version, "2026-07-28");
    let result = block_on(client.call_tool("search 名", json!({"q": 1}))).unwrap();
    assert_eq!(result.text(), "done");
    block_on(client.close());

    let discover = server.next();
    assert_eq!(discover.method(), "server/discover");
    assert_eq!(discover.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(discover.header("mcp-method"), Some("server/discover"));
    let call = server.next();
    assert_eq!(call.verb, "POST");
    assert_eq!(
        call.header("accept"),
        Some("application/json, text/event-stream")
    );
    assert_eq!(call.header("content-type"), Some("application/json"));
    assert_eq!(call.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(call.header("mcp-method"), Some("tools/call"));
    assert_eq!(call.header("mcp-name"), Some("=?base64?c2VhcmNoIOWQjQ==?="));
    assert_eq!(call.header("mcp-session-id"), None);
    let params = &call.message["params"];
    assert_eq!(
        (&params["name"], &params["arguments"]),
        (&json!("search 名"), &json!({"q": 1}))
    );
    let meta = &params["_meta"];
    assert_eq!(
        meta["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    assert_eq!(
        meta["io.modelcontextprotocol/clientCapabilities"],
        json!({})
    );
    assert_eq!(
        meta["io.modelcontextprotocol/clientInfo"]["name"],
        "chatcore"
    );
    // There is no session to end.
    assert_eq!(server.methods(), [""; 0]);
}

#[test]
fn a_server_with_sessions_is_greeted() {
    let server = Server::with_sessions(|seen| Reply::json(seen.result(text("done"))));
    let client = server.builder().client_info("mine", "3").build().unwrap();
    let info = block_on(client.connect()).unwrap();
    assert_eq!(
        (&*info.name, &*info.protocol_version),
        ("old", "2025-11-25")
    );
    assert_eq!(info.instructions.as_deref(), Some("Ask me."));
    block_on(client.call_tool("search", json!(null))).unwrap();
    block_on(client.close());

    let initialize = server.next_of("initialize");
    assert_eq!(initialize.header("mcp-session-id"), None);
    assert_eq!(initialize.header("mcp-protocol-version"), None);
    let params = &initialize.message["params"];
    assert_eq!(params["protocolVersion"], "2025-11-25");
    assert_eq!(
        params["clientInfo"],
        json!({"name": "mine", "version": "3"})
    );
    for method in ["notifications/initialized", "tools/call", "DELETE"] {
        let seen = server.next();
        assert!(seen.method() == method || seen.verb == method, "{seen:?}");
        assert_eq!(seen.header("mcp-session-id"), Some("s-1"));
        assert_eq!(seen.header("mcp-protocol-version"), Some("2025-11-25"));
        assert_eq!(seen.header("mcp-method"), None);
        assert_eq!(seen.message["params"].get("_meta"), None);
    }
    let closed = block_on(client.connect()).unwrap_err();
    assert_eq!(closed.kind(), McpErrorKind::Closed);
}

/// However an old server refuses what it does not know.
#[test]
fn old_servers_refuse_in_many_ways() {
    let refusals: [fn() -> Reply; 6] = [
        || Reply::status(400, ""),
        || Reply::status(404, "<html>"),
        || Reply::status(405, "no"),
        || Reply::status(500, "{}"),
        || Reply::json(json!({"id": null, "error": {"code": -32601, "message": "what?"}})),
        || Reply::accepted(),
    ];
    for refusal in refusals {
        let server = Server::new(move |seen| match seen.method() {
            "server/discover" => refusal(),
            "initialize" => initialized(seen),
            _ => Reply::accepted(),
        });
        let info = block_on(server.client().connect()).unwrap();
        assert_eq!(info.protocol_version, "2025-11-25");
    }
}

#[test]
fn errors_that_say_nothing_of_the_version_are_the_answer() {
    for (status, kind) in [
        (401, McpErrorKind::Auth),
        (403, McpErrorKind::Auth),
        (429, McpErrorKind::Status),
        (503, McpErrorKind::Status),
    ] {
        let server = Server::new(move |_| Reply::status(status, "no"));
        let error = block_on(server.client().connect()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.status().map(|it| it.as_u16()), Some(status));
        assert_eq!(server.methods(), ["server/discover"]);
    }
}

#[test]
fn a_wrong_url_says_what_to_check() {
    for (status, says) in [(404, true), (405, true), (503, false)] {
        let server = Server::new(move |_| Reply::status(status, "<html>"));
        let error = block_on(server.client().connect()).unwrap_err();
        let told = error
            .message()
            .contains("check that the URL is that of the MCP endpoint");
        assert_eq!(told, says, "{error}");
    }
}

#[test]
fn a_server_that_names_its_versions_gets_the_newest_common_one() {
    let server = Server::new(|seen| match seen.method() {
        "server/discover" => {
            let supported = json!({"supported": ["2099-01-01", "2025-03-26", "2025-06-18"]});
            Reply::json(seen.error(-32022, "Unsupported", supported)).with_status(400)
        }
        "initialize" => initialized(seen),
        _ => Reply::accepted(),
    });
    let info = block_on(server.client().connect()).unwrap();
    assert_eq!(info.protocol_version, "2025-06-18");

    let server = Server::new(|seen| {
        let supported = json!({"supported": ["2099-01-01"]});
        Reply::json(seen.error(-32022, "Unsupported", supported)).with_status(400)
    });
    let error = block_on(server.client().connect()).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Unsupported);
    assert!(error.to_string().contains("2099-01-01"), "{error}");
}

#[test]
fn a_server_may_choose_an_older_version_but_no_unknown_one() {
    let choosing = |version: &'static str| {
        Server::new(move |seen| match seen.method() {
            "initialize" => Reply::json(seen.result(json!({"protocolVersion": version}))),
            "server/discover" => Reply::status(400, ""),
            _ => Reply::accepted(),
        })
    };
    let info = block_on(choosing("2024-11-05").client().connect()).unwrap();
    assert_eq!(info.protocol_version, "2024-11-05");
    for version in ["2099-01-01", "2026-07-28", ""] {
        let error = block_on(choosing(version).client().connect()).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Unsupported, "{error}");
    }
}

#[test]
fn a_version_that_the_caller_sets_is_not_asked_for() {
    let server = Server::with_sessions(|seen| Reply::json(seen.result(text("done"))));
    let client = server
        .builder()
        .protocol_version("2025-06-18")
        .build()
        .unwrap();
    let info = block_on(client.connect()).unwrap();
    assert_eq!(info.protocol_version, "2025-06-18");
    assert_eq!(
        server.methods(),
        ["initialize", "notifications/initialized"]
    );
    let wrong = server
        .builder()
        .protocol_version("1.0")
        .build()
        .unwrap_err();
    assert_eq!(wrong.kind(), McpErrorKind::Config);
}

#[test]
fn calls_that_begin_together_share_one_handshake() {
    let server = Server::with_sessions(|seen| Reply::json(seen.result(text("done"))));
    let client = server.client();
    let calls = (0..8).map(|_| client.call_tool("search", json!({})));
    let results = block_on(futures_util::future::join_all(calls));
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let greetings = |method: &String| method == "initialize";
    assert_eq!(server.methods().into_iter().filter(greetings).count(), 1);
}

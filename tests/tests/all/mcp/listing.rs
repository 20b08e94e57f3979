//! The list of tools: pages, limits, and definitions that are not valid.

use std::future::IntoFuture;

use chatcore_adapters::mcp::{McpErrorKind, McpToolList};
use serde_json::{Value, json};
use smol::block_on;

use super::script::{Reply, Seen, Server, text};

fn tool(name: &str) -> Value {
    json!({"name": name, "inputSchema": {"type": "object"}})
}

/// A server whose pages `page` writes from their cursors.
fn pages(page: impl Fn(Option<&str>) -> Value + Send + Sync + 'static) -> Server {
    Server::stateless(move |seen| {
        assert_eq!(seen.method(), "tools/list");
        Reply::json(seen.result(page(seen.message["params"]["cursor"].as_str())))
    })
}

fn names(list: &McpToolList) -> Vec<&str> {
    list.tools.iter().map(|tool| &*tool.name).collect()
}

#[test]
fn all_pages_are_read() {
    let server = pages(|cursor| match cursor {
        None => json!({"tools": [tool("a"), tool("b")], "nextCursor": "1"}),
        Some("1") => json!({"tools": [], "nextCursor": "2"}),
        Some("2") => json!({"tools": [tool("c")], "nextCursor": null}),
        Some(other) => panic!("{other}"),
    });
    let list = block_on(server.client().list_tools()).unwrap();
    assert_eq!(names(&list), ["a", "b", "c"]);
}

#[test]
fn a_list_without_an_end_is_an_error() {
    let again = pages(|_| json!({"tools": [], "nextCursor": "again"}));
    let empty = pages(|cursor| {
        let number = cursor.map_or(0, |it| it.parse().unwrap());
        json!({"tools": [], "nextCursor": (number + 1).to_string()})
    });
    let full = pages(|cursor| {
        let next = format!("{}x", cursor.unwrap_or(""));
        json!({"tools": [tool(&next)], "nextCursor": next})
    });
    for server in [again, empty, full] {
        let client = server.builder().max_tools(20).build().unwrap();
        let error = block_on(client.list_tools()).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::TooLarge, "{error}");
    }
}

#[test]
fn definitions_that_are_not_valid_are_listed_apart() {
    let header = json!({"type": "object", "properties": {
        "a": {"type": "string", "x-mcp-header": "not a name"},
    }});
    let elsewhere = json!({"type": "object", "properties": {"a": {"$ref": "https://x.test/y"}}});
    let page = json!({"tools": [
        tool("good"),
        {"name": "plain"},
        {"name": "list", "inputSchema": {"type": "array"}},
        {"name": "text", "inputSchema": "object"},
        {"inputSchema": {"type": "object"}},
        {"name": "header", "inputSchema": header},
        {"name": "elsewhere", "inputSchema": elsewhere},
        tool("good"),
        7,
        {"name": "", "inputSchema": {"type": "object"}},
    ]});
    let server = pages(move |_| page.clone());
    let list = block_on(server.client().list_tools()).unwrap();
    assert_eq!(names(&list), ["good", "plain"]);
    let rejected: Vec<_> = list.rejected.iter().map(|tool| &*tool.name).collect();
    let right = [
        "list",
        "text",
        "tool 5",
        "header",
        "elsewhere",
        "good",
        "tool 9",
        "",
    ];
    assert_eq!(rejected, right);
    assert!(list.rejected.iter().all(|tool| !tool.why.is_empty()));
}

#[test]
fn a_server_without_tools_has_an_empty_list() {
    let server = Server::new(|seen| match seen.method() {
        "server/discover" => Reply::status(400, ""),
        "initialize" => Reply::json(seen.result(json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {"resources": {}},
        }))),
        _ => Reply::accepted(),
    });
    let list = block_on(server.client().list_tools()).unwrap();
    assert_eq!(list, McpToolList::default());
    assert!(!server.methods().contains(&"tools/list".to_owned()));
}

#[test]
fn what_a_server_says_of_a_tool_is_kept() {
    let server = pages(|_| {
        json!({"tools": [{
            "name": "delete",
            "title": "Delete",
            "description": "Deletes a file.",
            "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}},
            "outputSchema": {"type": "boolean"},
            "annotations": {"readOnlyHint": false, "destructiveHint": true, "new": 1},
            "icons": [],
        }, {"name": "list", "annotations": {"readOnlyHint": true}}]})
    });
    let client = server.client();
    let list = block_on(client.list_tools()).unwrap();
    let delete = &list.tools[0];
    assert_eq!(delete.title.as_deref(), Some("Delete"));
    assert_eq!(delete.annotations.destructive, Some(true));
    assert_eq!(delete.annotations.idempotent, None);
    assert_eq!(delete.output_schema, Some(json!({"type": "boolean"})));
    let reading = client
        .tools()
        .filter(|tool| tool.annotations.read_only == Some(true));
    let reading = block_on(reading.filter(|tool| tool.name != "x").into_future()).unwrap();
    assert_eq!(reading.len(), 1);
    assert_eq!(reading[0].info().name, "list");
}

/// A server that has changed the headers of a tool since its list was read.
#[test]
fn arguments_are_repeated_in_headers_and_read_again_when_they_are_wrong() {
    let server = Server::stateless(|seen: &Seen| match seen.method() {
        "tools/list" => {
            let schema = json!({"type": "object", "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"},
            }});
            Reply::json(seen.result(json!({"tools": [{"name": "query", "inputSchema": schema}]})))
        }
        _ if seen.header("mcp-param-region") == Some("eu") => {
            Reply::json(seen.result(text("done")))
        }
        _ => Reply::json(seen.error(-32020, "Header mismatch", json!(null))).with_status(400),
    });
    let client = server.client();
    let result = block_on(client.call_tool("query", json!({"region": "eu"}))).unwrap();
    assert_eq!(result.text(), "done");
    let methods = server.methods();
    assert_eq!(
        methods,
        ["server/discover", "tools/call", "tools/list", "tools/call"]
    );
    let error = block_on(client.call_tool("query", json!({"region": null}))).unwrap_err();
    assert_eq!(error.code(), Some(-32020));
    assert_eq!(server.methods(), ["tools/call", "tools/list", "tools/call"]);
}

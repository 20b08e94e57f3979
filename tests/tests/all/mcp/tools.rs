//! A server's tools in a toolbox.

use std::future::IntoFuture;
use std::sync::Arc;

use chatcore::{LlmClient, Part, Provider, RunnableTool, ToolContext, Toolbox};
use chatcore_adapters::demo::DemoTransport;
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::mcp::McpTool;
use serde_json::{Value, json};
use smol::block_on;

use super::script::{Reply, Server, text};

/// A server with three tools, whose calls return what their argument `result` is.
fn server() -> Server {
    Server::stateless(|seen| match seen.method() {
        "tools/list" => Reply::json(seen.result(json!({"tools": [
            {"name": "read.file", "description": "Reads.", "inputSchema": {
                "$schema": "http://json-schema.org/draft-07/schema#",
                "type": "object",
                "properties": {"path": {"type": "string"}},
            }},
            {"name": "read/file", "title": "Reads, too"},
            {"name": "read_file"},
        ]}))),
        _ => match seen.message["params"]["arguments"].get("result") {
            Some(result) => Reply::json(seen.result(result.clone())),
            None => Reply::json(seen.error(-32602, "Unknown tool", json!(null))),
        },
    })
}

async fn run(tool: &McpTool, arguments: Value) -> Result<Vec<Part>, String> {
    let context = ToolContext::new("call_1", "files_read_file", arguments);
    let output = tool.run(context).await;
    output
        .map(|output| output.content)
        .map_err(|error| error.to_string())
}

#[test]
fn tools_have_names_and_schemas_that_providers_accept() {
    let client = server().client();
    let tools = block_on(client.tools().prefix("files ").into_future()).unwrap();
    let mut toolbox = Toolbox::new();
    for tool in tools {
        toolbox.add(tool).unwrap();
    }
    let definitions: Vec<_> = toolbox.definitions().collect();
    let names: Vec<_> = definitions.iter().map(|tool| &*tool.name).collect();
    assert_eq!(
        names,
        ["files_read_file", "files_read_file_2", "files_read_file_3"]
    );
    assert_eq!(definitions[0].description.as_deref(), Some("Reads."));
    assert_eq!(definitions[1].description.as_deref(), Some("Reads, too"));
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    assert_eq!(definitions[0].parameters, schema);
    assert_eq!(
        definitions[2].parameters,
        json!({"type": "object", "properties": {}})
    );
}

#[test]
fn results_and_errors_are_what_the_model_reads() {
    let server = server();
    let client = server.client();
    let tools = block_on(client.tools().into_future()).unwrap();
    block_on(async {
        let tool = &tools[0];
        let content = json!([
            {"type": "text", "text": "a"},
            {"type": "image", "mimeType": "image/png", "data": "QUJD"},
        ]);
        let parts = run(tool, json!({"result": {"content": content}}))
            .await
            .unwrap();
        assert_eq!(
            parts,
            [Part::text("a"), Part::image_base64("image/png", "QUJD")]
        );
        let failed = json!({"result": {"isError": true, "content": content}});
        assert_eq!(run(tool, failed).await.unwrap_err(), "a");
        let silent = json!({"result": {"isError": true}});
        assert_eq!(
            run(tool, silent).await.unwrap_err(),
            "the tool failed without a message"
        );
        let unknown = run(tool, json!({})).await.unwrap_err();
        assert_eq!(unknown, "Unknown tool (code -32602)");
    });
    // It is called by the server's own name.
    let call = server.next_of("tools/call");
    assert_eq!(call.message["params"]["name"], "read.file");
}

#[test]
fn media_that_few_providers_accept_are_sent_only_if_asked_for() {
    let client = server().client();
    let audio = json!({"type": "audio", "mimeType": "audio/wav", "data": "QUJD"});
    let arguments = json!({"result": {"content": [audio]}});
    block_on(async {
        let tools = client.tools().await.unwrap();
        let parts = run(&tools[0], arguments.clone()).await.unwrap();
        assert_eq!(parts[0].kind(), "text");
        let tools = client.tools().all_media().await.unwrap();
        let parts = run(&tools[0], arguments).await.unwrap();
        assert_eq!(parts, [Part::audio_base64("audio/wav", "QUJD")]);
    });
}

/// A model, here the demo model, that calls a server's tool and answers with its result.
#[test]
fn a_model_uses_them() {
    let server = Server::stateless(|seen| match seen.method() {
        "tools/list" => {
            let schema = json!({
                "type": "object",
                "properties": {"text": {"type": "string"}},
                "required": ["text"],
            });
            let tool = json!({"name": "shout", "description": "Shouts.", "inputSchema": schema});
            Reply::json(seen.result(json!({"tools": [tool]})))
        }
        _ => Reply::json(seen.result(text("HELLO!"))),
    });
    let executor = Arc::new(SmolExecutor::new());
    let model = LlmClient::builder(executor, Arc::new(DemoTransport::new()));
    let model = model.provider(Provider::demo()).build().unwrap();
    let client = server.client();
    let answer = block_on(async {
        let mut toolbox = Toolbox::new();
        for tool in client.tools().await.unwrap() {
            toolbox.add(tool).unwrap();
        }
        model.ask("shout: hello").toolbox(&toolbox).await.unwrap()
    });
    assert!(answer.text().contains("HELLO!"), "{}", answer.text());
    assert_eq!(answer.turns, 2);
    let call = server.next_of("tools/call");
    assert_eq!(
        call.message["params"]["arguments"],
        json!({"text": "hello"})
    );
}

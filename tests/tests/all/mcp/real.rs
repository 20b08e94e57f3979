//! Two real servers, over HTTP and as programs: `@modelcontextprotocol/server-everything` of npm,
//! which has sessions, and one of the Python package `mcp`, which has none. `CHATCORE_MCP` is the
//! folder in which `.ci/install` put them.

use std::future::IntoFuture;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chatcore::{RunnableTool, ToolContext, Toolbox};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::mcp::{McpClient, McpCommand, McpContent, McpErrorKind};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use futures_lite::FutureExt;
use serde_json::json;
use smol::block_on;

/// The commands of the servers, without arguments for HTTP.
fn everything() -> Vec<String> {
    let script = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    vec!["node".to_owned(), in_folder(script)]
}

fn python() -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/mcp/server.py");
    vec![in_folder("python/bin/python"), script.to_owned()]
}

fn in_folder(path: &str) -> String {
    let folder = PathBuf::from(std::env::var("CHATCORE_MCP").unwrap());
    folder.join(path).to_str().unwrap().to_owned()
}

/// A server over HTTP. It ends with this value.
struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn start(command: &[String], args: impl Fn(u16) -> Vec<String>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_at(port, command, &args(port))
    }

    fn start_at(port: u16, command: &[String], args: &[String]) -> Self {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .args(args)
            .env("PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(child.try_wait().unwrap(), None, "the server has ended");
            std::thread::sleep(Duration::from_millis(50));
        }
        let url = format!("http://127.0.0.1:{port}/mcp");
        Self { child, url }
    }

    fn everything() -> Self {
        Self::start(&everything(), |_| vec!["streamableHttp".to_owned()])
    }

    fn python() -> Self {
        Self::start(&python(), |port| vec![port.to_string()])
    }

    /// A client on each native pair.
    fn clients(&self) -> [McpClient; 2] {
        let smol = Arc::new(SmolExecutor::new());
        let pool = ThreadPool::new(4).unwrap();
        let http = Http1Transport::new(smol.clone());
        let ureq = UreqTransport::new(pool.clone());
        [
            McpClient::http(smol, http, &*self.url).build().unwrap(),
            McpClient::http(Arc::new(pool), ureq, &*self.url)
                .build()
                .unwrap(),
        ]
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn program(command: &[String], args: &[&str]) -> McpClient {
    let command = McpCommand::new(&command[0]).args(&command[1..]).args(args);
    let client = McpClient::stdio(Arc::new(SmolExecutor::new()), command);
    client.build().unwrap()
}

async fn uses_everything(client: &McpClient) {
    let info = client.connect().await.unwrap();
    assert_eq!(info.name, "mcp-servers/everything");
    assert_eq!(info.protocol_version, "2025-11-25");
    let tools = client.tools().prefix("every_").await.unwrap();
    let sum = tools
        .iter()
        .find(|tool| tool.info().name == "get-sum")
        .unwrap();
    let context = ToolContext::new("1", "every_get-sum", json!({"a": 2, "b": 40}));
    let output = sum.run(context).await.unwrap();
    assert!(output.text().contains("42"), "{}", output.text());
    let image = client.call_tool("get-tiny-image", json!({})).await.unwrap();
    let is_image = |content: &McpContent| matches!(content, McpContent::Image { .. });
    assert!(image.content.iter().any(is_image), "{image:?}");
    let place = json!({"location": "Chicago"});
    let structured = client
        .call_tool("get-structured-content", place)
        .await
        .unwrap();
    assert!(structured.structured.unwrap()["temperature"].is_number());
    let wrong = client
        .call_tool("get-sum", json!({"a": "two"}))
        .await
        .unwrap();
    assert!(wrong.is_error && !wrong.text().is_empty());
    let unknown = client.call_tool("nothing", json!({})).await.unwrap();
    assert!(unknown.is_error);
    let slow = json!({"duration": 1, "steps": 4});
    let slow = client
        .call_tool("trigger-long-running-operation", slow)
        .await
        .unwrap();
    assert!(slow.text().contains("completed"), "{}", slow.text());
}

async fn uses_python(client: &McpClient) {
    let info = client.connect().await.unwrap();
    assert_eq!((&*info.name, &*info.version), ("chatcore-tests", "1.2.3"));
    assert_eq!(info.protocol_version, "2026-07-28");
    assert_eq!(info.instructions.as_deref(), Some("Add numbers with add."));
    let mut toolbox = Toolbox::new();
    for tool in client.tools().into_future().await.unwrap() {
        toolbox.add(tool).unwrap();
    }
    let add = toolbox.get("add").unwrap();
    let output = add
        .run(ToolContext::new("1", "add", json!({"a": 2, "b": 40})))
        .await;
    assert_eq!(output.unwrap().text(), "42");
    let total = client
        .call_tool("total", json!({"terms": [1, 2, 3]}))
        .await
        .unwrap();
    assert_eq!(
        total.structured,
        Some(json!({"total": 6, "terms": [1, 2, 3]}))
    );
    let failed = client
        .call_tool("fail", json!({"why": "because"}))
        .await
        .unwrap();
    assert!(
        failed.is_error && failed.text().contains("fail"),
        "{}",
        failed.text()
    );
    let dot = client.call_tool("dot", json!({})).await.unwrap();
    assert!(
        matches!(dot.content[..], [McpContent::Image { .. }]),
        "{dot:?}"
    );
    let odd = client
        .call_tool("名前.tool/a b", json!({"text": "ábc"}))
        .await
        .unwrap();
    assert_eq!(odd.text(), "cbá");
    let counted = client.call_tool("count", json!({"to": 5})).await.unwrap();
    assert_eq!(counted.text(), "counted to 5");
    // A call that is dropped leaves the others as they are.
    let hang = async {
        client
            .call_tool("hang", json!({}))
            .await
            .map(|result| result.text())
    };
    let other = async {
        let result = client.call_tool("add", json!({"a": 1, "b": 1})).await;
        result.map(|result| result.text())
    };
    assert_eq!(hang.or(other).await.unwrap(), "2");
}

#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_server_with_sessions_over_http() {
    let server = Running::everything();
    for client in server.clients() {
        block_on(async {
            uses_everything(&client).await;
            client.close().await;
        });
    }
}

/// The server forgets all sessions when it starts again.
#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_session_is_begun_again_after_the_server_was() {
    let server = Running::everything();
    let [client, _] = server.clients();
    let echo = || block_on(client.call_tool("echo", json!({"message": "hi"})));
    echo().unwrap();
    let url = server.url.clone();
    drop(server);
    assert_eq!(echo().unwrap_err().kind(), McpErrorKind::Connection);
    let port = url
        .trim_end_matches("/mcp")
        .rsplit(':')
        .next()
        .unwrap()
        .parse();
    let _again = Running::start_at(port.unwrap(), &everything(), &["streamableHttp".to_owned()]);
    assert_eq!(echo().unwrap().text(), "Echo: hi");
}

#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_server_with_sessions_as_a_program() {
    let client = program(&everything(), &["stdio"]);
    block_on(async {
        uses_everything(&client).await;
        client.close().await;
    });
}

#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_server_without_sessions_over_http() {
    let server = Running::python();
    for client in server.clients() {
        block_on(uses_python(&client));
    }
}

#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_server_without_sessions_as_a_program() {
    let client = program(&python(), &[]);
    block_on(async {
        uses_python(&client).await;
        client.close().await;
    });
}

/// The Python server speaks the older revisions, too.
#[test]
#[cfg_attr(not(has_mcp), ignore = "no MCP servers: set CHATCORE_MCP")]
fn a_server_of_both_kinds_with_the_handshake() {
    let server = Running::python();
    let executor = Arc::new(SmolExecutor::new());
    let http = Http1Transport::new(executor.clone());
    let (tell, told) = std::sync::mpsc::channel();
    let client = McpClient::http(executor, http, &*server.url)
        .protocol_version("2025-11-25")
        .on_notification(move |method, _| tell.send(method.to_owned()).unwrap())
        .build()
        .unwrap();
    block_on(async {
        assert_eq!(
            client.connect().await.unwrap().protocol_version,
            "2025-11-25"
        );
        let counted = client.call_tool("count", json!({"to": 3})).await.unwrap();
        assert_eq!(counted.text(), "counted to 3");
        client.close().await;
    });
    assert!(
        told.try_iter()
            .any(|method| method == "notifications/progress")
    );
}

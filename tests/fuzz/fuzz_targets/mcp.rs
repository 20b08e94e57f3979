//! Answers of an MCP server: any split gives the same result, and none is shown at length.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chatcore::{BoxFuture, ByteStream, Executor, Instant, Transport, TransportError, async_trait};
use chatcore_adapters::mcp::McpClient;
use chatcore_fuzz::cut;
use futures_lite::future::block_on;
use futures_lite::stream;
use http::{Request, Response};
use libfuzzer_sys::fuzz_target;

/// Time stands still, and nothing runs in the background.
#[derive(Debug)]
struct Still;

impl Executor for Still {
    fn spawn(&self, _: BoxFuture<'static, ()>) {}

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(Duration::ZERO)
    }
}

const DISCOVERED: &str = r#"{"jsonrpc": "2.0", "id": 1, "result": {
    "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}}"#;

/// Answers the first request rightly, and all others with these pieces.
#[derive(Debug)]
struct Server {
    status: u16,
    kind: &'static str,
    pieces: Vec<Bytes>,
}

#[async_trait]
impl Transport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let response = Response::builder();
        let is_first = request.headers()["mcp-method"] == "server/discover";
        let (response, body) = match is_first {
            true => (
                response.header("content-type", "application/json"),
                ByteStream::from_bytes(DISCOVERED),
            ),
            false => (
                response
                    .status(self.status)
                    .header("content-type", self.kind),
                ByteStream::new(stream::iter(self.pieces.clone().into_iter().map(Ok))),
            ),
        };
        Ok(response.body(body).unwrap())
    }
}

/// What a client makes of the answer.
fn told(choice: u8, pieces: Vec<Bytes>) -> String {
    let server = Server {
        status: [200, 400][usize::from(choice & 1)],
        kind: ["text/event-stream", "application/json"][usize::from(choice >> 1 & 1)],
        pieces,
    };
    let client = McpClient::http(Arc::new(Still), server, "http://localhost/mcp");
    let client = client
        .max_tools(50)
        .on_notification(|_, _| {})
        .build()
        .unwrap();
    let (text, error) = block_on(async {
        match choice & 4 {
            0 => match client.list_tools().await {
                Ok(list) => (format!("{list:?}"), None),
                Err(error) => (String::new(), Some(error)),
            },
            _ => match client.call_tool("a", Default::default()).await {
                Ok(result) => (format!("{result:?} {:?}", result.parts(true)), None),
                Err(error) => (String::new(), Some(error)),
            },
        }
    });
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(error.len() < 16 << 10 && !error.contains('\n'));
    text + &error
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let Some((at, data)) = cut(data) else {
        return;
    };
    let pieces = |pieces: &[&[u8]]| -> Vec<Bytes> {
        pieces
            .iter()
            .map(|piece| Bytes::copy_from_slice(piece))
            .collect()
    };
    let whole = told(*choice, pieces(&[data]));
    assert_eq!(told(*choice, pieces(&[&data[..at], &data[at..]])), whole);
});

//! An MCP server over real sockets that answers as a test tells it.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::mcp::{McpClient, McpClientBuilder};
use chatcore_adapters::transport::Http1Transport;
use serde_json::{Value, json};

/// Only a hang takes this long.
pub(super) const HANG: Duration = Duration::from_secs(120);

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) verb: String,
    pub(super) headers: HashMap<String, String>,
    /// The message. `null` if the body is empty.
    pub(super) message: Value,
}

impl Seen {
    pub(super) fn method(&self) -> &str {
        self.message["method"].as_str().unwrap_or("")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The answer to this request, with `result`.
    pub(super) fn result(&self, result: Value) -> Value {
        json!({"jsonrpc": "2.0", "id": self.message["id"], "result": result})
    }

    /// The answer to this request, with an error.
    pub(super) fn error(&self, code: i64, message: &str, data: Value) -> Value {
        let error = json!({"code": code, "message": message, "data": data});
        json!({"jsonrpc": "2.0", "id": self.message["id"], "error": error})
    }
}

/// What the server does with one request.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The body is whole.
    Whole,
    /// The connection is closed before the body is whole.
    Cut,
    /// Nothing more comes until the client closes the connection.
    Hang,
}

impl Reply {
    pub(super) fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            end: End::Whole,
        }
    }

    pub(super) fn json(message: Value) -> Self {
        Self::status(200, message.to_string()).header("content-type", "application/json")
    }

    /// Events, as they are written on the wire.
    pub(super) fn events(text: impl Into<String>) -> Self {
        Self::status(200, text.into()).header("content-type", "text/event-stream")
    }

    pub(super) fn accepted() -> Self {
        Self::status(202, "")
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn cut(mut self) -> Self {
        self.end = End::Cut;
        self
    }

    pub(super) fn hang(mut self) -> Self {
        self.end = End::Hang;
        self
    }
}

/// An event with this message.
pub(super) fn event(message: &Value) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// An event with an id and this message.
pub(super) fn event_with_id(id: &str, message: &Value) -> String {
    format!("id: {id}\ndata: {message}\n\n")
}

/// A running server. Its thread ends with the process.
pub(super) struct Server {
    pub(super) url: String,
    seen: Receiver<Seen>,
}

type Answer = dyn Fn(&Seen) -> Reply + Send + Sync;

impl Server {
    /// A server that answers each request with `answer`.
    pub(super) fn new(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (tell, seen) = mpsc::channel();
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (tell, answer) = (tell.clone(), Arc::clone(&answer));
                thread::spawn(move || serve(&connection.unwrap(), &tell, &*answer));
            }
        });
        Self { url, seen }
    }

    /// A server with sessions, as they were before 2026-07-28, whose other requests `answer`
    /// answers. The id of the session is `s-1`.
    pub(super) fn with_sessions(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |seen| match seen.method() {
            "server/discover" => {
                Reply::json(seen.error(-32000, "Server not initialized", json!(1))).with_status(400)
            }
            "initialize" => initialized(seen).header("mcp-session-id", "s-1"),
            "notifications/initialized" | "notifications/cancelled" => Reply::accepted(),
            _ if seen.verb == "DELETE" => Reply::status(200, ""),
            _ => answer(seen),
        })
    }

    /// A server since 2026-07-28, whose other requests `answer` answers.
    pub(super) fn stateless(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::new(move |seen| match seen.method() {
            "server/discover" => Reply::json(seen.result(json!({
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "new", "version": "2"}},
            }))),
            _ => answer(seen),
        })
    }

    pub(super) fn builder(&self) -> McpClientBuilder {
        let executor = Arc::new(SmolExecutor::new());
        let http = Http1Transport::new(executor.clone());
        McpClient::http(executor, http, &*self.url)
    }

    pub(super) fn client(&self) -> McpClient {
        self.builder().build().unwrap()
    }

    /// The next request that came.
    pub(super) fn next(&self) -> Seen {
        self.seen.recv_timeout(HANG).unwrap()
    }

    /// The next request with this method or verb, or the end of one that hung (`GONE`). Those before
    /// it are passed over.
    pub(super) fn next_of(&self, what: &str) -> Seen {
        loop {
            let seen = self.next();
            let is_gone = seen.verb == "GONE";
            if seen.verb == what || seen.method() == what && !is_gone {
                return seen;
            }
        }
    }

    /// The methods or verbs of all requests that have come.
    pub(super) fn methods(&self) -> Vec<String> {
        let name = |seen: Seen| match seen.method() {
            "" => seen.verb,
            method => method.to_owned(),
        };
        self.seen.try_iter().map(name).collect()
    }
}

/// The answer to `initialize`.
pub(super) fn initialized(seen: &Seen) -> Reply {
    Reply::json(seen.result(json!({
        "protocolVersion": seen.message["params"]["protocolVersion"],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "old", "version": "1"},
        "instructions": "Ask me.",
    })))
}

/// A result with this text.
pub(super) fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

fn serve(connection: &TcpStream, tell: &Sender<Seen>, answer: &Answer) -> Option<()> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let verb = line.split(' ').next()?.to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Ok(0), |it| it.parse());
    let mut body = vec![0; length.ok()?];
    reader.read_exact(&mut body).ok()?;
    let seen = Seen {
        verb,
        headers,
        message: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let reply = answer(&seen);
    tell.send(seen.clone()).ok();
    let written = write(connection, &reply);
    if reply.end == End::Hang {
        let verb = "GONE".to_owned();
        tell.send(Seen { verb, ..seen }).ok();
    }
    written.ok()
}

fn write(mut connection: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.end {
        End::Whole => head.push_str(&format!("content-length: {}\r\n\r\n", reply.body.len())),
        _ => head.push_str("transfer-encoding: chunked\r\n\r\n"),
    }
    connection.write_all(head.as_bytes())?;
    match reply.end {
        End::Whole => connection.write_all(&reply.body)?,
        _ if reply.body.is_empty() => {}
        _ => {
            write!(connection, "{:x}\r\n", reply.body.len())?;
            connection.write_all(&reply.body)?;
            connection.write_all(b"\r\n")?;
        }
    }
    connection.flush()?;
    if reply.end == End::Hang {
        // It ends when the client closes.
        std::io::copy(&mut connection, &mut std::io::sink())?;
    }
    connection.shutdown(Shutdown::Write)?;
    // Read to the end, so that no reset takes the answer away.
    std::io::copy(&mut connection, &mut std::io::sink()).map(|_| ())
}

//! Tests of the loopback server itself, through plain sockets: the behaviour that the conformance
//! suite and the tests in other languages rely on.

mod answers;
mod control;
mod load;
mod program;
mod providers;
mod wire;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use chatcore_conformance::server::Server;
use serde_json::Value;

const QUESTION: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello 你好"}]}"#;
const STREAMED: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},
    "messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello 你好"}]}"#;

fn server() -> Server {
    Server::start().unwrap()
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

fn ask(stream: &mut TcpStream, method: &str, path: &str, headers: &str, body: &str) {
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
}

/// Sends one request on a new connection, and returns everything received until the connection
/// ends.
fn raw(server: &Server, path: &str, body: &str) -> Vec<u8> {
    let mut stream = connect(server);
    ask(&mut stream, "POST", path, "connection: close\r\n", body);
    let mut came = Vec::new();
    stream.read_to_end(&mut came).unwrap();
    came
}

/// The head and body of a complete answer, with a length or ended by its connection.
fn answer(server: &Server, path: &str, body: &str) -> (String, String) {
    let came = String::from_utf8(raw(server, path, body)).unwrap();
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn json(server: &Server, path: &str, body: &str) -> Value {
    serde_json::from_str(&answer(server, path, body).1).unwrap()
}

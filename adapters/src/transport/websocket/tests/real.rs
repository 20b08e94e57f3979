//! Real sockets, against a server made with the WebSocket library alone.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use async_tungstenite::tungstenite::{self, Message};
use bytes::Bytes;
use chatcore::Transport;
use futures_lite::future::block_on;
use serde_json::{Value, json};

use super::support::{body, post};
use crate::executor::SmolExecutor;
use crate::transport::{Http1Transport, Proxies, WebSocketTransport};

/// Starts a server on loopback that answers every message on its lane, and returns its address.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            thread::spawn(move || {
                let Ok(mut socket) = tungstenite::accept(socket.unwrap()) else {
                    return;
                };
                while let Ok(message) = socket.read() {
                    let Message::Text(text) = message else {
                        continue;
                    };
                    socket.send(Message::Ping(Bytes::new())).unwrap();
                    let create: Value = serde_json::from_str(&text).unwrap();
                    for kind in ["response.created", "response.completed"] {
                        let echo = json!({
                            "type": kind, "stream_id": create["stream_id"],
                            "echo": create["input"],
                        });
                        socket.send(Message::text(echo.to_string())).unwrap();
                    }
                }
            });
        }
    });
    format!("http://{address}/v1/responses")
}

fn transport() -> WebSocketTransport {
    let executor = Arc::new(SmolExecutor::new());
    let http = Http1Transport::builder(executor.clone()).proxies(Proxies::none());
    WebSocketTransport::new(executor, http.build())
}

#[test]
fn a_large_message_goes_over_a_real_socket_and_back() {
    let url = serve();
    let transport = transport();
    let long = "好".repeat(100_000);
    for _ in 0..3 {
        let mut request = post(json!([long]));
        *request.uri_mut() = url.parse().unwrap();
        let text = block_on(async {
            let response = transport.send(request).await.unwrap();
            body(response).await.unwrap()
        });
        assert_eq!(text.matches(&long).count(), 2);
    }
}

#[test]
fn a_refused_handshake_is_the_server_s_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let answer = b"HTTP/1.1 401 No\r\nx-request-id: r\r\ncontent-length: 2\r\n\r\n{}";
        socket.write_all(answer).unwrap();
    });
    let mut request = post(json!([]));
    *request.uri_mut() = format!("http://{address}/v1/responses").parse().unwrap();
    let response = block_on(transport().send(request)).unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["x-request-id"], "r");
    assert_eq!(block_on(body(response)).unwrap(), "{}");
}

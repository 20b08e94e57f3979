//! Sockets whose other end is in the test.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError};
use futures_lite::StreamExt;
use http::{Request, Response};
use serde_json::{Value, json};
use smol::channel::{Receiver, Sender, unbounded};

use crate::executor::SmolExecutor;
use crate::transport::websocket::{
    Opened, Outgoing, SocketClosed, WebSocket, WebSocketBuilder, WebSocketConnector,
    WebSocketTransport,
};

/// A connector that passes the other ends of its sockets to the test.
#[derive(Debug)]
pub(super) struct Wires(Sender<Server>);

/// A connector that opens no socket, but responds with these statuses, the last one first.
#[derive(Debug)]
pub(super) struct Refusals(pub(super) std::sync::Mutex<Vec<u16>>);

#[async_trait]
impl WebSocketConnector for Refusals {
    async fn open(&self, _: Request<()>) -> Result<Opened, TransportError> {
        let status = self.0.lock().unwrap().pop().unwrap();
        let mut response = Response::new(ByteStream::from_bytes("refused"));
        *response.status_mut() = status.try_into().unwrap();
        Ok(Opened::Refused(response))
    }
}

/// The server's end of a socket.
pub(super) struct Server {
    pub(super) handshake: Request<()>,
    sent: Receiver<String>,
    answers: Sender<Result<Bytes, SocketClosed>>,
}

#[async_trait]
impl WebSocketConnector for Wires {
    async fn open(&self, handshake: Request<()>) -> Result<Opened, TransportError> {
        let (sender, sent) = unbounded();
        let (answers, incoming) = unbounded();
        let server = Server {
            handshake,
            sent,
            answers,
        };
        self.0.send(server).await.unwrap();
        Ok(Opened::Socket(WebSocket {
            incoming: Box::pin(incoming),
            outgoing: Box::new(Half(sender)),
        }))
    }
}

struct Half(Sender<String>);

#[async_trait]
impl Outgoing for Half {
    async fn send(&mut self, text: String) -> Result<(), SocketClosed> {
        self.0
            .send(text)
            .await
            .map_err(|_| SocketClosed::lost("gone"))
    }

    async fn close(&mut self) {
        self.0.close();
    }
}

impl Server {
    /// The client's next message.
    pub(super) async fn read(&self) -> Value {
        serde_json::from_str(&self.sent.recv().await.unwrap()).unwrap()
    }

    /// Waits until the client has closed the socket.
    pub(super) async fn is_left(&self) -> bool {
        self.sent.recv().await.is_err()
    }

    /// Whether a message from the client is waiting.
    pub(super) fn has_mail(&self) -> bool {
        !self.sent.is_empty()
    }

    pub(super) fn send(&self, message: Value) {
        self.answers
            .try_send(Ok(message.to_string().into()))
            .unwrap();
    }

    /// Sends a message on the lane of `create`.
    pub(super) fn answer(&self, create: &Value, mut message: Value) {
        if let Some(lane) = create.get("stream_id") {
            message["stream_id"] = lane.clone();
        }
        self.send(message);
    }

    /// Sends a complete answer with one item of this text.
    pub(super) fn complete(&self, create: &Value, id: &str, text: &str) {
        self.answer(create, json!({"type": "response.created"}));
        self.answer(
            create,
            json!({"type": "response.output_item.done", "item": item(text)}),
        );
        let response = json!({"id": id, "output": []});
        self.answer(
            create,
            json!({"type": "response.completed", "response": response}),
        );
    }

    pub(super) fn close(&self, code: u16) {
        let closed = SocketClosed::new(code, "over");
        self.answers.try_send(Err(closed)).unwrap();
    }
}

/// An item of an answer with this text.
pub(super) fn item(text: &str) -> Value {
    json!({"type": "message", "id": format!("msg_{text}"), "content": [{"text": text}]})
}

/// A transport that always fails, because no request may go over HTTP.
#[derive(Debug)]
pub(super) struct NoHttp;

#[async_trait]
impl Transport for NoHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let echo = format!("http {}", request.uri().path());
        Ok(Response::new(ByteStream::from_bytes(echo)))
    }
}

pub(super) fn builder() -> (WebSocketBuilder, Receiver<Server>) {
    let (sender, servers) = unbounded();
    let executor = Arc::new(SmolExecutor::new());
    let builder = WebSocketTransport::builder(executor, Wires(sender), NoHttp);
    (builder, servers)
}

/// A POST for a response to `input`.
pub(super) fn post(input: Value) -> Request<Bytes> {
    post_fields(json!({"model": "m", "input": input, "stream": true}))
}

pub(super) fn post_fields(body: Value) -> Request<Bytes> {
    Request::post("http://api.test/v1/responses")
        .header("authorization", "Bearer k")
        .header("content-type", "application/json")
        .body(body.to_string().into())
        .unwrap()
}

/// The rest of the answer.
pub(super) async fn body(response: Response<ByteStream>) -> Result<String, TransportError> {
    let mut body = response.into_body();
    let mut text = String::new();
    while let Some(chunk) = body.next().await {
        text.push_str(std::str::from_utf8(&chunk?).unwrap());
    }
    Ok(text)
}

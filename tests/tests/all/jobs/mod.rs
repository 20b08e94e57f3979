//! Jobs other than chats: embeddings and lists of models.

mod embed;
mod models;
mod policies;
mod splitting;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{
    ByteStream, CallEvent, CallInfo, LlmClient, LlmClientBuilder, Observer, Operation, Provider,
    Transport, TransportError,
};
use chatcore_adapters::sim::{Sim, SimExecutor};
use http::{Request, Response};
use serde_json::Value;

/// A provider's answer, and the delay before it.
pub(super) struct Reply {
    status: u16,
    body: String,
    after: Duration,
}

impl Reply {
    pub(super) fn ok(body: impl ToString) -> Self {
        Self {
            status: 200,
            body: body.to_string(),
            after: Duration::ZERO,
        }
    }

    pub(super) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn after(self, seconds: u64) -> Self {
        let after = Duration::from_secs(seconds);
        Self { after, ..self }
    }
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
    /// Seconds since the start.
    pub(super) at: f64,
}

impl Sent {
    pub(super) fn texts(&self) -> Vec<&str> {
        let texts = self.body["input"].as_array().unwrap();
        texts.iter().map(|text| text.as_str().unwrap()).collect()
    }
}

type Script = dyn Fn(usize, &Sent) -> Reply + Send + Sync;

/// A provider whose answers come from the test, by the request's number, counted from 0.
pub(super) struct Scripted {
    sim: Arc<SimExecutor>,
    script: Box<Script>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    running: usize,
    most: usize,
}

impl Scripted {
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap().sent.clone()
    }

    /// The largest number of requests that ran at once.
    pub(super) fn most(&self) -> usize {
        self.state.lock().unwrap().most
    }

    /// How many requests are running now.
    pub(super) fn running(&self) -> usize {
        self.state.lock().unwrap().running
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

/// A request in progress.
struct Running<'a>(&'a Scripted);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().running -= 1;
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        let (head, body) = request.into_parts();
        let sent = Sent {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            headers: head.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
            at: self.sim.now().since_epoch().as_secs_f64(),
        };
        let reply = {
            let mut state = self.state.lock().unwrap();
            let number = state.sent.len();
            let reply = (self.script)(number, &sent);
            state.sent.push(sent);
            state.running += 1;
            state.most = state.most.max(state.running);
            reply
        };
        let running = Running(self);
        self.sim.sleep(reply.after).await;
        drop(running);
        let response = Response::builder()
            .status(reply.status)
            .header("x-request-id", "req-7");
        let body = ByteStream::from_bytes(reply.body);
        Ok(response.body(body).unwrap())
    }
}

/// An observer that records its events.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Vec<(Operation, &'static str)>>);

impl Heard {
    pub(super) fn all(&self) -> Vec<(Operation, &'static str)> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Heard {
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
        let word = match event {
            CallEvent::Succeeded { .. } => "succeeded",
            CallEvent::Failed { .. } => "failed",
            CallEvent::Cancelled { .. } => "cancelled",
            CallEvent::Retrying { .. } => "retrying",
            _ => return,
        };
        self.0.lock().unwrap().push((call.operation, word));
    }
}

pub(super) fn openai() -> Provider {
    Provider::openai_compatible("https://api.test/v1", "embed-small").with_api_key("sk-test")
}

/// A client of `provider` in virtual time. `shape` changes the client, and `script` answers its
/// requests.
pub(super) fn client(
    sim: &Sim,
    provider: Provider,
    shape: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
    script: impl Fn(usize, &Sent) -> Reply + Send + Sync + 'static,
) -> (LlmClient, Arc<Scripted>) {
    let transport = Arc::new(Scripted {
        sim: sim.executor(),
        script: Box::new(script),
        state: Mutex::default(),
    });
    let builder = LlmClient::builder(sim.executor(), transport.clone()).provider(provider);
    (shape(builder).build().unwrap(), transport)
}

/// Answers a request for embeddings: the vector of a text is its length and its first byte.
pub(super) fn vectors(sent: &Sent) -> Reply {
    let texts = sent.texts();
    let data: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let vector = [text.len() as f64, f64::from(text.as_bytes()[0])];
            serde_json::json!({"object": "embedding", "index": index, "embedding": vector})
        })
        .collect();
    let tokens = texts.len();
    Reply::ok(serde_json::json!({
        "object": "list", "data": data, "model": "embed-small-2",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }))
}

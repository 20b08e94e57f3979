//! Simulated sockets that are cut at random.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{ByteStream, Transport, TransportError};
use chatcore_adapters::sim::SimExecutor;
use chatcore_adapters::transport::websocket::{
    Opened, Outgoing, SocketClosed, WebSocket, WebSocketConnector,
};
use futures_lite::future;
use http::{Request, Response};
use serde_json::{Value, json};
use smol::channel::{Receiver, Sender, unbounded};

/// What the servers recorded.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// How often each prompt arrived.
    pub(super) received: BTreeMap<String, usize>,
    /// How many cuts hit each prompt while it was in progress.
    pub(super) cut: BTreeMap<String, usize>,
    /// How many answers to each prompt had content.
    pub(super) content: BTreeMap<String, usize>,
    pub(super) cuts: usize,
    pub(super) open: usize,
    pub(super) most_open: usize,
}

pub(super) type SharedLog = Arc<Mutex<Log>>;

/// Opens simulated sockets.
#[derive(Debug)]
pub(super) struct Wires {
    pub(super) sim: Arc<SimExecutor>,
    pub(super) log: SharedLog,
    /// The fraction of sockets that are cut.
    pub(super) cut: f64,
    /// The maximum number of sockets that are cut.
    pub(super) most_cuts: AtomicUsize,
}

#[async_trait]
impl WebSocketConnector for Wires {
    async fn open(&self, _: Request<()>) -> Result<Opened, TransportError> {
        self.sim.sleep(Duration::from_millis(20)).await;
        let (sender, sent) = unbounded();
        let (answers, incoming) = unbounded();
        let server = Server {
            sim: self.sim.clone(),
            log: self.log.clone(),
            answers,
            is_cut: Arc::default(),
            under_way: Arc::default(),
        };
        let may_be_cut = self.most_cuts.load(Ordering::Relaxed) > 0;
        let lifetime = match self.sim.random_chance(self.cut) && may_be_cut {
            true => {
                self.most_cuts.fetch_sub(1, Ordering::Relaxed);
                Duration::from_millis(self.sim.random_below(1_000))
            }
            false => Duration::from_secs(3_600),
        };
        self.sim.spawn(server.run(sent, lifetime));
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
        let sent = self.0.send(text).await;
        sent.map_err(|_| SocketClosed::lost("the socket was cut"))
    }

    async fn close(&mut self) {
        self.0.close();
    }
}

/// The server's end of one socket.
#[derive(Clone)]
struct Server {
    sim: Arc<SimExecutor>,
    log: SharedLog,
    answers: Sender<Result<Bytes, SocketClosed>>,
    is_cut: Arc<AtomicBool>,
    /// The prompts whose answers have not ended.
    under_way: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn run(self, sent: Receiver<String>, lifetime: Duration) {
        {
            let mut log = self.log.lock().unwrap();
            log.open += 1;
            log.most_open = log.most_open.max(log.open);
        }
        let serve = async {
            while let Ok(text) = sent.recv().await {
                let create: Value = serde_json::from_str(&text).unwrap();
                let content = &create["input"][0]["content"];
                let prompt = content.as_str().or_else(|| content[0]["text"].as_str());
                let prompt = prompt.unwrap().to_owned();
                let mut log = self.log.lock().unwrap();
                *log.received.entry(prompt.clone()).or_default() += 1;
                drop(log);
                self.under_way.lock().unwrap().push(prompt.clone());
                self.sim
                    .spawn(self.clone().answer(create["stream_id"].clone(), prompt));
            }
            false
        };
        let cut = async {
            self.sim.sleep(lifetime).await;
            true
        };
        let is_cut = future::or(serve, cut).await;
        self.is_cut.store(true, Ordering::Relaxed);
        let mut log = self.log.lock().unwrap();
        log.open -= 1;
        if is_cut {
            log.cuts += 1;
            for prompt in self.under_way.lock().unwrap().drain(..) {
                *log.cut.entry(prompt).or_default() += 1;
            }
            let why = SocketClosed::lost("cut");
            self.answers.try_send(Err(why)).ok();
        }
    }

    async fn answer(self, lane: Value, prompt: String) {
        let half = prompt.len() / 2;
        let item = json!({
            "type": "message", "id": "m", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": prompt, "annotations": []}],
        });
        let delta = |text: &str| {
            json!({
                "type": "response.output_text.delta", "output_index": 0, "content_index": 0,
                "item_id": "m", "delta": text,
            })
        };
        let response = json!({"id": format!("resp_{prompt}"), "status": "completed", "output": []});
        let events = [
            json!({"type": "response.created", "response": {"id": "r", "model": "m"}}),
            delta(&prompt[..half]),
            delta(&prompt[half..]),
            json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
            json!({"type": "response.completed", "response": response}),
        ];
        for (at, mut event) in events.into_iter().enumerate() {
            let wait = Duration::from_millis(self.sim.random_below(150));
            self.sim.sleep(wait).await;
            if self.is_cut.load(Ordering::Relaxed) {
                return;
            }
            if at == 1 {
                let mut log = self.log.lock().unwrap();
                *log.content.entry(prompt.clone()).or_default() += 1;
            }
            event["stream_id"] = lane.clone();
            self.answers.try_send(Ok(event.to_string().into())).ok();
        }
        self.under_way
            .lock()
            .unwrap()
            .retain(|other| *other != prompt);
    }
}

/// A transport that always fails, because no request may go over HTTP.
#[derive(Debug)]
pub(super) struct NoHttp;

#[async_trait]
impl Transport for NoHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<ByteStream>, TransportError> {
        panic!("{} went over HTTP", request.uri())
    }
}

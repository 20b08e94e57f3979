//! The network and the provider, without a client.

mod answers;
mod faults;
mod limits;
mod runs;

use std::pin::pin;

use futures_lite::{StreamExt, future};
use serde_json::{Value, json};

use super::*;
use crate::sim::Sim;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ask(prompt: &str, streams: bool, path: &str) -> http::Request<Bytes> {
    let body = json!({
        "model": "sim",
        "messages": [{"role": "user", "content": prompt}],
        "stream": streams,
        "stream_options": {"include_usage": true},
    });
    let uri = format!("https://sim.example/v1/{path}");
    http::Request::post(uri)
        .body(body.to_string().into())
        .unwrap()
}

fn chat(prompt: &str, streams: bool) -> http::Request<Bytes> {
    ask(prompt, streams, "chat/completions")
}

/// A builder in which each part takes a different time.
fn timed(sim: &Sim) -> SimTransportBuilder {
    SimTransport::builder(sim)
        .connect(Latency::millis(1_000))
        .headers(Latency::millis(100))
        .first_token(Latency::millis(10))
        .token(Latency::millis(1))
}

/// Reads a body: its text, and the error that ended it.
async fn read(mut body: ByteStream) -> (String, Option<TransportErrorKind>) {
    let mut text = String::new();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => text.push_str(std::str::from_utf8(&chunk).unwrap()),
            Err(error) => return (text, Some(error.kind())),
        }
    }
    (text, None)
}

/// Sends one streamed request with this fault, and reads for at most ten minutes. Returns its text
/// and error, or `None` if it did not end, and the time.
fn with_fault(
    fault: Fault,
) -> (
    Option<(String, Option<TransportErrorKind>)>,
    Duration,
    Stats,
) {
    let sim = Sim::new(1);
    let transport = timed(&sim).script(Script::new().nth(1, fault)).build();
    let ended = sim.run(async {
        let reading = async {
            match transport.send(chat("a b c", true)).await {
                Ok(response) => Some(read(response.into_body()).await),
                Err(error) => Some((String::new(), Some(error.kind()))),
            }
        };
        let limit = async {
            sim.sleep(Duration::from_secs(600)).await;
            None
        };
        future::or(reading, limit).await
    });
    let at = sim.now().since_epoch();
    transport.assert_idle();
    (ended, at, transport.stats())
}

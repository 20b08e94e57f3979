//! chatcore's own HTTP/1.1 transport without the core: the lower bound for chatcore on smol.

use std::sync::Arc;

use bytes::Bytes;
use chatcore::{Executor, Transport};
use chatcore_adapters::transport::Http1Transport;
use futures_util::StreamExt;
use peers_driver::{AsyncLoad, Peer, Seen, body};
use peers_runtime_smol::Smol;

fn main() {
    peers_driver::main(|setup| {
        let runtime = Smol::default();
        let executor: Arc<dyn Executor> = Arc::new(runtime.executor());
        AsyncLoad {
            peer: Bare {
                transport: Http1Transport::builder(executor)
                    .max_idle(setup.at_once)
                    .build(),
                url: format!("{}/chat/completions", setup.url)
                    .parse()
                    .expect("the harness gives a URL"),
            },
            runtime,
        }
    });
}

#[derive(Clone)]
struct Bare {
    transport: Http1Transport,
    url: http::Uri,
}

impl Bare {
    async fn post(&self, body: String) -> Result<Seen, String> {
        let request = http::Request::post(self.url.clone())
            .header("authorization", "Bearer sk-bench")
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .map_err(|error| error.to_string())?;
        let response = self.transport.send(request).await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status() != 200 {
            return Err(response.status().to_string());
        }
        let mut body = response.into_body();
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        while let Some(piece) = body.next().await {
            seen.bytes += piece.map_err(|error| error.to_string())?.len();
            seen.events += 1;
        }
        Ok(seen)
    }
}

impl Peer for Bare {
    async fn chat(&self, number: usize) -> Result<Seen, String> {
        self.post(body(number, false)).await
    }

    async fn stream(&self, number: usize) -> Result<Seen, String> {
        self.post(body(number, true)).await
    }
}

//! reqwest on tokio: the lower bound for the clients that use it.

use futures_util::StreamExt;
use peers_driver::{AsyncLoad, Peer, Seen, body};
use peers_runtime_tokio::Tokio;

fn main() {
    peers_driver::main(|setup| AsyncLoad {
        peer: Bare {
            client: reqwest::Client::new(),
            url: format!("{}/chat/completions", setup.url)
                .parse()
                .expect("the harness gives a URL"),
        },
        runtime: Tokio::new(),
    });
}

#[derive(Clone)]
struct Bare {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl Bare {
    async fn post(&self, body: String) -> Result<Seen, String> {
        let response = self
            .client
            .post(self.url.clone())
            .header("authorization", "Bearer sk-bench")
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.to_string())?;
        let mut body = response.bytes_stream();
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

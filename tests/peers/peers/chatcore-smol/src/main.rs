//! chatcore on smol, over its own HTTP/1.1.

use std::sync::Arc;

use chatcore::{BatchProcessor, Executor, LlmClient, Provider};
use chatcore_adapters::transport::Http1Transport;
use futures_util::{StreamExt, stream};
use peers_driver::{AsyncLoad, Peer, Seen, Setup, prompt};
use peers_runtime_smol::Smol;

fn main() {
    peers_driver::main(|setup| {
        let runtime = Smol::default();
        let peer = Client(client(setup, &runtime));
        AsyncLoad { peer, runtime }
    });
}

/// Like the other clients' defaults: no limit on calls at once, and all connections are kept.
fn client(setup: &Setup, runtime: &Smol) -> LlmClient {
    let executor: Arc<dyn Executor> = Arc::new(runtime.executor());
    let transport = Http1Transport::builder(executor.clone())
        .max_idle(setup.at_once)
        .build();
    LlmClient::builder(executor, Arc::new(transport))
        .provider(Provider::openai_compatible(setup.url.clone(), "bench").with_api_key("sk-bench"))
        .workers(setup.at_once)
        .build()
        .expect("the settings are whole")
}

#[derive(Clone)]
struct Client(LlmClient);

impl Peer for Client {
    async fn chat(&self, number: usize) -> Result<Seen, String> {
        let answer = self.0.chat_async(prompt(number)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Seen {
            bytes: answer.text().len(),
            events: 1,
        })
    }

    async fn stream(&self, number: usize) -> Result<Seen, String> {
        let mut stream = self.0.chat_async(prompt(number)).stream();
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        while let Some(text) = stream.next_text().await {
            seen.bytes += text.map_err(|error| error.to_string())?.len();
            seen.events += 1;
        }
        Ok(seen)
    }

    async fn batch(&self, count: usize, at_once: usize) -> Vec<Result<Seen, String>> {
        let batch = BatchProcessor::chats(&self.0).max_workers(at_once);
        // Like the other drivers, this keeps only the figures of an answer, not the answer.
        batch
            .process_stream(stream::iter((0..count).map(prompt)))
            .map(|(_, answer)| {
                let answer = answer.map_err(|error| error.to_string())?;
                Ok(Seen {
                    bytes: answer.text().len(),
                    events: 1,
                })
            })
            .collect()
            .await
    }
}

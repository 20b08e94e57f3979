//! chatcore on a thread pool, over ureq: a worker for each call in flight.

use std::future::Future;
use std::sync::Arc;

use chatcore::{BatchProcessor, LlmClient, Provider};
use chatcore_adapters::executor::ThreadPool;
use chatcore_adapters::run_async_in_sync;
use chatcore_adapters::transport::UreqTransport;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use peers_driver::{AsyncLoad, Done, Peer, Runtime, Seen, Setup, Task, prompt};

fn main() {
    peers_driver::main(|setup| AsyncLoad {
        peer: Client(client(setup)),
        runtime: Caller,
    });
}

fn client(setup: &Setup) -> LlmClient {
    let pool = ThreadPool::new(setup.at_once).expect("there is a worker at least");
    let transport = UreqTransport::new(pool.clone());
    LlmClient::builder(Arc::new(pool), Arc::new(transport))
        .provider(Provider::openai_compatible(setup.url.clone(), "bench").with_api_key("sk-bench"))
        .workers(setup.at_once)
        .build()
        .expect("the settings are whole")
}

/// The calls are polled by the thread that waits for them; the pool's workers do the I/O.
struct Caller;

impl Runtime for Caller {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        run_async_in_sync(future)
    }

    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done> {
        run_async_in_sync(join_all(tasks))
    }
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

//! rig on tokio.

use futures_util::StreamExt;
use peers_driver::{AsyncLoad, Peer, Seen, prompt};
use peers_runtime_tokio::Tokio;
use rig_core::Model;
use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAIConfig;
use rig_core::providers::openai::wire::Chat;
use rig_core::streaming::{Item, StreamEvent};

fn main() {
    peers_driver::main(|setup| AsyncLoad {
        peer: Rig(OpenAIConfig::new("sk-bench")
            .with_base_url(&setup.url)
            .client()
            .chat("bench")),
        runtime: Tokio::new(),
    });
}

#[derive(Clone)]
struct Rig(Model<Chat>);

fn request(number: usize) -> CompletionRequest {
    CompletionRequest::new(prompt(number))
        .temperature(0.0)
        .max_tokens(256)
}

impl Peer for Rig {
    async fn chat(&self, number: usize) -> Result<Seen, String> {
        let answer = self.0.call(request(number)).await;
        let answer = answer.map_err(|error| error.to_string())?;
        Ok(Seen {
            bytes: answer.text().len(),
            events: 1,
        })
    }

    async fn stream(&self, number: usize) -> Result<Seen, String> {
        let stream = self.0.stream(request(number));
        let mut stream = stream.map_err(|error| error.to_string())?;
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        while let Some(event) = stream.next().await {
            let event = event.map_err(|error| error.to_string())?;
            if let Item::Event(StreamEvent::Text { text, .. }) = event {
                seen.bytes += text.len();
                seen.events += 1;
            }
        }
        Ok(seen)
    }
}

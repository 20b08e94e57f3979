//! genai on tokio.

use futures_util::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent};
use genai::resolver::{AuthData, Endpoint, Error, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};
use peers_driver::{AsyncLoad, Peer, Seen, prompt};
use peers_runtime_tokio::Tokio;

fn main() {
    peers_driver::main(|setup| {
        // genai replaces the part after the last slash of the base URL.
        let url = format!("{}/", setup.url);
        let resolver = ServiceTargetResolver::from_resolver_fn(
            move |target: ServiceTarget| -> Result<ServiceTarget, Error> {
                Ok(ServiceTarget {
                    endpoint: Endpoint::from_owned(url.clone()),
                    auth: AuthData::from_single("sk-bench"),
                    model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
                })
            },
        );
        let client = Client::builder()
            .with_service_target_resolver(resolver)
            .build();
        AsyncLoad {
            peer: GenAi {
                client: client.expect("the settings are whole"),
                options: ChatOptions::default()
                    .with_temperature(0.0)
                    .with_max_tokens(256),
            },
            runtime: Tokio::new(),
        }
    });
}

#[derive(Clone)]
struct GenAi {
    client: Client,
    options: ChatOptions,
}

fn request(number: usize) -> ChatRequest {
    ChatRequest::new(vec![ChatMessage::user(prompt(number))])
}

impl Peer for GenAi {
    async fn chat(&self, number: usize) -> Result<Seen, String> {
        let answer = self
            .client
            .exec_chat("bench", request(number), Some(&self.options))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Seen {
            bytes: answer.first_text().unwrap_or_default().len(),
            events: 1,
        })
    }

    async fn stream(&self, number: usize) -> Result<Seen, String> {
        let mut stream = self
            .client
            .exec_chat_stream("bench", request(number), Some(&self.options))
            .await
            .map_err(|error| error.to_string())?
            .stream;
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        while let Some(event) = stream.next().await {
            if let ChatStreamEvent::Chunk(chunk) = event.map_err(|error| error.to_string())? {
                seen.bytes += chunk.content.len();
                seen.events += 1;
            }
        }
        Ok(seen)
    }
}

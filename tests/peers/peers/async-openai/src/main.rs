//! async-openai on tokio.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, CreateChatCompletionRequestArgs,
};
use futures_util::StreamExt;
use peers_driver::{AsyncLoad, Peer, Seen, prompt};
use peers_runtime_tokio::Tokio;

fn main() {
    peers_driver::main(|setup| {
        let config = OpenAIConfig::new()
            .with_api_base(&setup.url)
            .with_api_key("sk-bench");
        AsyncLoad {
            peer: AsyncOpenAi(Client::with_config(config)),
            runtime: Tokio::new(),
        }
    });
}

#[derive(Clone)]
struct AsyncOpenAi(Client<OpenAIConfig>);

/// `max_tokens` is deprecated in async-openai, but compatible servers understand it.
#[allow(deprecated)]
fn request(number: usize) -> Result<CreateChatCompletionRequest, String> {
    CreateChatCompletionRequestArgs::default()
        .model("bench")
        .messages([ChatCompletionRequestUserMessage::from(prompt(number)).into()])
        .temperature(0.0)
        .max_tokens(256u32)
        .build()
        .map_err(|error| error.to_string())
}

impl Peer for AsyncOpenAi {
    async fn chat(&self, number: usize) -> Result<Seen, String> {
        let answer = self.0.chat().create(request(number)?).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let text = answer.choices.into_iter().next();
        let text = text.and_then(|choice| choice.message.content);
        Ok(Seen {
            bytes: text.unwrap_or_default().len(),
            events: 1,
        })
    }

    async fn stream(&self, number: usize) -> Result<Seen, String> {
        let stream = self.0.chat().create_stream(request(number)?).await;
        let mut stream = stream.map_err(|error| error.to_string())?;
        let mut seen = Seen {
            bytes: 0,
            events: 0,
        };
        while let Some(event) = stream.next().await {
            let event = event.map_err(|error| error.to_string())?;
            let text = event.choices.into_iter().next();
            if let Some(text) = text.and_then(|choice| choice.delta.content) {
                seen.bytes += text.len();
                seen.events += 1;
            }
        }
        Ok(seen)
    }
}

//! Makes one chat, to measure size, crates and start-up.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, CreateChatCompletionRequestArgs,
};

#[tokio::main(flavor = "current_thread")]
#[allow(
    deprecated,
    reason = "max_tokens is what compatible servers understand"
)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let config = OpenAIConfig::new()
        .with_api_base(url)
        .with_api_key("sk-bench");
    let client = Client::with_config(config);
    let request = CreateChatCompletionRequestArgs::default()
        .model("bench")
        .messages([ChatCompletionRequestUserMessage::from("Why is the sky blue?").into()])
        .temperature(0.0)
        .max_tokens(256u32)
        .build()?;
    let answer = client.chat().create(request).await?;
    let choice = answer.choices.into_iter().next().ok_or("no choice")?;
    println!("{}", choice.message.content.unwrap_or_default());
    Ok(())
}

//! Makes one chat, to measure size, crates and start-up.

use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAIConfig;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let model = OpenAIConfig::new("sk-bench")
        .with_base_url(url)
        .client()
        .chat("bench");
    let request = CompletionRequest::new("Why is the sky blue?")
        .temperature(0.0)
        .max_tokens(256);
    println!("{}", model.call(request).await?.text());
    Ok(())
}

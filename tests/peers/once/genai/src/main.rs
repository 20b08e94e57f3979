//! Makes one chat, to measure size, crates and start-up.

use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest};
use genai::resolver::{AuthData, Endpoint, Error, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = format!("{}/", std::env::args().nth(1).unwrap_or_default());
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
        .build()?;
    let request = ChatRequest::new(vec![ChatMessage::user("Why is the sky blue?")]);
    let options = ChatOptions::default()
        .with_temperature(0.0)
        .with_max_tokens(256);
    let answer = client.exec_chat("bench", request, Some(&options)).await?;
    println!("{}", answer.first_text().unwrap_or_default());
    Ok(())
}

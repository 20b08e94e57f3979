//! Makes one chat, to measure size, crates and start-up.

const BODY: &str = r#"{"model":"bench","messages":[{"role":"user","content":"Why is the sky blue?"}],"temperature":0.0,"max_tokens":256}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let response = reqwest::Client::new()
        .post(format!("{url}/chat/completions"))
        .header("authorization", "Bearer sk-bench")
        .header("content-type", "application/json")
        .body(BODY)
        .send()
        .await?
        .error_for_status()?;
    println!("{}", response.text().await?);
    Ok(())
}

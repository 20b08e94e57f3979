//! Makes one chat, to measure size, crates and start-up.

const BODY: &str = r#"{"model":"bench","messages":[{"role":"user","content":"Why is the sky blue?"}],"temperature":0.0,"max_tokens":256}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let mut response = ureq::post(format!("{url}/chat/completions"))
        .header("authorization", "Bearer sk-bench")
        .header("content-type", "application/json")
        .send(BODY)?;
    println!("{}", response.body_mut().read_to_string()?);
    Ok(())
}

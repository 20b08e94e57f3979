//! Makes one chat, to measure size, crates and start-up.

use chatcore::{Config, Error, Provider};

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1).unwrap_or_default();
    let mut config = Config::from_vars(|name| match name {
        "LLM_API_KEY" => Some("sk-bench".to_owned()),
        _ => None,
    })?;
    config.provider = Provider::openai_compatible(url, "bench").with_api_key("sk-bench");
    let client = chatcore_adapters::smol_client(config)?;
    let answer = smol::block_on(client.chat_async("Why is the sky blue?").into_future())?;
    println!("{answer}");
    Ok(())
}

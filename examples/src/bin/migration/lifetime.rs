//! The end of a client.

use chatcore::{Error, ErrorKind, LlmClient};
use chatcore_examples::client_or_demo;

use super::title;

/// ```python
/// client.cleanup()
/// client.chat("Hello")            # RuntimeError
/// ```
///
/// `close` finishes what runs and what waits, then returns; later calls fail.
pub(super) async fn cleanup(client: LlmClient) {
    title("cleanup()");
    client.close().await;
    match client.chat_async("Hello").await {
        Err(error) if error.kind() == ErrorKind::Closed => println!("as it should: {error}"),
        other => println!("unexpected: {other:?}"),
    }
}

/// ```python
/// async with LLMClient() as client:
///     await client.chat_async("Hello")
/// ```
///
/// A scope is enough: when the last clone of a client is dropped, so are its connections and its
/// threads. Call `close` where calls of other tasks must be waited for.
pub(super) async fn scope() -> Result<(), Error> {
    title("async with");
    {
        let client = client_or_demo()?;
        println!("{}", client.chat_async("Hello").await?);
    }
    println!("gone");
    Ok(())
}

//! Closing a client.

use chatcore::{Error, ErrorKind, LlmClient};
use chatcore_examples::client_or_demo;

use super::title;

/// ```python
/// client.cleanup()
/// client.chat("Hello")            # RuntimeError
/// ```
///
/// `close` waits until running and queued calls have finished; later calls fail.
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
/// A scope is enough: dropping the last clone of a client drops its connections and threads. Use
/// `close` to wait for calls in other tasks.
pub(super) async fn scope() -> Result<(), Error> {
    title("async with");
    {
        let client = client_or_demo()?;
        println!("{}", client.chat_async("Hello").await?);
    }
    println!("gone");
    Ok(())
}

//! Handling errors.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{ChatResponse, Error, ErrorKind, Executor, LlmClient, Provider, RetryPolicy};
use chatcore_adapters::demo::DemoTransport;
use chatcore_adapters::executor::SmolExecutor;

use super::flaky::Flaky;
use super::title;

/// ```python
/// try:
///     answer = await client.chat_async("Hello")
/// except asyncio.TimeoutError:
///     print("too slow")
/// except RuntimeError:
///     print("the client is closed")
/// except Exception as error:
///     print(f"failed: {error}")
/// ```
///
/// There is one error type. Its kind tells the program what to do, and its text tells people what
/// to do next.
pub(super) async fn handling(client: &LlmClient) {
    title("Errors");
    // Refused before anything is sent.
    show(client.chat_async("Hello").temperature(9.0).await);
    // No model answers this fast.
    let limit = Duration::from_millis(1);
    show(client.chat_async("Hello").timeout(limit).await);
}

fn show(result: Result<ChatResponse, Error>) {
    match result {
        Ok(answer) => println!("{answer}"),
        Err(error) => match error.kind() {
            ErrorKind::Timeout => println!("too slow: {error}"),
            ErrorKind::Closed => println!("the client is closed: {error}"),
            ErrorKind::RateLimited => println!("ask again in {:?}", error.retry_after()),
            _ => println!("failed: {error}"),
        },
    }
}

/// ```python
/// for attempt in range(max_retries):
///     try:
///         return await client.chat_async(prompt)
///     except Exception:
///         if attempt == max_retries - 1:
///             raise
///         await asyncio.sleep(2 ** attempt)
/// ```
///
/// The client retries by itself: three attempts by default (`LLM_MAX_RETRIES`), with a growing
/// delay or the one that the provider asks for. It retries only errors that may pass; a wrong key
/// is not tried three times. In this example the connection fails twice.
pub(super) async fn retries() -> Result<(), Error> {
    title("Retries");
    let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let transport = Flaky::new(DemoTransport::new(), 2);
    let client = LlmClient::builder(executor, Arc::new(transport))
        .provider(Provider::demo())
        .retry(RetryPolicy::default().base(Duration::from_millis(10)))
        .build()?;
    let answer = client.chat_async("What is 2+2?").await?;
    println!("{answer} (after {} attempts)", answer.attempts);
    show(client.chat_async("One try.").max_attempts(1).await);
    Ok(())
}

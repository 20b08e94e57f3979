//! Many at once.

use std::time::Duration;

use chatcore::{Error, LlmClient, gather_with_limit, run_with_timeout};

use super::title;

/// ```python
/// results = await asyncio.gather(
///     *(client.chat_async(prompt) for prompt in prompts), return_exceptions=True)
/// for result in results:
///     if isinstance(result, Exception): ...
/// ```
///
/// Results come in the order of the prompts, and each can be an error; there is no other mode. The
/// client itself runs at most `LLM_ASYNC_WORKERS` calls at once.
pub(super) async fn gather(client: &LlmClient) {
    title("gather(…, return_exceptions=True)");
    let calls = [
        client.chat_async("Say a"),
        client.chat_async("Say b").temperature(9.0),
        client.chat_async("Say c"),
    ];
    for result in gather_with_limit(calls, usize::MAX).await {
        match result {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("failed: {error}"),
        }
    }
}

/// ```python
/// results = await AsyncHelper.gather_with_limit(tasks, limit=2)
/// ```
///
/// Tasks are taken from the iterator only when they can run, so there can be a million of them.
pub(super) async fn limit(client: &LlmClient) {
    title("gather_with_limit");
    let sums = (1..=5).map(|n| client.chat_async(format!("What is {n} * {n}?")));
    for answer in gather_with_limit(sums, 2).await.into_iter().flatten() {
        println!("{answer}");
    }
}

/// ```python
/// try:
///     await AsyncHelper.run_with_timeout(client.chat_async("Hello"), timeout=0.001)
/// except asyncio.TimeoutError:
///     print("too slow")
/// ```
///
/// This works on any future. For a single call, `client.chat_async(…).timeout(…)` does the same.
pub(super) async fn timeout(client: &LlmClient) {
    title("run_with_timeout");
    let executor = &**client.executor();
    let call = async { client.chat_async("Hello").await };
    match run_with_timeout(executor, Duration::from_millis(1), call).await {
        Ok(Ok(answer)) => println!("{answer}"),
        Ok(Err(error)) => println!("failed: {error}"),
        Err(_) => println!("too slow"),
    }
}

/// ```python
/// pool = client._executor
/// print(pool._max_workers, len(pool._threads), pool._work_queue.qsize())
/// ```
///
/// No private fields: a snapshot, with counters that the Python client did not have.
pub(super) async fn status(client: &LlmClient) -> Result<(), Error> {
    title("Pool status");
    client.chat_async("Hello").await?;
    let status = client.status();
    println!(
        "{} workers, {} active, {} queued; {} started, {} failed, {} cancelled",
        status.max_workers,
        status.active,
        status.queued,
        status.started,
        status.failed,
        status.cancelled
    );
    Ok(())
}

//! Blocking calls, async calls, and both in one program.

use chatcore::{Error, LlmClient, Message};
use chatcore_adapters::{BlockingCall, BlockingChat, run_async_in_sync};

use super::title;

/// ```python
/// client = LLMClient()
/// print(client.chat("What is 2+2?"))
/// print(client.chat("Hello", temperature=0.2, max_tokens=50, system_prompt="Be brief."))
/// ```
///
/// The defaults are the same: temperature 0.0, 256 tokens, no system prompt. An answer prints as
/// its text, and also has the usage and the finish reason.
pub(super) fn blocking(client: &LlmClient) -> Result<(), Error> {
    title("Blocking");
    println!("{}", client.chat("What is 2+2?")?);
    let answer = client
        .chat_async("Hello")
        .temperature(0.2)
        .max_tokens(50)
        .system_prompt("Be brief.")
        .wait()?;
    println!("{answer}");
    Ok(())
}

/// ```python
/// answer = await client.chat_async("What is 2+2?")
/// answer = await client.chat_async("Hello", max_tokens=50)
/// ```
///
/// Keyword arguments become methods of the call. Nothing is sent before the `await`.
pub(super) async fn asynchronous(client: &LlmClient) -> Result<(), Error> {
    title("Async");
    println!("{}", client.chat_async("What is 2+2?").await?);
    println!("{}", client.chat_async("Hello").max_tokens(50).await?);
    Ok(())
}

/// ```python
/// messages = [
///     {"role": "user", "content": "My name is Ada."},
///     {"role": "assistant", "content": "Hello, Ada!"},
///     {"role": "user", "content": "What is my name?"},
/// ]
/// answer = await client.chat_with_context_async(messages)     # or chat_with_context(messages)
/// messages.append({"role": "assistant", "content": answer})
/// ```
///
/// The defaults are the same: temperature 0.7, 256 tokens. `("user", "…")` converts to a message,
/// and serde reads the JSON of the Python client's dictionaries.
pub(super) async fn context(client: &LlmClient) -> Result<(), Error> {
    title("With context");
    let mut messages = vec![
        Message::user("My name is Ada."),
        Message::assistant("Hello, Ada!"),
        Message::user("What is my name?"),
    ];
    let answer = client.chat_with_context_async(messages.clone()).await?;
    println!("{answer}");
    messages.push(answer.message);
    Ok(())
}

/// ```python
/// def handler(prompt):                                # a sync function of an async program
///     return run_async_in_sync(client.chat_async(prompt))
///
/// async def main():
///     sync_answer = await loop.run_in_executor(None, client.chat, "one")
///     async_answer = await client.chat_async("two")
/// ```
///
/// One client serves both sides. As in Python, do not block in async code: it stops every other
/// task on the same thread.
pub(super) fn hybrid(client: &LlmClient) -> Result<(), Error> {
    title("Hybrid");
    let handler = |prompt: &str| run_async_in_sync(client.chat_async(prompt));
    println!("{}", handler("Say one")?);

    // A blocking thread beside async code.
    let worker = client.clone();
    let blocking = std::thread::spawn(move || worker.chat("Say two"));
    println!("{}", run_async_in_sync(client.chat_async("Say three"))?);
    if let Ok(answer) = blocking.join() {
        println!("{}", answer?);
    }
    Ok(())
}

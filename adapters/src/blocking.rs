//! Chats for code that is not async.

use std::future::IntoFuture;

use chatcore::{ChatCall, ChatResponse, Error, LlmClient, Message};
use futures_lite::future::block_on;

/// The old client's blocking `chat` and `chat_with_context`.
///
/// They block the calling thread: see [`run_async_in_sync`] for where that does harm.
pub trait BlockingChat {
    /// Asks one question and waits for the answer. The defaults are the old client's:
    /// temperature 0.0, at most 256 tokens, no system prompt. To change them, shape
    /// [`LlmClient::chat_async`] and [wait](BlockingCall::wait) for it.
    ///
    /// ```
    /// use chatcore_adapters::BlockingChat;
    /// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let answer = client.chat("What is 2+2?")?;
    /// println!("{answer}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the call fails with; see [`ErrorKind`](chatcore::ErrorKind).
    fn chat(&self, prompt: impl Into<String>) -> Result<ChatResponse, Error>;

    /// Goes on with a conversation and waits for the answer. The defaults are the old client's:
    /// temperature 0.7, at most 256 tokens.
    ///
    /// # Errors
    /// What the call fails with; see [`ErrorKind`](chatcore::ErrorKind).
    fn chat_with_context<M: Into<Message>>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<ChatResponse, Error>;
}

impl BlockingChat for LlmClient {
    fn chat(&self, prompt: impl Into<String>) -> Result<ChatResponse, Error> {
        self.chat_async(prompt).wait()
    }

    fn chat_with_context<M: Into<Message>>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<ChatResponse, Error> {
        self.chat_with_context_async(messages).wait()
    }
}

/// Waiting for a [`ChatCall`] without async.
pub trait BlockingCall {
    /// Waits for the whole answer.
    ///
    /// ```
    /// use chatcore_adapters::BlockingCall;
    /// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let answer = client
    ///     .chat_async("Why is the sky blue?")
    ///     .system_prompt("Answer in one sentence.")
    ///     .wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the call fails with; see [`ErrorKind`](chatcore::ErrorKind).
    fn wait(self) -> Result<ChatResponse, Error>;
}

impl BlockingCall for ChatCall {
    fn wait(self) -> Result<ChatResponse, Error> {
        run_async_in_sync(self)
    }
}

/// Runs `future` on the calling thread, and blocks until it is done.
///
/// It works in plain threads, and inside of itself. In async code it blocks the thread that polls,
/// with all other tasks of that thread: write `.await` there. Where that thread is the only one of
/// its runtime, and `future` waits for another task of it or for its timers, it never returns: a
/// runtime cannot turn the wheel that it is blocked in. (The executors of this crate have their
/// timers on other threads; a game loop of one's own has not.)
pub fn run_async_in_sync<F: IntoFuture>(future: F) -> F::Output {
    block_on(future.into_future())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_inside_of_itself_and_of_another_thread() {
        let nested = run_async_in_sync(async {
            futures_lite::future::yield_now().await;
            run_async_in_sync(async {
                futures_lite::future::yield_now().await;
                1
            }) + 1
        });
        assert_eq!(nested, 2);
        let other = std::thread::spawn(|| run_async_in_sync(std::future::ready(3)));
        assert_eq!(other.join().unwrap(), 3);
    }
}

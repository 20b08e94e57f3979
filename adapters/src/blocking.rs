//! Blocking calls for code that is not async.

use std::future::IntoFuture;

use chatcore::{ChatCall, ChatEvent, ChatResponse, ChatStream, Error, LlmClient, Message};
use futures_lite::future::block_on;

/// The blocking `chat` and `chat_with_context` of the Python client.
///
/// Both block the calling thread: see [`run_async_in_sync`] for where that is harmful.
///
/// ```
/// use chatcore_adapters::BlockingChat;
/// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// println!("{}", client.chat("What is 2+2?")?);
/// # Ok(())
/// # }
/// ```
pub trait BlockingChat {
    /// Asks one question and waits for the answer. The defaults are those of the Python client:
    /// temperature 0.0, at most 256 tokens, no system prompt. To change them, use
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

    /// Continues a conversation and waits for the answer. The defaults are those of the Python
    /// client: temperature 0.7, at most 256 tokens.
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

/// Waits for a [`ChatCall`] without async.
///
/// ```
/// use chatcore_adapters::BlockingCall;
/// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// for text in client.ask("Tell me a story.").events().texts() {
///     print!("{}", text?);
/// }
/// # Ok(())
/// # }
/// ```
pub trait BlockingCall {
    /// Waits for the whole answer.
    ///
    /// ```
    /// use chatcore_adapters::BlockingCall;
    /// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let answer = client
    ///     .ask("Why is the sky blue?")
    ///     .system_prompt("Answer in one sentence.")
    ///     .wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the call fails with; see [`ErrorKind`](chatcore::ErrorKind).
    fn wait(self) -> Result<ChatResponse, Error>;

    /// Streams the answer: returns an iterator that waits for each event. Nothing is sent until the
    /// first event is requested.
    fn events(self) -> BlockingEvents;
}

impl BlockingCall for ChatCall {
    fn wait(self) -> Result<ChatResponse, Error> {
        run_async_in_sync(self)
    }

    fn events(self) -> BlockingEvents {
        BlockingEvents(self.stream())
    }
}

/// A blocking iterator over the events of a streamed answer. It ends after the event
/// [`Finish`](ChatEvent::Finish), or with one error. Dropping it ends the call.
///
/// ```
/// use chatcore_adapters::BlockingCall;
/// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let mut events = client.ask("Tell me a story.").events();
/// for event in &mut events {
///     if let Some(text) = event?.as_text() {
///         print!("{text}");
///     }
/// }
/// let answer = events.into_response()?;
/// println!("\n{:?}", answer.usage);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent until the first event is asked for"]
pub struct BlockingEvents(ChatStream);

impl BlockingEvents {
    /// Iterates over the pieces of text only; other events are skipped.
    pub fn texts(mut self) -> impl Iterator<Item = Result<String, Error>> {
        std::iter::from_fn(move || block_on(self.0.next_text()))
    }

    /// The answer as read so far; see [`ChatStream::partial`].
    pub fn partial(&self) -> Option<&ChatResponse> {
        self.0.partial()
    }

    /// Waits for the rest and returns the whole answer, including the events that were already
    /// read.
    ///
    /// # Errors
    /// The errors of [`ChatStream::into_response`].
    pub fn into_response(self) -> Result<ChatResponse, Error> {
        block_on(self.0.into_response())
    }
}

impl Iterator for BlockingEvents {
    type Item = Result<ChatEvent, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        block_on(self.0.next())
    }
}

/// Runs `future` on the calling thread, and blocks until it is done.
///
/// ```
/// # fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// use chatcore_adapters::run_async_in_sync;
///
/// let models = run_async_in_sync(client.models())?;
/// println!("{} models", models.len());
/// # Ok(())
/// # }
/// ```
///
/// It works in plain threads, and calls may be nested. In async code it blocks the polling thread
/// and all other tasks on that thread, so use `.await` there instead. If that thread is the only
/// one of its runtime, and `future` waits for the runtime's timers or for another of its tasks, the
/// call never returns, because the blocked runtime cannot run them. (The executors of this crate
/// have their timers on other threads; a custom game loop does not.)
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

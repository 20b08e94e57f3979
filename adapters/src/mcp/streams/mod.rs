//! A pair of byte streams: one message a line, in each direction.
//!
//! ```text
//!  request ─► queue ─► writer task ─► the server's input
//!     ▲
//!   result ◄─ pending ◄─ reader task ◄─ the server's output
//! ```
//!
//! Two tasks on the executor own the streams, because a call that is dropped must not leave half a
//! line. They end when the channel is closed or dropped, or when the server ends its output.

pub(super) mod lines;
mod pending;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use async_channel::Sender;
use async_trait::async_trait;
use bytes::Bytes;
use chatcore::Executor;
use futures_lite::{AsyncRead, AsyncWrite};

use super::channel::{Answer, Ask, Channel, Limits, Listener, Session};
use super::error::{McpError, McpErrorKind};
use super::message::cancelled;
use pending::Pending;

/// How many messages may wait for the server to read them.
const QUEUE: usize = 64;

/// How long a server may take to answer the question for its version. The specification leaves the
/// number to the client; a program that starts slowly is asked again after the handshake failed.
const PROBE: Duration = Duration::from_secs(5);

/// A server at the other end of two streams.
#[derive(Debug)]
pub(super) struct Streams {
    executor: Arc<dyn Executor>,
    queue: Sender<Bytes>,
    pending: Arc<Pending>,
    /// Ends the tasks when it is dropped.
    _running: Sender<()>,
}

impl Streams {
    /// Starts the two tasks.
    pub(super) fn start(
        executor: Arc<dyn Executor>,
        output: impl AsyncRead + Send + Unpin + 'static,
        input: impl AsyncWrite + Send + Unpin + 'static,
        limits: Limits,
        listener: Listener,
    ) -> Self {
        let (queue, queued) = async_channel::bounded(QUEUE);
        let (running, stop) = async_channel::bounded(1);
        let pending = Arc::new(Pending::default());
        let farewell = {
            let executor = Arc::clone(&executor);
            async move || executor.sleep(limits.farewell).await
        };
        executor.spawn(Box::pin(tasks::write(
            input,
            queued,
            stop.clone(),
            farewell,
        )));
        executor.spawn(Box::pin(tasks::read(
            output,
            tasks::Reader {
                cap: limits.answer,
                pending: Arc::clone(&pending),
                // Weak, so that the writer task ends with the channel.
                queue: queue.downgrade(),
                listener,
                stop,
            },
        )));
        Self {
            executor,
            queue,
            pending,
            _running: running,
        }
    }

    /// Whether the server has ended its output.
    pub(super) fn is_lost(&self) -> bool {
        self.pending.is_lost() || self.queue.is_closed()
    }

    /// Closes the server's input. What was queued is still sent.
    pub(super) fn end_input(&self) {
        self.queue.close();
    }

    async fn send(&self, message: Bytes) -> Result<(), McpError> {
        let sent = self.queue.send(message).await;
        sent.map_err(|_| self.pending.why().unwrap_or_else(lost))
    }
}

fn lost() -> McpError {
    McpError::new(
        McpErrorKind::Connection,
        "the server has ended the connection",
    )
}

#[async_trait]
impl Channel for Streams {
    async fn request(&self, ask: &Ask<'_>) -> Result<Answer, McpError> {
        let reply = self.pending.expect(ask.id)?;
        let mut cancel = Cancel {
            streams: self,
            id: ask.is_cancellable.then_some(ask.id),
            was_queued: false,
        };
        self.send(ask.message.clone()).await?;
        cancel.was_queued = true;
        let outcome = reply.outcome().await;
        cancel.id = None;
        Ok(Answer {
            result: outcome?,
            session: None,
        })
    }

    async fn notify(&self, _: &Session, message: Bytes) -> Result<(), McpError> {
        self.send(message).await
    }

    async fn restore(&self) -> Result<bool, McpError> {
        match self.is_lost() {
            true => Err(self.pending.why().unwrap_or_else(lost)),
            false => Ok(false),
        }
    }

    fn probe_limit(&self) -> Option<Duration> {
        Some(PROBE)
    }

    async fn close(&self, _: Option<&Session>) {
        self.end_input();
    }
}

/// Tells the server that the answer is not wanted, when it is dropped before the answer came.
struct Cancel<'a> {
    streams: &'a Streams,
    id: Option<u64>,
    was_queued: bool,
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id.filter(|_| self.was_queued) else {
            return;
        };
        let message = cancelled(id);
        if let Err(async_channel::TrySendError::Full(message)) =
            self.streams.queue.try_send(message)
        {
            let queue = self.streams.queue.downgrade();
            self.streams.executor.spawn(Box::pin(async move {
                if let Some(queue) = queue.upgrade() {
                    queue.send(message).await.ok();
                }
            }));
        }
    }
}

//! The two tasks that own the streams.

use std::io;
use std::sync::Arc;

use async_channel::{Receiver, WeakSender};
use bytes::Bytes;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt};

use super::lines::{Line, Lines};
use super::pending::Pending;
use crate::mcp::channel::Listener;
use crate::mcp::error::{McpError, McpErrorKind};
use crate::mcp::message::{Incoming, reply};

/// The bytes of one read.
const READ: usize = 16 * 1024;

/// Writes the queued messages, one a line, until the queue is closed or the server is gone. After
/// `stop` a server that does not read them has as much time as `farewell` takes.
pub(super) async fn write(
    input: impl AsyncWrite + Unpin,
    queued: Receiver<Bytes>,
    stop: Receiver<()>,
    farewell: impl AsyncFnOnce(),
) {
    let stopped = async {
        stop.recv().await.ok();
        farewell().await;
    };
    write_all(input, queued).or(stopped).await;
}

async fn write_all(mut input: impl AsyncWrite + Unpin, queued: Receiver<Bytes>) {
    while let Ok(message) = queued.recv().await {
        let written = async {
            input.write_all(&message).await?;
            input.write_all(b"\n").await?;
            input.flush().await
        };
        if written.await.is_err() {
            // The reader sees the end of the output, and reports it.
            break;
        }
    }
    input.close().await.ok();
}

/// What the reader task needs.
pub(super) struct Reader {
    pub(super) cap: usize,
    pub(super) pending: Arc<Pending>,
    pub(super) queue: WeakSender<Bytes>,
    pub(super) listener: Listener,
    pub(super) stop: Receiver<()>,
}

/// Reads messages and hands them over, until the output ends or the channel is dropped.
pub(super) async fn read(mut output: impl AsyncRead + Unpin, reader: Reader) {
    let mut lines = Lines::new(reader.cap);
    let mut buffer = vec![0; READ];
    let lost = loop {
        let stopped = async {
            reader.stop.recv().await.ok();
            Err(io::Error::from(io::ErrorKind::Interrupted))
        };
        match output.read(&mut buffer).or(stopped).await {
            Ok(0) => {
                break McpError::new(McpErrorKind::Connection, "the server has ended its output");
            }
            Ok(count) => lines.feed(&buffer[..count]),
            Err(_) if reader.stop.is_closed() => {
                break McpError::new(McpErrorKind::Closed, "the client is closed");
            }
            Err(error) => {
                let what = "the server's output cannot be read";
                break McpError::new(McpErrorKind::Connection, what).with_source(error);
            }
        }
        while let Some(line) = lines.next() {
            match line {
                Line::Whole(line) => reader.take(&line).await,
                Line::TooLong => reader.pending.answer(
                    None,
                    Err(McpError::new(
                        McpErrorKind::TooLarge,
                        format!("a message of the server has more than {} bytes", reader.cap),
                    )),
                ),
            }
        }
    };
    reader.pending.lose(&lost);
    if let Some(queue) = reader.queue.upgrade() {
        queue.close();
    }
}

impl Reader {
    async fn take(&self, line: &[u8]) {
        // Programs print what is no message, too: a greeting, a warning.
        let Ok(messages) = Incoming::read_all(line) else {
            return;
        };
        for message in messages {
            match message {
                Incoming::Response { id, outcome } => self.pending.answer(id, outcome),
                Incoming::Notification { method, params } => {
                    self.listener.tell(&method, params.as_deref());
                }
                Incoming::Request { id, method } => {
                    // Never waits: a server that does not read its input while it asks would hold
                    // up the answers.
                    if let Some(queue) = self.queue.upgrade() {
                        queue.try_send(reply(&id, &method)).ok();
                    }
                }
                Incoming::Stray => {}
            }
        }
    }
}

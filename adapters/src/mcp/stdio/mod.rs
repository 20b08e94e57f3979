//! Servers that are local programs: a child process, whose input and output carry the messages.

mod command;
mod group;
mod process;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chatcore::{Executor, Secrets};

pub use command::McpCommand;

use super::channel::{Answer, Ask, Channel, Limits, Listener, Session};
use super::error::{McpError, McpErrorKind};
use super::streams::Streams;
use process::Process;

/// A program that is started when it is first needed, and again after it has ended.
pub(super) struct Stdio {
    executor: Arc<dyn Executor>,
    command: McpCommand,
    secrets: Secrets,
    limits: Limits,
    listener: Listener,
    state: Mutex<State>,
}

enum State {
    NotStarted,
    Running(Arc<Running>),
    Closed,
}

struct Running {
    streams: Streams,
    process: Process,
}

impl Stdio {
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        command: McpCommand,
        limits: Limits,
        listener: Listener,
    ) -> Self {
        Self {
            executor,
            secrets: command.secrets(),
            command,
            limits,
            listener,
            state: Mutex::new(State::NotStarted),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Result<Arc<Running>, McpError> {
        match &*self.lock() {
            State::Running(running) => Ok(Arc::clone(running)),
            State::NotStarted => Err(McpError::new(
                McpErrorKind::Connection,
                "the server's program was not started",
            )),
            State::Closed => Err(McpError::new(McpErrorKind::Closed, "the client is closed")),
        }
    }

    fn start(&self) -> Result<Running, McpError> {
        let (process, output, input) =
            Process::start(&self.executor, &self.command, self.limits.farewell)?;
        let streams = Streams::start(
            Arc::clone(&self.executor),
            output,
            input,
            self.limits,
            self.listener.clone(),
        );
        Ok(Running { streams, process })
    }

    /// Adds how the program ended, if it has.
    async fn explained(&self, running: &Running, error: McpError) -> McpError {
        let error = match running.streams.is_lost() {
            true => match running.process.end().await {
                Some((how, stderr)) => McpError::new(error.kind(), how).with_stderr(stderr),
                None => error,
            },
            false => error,
        };
        error.edit(|text| self.secrets.redact(text))
    }
}

#[async_trait]
impl Channel for Stdio {
    async fn request(&self, ask: &Ask<'_>) -> Result<Answer, McpError> {
        let running = self.running()?;
        match running.streams.request(ask).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.explained(&running, error).await),
        }
    }

    async fn notify(&self, session: &Session, message: Bytes) -> Result<(), McpError> {
        let running = self.running()?;
        match running.streams.notify(session, message).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explained(&running, error).await),
        }
    }

    async fn restore(&self) -> Result<bool, McpError> {
        let mut state = self.lock();
        match &*state {
            State::Running(running) if !running.streams.is_lost() => Ok(false),
            State::Closed => Err(McpError::new(McpErrorKind::Closed, "the client is closed")),
            State::Running(_) | State::NotStarted => {
                *state = State::Running(Arc::new(self.start()?));
                Ok(true)
            }
        }
    }

    fn probe_limit(&self) -> Option<Duration> {
        self.running()
            .ok()
            .and_then(|running| running.streams.probe_limit())
    }

    async fn close(&self, _: Option<&Session>) {
        let before = std::mem::replace(&mut *self.lock(), State::Closed);
        if let State::Running(running) = before {
            running.streams.end_input();
            running.process.ended_within(self.limits.farewell).await;
        }
    }
}

impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio")
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

//! A child process: started, watched and ended.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_channel::Receiver;
use async_process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use chatcore::Executor;
use futures_lite::AsyncReadExt;

use super::command::McpCommand;
use super::group::{Group, Wish};
use crate::mcp::error::{McpError, McpErrorKind};
use crate::mcp::limit::within;

/// How much of a program's standard error is kept.
const KEPT: usize = 2 * 1024;
/// The time for the status of a program whose output has ended, and then for the rest of its
/// standard error.
const STATUS: Duration = Duration::from_secs(1);

/// How often it is seen whether the processes of a group have ended.
const POLL: Duration = Duration::from_millis(10);

/// A running program.
///
/// When it is dropped, the program has a little time to end by itself, because its input has ended.
/// Then it is asked to end, and then it is killed, each time with the processes that it has started.
pub(super) struct Process {
    executor: Arc<dyn Executor>,
    name: String,
    program: Option<Arc<Program>>,
    errors: Arc<Mutex<VecDeque<u8>>>,
    /// Closed when the standard error was read to its end.
    errors_ended: Receiver<()>,
    farewell: Duration,
}

/// The group is dropped, and killed, before the status of a dropped child is read.
struct Program {
    group: Group,
    child: async_lock::Mutex<Child>,
}

impl Process {
    pub(super) fn start(
        executor: &Arc<dyn Executor>,
        command: &McpCommand,
        farewell: Duration,
    ) -> Result<(Self, ChildStdout, ChildStdin), McpError> {
        let name = command.program.to_string_lossy().into_owned();
        let failed = |error: io::Error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => McpErrorKind::Config,
                _ => McpErrorKind::Connection,
            };
            McpError::new(kind, format!("{name} cannot be started: {error}")).with_source(error)
        };
        let stderr = match command.shows_errors {
            true => Stdio::inherit(),
            false => Stdio::piped(),
        };
        let mut child = command
            .to_command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(McpError::new(
                McpErrorKind::Connection,
                format!("{name} has no input or no output"),
            ));
        };
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        let (reads, errors_ended) = async_channel::bounded(1);
        if let Some(stderr) = child.stderr.take() {
            let errors = Arc::clone(&errors);
            executor.spawn(Box::pin(async move {
                keep(stderr, errors).await;
                drop(reads);
            }));
        }
        let process = Self {
            executor: Arc::clone(executor),
            name,
            program: Some(Arc::new(Program {
                group: Group::of(&child),
                child: async_lock::Mutex::new(child),
            })),
            errors,
            errors_ended,
            farewell,
        };
        Ok((process, output, input))
    }

    /// Waits for the program's end, and ends it within `limit`.
    pub(super) async fn ended_within(&self, limit: Duration) {
        if let Some(program) = &self.program {
            program.end(&*self.executor, limit).await;
        }
    }

    /// How the program ended, once its output has ended, and the end of its standard error.
    pub(super) async fn end(&self) -> Option<(String, String)> {
        let program = self.program.as_ref()?;
        let status = within(&*self.executor, STATUS, program.status()).await;
        let status = status.flatten();
        if status.is_some() {
            // What it has started may have nobody to talk to any more, but go on.
            self.end_soon(program);
        }
        let how = match status {
            Some(status) => format!("{} has ended ({status})", self.name),
            None => format!("{} has closed its output", self.name),
        };
        // A process that the program started may keep it open.
        within(&*self.executor, STATUS, self.errors_ended.recv()).await;
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = errors.iter().copied().collect();
        Some((how, String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    fn end_soon(&self, program: &Arc<Program>) {
        let (executor, limit) = (Arc::clone(&self.executor), self.farewell);
        let program = Arc::clone(program);
        // If the executor drops the task, the program is killed at once.
        self.executor.spawn(Box::pin(async move {
            program.end(&*executor, limit).await;
        }));
    }
}

impl Program {
    async fn status(&self) -> Option<ExitStatus> {
        self.child.lock().await.status().await.ok()
    }

    /// Waits until the program and all that it has started have ended. After half of `limit` they
    /// are asked to end, and after the other half they are killed.
    async fn end(&self, executor: &dyn Executor, limit: Duration) {
        let half = limit / 2;
        within(executor, half, self.status()).await;
        self.group.send(Wish::End);
        let ended = async {
            self.status().await;
            while self.group.is_alive() {
                executor.sleep(POLL).await;
            }
        };
        within(executor, half, ended).await;
        self.group.send(Wish::Kill);
        // It fails if the program has ended.
        self.child.lock().await.kill().ok();
        self.status().await;
        self.group.release();
    }
}

/// Keeps the end of what a program writes.
async fn keep(mut stderr: ChildStderr, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&buffer[..count]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(program) = self.program.take() {
            self.end_soon(&program);
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(&self.name).finish()
    }
}

//! The processes of a program: itself, and what it has started, such as the server that `npx` runs.
//!
//! On Unix they are a process group of their own. Elsewhere only the program itself is known.

use std::sync::{Mutex, PoisonError};

use async_process::{Child, Command};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// A process group. When it is dropped, its processes are killed.
///
/// The system may give the group's number to another one when all processes of the group have ended
/// and the program's status was read. So the group is [released](Self::release) soon after that.
#[derive(Debug)]
pub(super) struct Group {
    #[cfg(unix)]
    id: Mutex<Option<Pid>>,
    #[cfg(not(unix))]
    id: Mutex<Option<std::convert::Infallible>>,
}

/// What the processes of a group are asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// To end (SIGTERM).
    End,
    /// Nothing; they are killed (SIGKILL).
    Kill,
}

impl Group {
    /// Makes a command whose process begins a group.
    pub(super) fn command(command: std::process::Command) -> Command {
        #[cfg(unix)]
        let command = {
            let mut command = command;
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            command
        };
        Command::from(command)
    }

    /// The group of a program that was started by such a command.
    pub(super) fn of(child: &Child) -> Self {
        #[cfg(unix)]
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        #[cfg(not(unix))]
        let id = {
            let _ = child;
            None
        };
        Self { id: Mutex::new(id) }
    }

    /// Whether any process of the group is left. One that has ended and whose status nobody has
    /// read counts.
    pub(super) fn is_alive(&self) -> bool {
        let id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        return id.is_some_and(|id| test_kill_process_group(id).is_ok());
        #[cfg(not(unix))]
        return id.is_some();
    }

    /// Sends a signal to all processes of the group that are left.
    pub(super) fn send(&self, wish: Wish) {
        let id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if let Some(id) = *id {
            let signal = match wish {
                Wish::End => Signal::TERM,
                Wish::Kill => Signal::KILL,
            };
            // It fails if no process is left.
            kill_process_group(id, signal).ok();
        }
        #[cfg(not(unix))]
        let _ = (id, wish);
    }

    /// Forgets the group, whose processes have ended.
    pub(super) fn release(&self) {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Wish::Kill);
    }
}

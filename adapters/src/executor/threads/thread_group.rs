//! The threads of a pool: how they are named, started and joined.

use std::io;
use std::sync::Mutex;
use std::thread::{self, JoinHandle, ThreadId};

use super::sync::lock;

/// Starts the threads of one role, and joins them.
#[derive(Debug)]
pub(super) struct ThreadGroup {
    name: String,
    threads: Mutex<Threads>,
}

#[derive(Debug, Default)]
struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// Of all that were ever started: a thread is a member while another one joins it, too.
    ids: Vec<ThreadId>,
}

impl ThreadGroup {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            threads: Mutex::default(),
        }
    }

    /// Starts a thread with the group's name, and `-{index}` after it if there is one.
    pub(super) fn start(
        &self,
        index: Option<usize>,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let name = match index {
            Some(index) => format!("{}-{index}", self.name),
            None => self.name.clone(),
        };
        let handle = thread::Builder::new().name(name).spawn(body)?;
        let mut threads = lock(&self.threads);
        threads.ids.push(handle.thread().id());
        threads.handles.push(handle);
        Ok(())
    }

    /// Whether the calling thread is one of these.
    pub(super) fn is_member(&self) -> bool {
        lock(&self.threads).ids.contains(&thread::current().id())
    }

    /// Waits until every thread is done, except the calling one. No lock is held meanwhile.
    pub(super) fn join(&self) {
        let me = thread::current().id();
        loop {
            let next = {
                let mut threads = lock(&self.threads);
                let at = threads.handles.iter().position(|h| h.thread().id() != me);
                at.map(|at| threads.handles.swap_remove(at))
            };
            let Some(handle) = next else { return };
            // An error would be a panic of the thread itself, whose work is guarded; there is
            // nobody left to tell.
            let _ = handle.join();
        }
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> Vec<String> {
        lock(&self.threads)
            .handles
            .iter()
            .map(|handle| handle.thread().name().unwrap_or_default().to_owned())
            .collect()
    }
}

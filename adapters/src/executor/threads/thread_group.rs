//! Naming, starting and joining the threads of a pool.

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
    /// The ids of all threads ever started: a thread is still a member while another thread joins
    /// it.
    ids: Vec<ThreadId>,
}

impl ThreadGroup {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            threads: Mutex::default(),
        }
    }

    /// Starts a thread named after the group, with `-{index}` appended if there is an index.
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

    /// Whether the calling thread belongs to this group.
    pub(super) fn is_member(&self) -> bool {
        lock(&self.threads).ids.contains(&thread::current().id())
    }

    /// Waits until every thread except the calling one has ended. Holds no lock while it waits.
    pub(super) fn join(&self) {
        let me = thread::current().id();
        loop {
            let next = {
                let mut threads = lock(&self.threads);
                let at = threads.handles.iter().position(|h| h.thread().id() != me);
                at.map(|at| threads.handles.swap_remove(at))
            };
            let Some(handle) = next else { return };
            // `Err` would mean that the thread itself panicked. Its work is guarded against panics,
            // and there is no caller left to tell.
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

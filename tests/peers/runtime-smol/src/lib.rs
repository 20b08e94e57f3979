//! smol with its tasks on the calling thread, in `smol::block_on`. The environment variable
//! `PEERS_SMOL` changes this: `block_on` uses `SmolExecutor::block_on`, and with `threads` the
//! tasks run on a second thread as well.

use std::future::{Future, pending};
use std::sync::Arc;
use std::thread;

use chatcore_adapters::executor::SmolExecutor;
use futures_util::future::join_all;
use peers_driver::{Done, Runtime, Task};

#[derive(Debug)]
pub struct Smol {
    tasks: Arc<smol::Executor<'static>>,
    /// Whether `SmolExecutor::block_on` is used.
    own: bool,
}

impl Smol {
    /// The executor for the client. Its background tasks run in the same place as all others.
    pub fn executor(&self) -> SmolExecutor {
        SmolExecutor::with(Arc::clone(&self.tasks))
    }
}

impl Default for Smol {
    fn default() -> Self {
        let tasks = Arc::<smol::Executor<'static>>::default();
        let how = std::env::var("PEERS_SMOL").unwrap_or_default();
        if how == "threads" {
            let tasks = Arc::clone(&tasks);
            // The thread ends with the process.
            thread::spawn(move || smol::block_on(tasks.run(pending::<()>())));
        }
        let own = how == "block_on";
        Self { tasks, own }
    }
}

impl Runtime for Smol {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.own {
            true => self.executor().block_on(future),
            false => smol::block_on(self.tasks.run(future)),
        }
    }

    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done> {
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|task| self.tasks.spawn(task))
            .collect();
        self.block_on(join_all(tasks))
    }
}

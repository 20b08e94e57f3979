//! smol with its tasks on the calling thread, as chatcore-adapters runs it. With `PEERS_SMOL=plain` in
//! the environment as smol itself does.

use std::future::Future;
use std::sync::Arc;

use chatcore_adapters::executor::SmolExecutor;
use futures_util::future::join_all;
use peers_driver::{Done, Runtime, Task};

#[derive(Debug)]
pub struct Smol {
    tasks: Arc<smol::Executor<'static>>,
    plain: bool,
}

impl Smol {
    /// The executor for the client: its background tasks run where all others do.
    pub fn executor(&self) -> SmolExecutor {
        SmolExecutor::with(Arc::clone(&self.tasks))
    }
}

impl Default for Smol {
    fn default() -> Self {
        Self {
            tasks: Arc::default(),
            plain: std::env::var("PEERS_SMOL").is_ok_and(|how| how == "plain"),
        }
    }
}

impl Runtime for Smol {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self.plain {
            true => smol::block_on(self.tasks.run(future)),
            false => self.executor().block_on(future),
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

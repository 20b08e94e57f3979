//! smol with its tasks on the calling thread.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;
use peers_driver::{Done, Runtime, Task};

#[derive(Debug, Default)]
pub struct Smol(Arc<smol::Executor<'static>>);

impl Runtime for Smol {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        smol::block_on(self.0.run(future))
    }

    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done> {
        let tasks: Vec<_> = tasks.into_iter().map(|task| self.0.spawn(task)).collect();
        self.block_on(join_all(tasks))
    }
}

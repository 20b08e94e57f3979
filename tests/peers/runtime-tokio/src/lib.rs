//! tokio's current-thread runtime, which is its fastest on one core.

use std::future::Future;

use peers_driver::{Done, Runtime, Task};
pub use tokio::runtime::Handle;
use tokio::task::JoinSet;
pub use tokio::time::sleep;

#[derive(Debug)]
pub struct Tokio(tokio::runtime::Runtime);

impl Tokio {
    /// # Panics
    /// If the runtime cannot be created.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self(runtime.expect("a runtime can be made"))
    }

    pub fn handle(&self) -> Handle {
        self.0.handle().clone()
    }
}

impl Default for Tokio {
    fn default() -> Self {
        Self::new()
    }
}

impl Runtime for Tokio {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn run_all(&self, tasks: Vec<Task>) -> Vec<Done> {
        self.block_on(async {
            let mut set = JoinSet::new();
            for task in tasks {
                set.spawn(task);
            }
            set.join_all().await
        })
    }
}

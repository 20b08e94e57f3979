//! The `LocalPool` of the crate `futures`, which has one thread and no timer.

use std::sync::Arc;
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};
use futures_executor::LocalPool;
use futures_util::task::LocalSpawnExt;
use smol::Timer;
use smol::channel::{Sender, unbounded};

use super::contained;
use crate::Host;

/// A handle to the pool. Tasks go to its thread through a channel, because the pool's spawner
/// cannot leave that thread.
#[derive(Debug)]
struct Pool {
    began: StdInstant,
    tasks: Sender<BoxFuture<'static, ()>>,
}

impl Executor for Pool {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // After the pool has ended, the task is dropped.
        self.tasks.try_send(task).ok();
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let timer = Timer::after(duration);
        Box::pin(async {
            timer.await;
        })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

pub(super) fn local_pool() -> Host {
    let (tasks, inbox) = unbounded();
    let began = StdInstant::now();
    Host::new(Arc::new(Pool { began, tasks }), move |case| {
        let mut pool = LocalPool::new();
        let spawner = pool.spawner();
        let spawning = async move {
            while let Ok(task) = inbox.recv().await {
                // Fails only while the pool, and this task with it, is dropped.
                spawner.spawn_local(contained(task)).ok();
            }
        };
        pool.spawner()
            .spawn_local(spawning)
            .map_err(|error| error.to_string())?;
        pool.run_until(case)
    })
}

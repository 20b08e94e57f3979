//! async-executor's `LocalExecutor`, which stays on one thread, run in two ways.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};
use smol::channel::{Receiver, Sender, unbounded};
use smol::{LocalExecutor, Timer};

use super::{FRAME, contained};
use crate::Host;

/// A handle to the loop's thread. Tasks go to that thread through a channel, because the
/// `LocalExecutor` cannot leave it.
#[derive(Debug)]
struct Local {
    began: StdInstant,
    tasks: Sender<BoxFuture<'static, ()>>,
}

impl Executor for Local {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // After the loop has ended, the task is dropped.
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

fn local() -> (Arc<dyn Executor>, Receiver<BoxFuture<'static, ()>>) {
    let (tasks, inbox) = unbounded();
    let began = StdInstant::now();
    (Arc::new(Local { began, tasks }), inbox)
}

pub(super) fn frame_loop() -> Host {
    let (executor, inbox) = local();
    Host::new(executor, move |case| {
        let tasks = LocalExecutor::new();
        let case = tasks.spawn(case);
        while !case.is_finished() {
            while let Ok(task) = inbox.try_recv() {
                tasks.spawn(contained(task)).detach();
            }
            while tasks.try_tick() {}
            // Stands for drawing the frame.
            sleep(FRAME);
        }
        futures_lite::future::block_on(case)
    })
}

pub(super) fn local_executor() -> Host {
    let (executor, inbox) = local();
    Host::new(executor, move |case| {
        let tasks = LocalExecutor::new();
        let spawning = async {
            while let Ok(task) = inbox.recv().await {
                tasks.spawn(contained(task)).detach();
            }
            std::future::pending().await
        };
        futures_lite::future::block_on(tasks.run(futures_lite::future::or(case, spawning)))
    })
}

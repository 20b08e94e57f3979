//! A simulated process that dies at a given poll.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant};
use chatcore_adapters::sim::{SimDisk, SimExecutor};

/// A process: an executor whose tasks are dropped after a number of polls, which includes polls of
/// the main future.
pub(crate) struct Life {
    sim: Arc<SimExecutor>,
    polls_left: AtomicU64,
    is_dead: AtomicBool,
    main: Mutex<Option<Waker>>,
    /// The process's disk. The process dies when the disk crashes.
    disk: SimDisk,
    crashes: u64,
    /// Called first when the process dies.
    die: Box<dyn Fn(&SimDisk) + Send + Sync>,
}

impl Life {
    pub(crate) fn new(
        sim: &Arc<SimExecutor>,
        polls: u64,
        disk: &SimDisk,
        die: impl Fn(&SimDisk) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            sim: Arc::clone(sim),
            polls_left: AtomicU64::new(polls),
            is_dead: AtomicBool::new(false),
            main: Mutex::new(None),
            disk: disk.clone(),
            crashes: disk.crashes(),
            die: Box::new(die),
        })
    }

    /// The future's output, or none where the process died before.
    pub(crate) async fn run<F: Future>(self: &Arc<Self>, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            *self.main.lock().unwrap() = Some(cx.waker().clone());
            match self.is_dead_by_now() {
                true => Poll::Ready(None),
                false => future.as_mut().poll(cx).map(Some),
            }
        })
        .await
    }

    fn is_dead_by_now(&self) -> bool {
        if !self.is_dead.load(Relaxed) {
            let left = self.polls_left.load(Relaxed);
            self.polls_left.store(left.saturating_sub(1), Relaxed);
            if left == 0 {
                (self.die)(&self.disk);
                // Only once.
                self.polls_left.store(u64::MAX, Relaxed);
            }
            if self.disk.crashes() > self.crashes {
                self.is_dead.store(true, Relaxed);
                if let Some(main) = self.main.lock().unwrap().take() {
                    main.wake();
                }
            }
        }
        self.is_dead.load(Relaxed)
    }
}

impl std::fmt::Debug for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Life")
    }
}

/// A task of the process.
struct Mortal(Option<BoxFuture<'static, ()>>, Arc<Life>);

impl Future for Mortal {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.1.is_dead_by_now() {
            self.0 = None;
        }
        match &mut self.0 {
            Some(task) => task.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

/// The executor of a [`Life`].
#[derive(Clone, Debug)]
pub(crate) struct Lived(pub(crate) Arc<Life>);

impl Executor for Lived {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.sim.spawn(Mortal(Some(task), Arc::clone(&self.0)));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sim.sleep(duration))
    }

    fn now(&self) -> Instant {
        self.0.sim.now()
    }
}

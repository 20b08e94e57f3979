//! Executors that are broken on purpose: each is a good one with one flaw.

use std::future::{self, Future};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant};
use chatcore_adapters::executor::SmolExecutor;
use futures_lite::FutureExt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    NeverSleeps,
    SleepsForeverOnZero,
    /// A dropped sleep continues and wakes its task.
    KeepsWakers,
    DropsTasks,
    /// No task runs after a panic.
    DiesOfPanics,
    RunsBackwards,
    StandsStill,
}

#[derive(Debug)]
pub(super) struct Clockwork {
    good: Arc<SmolExecutor>,
    flaw: Flaw,
    dead: Arc<AtomicBool>,
}

impl Clockwork {
    pub(super) fn new(flaw: Flaw) -> Self {
        Self {
            good: Arc::new(SmolExecutor::new()),
            flaw,
            dead: Arc::default(),
        }
    }
}

impl Executor for Clockwork {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        match self.flaw {
            Flaw::DropsTasks => drop(task),
            Flaw::DiesOfPanics => {
                let dead = self.dead.clone();
                self.good.spawn(Box::pin(async move {
                    if !dead.load(Ordering::SeqCst)
                        && AssertUnwindSafe(task).catch_unwind().await.is_err()
                    {
                        dead.store(true, Ordering::SeqCst);
                    }
                }));
            }
            _ => self.good.spawn(task),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.flaw {
            Flaw::NeverSleeps => Box::pin(future::ready(())),
            Flaw::SleepsForeverOnZero if duration.is_zero() => Box::pin(future::pending()),
            Flaw::KeepsWakers => Box::pin(Kept {
                good: self.good.clone(),
                duration,
                over: None,
            }),
            _ => self.good.sleep(duration),
        }
    }

    fn now(&self) -> Instant {
        let now = self.good.now();
        match self.flaw {
            Flaw::RunsBackwards => {
                let hour = Duration::from_secs(3600);
                Instant::from_epoch(hour.saturating_sub(now.since_epoch()))
            }
            Flaw::StandsStill => Instant::default(),
            _ => now,
        }
    }
}

struct Kept {
    good: Arc<SmolExecutor>,
    duration: Duration,
    over: Option<Arc<AtomicBool>>,
}

impl Future for Kept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(over) = &self.over {
            return match over.load(Ordering::SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            };
        }
        let (over, waker) = (Arc::new(AtomicBool::new(false)), cx.waker().clone());
        let (told, sleep) = (over.clone(), self.good.sleep(self.duration));
        self.good.spawn(Box::pin(async move {
            sleep.await;
            told.store(true, Ordering::SeqCst);
            waker.wake();
        }));
        self.over = Some(over);
        Poll::Pending
    }
}

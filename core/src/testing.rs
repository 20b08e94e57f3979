//! An executor for unit tests: one thread, first in first out, and a clock that advances only when
//! nothing else can happen.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::executor::{BoxFuture, Executor};
use crate::time::Instant;

/// The tasks and timers of one test.
#[derive(Default)]
pub(crate) struct Clockwork {
    now: Mutex<Duration>,
    timers: Mutex<Vec<(Duration, Waker)>>,
    spawned: Mutex<VecDeque<BoxFuture<'static, ()>>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Flag {
    fn take(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

impl Clockwork {
    pub(crate) fn new() -> (Arc<Self>, Arc<dyn Executor>) {
        let clockwork = Arc::new(Self::default());
        (Arc::clone(&clockwork), Arc::new(Clock(clockwork)))
    }

    /// Seconds since the test began.
    pub(crate) fn seconds(&self) -> f64 {
        self.now.lock().unwrap().as_secs_f64()
    }

    /// Runs `main` and all tasks until `main` is complete. Panics if nothing can happen any more.
    pub(crate) fn run<F: Future>(&self, main: F) -> F::Output {
        let mut main = pin!(main);
        let main_flag = Arc::new(Flag(AtomicBool::new(true)));
        let mut tasks: Vec<(Arc<Flag>, BoxFuture<'static, ()>)> = Vec::new();
        loop {
            let mut progress = false;
            if main_flag.take() {
                progress = true;
                let waker = Waker::from(Arc::clone(&main_flag));
                if let Poll::Ready(output) = main.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return output;
                }
            }
            let new = self.spawned.lock().unwrap().drain(..).collect::<Vec<_>>();
            tasks.extend(
                new.into_iter()
                    .map(|task| (Arc::new(Flag(AtomicBool::new(true))), task)),
            );
            tasks.retain_mut(|(flag, task)| {
                if !flag.take() {
                    return true;
                }
                progress = true;
                let waker = Waker::from(Arc::clone(flag));
                task.as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
            });
            if !progress && self.spawned.lock().unwrap().is_empty() {
                self.advance();
            }
        }
    }

    fn advance(&self) {
        let mut timers = self.timers.lock().unwrap();
        let next = timers.iter().map(|(at, _)| *at).min();
        let next = next.expect("deadlock: nothing runs and no timer is set");
        *self.now.lock().unwrap() = next;
        let (due, later): (Vec<_>, Vec<_>) = timers.drain(..).partition(|(at, _)| *at <= next);
        *timers = later;
        drop(timers);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl std::fmt::Debug for Clockwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clockwork")
    }
}

/// The executor of a [`Clockwork`].
#[derive(Debug)]
struct Clock(Arc<Clockwork>);

impl Executor for Clock {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.0.spawned.lock().unwrap().push_back(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            clockwork: Arc::clone(&self.0),
            until: *self.0.now.lock().unwrap() + duration,
        })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(*self.0.now.lock().unwrap())
    }
}

struct Sleep {
    clockwork: Arc<Clockwork>,
    until: Duration,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if *self.clockwork.now.lock().unwrap() >= self.until {
            return Poll::Ready(());
        }
        let timer = (self.until, cx.waker().clone());
        self.clockwork.timers.lock().unwrap().push(timer);
        Poll::Pending
    }
}

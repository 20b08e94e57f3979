//! An executor that does everything that executors are allowed to do, but rarely do: it polls tasks
//! that were not woken, polls woken tasks late, and uses a new waker for each poll.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::sleep;
use std::time::{Duration, Instant as StdInstant};

use chatcore::{BoxFuture, Executor, Instant};

use super::contained;
use crate::{Host, Outcome};

/// How long each turn of the loop waits.
const TURN: Duration = Duration::from_millis(1);

/// A woken task waits for fewer than this many turns.
const LATE: u64 = 8;

/// In each turn, one in this many tasks is polled without having been woken.
const SPURIOUS: u64 = 6;

#[derive(Clone, Debug)]
struct Restless {
    began: StdInstant,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    spawned: Vec<BoxFuture<'static, ()>>,
    /// Woken in each turn to check the clock.
    sleepers: Vec<Waker>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Restless {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for Restless {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.lock().spawned.push(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(Sleep {
            until: self.now() + duration,
            executor: self.clone(),
            waker: None,
        })
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(self.began.elapsed())
    }
}

/// A sleep. The executor holds a waker of it that does nothing once the sleep is dropped.
struct Sleep {
    until: Instant,
    executor: Restless,
    waker: Option<Arc<Mutex<Option<Waker>>>>,
}

/// Passes a wake-up on to the waker that last polled the sleep.
struct Relay(Arc<Mutex<Option<Waker>>>);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        let waker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.executor.now() >= self.until {
            return Poll::Ready(());
        }
        let own = self.waker.get_or_insert_default();
        let before = own
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(cx.waker().clone());
        if before.is_none() {
            // The last wake-up was used, or there was none yet.
            let relay = Waker::from(Arc::new(Relay(Arc::clone(own))));
            self.executor.lock().sleepers.push(relay);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let own = self.waker.take();
        own.map(|own| own.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A task, and whether it was woken.
struct Task {
    future: BoxFuture<'static, ()>,
    woken: Arc<AtomicBool>,
    /// How many turns pass before the task is polled, once it is woken.
    late: u64,
}

struct Woken(Arc<AtomicBool>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Task {
    fn new(future: BoxFuture<'static, ()>) -> Self {
        Self {
            future,
            woken: Arc::new(AtomicBool::new(true)),
            late: 0,
        }
    }

    /// Runs one turn of the loop for this task. Returns whether the task continues.
    fn turn(&mut self, random: &mut Random) -> bool {
        let due = self.woken.load(Ordering::SeqCst) && {
            self.late = self.late.saturating_sub(1);
            self.late == 0
        };
        if !due && random.below(SPURIOUS) > 0 {
            return true;
        }
        self.late = random.below(LATE);
        self.woken.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::new(Woken(Arc::clone(&self.woken))));
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&waker));
        polled.is_pending()
    }
}

/// Knuth's linear congruential generator, which is random enough here.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

pub(super) fn restless(seed: u64) -> Host {
    let restless = Restless {
        began: StdInstant::now(),
        shared: Arc::default(),
    };
    let handle = restless.clone();
    Host::new(Arc::new(restless), move |case| run(&handle, case, seed))
}

fn run(executor: &Restless, case: BoxFuture<'static, Outcome>, seed: u64) -> Outcome {
    let outcome = Arc::new(Mutex::new(None));
    let told = Arc::clone(&outcome);
    let case = async move {
        let outcome = case.await;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    };
    let mut random = Random(seed);
    let mut tasks = vec![Task::new(Box::pin(case))];
    loop {
        let (spawned, sleepers) = {
            let mut shared = executor.lock();
            (
                std::mem::take(&mut shared.spawned),
                std::mem::take(&mut shared.sleepers),
            )
        };
        sleepers.into_iter().for_each(Waker::wake);
        tasks.extend(
            spawned
                .into_iter()
                .map(|task| Task::new(Box::pin(contained(task)))),
        );
        tasks.retain_mut(|task| task.turn(&mut random));
        let ended = outcome
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(outcome) = ended {
            return outcome.map_err(|failure| format!("{failure}\nthe executor's seed was {seed}"));
        }
        sleep(TURN);
    }
}

//! Cases for the promises of the [`Executor`] trait.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use chatcore::Executor;
use futures_lite::future;
use smol::channel::{bounded, unbounded};

use crate::{Outcome, ensure};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Sleeps end in the order of their length, not in the order in which they began.
pub(crate) async fn sleeps_end_in_order(executor: Arc<dyn Executor>) -> Outcome {
    let ended = Mutex::new(Vec::new());
    let sleep = |length: u64| {
        let sleep = executor.sleep(ms(length));
        let ended = &ended;
        async move {
            sleep.await;
            ended
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(length);
        }
    };
    // The longest sleep begins first. The other two are polled in the order in which they must end,
    // so that the result is the same if the machine stalls until both are over.
    let (hour, long, short) = (sleep(3_600_000), sleep(140), sleep(40));
    let both = async {
        future::zip(short, long).await;
    };
    future::or(hour, both).await;
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(
        ended == [40, 140],
        "of sleeps of 3,600,000, 140 and 40 ms, {ended:?} have ended"
    );
    Ok(())
}

/// A sleep is never too short, by the executor's clock or the system's.
pub(crate) async fn a_sleep_lasts_its_time(executor: Arc<dyn Executor>) -> Outcome {
    for length in [1, 10, 50] {
        let (here, there) = (std::time::Instant::now(), executor.now());
        executor.sleep(ms(length)).await;
        let (here, there) = (here.elapsed(), executor.now() - there);
        for took in [here, there] {
            ensure!(took >= ms(length), "a sleep of {length} ms took {took:?}");
        }
    }
    Ok(())
}

/// A sleep of zero, or of a nanosecond, ends.
pub(crate) async fn no_sleep_is_too_short(executor: Arc<dyn Executor>) -> Outcome {
    executor.sleep(Duration::ZERO).await;
    executor.sleep(Duration::from_nanos(1)).await;
    Ok(())
}

/// A sleep of 584 billion years neither panics nor ends.
pub(crate) async fn no_sleep_is_too_long(executor: Arc<dyn Executor>) -> Outcome {
    let mut longest = executor.sleep(Duration::MAX);
    let ended = future::poll_once(&mut longest).await;
    ensure!(ended.is_none(), "the longest sleep is over at once");
    executor.sleep(ms(5)).await;
    let ended = future::poll_once(&mut longest).await;
    ensure!(ended.is_none(), "the longest sleep is over after 5 ms");
    Ok(())
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A dropped sleep wakes nobody and holds nothing of its task.
pub(crate) async fn a_dropped_sleep_lets_go_of_its_waker(executor: Arc<dyn Executor>) -> Outcome {
    let length = ms(50);
    let wakes = Arc::new(Wakes::default());
    loop {
        let began = std::time::Instant::now();
        let mut sleep = executor.sleep(length);
        let waker = Waker::from(wakes.clone());
        let early = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        if early.is_pending() {
            // Most likely the sleep is dropped before its time. If not, the loop tries again.
            drop((sleep, waker));
            if began.elapsed() < length {
                break;
            }
        }
        ensure!(
            began.elapsed() >= length,
            "a sleep of {length:?} is over at once"
        );
        wakes.0.store(0, Ordering::SeqCst);
    }
    executor.sleep(length * 2).await;
    // In this order, because a waker that is still held may yet be woken.
    let held = Arc::strong_count(&wakes) - 1;
    ensure!(held == 0, "a dropped sleep still holds its waker");
    let count = wakes.0.load(Ordering::SeqCst);
    ensure!(count == 0, "a dropped sleep woke its task");
    Ok(())
}

/// A task runs even if nobody holds or polls anything.
pub(crate) async fn spawned_tasks_run_detached(executor: Arc<dyn Executor>) -> Outcome {
    let (sender, receiver) = unbounded();
    for n in 0..100 {
        let (sender, sleep) = (sender.clone(), executor.sleep(ms(n % 3)));
        executor.spawn(Box::pin(async move {
            sleep.await;
            let _ = sender.send(n).await;
        }));
    }
    drop(sender);
    let mut ran = Vec::new();
    while let Ok(n) = receiver.recv().await {
        ran.push(n);
    }
    ran.sort_unstable();
    ensure!(
        ran == (0..100).collect::<Vec<_>>(),
        "{} of 100 tasks ran",
        ran.len()
    );
    Ok(())
}

/// Tasks that wait for each other all make progress.
pub(crate) async fn spawned_tasks_run_side_by_side(executor: Arc<dyn Executor>) -> Outcome {
    let (first, second) = (bounded::<u32>(1), bounded::<u32>(1));
    let (done, outcome) = bounded(1);
    let (ping, pong) = (first.0, second.1);
    executor.spawn(Box::pin(async move {
        let mut last = 0;
        for n in 0..100 {
            let _ = ping.send(n).await;
            last = pong.recv().await.unwrap_or_default();
        }
        let _ = done.send(last).await;
    }));
    let (heard, answer) = (first.1, second.0);
    executor.spawn(Box::pin(async move {
        while let Ok(n) = heard.recv().await {
            let _ = answer.send(n * 2).await;
        }
    }));
    let last = outcome.recv().await.map_err(|_| "a task was dropped")?;
    ensure!(last == 198, "the last answer is {last}");
    Ok(())
}

/// Spawning and sleeping work inside tasks.
pub(crate) async fn tasks_spawn_tasks(executor: Arc<dyn Executor>) -> Outcome {
    let (done, outcome) = bounded(1);
    let inner = executor.clone();
    executor.spawn(Box::pin(async move {
        inner.sleep(ms(1)).await;
        let innermost = inner.clone();
        inner.spawn(Box::pin(async move {
            innermost.sleep(ms(1)).await;
            let _ = done.send(()).await;
        }));
    }));
    outcome
        .recv()
        .await
        .map_err(|_| "the inner task was dropped".into())
}

/// Even after many tasks have panicked, the next task runs and sleeps still end.
pub(crate) async fn a_panic_stays_in_its_task(executor: Arc<dyn Executor>) -> Outcome {
    let (sender, receiver) = unbounded::<()>();
    for n in 0..20 {
        let sender = sender.clone();
        executor.spawn(Box::pin(async move {
            let _sender = sender;
            // Panics without calling the panic hook.
            std::panic::resume_unwind(Box::new(format!("panic {n} of this case")));
        }));
    }
    drop(sender);
    // Waits until every task has ended and dropped its sender.
    let _ = receiver.recv().await;
    let (done, outcome) = bounded(1);
    let sleep = executor.sleep(ms(5));
    executor.spawn(Box::pin(async move {
        sleep.await;
        let _ = done.send(()).await;
    }));
    outcome
        .recv()
        .await
        .map_err(|_| "after panics, a task was dropped without running".into())
}

/// Time never goes back, on any thread.
pub(crate) async fn now_never_goes_back(executor: Arc<dyn Executor>) -> Outcome {
    let mut last = executor.now();
    for round in 0..50 {
        let asked = executor.clone();
        let there = thread::spawn(move || (asked.now(), asked.now())).join();
        let (early, late) = there.map_err(|_| "`now` panics on a foreign thread")?;
        let here = executor.now();
        for (before, after) in [(last, early), (early, late), (late, here)] {
            ensure!(
                before <= after,
                "round {round}: {before:?}, and then {after:?}"
            );
        }
        last = here;
    }
    Ok(())
}

/// The executor's clock runs as fast as the system's.
pub(crate) async fn now_keeps_pace_with_the_system(executor: Arc<dyn Executor>) -> Outcome {
    // Each reading of the executor's clock is taken between two readings of the system's, so that a
    // stall between them only widens the allowed range.
    let reading = || {
        let early = std::time::Instant::now();
        (early, executor.now(), std::time::Instant::now())
    };
    let first = reading();
    executor.sleep(ms(200)).await;
    let last = reading();
    let passed = last.1 - first.1;
    let (least, most) = (last.0 - first.2, last.2 - first.0);
    // A clock may stand still within one turn of its event loop.
    let turn = ms(100);
    ensure!(
        passed + turn >= least && passed <= most + turn,
        "{passed:?} by the executor's clock were {least:?} to {most:?} in fact"
    );
    Ok(())
}

/// `sleep` and `spawn` work on threads that the executor does not know.
pub(crate) async fn works_from_foreign_threads(executor: Arc<dyn Executor>) -> Outcome {
    let (sender, receiver) = unbounded();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (executor, sender) = (executor.clone(), sender.clone());
            thread::spawn(move || {
                let sleep = pin!(executor.sleep(ms(10)));
                future::block_on(sleep);
                executor.spawn(Box::pin(async move {
                    let _ = sender.send(n).await;
                }));
            })
        })
        .collect();
    drop(sender);
    let mut ran = Vec::new();
    while let Ok(n) = receiver.recv().await {
        ran.push(n);
    }
    for thread in threads {
        thread.join().map_err(|_| "it panics on a foreign thread")?;
    }
    ran.sort_unstable();
    ensure!(
        ran == [0, 1, 2, 3],
        "of four foreign threads only {ran:?} got through"
    );
    Ok(())
}

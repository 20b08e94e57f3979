//! The timer: one thread and one ordered map of deadlines.
//!
//! The map is ordered, not a binary heap, so that a dropped sleep can be removed: a million dropped
//! sleeps hold no memory.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::sync::{lock, wait, wait_timeout};
use super::thread_group::ThreadGroup;

/// A deadline, and a number that separates sleeps with the same deadline.
type Key = (Instant, u64);

pub(super) struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    sleepers: BTreeMap<Key, Waker>,
    next_id: u64,
    running: bool,
    closed: bool,
}

impl Timer {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Ends the timer's thread, and every sleep with it.
    pub(super) fn close(&self) {
        let sleepers = {
            let mut state = lock(&self.state);
            state.closed = true;
            std::mem::take(&mut state.sleepers)
        };
        self.changed.notify_one();
        wake_all(sleepers.into_values());
    }

    fn run(&self) {
        let mut state = lock(&self.state);
        while !state.closed {
            let now = Instant::now();
            match state.sleepers.first_key_value() {
                None => state = wait(&self.changed, state),
                Some((&(deadline, _), _)) if deadline > now => {
                    state = wait_timeout(&self.changed, state, deadline - now);
                }
                Some(_) => {
                    let later = state.sleepers.split_off(&(now, u64::MAX));
                    let due = std::mem::replace(&mut state.sleepers, later);
                    drop(state);
                    wake_all(due.into_values());
                    state = lock(&self.state);
                }
            }
        }
    }
}

/// Wakes in the order of the deadlines. A waker is foreign code, so a panic in it must not end the
/// timer.
fn wake_all(wakers: impl Iterator<Item = Waker>) {
    for waker in wakers {
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
    }
}

/// A sleep on a pool's timer.
pub(super) struct Sleep {
    timer: Arc<Timer>,
    group: Arc<ThreadGroup>,
    /// `None` if the deadline is too far away for an `Instant`.
    deadline: Option<Instant>,
    registered: Option<Key>,
}

impl Sleep {
    pub(super) fn new(
        timer: Arc<Timer>,
        group: Arc<ThreadGroup>,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            timer,
            group,
            deadline,
            registered: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        if deadline <= Instant::now() {
            return Poll::Ready(());
        }
        let this = &mut *self;
        let mut state = lock(&this.timer.state);
        if state.closed {
            return Poll::Ready(());
        }
        if let Some(key) = this.registered {
            if let Some(waker) = state.sleepers.get_mut(&key) {
                waker.clone_from(cx.waker());
                return Poll::Pending;
            }
            // The timer thread has just removed this sleep to wake it.
            return Poll::Ready(());
        }
        if !state.running {
            let timer = Arc::clone(&this.timer);
            if this.group.start(None, move || timer.run()).is_err() {
                // There is no timer thread to wake the task, so the task polls the clock itself.
                drop(state);
                std::thread::yield_now();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            state.running = true;
        }
        let key = (deadline, state.next_id);
        state.next_id += 1;
        state.sleepers.insert(key, cx.waker().clone());
        this.registered = Some(key);
        let first = state.sleepers.first_key_value().map(|(key, _)| *key);
        drop(state);
        if first == Some(key) {
            this.timer.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.registered {
            let waker = lock(&self.timer.state).sleepers.remove(&key);
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ThreadPool;
    use super::*;
    use chatcore::Executor;
    use std::sync::mpsc;
    use std::task::Wake;
    use std::time::Duration;

    struct Counting;
    impl Wake for Counting {
        fn wake(self: Arc<Self>) {}
    }

    fn sleepers(pool: &ThreadPool) -> usize {
        lock(&pool.handle.timer.state).sleepers.len()
    }

    #[test]
    fn a_dropped_sleep_is_taken_out() {
        let pool = ThreadPool::new(1).unwrap();
        let waker = Waker::from(Arc::new(Counting));
        let mut cx = Context::from_waker(&waker);
        let hour = Duration::from_secs(3600);
        let mut kept = pool.sleep(hour);
        assert!(kept.as_mut().poll(&mut cx).is_pending());
        for _ in 0..10_000 {
            let mut sleep = pool.sleep(hour);
            assert!(sleep.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(sleepers(&pool), 1);
        drop(kept);
        assert_eq!(sleepers(&pool), 0);
        assert_eq!(Arc::strong_count(&pool.handle.timer), 2, "pool and thread");
    }

    #[test]
    fn sleeps_end_after_their_deadlines_in_whatever_order_they_began() {
        let pool = ThreadPool::new(1).unwrap();
        let (tx, rx) = mpsc::channel();
        let start = Instant::now();
        let timer = Arc::clone(&pool.handle.timer);
        for millis in [30_u64, 10, 20, 0] {
            let tx = tx.clone();
            let deadline = start + Duration::from_millis(millis);
            let sleep = Sleep::new(
                Arc::clone(&timer),
                Arc::clone(&pool.handle.timer_threads),
                Some(deadline),
            );
            pool.spawn(Box::pin(async move {
                sleep.await;
                assert!(Instant::now() >= deadline);
                let _ = tx.send(millis);
            }));
        }
        drop(tx);
        // On a busy machine some sleeps may end before they are first polled, so the order in which
        // the others end proves nothing.
        let mut ended: Vec<_> = rx.iter().collect();
        ended.sort_unstable();
        assert_eq!(ended, [0, 10, 20, 30]);
        assert_eq!(sleepers(&pool), 0);
    }

    #[test]
    fn a_sleep_too_far_away_is_pending_and_a_closed_pool_has_none() {
        let pool = ThreadPool::new(1).unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut forever = pool.sleep(Duration::MAX);
        let mut hour = pool.sleep(Duration::from_secs(3600));
        assert!(forever.as_mut().poll(&mut cx).is_pending());
        assert!(hour.as_mut().poll(&mut cx).is_pending());
        pool.close();
        assert!(hour.as_mut().poll(&mut cx).is_ready());
        let mut late = pool.sleep(Duration::from_secs(3600));
        assert!(late.as_mut().poll(&mut cx).is_ready());
    }
}

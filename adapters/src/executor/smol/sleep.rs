//! All sleeps of the process share one timer of smol's reactor.
//!
//! A call sets a timer for its time limit and usually drops it a moment later, when the answer
//! arrives. Each timer that is set at smol's reactor interrupts the reactor's wait, which takes
//! several system calls: more than the rest of a small chat. So sleeps wait in a list here, and
//! only a sleep that ends before all others sets the reactor's timer. A dropped sleep leaves that
//! timer running; when it fires, it is set again for the next sleep in the list.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use ::smol::Timer;

static SLEEPS: Mutex<Sleeps> = Mutex::new(Sleeps {
    waiting: BTreeMap::new(),
    begun: 0,
    timer: None,
});

#[derive(Debug)]
struct Sleeps {
    /// The waker of each sleep, by the time it ends. The number separates sleeps that end at the
    /// same time.
    waiting: BTreeMap<(Instant, u64), Waker>,
    begun: u64,
    /// The reactor's timer and the time it fires, which is never later than the first sleep's end.
    timer: Option<(Instant, Timer)>,
}

fn lock() -> MutexGuard<'static, Sleeps> {
    // No user code runs under the lock, so the list is consistent even when the lock is poisoned.
    SLEEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sleeps {
    /// Whether the timer would fire too late for `until`.
    fn is_late(&self, until: Instant) -> bool {
        self.timer.as_ref().is_none_or(|(rings, _)| until < *rings)
    }

    /// Removes and returns the wakers of all sleeps that have ended, and sets the timer for the
    /// next sleep.
    fn advance(&mut self) -> Vec<Waker> {
        let mut due = Vec::new();
        loop {
            let now = Instant::now();
            while let Some(first) = self.waiting.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
            self.timer.take_if(|(rings, _)| *rings <= now);
            let Some((&(first, _), _)) = self.waiting.first_key_value() else {
                return due;
            };
            if !self.is_late(first) {
                return due;
            }
            let mut timer = Timer::at(first);
            let ring = Waker::from(Arc::new(Ring));
            if Pin::new(&mut timer)
                .poll(&mut Context::from_waker(&ring))
                .is_pending()
            {
                self.timer = Some((first, timer));
                return due;
            }
        }
    }
}

/// The waker that the reactor calls when its timer fires.
struct Ring;

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        let due = lock().advance();
        // Wake outside the lock, because a waker may run its task right away.
        due.into_iter().for_each(Waker::wake);
    }
}

/// Completes at `until`. Dropping it removes it from the list.
#[derive(Debug)]
pub(super) struct Sleep {
    /// `None` if the time is later than an `Instant` can represent.
    until: Option<Instant>,
    /// Its number in the list, once it has been polled and added.
    number: Option<u64>,
}

impl Sleep {
    /// Counts from this call, not from the first poll.
    pub(super) fn after(duration: Duration) -> Self {
        Self {
            until: Instant::now().checked_add(duration),
            number: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else {
            return Poll::Pending;
        };
        if let Some(number) = self.number {
            let mut sleeps = lock();
            let Some(waker) = sleeps.waiting.get_mut(&(until, number)) else {
                return Poll::Ready(());
            };
            if !waker.will_wake(cx.waker()) {
                let old = std::mem::replace(waker, cx.waker().clone());
                // Drop outside the lock: this may be the last handle of a task that owns another
                // `Sleep`.
                drop(sleeps);
                drop(old);
            }
            return Poll::Pending;
        }
        if Instant::now() >= until {
            return Poll::Ready(());
        }
        let mut sleeps = lock();
        sleeps.begun += 1;
        let number = sleeps.begun;
        self.number = Some(number);
        sleeps.waiting.insert((until, number), cx.waker().clone());
        if sleeps.is_late(until) {
            let due = sleeps.advance();
            drop(sleeps);
            due.into_iter().for_each(Waker::wake);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(until), Some(number)) = (self.until, self.number) {
            let waker = lock().waiting.remove(&(until, number));
            // Drop outside the lock: this may be the last handle of the task.
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_lite::FutureExt;
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    const SHORT: Duration = Duration::from_millis(3);
    /// Late enough that every test has finished by then, even on a busy machine.
    const LATER: Duration = Duration::from_secs(600);
    const LONG: Duration = Duration::from_secs(3600);

    fn is_waiting(sleep: &Sleep) -> bool {
        let key = sleep.until.zip(sleep.number);
        key.is_some_and(|key| lock().waiting.contains_key(&key))
    }

    #[test]
    fn an_earlier_one_rings_before_one_that_came_first() {
        let started = Instant::now();
        let (mut long, mut short) = (Sleep::after(LONG), Sleep::after(SHORT));
        assert!(block_on(poll_once(&mut long)).is_none());
        block_on(&mut short);
        assert!(started.elapsed() >= SHORT);
        assert!(is_waiting(&long) && !is_waiting(&short));
    }

    #[test]
    fn one_that_is_dropped_leaves_the_list_and_holds_up_nobody() {
        // This sleep ends before all others, so the reactor's timer is set for it.
        let mut dropped = Sleep::after(LATER);
        assert!(block_on(poll_once(&mut dropped)).is_none());
        assert!(is_waiting(&dropped));
        let key = (dropped.until.unwrap(), dropped.number.unwrap());
        drop(dropped);
        assert!(!lock().waiting.contains_key(&key));
        block_on(Sleep::after(SHORT));
    }

    #[test]
    fn the_timer_of_one_that_was_dropped_is_set_for_the_next() {
        let (mut dropped, mut kept) = (Sleep::after(SHORT), Sleep::after(SHORT * 2));
        // On a busy machine both sleeps may already be over here. The test still holds then.
        block_on(async {
            poll_once(&mut dropped).await;
            poll_once(&mut kept).await;
        });
        drop(dropped);
        block_on(kept);
    }

    #[test]
    fn the_task_that_polled_last_is_woken() {
        #[derive(Default)]
        struct Count(AtomicUsize);

        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }

        let first = Arc::new(Count::default());
        let mut sleep = Sleep::after(LATER);
        let waker = Waker::from(Arc::clone(&first));
        let polled = Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        // Another task polls the sleep, which then ends at once.
        assert!(block_on(poll_once(&mut sleep)).is_none());
        let key = (sleep.until.unwrap(), sleep.number.unwrap());
        let waker = lock().waiting.remove(&key).unwrap();
        waker.wake();
        assert_eq!(first.0.load(Ordering::SeqCst), 0);
        // It has ended, and stays ended.
        for _ in 0..2 {
            block_on(&mut sleep);
        }
    }

    #[test]
    fn many_at_once_all_ring() {
        let started = Instant::now();
        let sleeps: Vec<_> = (0..200)
            .map(|number| ::smol::spawn(Sleep::after(SHORT * (number % 5))))
            .collect();
        block_on(async {
            for sleep in sleeps {
                sleep.or(Sleep::after(LONG)).await;
            }
        });
        assert!(started.elapsed() >= SHORT * 4);
    }

    #[test]
    fn none_is_too_long() {
        let mut never = Sleep::after(Duration::MAX);
        assert!(block_on(poll_once(&mut never)).is_none());
    }
}

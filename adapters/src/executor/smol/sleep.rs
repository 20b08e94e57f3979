//! All sleeps of the process behind one timer of the reactor's.
//!
//! A call sets a timer for its time limit, and drops it a moment later: its answer came. Each
//! timer that is set at smol's reactor interrupts the reactor's wait, which takes several system
//! calls, more than all the rest of a small chat. So sleeps wait in a list here, and only one that
//! ends before all others sets the reactor's timer. One that is dropped leaves that timer alone:
//! it rings for nobody then, and is set for the next.

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
    /// Who waits until when. The number tells apart those who wait for the same moment.
    waiting: BTreeMap<(Instant, u64), Waker>,
    begun: u64,
    /// The reactor's timer, and when it rings: not after the first of those who wait.
    timer: Option<(Instant, Timer)>,
}

fn lock() -> MutexGuard<'static, Sleeps> {
    // No code of a user's runs under the lock, so a poisoned list is a consistent one.
    SLEEPS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sleeps {
    /// Whether the timer would ring too late for `until`.
    fn is_late(&self, until: Instant) -> bool {
        self.timer.as_ref().is_none_or(|(rings, _)| until < *rings)
    }

    /// Takes out those whose time has come, and sets the timer for the next one.
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

/// What the reactor wakes when its timer rings.
struct Ring;

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        let due = lock().advance();
        // Outside of the lock: a waker may run the task that it wakes.
        due.into_iter().for_each(Waker::wake);
    }
}

/// Completes at a moment. Dropping it takes it off the list.
#[derive(Debug)]
pub(super) struct Sleep {
    /// `None` is later than any clock can say.
    until: Option<Instant>,
    /// Its number, once it is on the list.
    number: Option<u64>,
}

impl Sleep {
    /// The time runs from here, not from the first poll.
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
                // Outside of the lock: it may be the last handle of a task that sleeps too.
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
            // Outside of the lock: it may be the last hold on its task.
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
    /// So much later that no test is still running then, however busy the machine.
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
        // It would end before all others, so that the reactor's timer is set for it.
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
        // On a busy machine their time may be over here, which is as good.
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
        // Another task asks, and its time comes at once.
        assert!(block_on(poll_once(&mut sleep)).is_none());
        let key = (sleep.until.unwrap(), sleep.number.unwrap());
        let waker = lock().waiting.remove(&key).unwrap();
        waker.wake();
        assert_eq!(first.0.load(Ordering::SeqCst), 0);
        // It is over, and stays so.
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

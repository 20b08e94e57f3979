//! What a database tells its user: whether it can be reached, and whether its limits can be drawn.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chatcore::{Error, Instant};

/// What a database tells the function of [`Database::watch`](super::Database::watch).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum DatabaseEvent {
    /// The server cannot be reached or does not answer. Statements are repeated for the database's
    /// [`patience`](super::Database::patience), and fail after it. Not told again before
    /// [`Regained`](Self::Regained).
    Lost(Error),
    /// The server answers again.
    Regained,
    /// The limits per minute of a run could not be drawn. A draw has been repeated for the
    /// database's patience before. Requests wait until a draw succeeds, so end the work if nobody
    /// removes the cause. After the removal of the run, the error's code is `unknown_run`. Sent
    /// again at most once a minute while draws fail. Without requests there are no draws, so a
    /// program that has been idle since this event does not know whether draws still fail.
    LimitsFailed(Error),
    /// The limits per minute of a run are drawn again.
    LimitsRegained,
}

/// The function that is told, and what it was told last.
pub(super) struct Watch {
    tell: Box<dyn Fn(DatabaseEvent) + Send + Sync>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_away: bool,
    /// When the server answered last.
    answered: Option<Instant>,
    /// What is not told yet.
    events: VecDeque<DatabaseEvent>,
    /// Whether a thread is telling the events, in their order.
    is_telling: bool,
}

impl Watch {
    pub(super) fn new(tell: impl Fn(DatabaseEvent) + Send + Sync + 'static) -> Self {
        Self {
            tell: Box::new(tell),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement failed because the server is away. It counts only if the server has answered no
    /// other one since it `began`: one connection that went silent is not the loss of the server.
    pub(super) fn lost(&self, began: Instant, error: impl FnOnce() -> Error) {
        let mut state = self.lock();
        let answers = state.answered.is_some_and(|answered| answered >= began);
        if !answers && !std::mem::replace(&mut state.is_away, true) {
            self.tell(state, DatabaseEvent::Lost(error()));
        }
    }

    /// A statement succeeded.
    pub(super) fn answered(&self, now: Instant) {
        let mut state = self.lock();
        state.answered = Some(now);
        if std::mem::take(&mut state.is_away) {
            self.tell(state, DatabaseEvent::Regained);
        }
    }

    pub(super) fn limits(&self, drawn: Result<(), Error>) {
        let event = match drawn {
            Ok(()) => DatabaseEvent::LimitsRegained,
            Err(error) => DatabaseEvent::LimitsFailed(error),
        };
        self.tell(self.lock(), event);
    }

    /// Tells events one after another, so that the last one told is the last that happened. The lock
    /// is not held meanwhile, because statements of other threads need it.
    fn tell(&self, mut state: MutexGuard<'_, State>, event: DatabaseEvent) {
        state.events.push_back(event);
        if std::mem::replace(&mut state.is_telling, true) {
            return;
        }
        drop(state);
        let _told = Told(self);
        while let Some(event) = self.next() {
            (self.tell)(event);
        }
    }

    /// The next event to tell. `None` if there is none, and then nobody is telling any more.
    fn next(&self) -> Option<DatabaseEvent> {
        let mut state = self.lock();
        let event = state.events.pop_front();
        state.is_telling = event.is_some();
        event
    }
}

/// Lets the next event be told if the function of the user panics.
struct Told<'a>(&'a Watch);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().is_telling = false;
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use chatcore::ErrorKind;

    use super::*;

    #[test]
    fn each_loss_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let watch = Watch::new({
            let told = Arc::clone(&told);
            move |event| told.lock().unwrap().push(format!("{event:?}"))
        });
        let at = |millis| Instant::from_epoch(Duration::from_millis(millis));
        let lost = |began| watch.lost(at(began), || Error::new(ErrorKind::Journal, "away"));
        watch.answered(at(10));
        // Another statement was answered meanwhile.
        lost(10);
        lost(11);
        lost(12);
        watch.answered(at(20));
        watch.answered(at(21));
        lost(15);
        lost(30);
        let told: Vec<_> = told
            .lock()
            .unwrap()
            .iter()
            .map(|event| event[..4].to_owned())
            .collect();
        assert_eq!(told, ["Lost", "Rega", "Lost"]);
    }

    #[test]
    fn the_last_event_told_is_the_last_that_happened() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let watch = Arc::new_cyclic(|watch: &std::sync::Weak<Watch>| {
            let (watch, told) = (watch.clone(), Arc::clone(&told));
            Watch::new(move |event| {
                // The server answers while its loss is being told.
                if matches!(event, DatabaseEvent::Lost(_)) {
                    let watch = watch.upgrade().unwrap();
                    let answers = move || watch.answered(Instant::from_epoch(Duration::ZERO));
                    std::thread::spawn(answers).join().unwrap();
                }
                told.lock().unwrap().push(format!("{event:?}"));
            })
        });
        let lost = || {
            watch.lost(Instant::from_epoch(Duration::from_secs(1)), || {
                Error::new(ErrorKind::Journal, "away")
            });
        };
        lost();
        lost();
        let told = told.lock().unwrap();
        let names: Vec<_> = told.iter().map(|event| &event[..4]).collect();
        assert_eq!(names, ["Lost", "Rega", "Lost", "Rega"]);
    }

    #[test]
    fn a_function_that_panics_is_told_the_next_event() {
        let count = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&count);
        let watch = Watch::new(move |event| {
            *counter.lock().unwrap() += 1;
            assert!(!matches!(event, DatabaseEvent::Lost(_)), "as users do");
        });
        let at = Instant::from_epoch(Duration::ZERO);
        let lost = || watch.lost(at, || Error::new(ErrorKind::Journal, "away"));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(lost)).unwrap_err();
        watch.answered(at);
        assert_eq!(*count.lock().unwrap(), 2);
    }
}

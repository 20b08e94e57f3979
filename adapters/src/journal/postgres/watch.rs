//! What a database tells its user: whether it can be reached, and whether its limits can be drawn.

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
    /// removes the cause. After the removal of the run, the error's code is `unknown_run`. Not told
    /// again before a draw succeeds.
    LimitsFailed(Error),
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
            drop(state);
            (self.tell)(DatabaseEvent::Lost(error()));
        }
    }

    /// A statement succeeded.
    pub(super) fn answered(&self, now: Instant) {
        let mut state = self.lock();
        state.answered = Some(now);
        if std::mem::take(&mut state.is_away) {
            drop(state);
            (self.tell)(DatabaseEvent::Regained);
        }
    }

    pub(super) fn limits_failed(&self, error: Error) {
        (self.tell)(DatabaseEvent::LimitsFailed(error));
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
}

//! Ends the run if the provider cannot be reached, so that not all items are recorded as errors.

use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::{ChatResponse, Error, ErrorKind, TransportError};
use smol::Timer;

/// The run ends after this many failed connections in a row for each item in flight.
const ROUNDS: usize = 3;

/// How long an item that could not connect waits before the next try.
const PAUSE: Duration = Duration::from_secs(1);

/// The shared knowledge of all items about whether the provider can be reached. Clones share one
/// state.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    state: Arc<Mutex<State>>,
    pause: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// How many items are in flight.
    items: usize,
    /// How many requests reached the provider.
    reached: u64,
    /// How many requests failed to connect since the last one that reached the provider.
    failed: usize,
    /// Why the run ends.
    cause: Option<Error>,
}

impl Outage {
    pub(super) fn new() -> Self {
        Self {
            state: Arc::default(),
            pause: PAUSE,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection error, if the run ended because the provider cannot be reached.
    pub(super) fn cause(&self) -> Option<Error> {
        self.lock().cause.clone()
    }

    /// Sends one item. If no connection can be made, the item waits and is sent again until the
    /// cause is clear. If other items reach the provider in the meantime, the error belongs to this
    /// item. If no item does, the error has the kind [`Closed`](ErrorKind::Closed), which ends the
    /// run and is not recorded. At most `limit` items are in flight at once.
    pub(super) async fn ask<F>(
        &self,
        limit: impl Fn() -> usize,
        mut send: impl FnMut() -> F,
    ) -> Result<ChatResponse, Error>
    where
        F: Future<Output = Result<ChatResponse, Error>>,
    {
        let _place = Place::take(self);
        let mut failed_before = None;
        loop {
            if self.lock().cause.is_some() {
                return Err(ended());
            }
            let result = send().await;
            match self.judge(&result, &mut failed_before, &limit) {
                Verdict::Result => return result,
                Verdict::Ended => return Err(ended()),
                Verdict::Again => {
                    Timer::after(self.pause).await;
                }
            }
        }
    }

    /// Counts a result. `failed_before` is how many requests had reached the provider when this
    /// item last failed to connect.
    fn judge(
        &self,
        result: &Result<ChatResponse, Error>,
        failed_before: &mut Option<u64>,
        limit: impl Fn() -> usize,
    ) -> Verdict {
        let mut state = self.lock();
        let error = match result {
            Err(error) if is_unreached(error) => error,
            _ => {
                if is_reached(result) {
                    state.reached += 1;
                    state.failed = 0;
                }
                return Verdict::Result;
            }
        };
        state.failed += 1;
        let most = ROUNDS * state.items.min(limit()).max(1);
        // An error that is not retryable, such as a bad certificate, affects every item.
        if state.failed >= most || !error.is_retryable() {
            state.cause.get_or_insert_with(|| error.clone());
            return Verdict::Ended;
        }
        match failed_before.replace(state.reached) {
            Some(reached) if state.reached > reached => Verdict::Result,
            _ => Verdict::Again,
        }
    }
}

enum Verdict {
    /// The result belongs to the item.
    Result,
    Again,
    /// The run ends.
    Ended,
}

/// Counts an item as in flight while it lives.
struct Place<'a>(&'a Outage);

impl<'a> Place<'a> {
    fn take(outage: &'a Outage) -> Self {
        outage.lock().items += 1;
        Self(outage)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().items -= 1;
    }
}

fn ended() -> Error {
    Error::new(ErrorKind::Closed, "the provider cannot be reached")
}

/// Whether no connection was made.
fn is_unreached(error: &Error) -> bool {
    let of_connecting = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout);
    let source = error.source().and_then(|source| source.downcast_ref());
    of_connecting && source.is_some_and(|source: &TransportError| source.kind().is_before_sending())
}

/// Whether the provider answered. An error that was found before sending says nothing about it.
fn is_reached(result: &Result<ChatResponse, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => {
            error.status().is_some()
                || matches!(
                    error.kind(),
                    ErrorKind::Truncated | ErrorKind::Protocol | ErrorKind::OutOfTokens
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use chatcore::TransportErrorKind;

    use super::*;

    fn outage() -> Outage {
        Outage {
            pause: Duration::ZERO,
            ..Outage::new()
        }
    }

    fn refused(kind: TransportErrorKind) -> Error {
        TransportError::new(kind, "no connection").into()
    }

    async fn fails(outage: &Outage, sent: &Cell<usize>) -> Error {
        let send = || {
            sent.set(sent.get() + 1);
            async { Err(refused(TransportErrorKind::Connect)) }
        };
        outage.ask(|| 5, send).await.unwrap_err()
    }

    #[test]
    fn nothing_that_connects_ends_the_run() {
        smol::block_on(async {
            let (outage, sent) = (outage(), Cell::new(0));
            let (one, other) =
                futures_lite::future::zip(fails(&outage, &sent), fails(&outage, &sent)).await;
            assert_eq!(
                (one.kind(), other.kind()),
                (ErrorKind::Closed, ErrorKind::Closed)
            );
            assert!(sent.get() <= 2 * ROUNDS, "{}", sent.get());
            assert_eq!(outage.cause().unwrap().kind(), ErrorKind::Connection);
            // Items started later send nothing.
            let before = sent.get();
            assert_eq!(fails(&outage, &sent).await.kind(), ErrorKind::Closed);
            assert_eq!(sent.get(), before);
        });
    }

    #[test]
    fn an_error_is_the_items_own_if_others_connect() {
        smol::block_on(async {
            let outage = outage();
            let others = outage.clone();
            let send = || async {
                let fine = || async { Ok(ChatResponse::default()) };
                others.ask(|| 5, fine).await?;
                Err(refused(TransportErrorKind::Connect))
            };
            let error = outage.ask(|| 5, send).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection);
            assert!(outage.cause().is_none());
        });
    }

    #[test]
    fn only_what_did_not_connect_counts() {
        smol::block_on(async {
            for kind in [TransportErrorKind::Reset, TransportErrorKind::Truncated] {
                let outage = outage();
                for _ in 0..50 {
                    let error = outage.ask(|| 1, || async { Err(refused(kind)) }).await;
                    assert_ne!(error.unwrap_err().kind(), ErrorKind::Closed);
                }
                assert!(outage.cause().is_none());
            }
            // An untrusted certificate is not retried.
            let (outage, sent) = (outage(), Cell::new(0));
            let send = || {
                sent.set(sent.get() + 1);
                async { Err(refused(TransportErrorKind::Tls)) }
            };
            let error = outage.ask(|| 5, send).await.unwrap_err();
            assert_eq!((error.kind(), sent.get()), (ErrorKind::Closed, 1));
        });
    }
}

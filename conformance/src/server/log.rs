//! The server's records: events, requests and counters, and a way to wait for changes.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use event_listener::Event as WakeUp;
use futures_lite::FutureExt;

use super::request::Request;

/// How many events are kept. The oldest are dropped first, so that a long load test fits in memory.
const KEPT: usize = 65_536;

/// The time limit of a wait. Generous, because a busy machine is slow: a wait that fails means that
/// the event never came, not that it came late.
pub const WAIT_CAP: Duration = Duration::from_secs(60);

/// A received request.
#[derive(Debug)]
pub struct Seen {
    /// The request's number; the server's first request is 1.
    pub number: u64,
    /// The connection's number; the server's first connection is 1.
    pub connection: u64,
    /// The key under which the request is counted: `/key/NAME` in its path, or else the whole path.
    pub key: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    /// The headers in the order of arrival, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer coding.
    pub body: Vec<u8>,
    /// When the whole request had arrived.
    pub at: Instant,
}

impl Seen {
    /// The first header called `name` (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }
}

/// Which side closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The client closed or reset the connection.
    Client,
    /// The server closed the connection, because the request's path said so.
    Server,
}

/// An event on a connection.
#[derive(Clone, Debug)]
pub enum What {
    /// A connection was accepted.
    Accepted,
    /// A whole request was received.
    Request(Arc<Seen>),
    /// The answer to the request with this number was completely written.
    Answered(u64),
    /// The connection was closed.
    Closed(By),
}

/// One entry of the event log.
#[derive(Clone, Debug)]
pub struct Event {
    /// When it happened.
    pub at: Instant,
    /// The connection's number.
    pub connection: u64,
    /// What happened.
    pub what: What,
}

/// Counters, of the whole server or of one key.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Counts {
    /// Whole requests received.
    pub requests: u64,
    /// Requests whose answer has not been completely written.
    pub in_flight: u64,
    /// The largest number of requests in flight at once.
    pub max_in_flight: u64,
    /// Answers that were completely written.
    pub answered: u64,
}

impl Counts {
    fn begin(&mut self) {
        self.requests += 1;
        self.in_flight += 1;
        self.max_in_flight = self.max_in_flight.max(self.in_flight);
    }

    fn end(&mut self, answered: bool) {
        self.in_flight -= 1;
        self.answered += u64::from(answered);
    }
}

/// The server's statistics, as `GET /_stats` prints them.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Stats {
    /// Connections accepted so far.
    pub accepted: u64,
    /// Connections open now.
    pub open: u64,
    /// The counters over all keys.
    #[serde(flatten)]
    pub total: Counts,
    /// The counters by key: `/key/NAME` in the path, or else the whole path.
    pub keys: HashMap<String, Counts>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    events: VecDeque<Event>,
    stats: Stats,
    gates: HashMap<String, u64>,
}

/// The shared log of one server.
#[derive(Debug, Default)]
pub(super) struct Log {
    state: Mutex<State>,
    changed: WakeUp,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let value = change(&mut self.lock());
        self.changed.notify(usize::MAX);
        value
    }

    /// Records a new connection and returns its number.
    pub(super) fn accepted(&self) -> u64 {
        self.change(|state| {
            state.stats.accepted += 1;
            state.stats.open += 1;
            let connection = state.stats.accepted;
            state.push(connection, What::Accepted);
            connection
        })
    }

    pub(super) fn closed(&self, connection: u64, by: By) {
        self.change(|state| {
            state.stats.open -= 1;
            state.push(connection, What::Closed(by));
        });
    }

    /// Records a request; it is in flight until the guard is dropped.
    pub(super) fn request(self: &Arc<Self>, connection: u64, key: &str, came: Request) -> InFlight {
        self.change(|state| {
            state.stats.total.begin();
            let counts = state.stats.keys.entry(key.to_owned()).or_default();
            counts.begin();
            let attempt = counts.requests;
            let seen = Arc::new(Seen {
                number: state.stats.total.requests,
                connection,
                key: key.to_owned(),
                method: came.method,
                target: came.target,
                headers: came.headers,
                body: came.body,
                at: Instant::now(),
            });
            state.push(connection, What::Request(seen.clone()));
            InFlight {
                log: self.clone(),
                seen,
                attempt,
                answered: false,
            }
        })
    }

    pub(super) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.lock().events.iter().cloned().collect()
    }

    /// Lets `pieces` more pieces through the gate `key`.
    pub(super) fn release(&self, key: &str, pieces: u64) {
        self.change(|state| *state.gates.entry(key.to_owned()).or_default() += pieces);
    }

    /// Waits until the gate `key` lets one more piece through.
    pub(super) async fn pass(&self, key: &str) {
        self.until(|state| {
            let left = state.gates.get_mut(key).filter(|left| **left > 0)?;
            *left -= 1;
            Some(())
        })
        .await;
    }

    /// Waits, without a limit, until `find` finds something.
    pub(super) async fn until<T>(&self, mut find: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            if let Some(found) = find(&mut self.lock()) {
                return found;
            }
            let mut changed = pin!(self.changed.listen());
            if let Some(found) = find(&mut self.lock()) {
                return found;
            }
            changed.as_mut().await;
        }
    }
}

/// One request in flight: counted until dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    log: Arc<Log>,
    pub(super) seen: Arc<Seen>,
    /// 1 for the first request of this key.
    pub(super) attempt: u64,
    answered: bool,
}

impl InFlight {
    /// Call this when the answer is completely written.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.log.change(|state| {
            state.stats.total.end(self.answered);
            if let Some(counts) = state.stats.keys.get_mut(&self.seen.key) {
                counts.end(self.answered);
            }
            if self.answered {
                state.push(self.seen.connection, What::Answered(self.seen.number));
            }
        });
    }
}

/// Waits for `wait`, or returns what never came.
pub(super) async fn within<T>(
    cap: Duration,
    what: impl FnOnce() -> String,
    wait: impl Future<Output = T>,
) -> Result<T, String> {
    let found = async { Some(wait.await) };
    let late = async {
        smol::Timer::after(cap).await;
        None
    };
    let found = found.or(late).await;
    found.ok_or_else(|| format!("the server did not see {} within {cap:?}", what()))
}

impl State {
    fn push(&mut self, connection: u64, what: What) {
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event {
            at: Instant::now(),
            connection,
            what,
        });
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The requests of `key`, the oldest first.
    pub(super) fn requests(&self, key: &str) -> impl Iterator<Item = &Arc<Seen>> {
        self.events
            .iter()
            .filter_map(move |event| match &event.what {
                What::Request(seen) if seen.key == key => Some(seen),
                _ => None,
            })
    }

    /// When `connection` was closed and by which side, if it was.
    pub(super) fn closed(&self, connection: u64) -> Option<(By, Instant)> {
        let closed = |event: &Event| match event.what {
            What::Closed(by) if event.connection == connection => Some((by, event.at)),
            _ => None,
        };
        self.events.iter().rev().find_map(closed)
    }
}

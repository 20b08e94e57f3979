//! Records results in groups: those that come at about the same time share a round trip and a
//! commit.
//!
//! ```text
//!  record ──► first of a group: leads. Gathers, writes the group, tells the others their results,
//!     │       and lets the first result that came meanwhile lead the next group
//!     └─────► any other: waits until it is told its result, or to lead
//! ```
//!
//! The calls of `record` write the groups themselves. A background task would run on another
//! thread: waking it and being woken by it costs more than the statement. Only the call that leads
//! is woken by the timer and the connection, because each wake-up of a call asks the system whether
//! the answer is there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chatcore::journal::{Lease, Outcome, Recorded};
use chatcore::{BoxFuture, Error, Executor, Instant};
use futures_channel::oneshot;

use super::database::{Database, random};
use super::goes_on::GoesOn;
use super::rows::{self, Columns, Row};
use super::shut_down;
use super::statement::Lane;

/// The size of a group, in results and in bytes of their lines.
const MOST_RESULTS: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;

/// How much longer than `gathering` a group waits if no result comes after it. The result that
/// comes has woken the process already, and a timer would wake it once more.
const LONGER: u32 = 2;

/// Records the results of one worker.
pub(super) struct Writer {
    database: Database,
    run: i64,
    gathering: Duration,
    lane: Lane,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    /// Makes tokens: a random number, and how many results came.
    next_token: u64,
    /// Whether a call of `record`, or a background task, writes a group.
    is_led: bool,
    /// While a group gathers: from when on the next result ends that, and how it does.
    gathered: Option<(Instant, oneshot::Sender<()>)>,
}

struct Waiting {
    row: Row,
    /// `None` for the one that leads.
    tell: Option<oneshot::Sender<Told>>,
}

enum Told {
    Recorded(Result<Recorded, Error>),
    Lead(Lead),
}

impl Writer {
    pub(super) fn new(database: Database, run: i64, gathering: Duration) -> Arc<Self> {
        Arc::new(Self {
            database,
            run,
            gathering,
            lane: Lane::default(),
            state: Mutex::new(State {
                next_token: random(),
                ..State::default()
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn executor(&self) -> &Arc<dyn Executor> {
        self.database.executor()
    }

    /// Records a result. If the future is dropped, the result is still recorded.
    pub(super) async fn record(
        self: &Arc<Self>,
        lease: &Lease,
        outcome: &Outcome,
    ) -> Result<Recorded, Error> {
        let mut row = Row::new(lease, outcome);
        let (tell, told) = oneshot::channel();
        let now = self.executor().now();
        let (token, leads) = {
            let mut state = self.lock();
            row.token = state.next_token.cast_signed();
            state.next_token = state.next_token.wrapping_add(1);
            let (token, leads) = (row.token, !state.is_led);
            state.is_led = true;
            let tell = (!leads).then_some(tell);
            state.waiting.push(Waiting { row, tell });
            let is_full = state.waiting.len() >= MOST_RESULTS;
            let gathered = state.gathered.take_if(|(from, _)| *from <= now || is_full);
            if let Some((_, end)) = gathered {
                // It may have ended by itself.
                let _ = end.send(());
            }
            (token, leads)
        };
        let lead = match leads {
            true => Lead::new(self, token),
            false => match Listening(Some(told)).told().await {
                Ok(Told::Recorded(recorded)) => return recorded,
                Ok(Told::Lead(lead)) => lead,
                Err(oneshot::Canceled) => return Err(shut_down()),
            },
        };
        // If this call is dropped, the group is written in the background.
        let nobody_waits = |_| -> BoxFuture<'static, ()> { Box::pin(std::future::ready(())) };
        GoesOn::new(self.executor(), Box::pin(lead.run()), nobody_waits).await
    }

    /// Waits for more results.
    async fn gather(&self) {
        let (end, ended) = oneshot::channel();
        self.lock().gathered = Some((self.executor().now() + self.gathering, end));
        let ended = async {
            let _ = ended.await;
        };
        let sleep = self.executor().sleep(self.gathering.saturating_mul(LONGER));
        futures_lite::future::or(ended, sleep).await;
        self.lock().gathered = None;
    }

    /// Writes a group and tells its results. Returns the one of the call that leads.
    async fn write(&self, group: Vec<Waiting>, leader: i64) -> Result<Recorded, Error> {
        let mut columns = Columns::default();
        let mut tell = Vec::with_capacity(group.len());
        for waiting in group {
            tell.push((waiting.row.token, waiting.tell));
            columns.push(waiting.row);
        }
        let (run, columns) = (self.run, Arc::new(columns));
        // Whether an attempt that failed may have been carried out.
        let is_again = AtomicBool::new(false);
        let written = self
            .database
            .statement(&self.lane, "record results", move |connection| {
                let columns = Arc::clone(&columns);
                let is_again = is_again.swap(true, Ordering::Relaxed);
                Box::pin(async move { rows::write(connection, run, &columns, is_again).await })
            })
            .await;
        let recorded = |token| match &written {
            Ok(first) if first.contains(&token) => Ok(Recorded::First),
            Ok(_) => Ok(Recorded::Already),
            Err(error) => Err(error.clone()),
        };
        for (token, tell) in tell {
            if let Some(tell) = tell {
                // The caller may have gone.
                let _ = tell.send(Told::Recorded(recorded(token)));
            }
        }
        recorded(leader)
    }

    /// Lets the first result that waits lead, in the background if its call was dropped.
    fn pass_on(self: &Arc<Self>) {
        let (lead, tell) = {
            let mut state = self.lock();
            let Some(first) = state.waiting.first_mut() else {
                state.is_led = false;
                return;
            };
            (Lead::new(self, first.row.token), first.tell.take())
        };
        if let Some(tell) = tell
            && let Err(Told::Lead(lead)) = tell.send(Told::Lead(lead))
        {
            lead.in_background();
        }
    }
}

/// How many of the waiting results form the next group: at least one.
fn group_size(waiting: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fitting = waiting.iter().take(MOST_RESULTS).take_while(|waiting| {
        bytes += waiting.row.line.len();
        bytes <= MOST_BYTES
    });
    fitting.count().max(1)
}

/// The duty to write the group whose first result has this token. If it is dropped unfinished,
/// because the executor was shut down, the calls that wait fail.
struct Lead {
    writer: Arc<Writer>,
    token: i64,
    is_over: bool,
}

impl Lead {
    fn new(writer: &Arc<Writer>, token: i64) -> Self {
        Self {
            writer: Arc::clone(writer),
            token,
            is_over: false,
        }
    }

    /// Writes the group. Then another call leads, if any waits.
    async fn run(mut self) -> Result<Recorded, Error> {
        self.writer.gather().await;
        let group = {
            let mut state = self.writer.lock();
            let size = group_size(&state.waiting);
            state.waiting.drain(..size).collect()
        };
        let recorded = self.writer.write(group, self.token).await;
        self.is_over = true;
        self.writer.pass_on();
        recorded
    }

    fn in_background(self) {
        let executor = Arc::clone(self.writer.executor());
        executor.spawn(Box::pin(async move {
            let _ = self.run().await;
        }));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if !self.is_over {
            let waiting = {
                let mut state = self.writer.lock();
                state.is_led = false;
                std::mem::take(&mut state.waiting)
            };
            // Outside the lock, because this wakes their calls.
            drop(waiting);
        }
    }
}

/// A call that waits to be told. If it is dropped when it shall lead, that happens in the
/// background.
struct Listening(Option<oneshot::Receiver<Told>>);

impl Listening {
    async fn told(mut self) -> Result<Told, oneshot::Canceled> {
        let told = match &mut self.0 {
            Some(told) => told.await,
            None => Err(oneshot::Canceled),
        };
        self.0 = None;
        told
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(mut told) = self.0.take() {
            told.close();
            if let Ok(Some(Told::Lead(lead))) = told.try_recv() {
                lead.in_background();
            }
        }
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.lock();
        f.debug_struct("Writer")
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}

//! Connections that wait for their next request.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chatcore::{Executor, Instant};

use super::exchange::Connection;
use super::request::Origin;

/// The limits of a pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_idle: usize,
    pub(super) idle: Duration,
    pub(super) age: Duration,
    /// Whether a background task closes expired connections.
    pub(super) reaps: bool,
}

/// Idle connections for each origin. The most recently used is reused first, so that unneeded ones
/// expire.
pub(super) struct Pool {
    executor: Arc<dyn Executor>,
    limits: Limits,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// Each queue has the least recently used connection first.
    origins: HashMap<Arc<Origin>, VecDeque<Waiting>>,
    /// Whether a reaper is running. Unless reaping is off, one runs while any connection is idle.
    reaping: bool,
}

/// An idle connection, and when it expires.
struct Waiting {
    until: Instant,
    connection: Connection,
}

impl Pool {
    pub(super) fn new(executor: Arc<dyn Executor>, limits: Limits) -> Self {
        Self {
            executor,
            limits,
            idle: Mutex::default(),
        }
    }

    pub(super) fn executor(&self) -> &Arc<dyn Executor> {
        &self.executor
    }

    /// Takes an idle connection to `origin` that is still open, as far as this side can tell.
    pub(super) fn take(&self, origin: &Origin) -> Option<Connection> {
        let now = self.executor.now();
        loop {
            let newest = self.lock().origins.get_mut(origin)?.pop_back();
            let mut waiting = newest?;
            // Checked however short the idle time was, because an unexpected response must not be
            // taken for the response to the next request.
            if now < waiting.until && waiting.connection.stream.is_quiet() {
                return Some(waiting.connection);
            }
        }
    }

    /// Keeps `connection` for the next request until its age limit, the idle limit or the server's
    /// own limit passes, whichever is first.
    pub(super) fn put(
        self: &Arc<Self>,
        origin: &Arc<Origin>,
        mut connection: Connection,
        server_limit: Option<Duration>,
    ) {
        let now = self.executor.now();
        // One second less than the server's limit, so that no request is sent while the server
        // closes.
        let server_limit = server_limit.map(|limit| limit.saturating_sub(Duration::from_secs(1)));
        let idle = self.limits.idle.min(server_limit.unwrap_or(Duration::MAX));
        let until = (now + idle).min(connection.born + self.limits.age);
        if until <= now || self.limits.max_idle == 0 {
            return;
        }
        connection.unread = Vec::new();
        let mut pool = self.lock();
        let idle = pool.origins.entry(origin.clone()).or_default();
        let surplus = match idle.len() < self.limits.max_idle {
            true => None,
            false => idle.pop_front(),
        };
        idle.push_back(Waiting { until, connection });
        let start = self.limits.reaps && !std::mem::replace(&mut pool.reaping, true);
        drop(pool);
        drop(surplus);
        if start {
            let reaper = Reaper {
                pool: Arc::downgrade(self),
                executor: self.executor.clone(),
                done: false,
            };
            self.executor.spawn(Box::pin(reaper.run()));
        }
    }

    /// Drops expired connections. Returns the time until the next one expires, or `None` if none is
    /// idle.
    fn reap(&self) -> Option<Duration> {
        let now = self.executor.now();
        // Dropped, and so closed, after the lock is released.
        let mut expired = Vec::new();
        let mut next = None;
        let mut pool = self.lock();
        pool.origins.retain(|_, idle| {
            // The queue is not sorted by expiry, because age and server limits differ between
            // connections.
            let (over, still): (VecDeque<_>, _) =
                idle.drain(..).partition(|waiting| waiting.until <= now);
            expired.push(over);
            *idle = still;
            next = idle.iter().map(|waiting| waiting.until).chain(next).min();
            !idle.is_empty()
        });
        pool.reaping = next.is_some();
        drop(pool);
        next.map(|next| next - now)
    }

    #[cfg(test)]
    #[cfg(feature = "smol")]
    pub(super) fn idle(&self) -> usize {
        self.lock().origins.values().map(VecDeque::len).sum()
    }

    #[cfg(test)]
    #[cfg(feature = "smol")]
    pub(super) fn is_reaping(&self) -> bool {
        self.lock().reaping
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        // No code that runs under this lock panics in the middle of a change.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let idle = self.lock();
        let count: usize = idle.origins.values().map(VecDeque::len).sum();
        f.debug_struct("Pool").field("idle", &count).finish()
    }
}

/// The task that drops expired connections. It does not keep the pool alive.
struct Reaper {
    pool: Weak<Pool>,
    executor: Arc<dyn Executor>,
    done: bool,
}

impl Reaper {
    async fn run(mut self) {
        while let Some(wait) = self.pool.upgrade().and_then(|pool| pool.reap()) {
            self.executor.sleep(wait).await;
        }
        self.done = true;
    }
}

impl Drop for Reaper {
    /// If the executor drops the task, the next connection that becomes idle starts another.
    fn drop(&mut self) {
        if !self.done
            && let Some(pool) = self.pool.upgrade()
        {
            pool.lock().reaping = false;
        }
    }
}

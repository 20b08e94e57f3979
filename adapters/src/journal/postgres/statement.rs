//! Runs statements: a connection for each lane, time limits and retries.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_lock::Mutex;
use chatcore::{BoxFuture, Error, ErrorKind, Executor, Instant};
use sqlx::{ConnectOptions, PgConnection};

use super::database::{Database, random};
use super::failure::Failed;

/// The first pause before a failed statement is repeated, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a connection attempt may take.
const CONNECTING: Duration = Duration::from_secs(10);

/// How much later than the server the client gives up on a statement.
const GRACE: Duration = Duration::from_secs(5);

/// A connection unused for longer is not used again, because a firewall may have forgotten it.
const STALE: Duration = Duration::from_secs(60);

/// A place for one connection, which runs one statement at a time.
#[derive(Default)]
pub(super) struct Lane {
    idle: Mutex<Option<Idle>>,
    /// Whether the tables are known to have this program's version.
    pub(super) is_ready: AtomicBool,
}

struct Idle {
    connection: PgConnection,
    since: Instant,
    alarm: Alarm,
}

/// The time limit of a connection's statements. It sleeps through many statements, because setting
/// a timer for each one wakes the executor's reactor.
#[derive(Default)]
struct Alarm(Option<(Instant, BoxFuture<'static, ()>)>);

impl Alarm {
    /// Completes at `until`.
    async fn ring(&mut self, executor: &Arc<dyn Executor>, until: Instant) {
        loop {
            let now = executor.now();
            if now >= until {
                return;
            }
            self.0.take_if(|(rings, _)| *rings > until);
            let set = || (until, executor.sleep(until - now));
            let (_, sleep) = self.0.get_or_insert_with(set);
            sleep.await;
            self.0 = None;
        }
    }
}

impl Database {
    /// Runs a statement and repeats it while its failure may pass. `what` completes the sentence
    /// "PostgreSQL could not …". The statement must have the same effect once and twice, because
    /// it is unknown whether one that failed was carried out.
    ///
    /// Cancel-safe: dropping the future closes the connection if a statement runs on it.
    pub(super) async fn statement<T, F>(&self, lane: &Lane, what: &str, run: F) -> Result<T, Error>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failed>>,
    {
        let ran = self.repeated(lane, what, run).await;
        ran.map_err(|failed| self.error(&failed, ErrorKind::Journal, what))
    }

    /// Runs the first statement of a database. A failure that does not pass is one of the settings.
    pub(super) async fn first_statement<T, F>(
        &self,
        lane: &Lane,
        what: &str,
        run: F,
    ) -> Result<T, Error>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failed>>,
    {
        self.repeated(lane, what, run).await.map_err(|failed| {
            let kind = match failed.is_temporary() {
                true => ErrorKind::Journal,
                false => ErrorKind::Config,
            };
            self.error(&failed, kind, what)
        })
    }

    async fn repeated<T, F>(&self, lane: &Lane, what: &str, run: F) -> Result<T, Failed>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failed>>,
    {
        let longest = CONNECTING + self.inner.statement_timeout + GRACE;
        // What a process that was stopped, or a machine that slept, has not tried does not count.
        let mut spent = Duration::ZERO;
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let began = self.inner.executor.now();
            let failed = match self.once(lane, &run).await {
                Ok(value) => {
                    if let Some(watch) = &self.inner.watch {
                        watch.answered(self.inner.executor.now());
                    }
                    return Ok(value);
                }
                Err(failed) => failed,
            };
            tries += 1;
            // A connection that was lost while it was idle is replaced, and nobody need know.
            let is_lost = matches!(failed, Failed::Unreached(_)) || tries > 1;
            if let Some(watch) = &self.inner.watch
                && is_lost
                && failed.is_away()
            {
                watch.lost(began, || self.error(&failed, ErrorKind::Journal, what));
            }
            let wait = pause.mul_f64(0.5 + 0.5 * fraction());
            spent += (self.inner.executor.now() - began).min(longest) + wait;
            if !failed.is_temporary() || spent >= self.inner.patience {
                return Err(failed);
            }
            self.inner.executor.sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn once<T, F>(&self, lane: &Lane, run: &F) -> Result<T, Failed>
    where
        F: for<'c> Fn(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failed>>,
    {
        let mut idle = lane.idle.lock().await;
        let executor = &self.inner.executor;
        // Taken out, so that a connection in mid-statement is never used again.
        let fresh = idle
            .take()
            .filter(|idle| executor.now() - idle.since < STALE);
        let (mut connection, mut alarm) = match fresh {
            Some(idle) => (idle.connection, idle.alarm),
            None => {
                let mut alarm = Alarm::default();
                let connecting = self.within(&mut alarm, CONNECTING, self.connect());
                let connection = connecting.await.map_err(Failed::while_connecting)?;
                (connection, alarm)
            }
        };
        let limit = self.inner.statement_timeout + GRACE;
        let result = self.within(&mut alarm, limit, run(&mut connection)).await;
        if result.as_ref().err().is_none_or(Failed::keeps_connection) {
            *idle = Some(Idle {
                connection,
                since: executor.now(),
                alarm,
            });
        }
        result
    }

    async fn within<T>(
        &self,
        alarm: &mut Alarm,
        limit: Duration,
        work: impl Future<Output = Result<T, Failed>>,
    ) -> Result<T, Failed> {
        let until = self.inner.executor.now() + limit;
        let late = async {
            alarm.ring(&self.inner.executor, until).await;
            Err(Failed::TimedOut)
        };
        futures_lite::future::or(work, late).await
    }

    async fn connect(&self) -> Result<PgConnection, Failed> {
        let mut connection = self.inner.options.connect().await?;
        let limit = self.inner.statement_timeout.as_millis();
        // A client that disappears leaves no transaction and no connection behind for long.
        let settings = format!(
            "SET search_path TO \"{}\"; SET statement_timeout TO {limit}; SET lock_timeout TO \
             {limit}; SET idle_in_transaction_session_timeout TO {limit}; SET tcp_keepalives_idle \
             TO 30; SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3; SET \
             client_min_messages TO warning",
            self.inner.schema
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(settings))
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lane")
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    random() as f64 / u64::MAX as f64
}

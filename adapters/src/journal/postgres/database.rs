//! The database of runs: its settings, and the secrets that no error may tell.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chatcore::{Error, ErrorKind, Executor};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::failure::Failed;
use super::schema;
use super::statement::Lane;
use super::watch::{DatabaseEvent, Watch};

/// The longest name of a schema or a run, in bytes. PostgreSQL cuts longer names of schemas.
pub(super) const LONGEST_NAME: usize = 63;

/// A PostgreSQL database that keeps runs: their input, their leases and their results.
///
/// Cloning is cheap. Nothing connects before the first method that needs the server. Such a method
/// creates the tables if they are missing, in a schema of their own. Use a direct connection or a
/// session pool: a pooler that shares a connection between transactions loses its time limits.
///
/// ```no_run
/// use std::sync::Arc;
/// use chatcore_adapters::executor::SmolExecutor;
/// use chatcore_adapters::journal::postgres::{Database, Submission};
///
/// # async fn example() -> Result<(), chatcore::Error> {
/// let url = std::env::var("CHATCORE_POSTGRES").unwrap_or_default();
/// let database = Database::new(Arc::new(SmolExecutor::new()), &url)?;
/// let input = std::fs::File::open("in.jsonl").map_err(std::io::Error::other);
/// # let input = input.expect("a file");
/// let found = database.submit("night", input, Submission::default()).await?;
/// println!("{} items", found.items);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    pub(super) inner: Arc<Inner>,
}

/// The settings of a database.
#[derive(Clone)]
pub(super) struct Inner {
    pub(super) executor: Arc<dyn Executor>,
    pub(super) options: PgConnectOptions,
    secrets: Vec<String>,
    pub(super) schema: String,
    pub(super) statement_timeout: Duration,
    pub(super) patience: Duration,
    pub(super) watch: Option<Arc<Watch>>,
    /// For everything but results and limits. Settings replace it, because they are a connection's.
    lane: Arc<Lane>,
}

impl Database {
    /// The default of [`schema`](Self::with_schema).
    pub const DEFAULT_SCHEMA: &str = "chatcore";
    /// The default of [`statement_timeout`](Self::statement_timeout).
    pub const DEFAULT_STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
    /// The default of [`patience`](Self::patience).
    pub const DEFAULT_PATIENCE: Duration = Duration::from_secs(300);

    /// The database at a URL such as `postgres://user@host:5432/name?sslmode=verify-full`. What the
    /// URL leaves out is read from the variables of PostgreSQL (`PGUSER`, `PGPASSWORD`, …) and from
    /// the file `.pgpass`. `executor` measures time limits.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) if this is not the URL of a PostgreSQL database.
    pub fn new(executor: Arc<dyn Executor>, url: &str) -> Result<Self, Error> {
        let secrets = secrets(url);
        let wrong = |why: &str| {
            let why = format!(
                "this is not the URL of a PostgreSQL database: {why}; write \
                 postgres://user@host:5432/name"
            );
            Error::new(ErrorKind::Config, super::failure::redacted(why, &secrets))
                .with_code(Some("postgres_url".to_owned()))
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong("it does not begin with postgres://"));
        }
        let options: PgConnectOptions = url
            .parse()
            .map_err(|error: sqlx::Error| wrong(&error.to_string()))?;
        Ok(Self {
            inner: Arc::new(Inner {
                executor,
                // Statements hold prompts and answers, which belong into no log.
                options: options.disable_statement_logging(),
                secrets,
                schema: Self::DEFAULT_SCHEMA.to_owned(),
                statement_timeout: Self::DEFAULT_STATEMENT_TIMEOUT,
                patience: Self::DEFAULT_PATIENCE,
                watch: None,
                lane: Arc::default(),
            }),
        })
    }

    /// Sets the schema that holds the tables. Default: `chatcore`.
    ///
    /// # Errors
    /// [`Config`](ErrorKind::Config) unless the name has 1 to 63 bytes, all of them lower-case
    /// letters of ASCII, digits and underscores, and does not begin with a digit or `pg_`.
    pub fn with_schema(mut self, schema: &str) -> Result<Self, Error> {
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let begins = schema
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
        let is_right = begins
            && schema.len() <= LONGEST_NAME
            && schema.bytes().all(plain)
            && !schema.starts_with("pg_");
        if !is_right {
            let why = format!(
                "{schema:?} cannot be the name of a schema: use lower-case letters, digits and \
                 underscores"
            );
            return Err(Error::new(ErrorKind::Config, why));
        }
        self.settings().schema = schema.to_owned();
        Ok(self)
    }

    /// Sets how long the server may work on a statement. The client gives up 5 s later, in case
    /// the connection was lost silently. Default: 10 s.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        let timeout = timeout.max(Duration::from_millis(10));
        self.settings().statement_timeout = timeout;
        self
    }

    /// Sets for how long a statement is repeated whose failure may pass, such as a lost connection
    /// or a server that restarts. The time in which the process was stopped, or its machine slept,
    /// does not count. Default: 5 minutes.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.settings().patience = patience;
        self
    }

    /// Sets a function that is told when the server cannot be reached and when it answers again, and
    /// when a run's limits cannot be drawn. Without one, statements are repeated silently for the
    /// [`patience`](Self::patience). All clones of this database made afterwards share it. It is called
    /// between two statements, so it must not block.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use chatcore_adapters::executor::SmolExecutor;
    /// use chatcore_adapters::journal::postgres::{Database, DatabaseEvent};
    ///
    /// # fn main() -> Result<(), chatcore::Error> {
    /// # let executor = Arc::new(SmolExecutor::new());
    /// let database = Database::new(executor, "postgres://db.internal/batches")?.watch(|event| {
    ///     match event {
    ///         DatabaseEvent::Lost(error) => eprintln!("{error}"),
    ///         DatabaseEvent::Regained => eprintln!("the database is back"),
    ///         // Requests wait until a draw succeeds: end the run, if nobody mends it.
    ///         DatabaseEvent::LimitsFailed(error) => eprintln!("no request is sent: {error}"),
    ///         DatabaseEvent::LimitsRegained => eprintln!("requests are sent again"),
    ///         _ => {}
    ///     }
    /// });
    /// # let _ = database;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn watch(mut self, tell: impl Fn(DatabaseEvent) + Send + Sync + 'static) -> Self {
        self.settings().watch = Some(Arc::new(Watch::new(tell)));
        self
    }

    /// The schema that holds the tables.
    pub fn schema(&self) -> &str {
        &self.inner.schema
    }

    pub(super) fn executor(&self) -> &Arc<dyn Executor> {
        &self.inner.executor
    }

    fn settings(&mut self) -> &mut Inner {
        let inner = Arc::make_mut(&mut self.inner);
        inner.lane = Arc::default();
        inner
    }

    /// The lane for everything but results and limits, when the tables have this program's version.
    pub(super) async fn lane(&self) -> Result<Arc<Lane>, Error> {
        let lane = Arc::clone(&self.inner.lane);
        if !lane.is_ready.load(Ordering::Relaxed) {
            schema::migrate(self, &lane).await?;
            lane.is_ready.store(true, Ordering::Relaxed);
        }
        Ok(lane)
    }

    /// Tells whether the limits of a run can be drawn.
    pub(super) fn limits(&self, drawn: Result<(), Error>) {
        if let Some(watch) = &self.inner.watch {
            watch.limits(drawn);
        }
    }

    pub(super) fn error(&self, failed: &Failed, kind: ErrorKind, what: &str) -> Error {
        failed.error(kind, what, &self.place(), &self.inner.secrets)
    }

    /// Where the server is: a host and a port, or the folder of a socket.
    fn place(&self) -> String {
        let options = &self.inner.options;
        match options.get_socket() {
            Some(folder) => format!("{} (port {})", folder.display(), options.get_port()),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("host", &self.inner.options.get_host())
            .field("port", &self.inner.options.get_port())
            .field("database", &self.inner.options.get_database())
            .field("schema", &self.inner.schema)
            .finish_non_exhaustive()
    }
}

/// The passwords that a URL and the environment may hold, in each form that an error could repeat.
fn secrets(url: &str) -> Vec<String> {
    let mut secrets: Vec<String> = std::env::var("PGPASSWORD").into_iter().collect();
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let from_user = user
        .and_then(|user| user.split_once(':'))
        .map(|(_, password)| password);
    let from_query = url.split(['?', '&']).skip(1);
    let from_query = from_query.filter_map(|pair| pair.strip_prefix("password="));
    for password in from_user.into_iter().chain(from_query) {
        let decoded = percent_encoding::percent_decode_str(password).decode_utf8_lossy();
        secrets.push(decoded.into_owned());
        secrets.push(password.to_owned());
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

/// A number that other processes do not have.
pub(super) fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_a_url_are_known() {
        let found = secrets("postgres://me:p%40ss:w@x@host:1/db?sslmode=disable&password=other");
        for secret in ["p@ss:w@x", "p%40ss:w@x", "other"] {
            assert!(
                found.iter().any(|found| found == secret),
                "{secret}: {found:?}"
            );
        }
    }

    #[test]
    fn an_error_names_the_socket_or_the_host() {
        let executor = Arc::new(crate::executor::SmolExecutor::new());
        let place = |url: &str| Database::new(executor.clone(), url).unwrap().place();
        assert_eq!(place("postgres://db.internal:5433/x"), "db.internal:5433");
        let socket = "/run/pg (port 5432)";
        assert_eq!(place("postgres:///x?host=/run/pg&port=5432"), socket);
        assert_eq!(place("postgres://%2Frun%2Fpg:5432/x"), socket);
    }
}

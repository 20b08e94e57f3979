//! `chatcore batch submit`, `status`, `pause`, `resume`, `cancel`, `remove`, `worker` and
//! `results`: a batch on many machines, kept in PostgreSQL.

pub(crate) mod args;
mod control;
mod results;
mod submit;
mod tell;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::postgres::Database;

use crate::failure::{Failure, WRONG};
use args::PostgresArgs;

pub(crate) use control::{cancel, pause, remove, resume, status};
pub(crate) use results::results;
pub(crate) use submit::submit;
pub(crate) use worker::worker;

/// The variable that has the URL of the database if no option has it.
const VARIABLE: &str = "CHATCORE_POSTGRES";

/// How long a command waits for a server that does not answer. A worker waits longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The URL of the database, if it is set.
fn url(args: &PostgresArgs) -> Option<String> {
    let url = args.postgres.clone();
    let url = url.or_else(|| std::env::var(VARIABLE).ok());
    url.filter(|url| !url.trim().is_empty())
}

fn database(args: &PostgresArgs) -> Result<Database, Failure> {
    let url = url(args).ok_or_else(|| Failure {
        status: WRONG,
        message: format!(
            "which database? Set --postgres or {VARIABLE}, to postgres://user@host/name"
        ),
    })?;
    let executor = Arc::new(SmolExecutor::new());
    let database = Database::new(executor, url.trim())?.with_schema(&args.schema)?;
    Ok(database.patience(PATIENCE))
}

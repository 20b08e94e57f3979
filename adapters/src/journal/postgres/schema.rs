//! The tables, and how they are made and kept at this program's version.

use std::sync::Arc;

use chatcore::{Error, ErrorKind};
use sqlx::{Connection, Row};

use super::database::Database;
use super::failure::Failed;
use super::statement::Lane;

/// Each migration leads from its index to the next version. Released ones never change.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/1.sql"),
    include_str!("migrations/2.sql"),
];

/// The key of the advisory lock under which migrations run. Any number that other programs are
/// unlikely to use; this is "chatcore" as ASCII.
const LOCK: i64 = 0x6368_6174_636f_7265;

/// Makes the schema if it is missing, and brings it to this program's version. Several processes
/// may do this at once.
pub(super) async fn migrate(database: &Database, lane: &Lane) -> Result<(), Error> {
    let schema: Arc<str> = Arc::from(database.schema());
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    let found = database
        .first_statement(lane, "prepare its tables", move |connection| {
            let schema = Arc::clone(&schema);
            Box::pin(async move {
                let found = version(connection).await?;
                if found.is_some_and(|found| found >= known) {
                    return Ok(found.unwrap_or(known));
                }
                let mut transaction = connection.begin().await?;
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(LOCK)
                    .execute(&mut *transaction)
                    .await?;
                // The schema's name is checked when it is set, and quoted here.
                let create = format!(
                    "CREATE SCHEMA IF NOT EXISTS \"{schema}\"; \
                     CREATE TABLE IF NOT EXISTS version (version integer NOT NULL);"
                );
                sqlx::raw_sql(sqlx::AssertSqlSafe(create))
                    .execute(&mut *transaction)
                    .await?;
                let found = version(&mut transaction).await?.unwrap_or(0);
                for migration in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
                    sqlx::raw_sql(*migration).execute(&mut *transaction).await?;
                }
                sqlx::query("DELETE FROM version")
                    .execute(&mut *transaction)
                    .await?;
                sqlx::query("INSERT INTO version VALUES ($1)")
                    .bind(found.max(known))
                    .execute(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                Ok::<_, Failed>(found.max(known))
            })
        })
        .await?;
    if found > known {
        let why = format!(
            "the tables in the schema {:?} have version {found}, and this program knows {known}: \
             use the newer chatcore that made them, or another schema",
            database.schema()
        );
        return Err(Error::new(ErrorKind::Config, why).with_code(Some("newer_schema".to_owned())));
    }
    Ok(())
}

/// The version of the tables; `None` if there are none.
async fn version(connection: &mut sqlx::PgConnection) -> Result<Option<i32>, sqlx::Error> {
    let exists: bool = sqlx::query("SELECT to_regclass('version') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if !exists {
        return Ok(None);
    }
    let row = sqlx::query("SELECT max(version) FROM version")
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

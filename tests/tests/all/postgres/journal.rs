//! The promises of every journal.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use async_lock::OnceCell;
use chatcore::{Executor, Journal};
use chatcore_adapters::journal::postgres::{Identity, PostgresJournal, Submission};
use chatcore_conformance::Keeper;
use chatcore_tests::postgres::Postgres;

use super::{database, line, name};

/// Runs on this server, whose input is submitted when they are opened for the first time.
fn keeper(server: &'static Postgres, lease: Duration) -> Keeper {
    Keeper::new(move |executor: &Arc<dyn Executor>, items| {
        let database = database(server, executor);
        let run = name();
        let input: String = items.iter().map(line).collect();
        let submitted = Arc::new(OnceCell::new());
        move || {
            let (database, run, input) = (database.clone(), run.clone(), input.clone());
            let submitted = Arc::clone(&submitted);
            Box::pin(async move {
                let submit =
                    || database.submit(&run, Cursor::new(input), Submission::default().chunk(100));
                submitted.get_or_try_init(submit).await?;
                let journal = PostgresJournal::builder(database, run, Identity::new()).lease(lease);
                Ok(Arc::new(journal.open().await?) as Arc<dyn Journal>)
            })
        }
    })
}

mod on_smol {
    use chatcore_conformance::hosts::smol;

    use super::*;

    fn run(name: &str) {
        if let Some(server) = Postgres::shared() {
            let keeper = keeper(server, Duration::from_secs(60));
            chatcore_conformance::__stamp::on_journal(
                name,
                chatcore_conformance::NONE,
                smol(),
                keeper,
            );
        }
    }

    chatcore_conformance::journal_cases!(chatcore_conformance::stamp![run]);
}

mod on_a_frame_loop {
    use chatcore_conformance::hosts::frame_loop;

    use super::*;

    fn run(name: &str) {
        if let Some(server) = Postgres::shared() {
            let keeper = keeper(server, Duration::from_secs(10));
            chatcore_conformance::__stamp::on_journal(
                name,
                chatcore_conformance::NONE,
                frame_loop(),
                keeper,
            );
        }
    }

    chatcore_conformance::journal_cases!(chatcore_conformance::stamp![run]);
}

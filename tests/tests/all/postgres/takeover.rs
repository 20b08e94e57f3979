//! Two submissions of one name, and removals that were interrupted: nothing of another process is
//! deleted or changed.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use chatcore::journal::Claim;
use chatcore::{Error, Journal};
use chatcore_adapters::journal::postgres::{
    BadLines, Database, Input, RunLimits, RunState, Submission,
};

use super::{Setup, answer, open, outcome, prompts};

/// An input that waits after its first part until the rest is sent.
struct Waits(io::Cursor<String>, Receiver<&'static str>);

impl Read for Waits {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.1.recv() {
            Ok(rest) => {
                self.0 = io::Cursor::new(rest.to_owned());
                self.0.read(buffer)
            }
            Err(_) => Ok(0),
        }
    }
}

type Submitting = smol::Task<Result<Input, Error>>;

/// Begins a submission that waits in the midst of its input, after its first block is loaded.
async fn begin(setup: &Setup, submission: Submission) -> (Submitting, Sender<&'static str>) {
    let (send, rest) = mpsc::channel();
    let input = Waits(io::Cursor::new(prompts(1_000)), rest);
    let (database, run) = (setup.database.clone(), setup.run.clone());
    let task = smol::spawn(async move { database.submit(&run, input, submission).await });
    let of_run = format!("WHERE name = '{}'", setup.run);
    let loaded = format!(
        "SELECT count(*) FROM chatcore.block WHERE run = (SELECT id FROM chatcore.run {of_run})"
    );
    let pause = Duration::from_millis(5);
    while setup.database.status(&setup.run).await.is_err() || setup.server.psql(&loaded) != "1\n" {
        setup.executor.sleep(pause).await;
    }
    (task, send)
}

/// Makes the submission look as if it had loaded nothing for a minute.
fn abandon(setup: &Setup) {
    setup.server.psql(&format!(
        "UPDATE chatcore.run SET loaded_at = now() - interval '1 minute' WHERE name = '{}'",
        setup.run
    ));
}

#[test]
fn a_worker_waits_for_its_input_and_a_second_submission_takes_over() {
    Setup::run(async |setup| {
        let (first, rest) = begin(setup, Submission::default()).await;
        let status = setup.database.status(&setup.run).await.unwrap();
        assert_eq!(
            (status.state, status.counts.total),
            (RunState::Loading, None)
        );
        let journal = open(setup).await;
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Later(_)));
        // A submission that makes progress is not taken over.
        let second = setup
            .database
            .submit(&setup.run, &b"x"[..], Submission::default());
        let error = second.await.unwrap_err();
        assert_eq!(error.code(), Some("submitted_twice"), "{error}");
        abandon(setup);
        setup.submit(&prompts(4)).await;
        drop(rest);
        assert_eq!(first.await.unwrap_err().code(), Some("submitted_twice"));
        let Claim::Items(_, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        assert_eq!(items.len(), 4);
    });
}

#[test]
fn a_submission_that_fails_deletes_nothing_of_another() {
    Setup::run(async |setup| {
        let refuse = Submission::default().bad_lines(BadLines::Refuse);
        let (first, rest) = begin(setup, refuse).await;
        abandon(setup);
        setup.submit(&prompts(20)).await;
        let journal = open(setup).await;
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                let result = outcome(&item, answer());
                journal.record(&lease, &result).await.unwrap();
            }
        }
        rest.send("nonsense\n").unwrap();
        drop(rest);
        assert_eq!(first.await.unwrap_err().code(), Some("invalid_line"));
        let status = setup.database.status(&setup.run).await.unwrap();
        assert!(status.is_complete() && status.counts.done == 20);
        let mut results = setup.database.results(&setup.run).await.unwrap();
        let mut left = 0;
        while results.next().await.unwrap().is_some() {
            left += 1;
        }
        assert_eq!(left, 20);
    });
}

#[test]
fn a_submission_that_was_taken_over_sets_no_limits() {
    Setup::run(async |setup| {
        let mut limits = RunLimits::default();
        limits.requests_per_minute = Some(60);
        let (first, rest) = begin(setup, Submission::default().limits(limits)).await;
        abandon(setup);
        setup.submit(&prompts(20)).await;
        // It had loaded all of its items.
        drop(rest);
        assert_eq!(first.await.unwrap_err().code(), Some("submitted_twice"));
        let status = setup.database.status(&setup.run).await.unwrap();
        assert_eq!(status.limits, RunLimits::default());
        let shared = setup.database.shared_limits(&setup.run).await.unwrap();
        assert!(shared.is_none());
    });
}

#[test]
fn an_interrupted_removal_is_repeated() {
    Setup::run(async |setup| {
        let schema = "interrupted";
        let database: Database = setup.database.clone().with_schema(schema).unwrap();
        let run = &setup.run;
        let input = io::Cursor::new(prompts(20));
        let submitted = database.submit(run, input, Submission::default());
        submitted.await.unwrap();
        setup.server.psql(&format!(
            "CREATE FUNCTION {schema}.no() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'interrupted'; END $$; \
             CREATE TRIGGER no BEFORE DELETE ON {schema}.block FOR EACH ROW \
             EXECUTE FUNCTION {schema}.no()"
        ));
        let error = database.remove(run).await.unwrap_err();
        assert!(error.message().contains("interrupted"), "{error}");
        let status = database.status(run).await.unwrap();
        assert_eq!(status.state, RunState::Removing);
        let error = database.resume(run).await.unwrap_err();
        assert_eq!(error.code(), Some("run_state"));
        setup
            .server
            .psql(&format!("DROP TRIGGER no ON {schema}.block"));
        database.remove(run).await.unwrap();
        for table in ["run", "block", "chunk", "result", "bucket"] {
            let left = format!("SELECT count(*) FROM {schema}.{table}");
            assert_eq!(setup.server.psql(&left), "0\n", "{table}");
        }
    });
}

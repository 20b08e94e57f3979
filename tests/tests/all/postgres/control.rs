//! Control from outside: pause, resume, cancel, errors that run again, removal.

use chatcore::journal::{Claim, Recorded, Renewal};
use chatcore::{Error, ErrorKind, Journal};
use chatcore_adapters::journal::postgres::{Identity, PostgresJournal, RunState, Submission};

use super::{Setup, answer, open, outcome, prompts};

#[test]
fn a_run_is_paused_resumed_and_cancelled() {
    Setup::run(async |setup| {
        let (database, run) = (&setup.database, &setup.run);
        setup.submit(&prompts(40)).await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        database.pause(run).await.unwrap();
        database.pause(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Later(_)));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let first = outcome(&items[0], answer());
        assert_eq!(
            journal.record(&lease, &first).await.unwrap(),
            Recorded::First
        );
        database.resume(run).await.unwrap();
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Held);
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Items(..)));
        database.cancel(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let error = database.pause(run).await.unwrap_err();
        assert_eq!(error.code(), Some("run_state"));
        assert_eq!(
            database.status(run).await.unwrap().state,
            RunState::Cancelled
        );
        database.resume(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Items(..)));
    });
}

#[test]
fn errors_run_again_if_asked() {
    Setup::run(async |setup| {
        setup.submit(&prompts(20)).await;
        let journal = open(setup).await;
        let failed = || Err(Error::new(ErrorKind::Server, "no"));
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                let result = if item.place % 2 == 0 {
                    failed()
                } else {
                    answer()
                };
                journal
                    .record(&lease, &outcome(&item, result))
                    .await
                    .unwrap();
            }
        }
        let counts = journal.progress().await.unwrap();
        assert_eq!((counts.done, counts.failed), (10, 10));
        assert_eq!(setup.database.retry_errors(&setup.run).await.unwrap(), 10);
        assert_eq!(setup.database.retry_errors(&setup.run).await.unwrap(), 0);
        let counts = journal.progress().await.unwrap();
        assert_eq!(
            (counts.done, counts.failed, counts.output_tokens),
            (10, 0, 20)
        );
        let mut again = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                again.push(item.place);
                journal
                    .record(&lease, &outcome(&item, answer()))
                    .await
                    .unwrap();
            }
        }
        assert_eq!(again, (2..=20).step_by(2).collect::<Vec<_>>());
        let counts = journal.progress().await.unwrap();
        assert_eq!(
            (counts.done, counts.failed, counts.output_tokens),
            (20, 0, 40)
        );
    });
}

#[test]
fn a_run_that_is_removed_ends_and_its_name_is_free() {
    Setup::run(async |setup| {
        let (database, run) = (&setup.database, &setup.run);
        setup.submit(&prompts(20)).await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        let again = database.submit(run, &b"x"[..], Submission::default()).await;
        assert_eq!(again.unwrap_err().code(), Some("run_exists"));
        database.remove(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let late = outcome(&items[0], answer());
        assert_eq!(
            journal.record(&lease, &late).await.unwrap(),
            Recorded::Already
        );
        for gone in [database.remove(run).await, database.pause(run).await] {
            assert_eq!(gone.unwrap_err().code(), Some("unknown_run"));
        }
        setup.submit(&prompts(3)).await;
        assert_eq!(database.status(run).await.unwrap().counts.total, Some(3));
    });
}

#[test]
fn results_come_in_order_and_as_they_come() {
    Setup::run(async |setup| {
        setup.submit(&prompts(60)).await;
        let journal = open(setup).await;
        let mut follow = setup.database.follow(&setup.run).await.unwrap();
        let mut followed = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items.iter().rev() {
                journal
                    .record(&lease, &outcome(item, answer()))
                    .await
                    .unwrap();
                if item.place % 5 == 0 {
                    loop {
                        let new = follow.next().await.unwrap();
                        if new.is_empty() {
                            break;
                        }
                        followed.extend(new.iter().map(|line| line.place));
                    }
                }
            }
        }
        while let new @ [_, ..] = follow.next().await.unwrap().as_slice() {
            followed.extend(new.iter().map(|line| line.place));
        }
        assert_ne!(
            followed,
            (1..=60).collect::<Vec<_>>(),
            "they came in another order"
        );
        followed.sort_unstable();
        assert_eq!(followed, (1..=60).collect::<Vec<_>>());
        let mut results = setup.database.results(&setup.run).await.unwrap();
        for place in 1..=60 {
            let line = results.next().await.unwrap().unwrap();
            assert_eq!((line.place, line.is_answer), (place, true));
            let json: serde_json::Value = serde_json::from_slice(&line.line).unwrap();
            assert_eq!(json["custom_id"], format!("n{}", place - 1));
        }
        assert!(results.next().await.unwrap().is_none());
    });
}

#[test]
fn another_model_is_refused_unless_forced() {
    Setup::run(async |setup| {
        let input = prompts(10);
        setup
            .submit_as(&input, Submission::default().chunk(5))
            .await;
        let builder = |model: &str| {
            let identity = Identity::new().with("model", model);
            PostgresJournal::builder(setup.database.clone(), &setup.run, identity)
        };
        // The first worker reached nothing, for example because its key was wrong.
        let wrong = builder("a").open().await.unwrap();
        let right = builder("b").open().await.unwrap();
        // The first worker notices that before it sends anything.
        let error = wrong.claim(1).await.unwrap_err();
        assert_eq!(error.code(), Some("another_run"));
        let Claim::Items(lease, items) = right.claim(1).await.unwrap() else {
            unreachable!();
        };
        let error = builder("a").open().await.unwrap_err();
        assert_eq!(error.code(), Some("another_run"), "a lease is held");
        let first = outcome(&items[0], answer());
        right.record(&lease, &first).await.unwrap();
        right.release(&lease).await.unwrap();
        let error = builder("a").open().await.unwrap_err();
        assert_eq!(error.code(), Some("another_run"));
        assert!(
            error.message().contains("model was b and is now a"),
            "{error}"
        );
        // A forced worker does not change what the others must have.
        let forced = builder("a").force(true).open().await.unwrap();
        assert!(matches!(forced.claim(1).await.unwrap(), Claim::Items(..)));
        builder("b").open().await.unwrap();
        let unknown = PostgresJournal::builder(setup.database.clone(), "none", Identity::new());
        assert_eq!(
            unknown.open().await.unwrap_err().code(),
            Some("unknown_run")
        );
    });
}

#[test]
fn errors_of_many_chunks_are_deleted_in_pieces() {
    Setup::run(async |setup| {
        let schema = "pieces";
        let database = setup.database.clone().with_schema(schema).unwrap();
        let run = &setup.run;
        let input = std::io::Cursor::new(prompts(45));
        let submitted = database.submit(run, input, Submission::default().chunk(1));
        submitted.await.unwrap();
        let journal = PostgresJournal::builder(database.clone(), run, Identity::new());
        let journal = journal.open().await.unwrap();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            let failed = Err(Error::new(ErrorKind::Server, "no"));
            let failed = outcome(&items[0], failed);
            journal.record(&lease, &failed).await.unwrap();
        }
        setup.server.psql(&format!(
            "CREATE TABLE {schema}.pieces (rows bigint); \
             CREATE FUNCTION {schema}.count_rows() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN INSERT INTO {schema}.pieces SELECT count(*) FROM gone; RETURN NULL; END $$; \
             CREATE TRIGGER count_rows AFTER DELETE ON {schema}.result \
             REFERENCING OLD TABLE AS gone FOR EACH STATEMENT \
             EXECUTE FUNCTION {schema}.count_rows()"
        ));
        assert_eq!(database.retry_errors(run).await.unwrap(), 45);
        let pieces = format!("SELECT sum(rows), max(rows) FROM {schema}.pieces");
        assert_eq!(setup.server.psql(&pieces), "45|20\n");
        let counts = journal.progress().await.unwrap();
        assert_eq!((counts.done, counts.failed), (0, 0));
    });
}

//! Leases: takeover, two workers that both believe they hold a chunk, and chunks that become
//! smaller.

use std::sync::Arc;
use std::time::Duration;

use chatcore::Journal;
use chatcore::journal::{Claim, Item, Lease, Recorded, Renewal};
use chatcore_adapters::journal::postgres::{Database, Identity, PostgresJournal, Submission};

use super::{Setup, answer, outcome, prompts};

async fn open(database: &Database, run: &str, lease: Duration) -> PostgresJournal {
    let journal = PostgresJournal::builder(database.clone(), run, Identity::new());
    journal.lease(lease).open().await.unwrap()
}

/// Claims until there are items; waits as long as the journal says.
async fn claim(setup: &Setup, journal: &PostgresJournal) -> Option<(Lease, Vec<Item>)> {
    loop {
        match journal.claim(1).await.unwrap() {
            Claim::Items(lease, items) => return Some((lease, items)),
            Claim::Later(wait) => setup.executor.sleep(wait).await,
            Claim::End => return None,
        }
    }
}

#[test]
fn of_two_workers_that_believe_they_hold_a_chunk_the_first_result_stays() {
    Setup::run(async |setup| {
        let (database, run) = (&setup.database, &setup.run);
        setup.submit(&prompts(5)).await;
        let lost = open(database, run, Duration::from_millis(100)).await;
        let (old, items) = claim(setup, &lost).await.unwrap();
        assert_eq!(items.len(), 5);
        // Nobody renews, so the other worker takes over.
        let other = open(database, run, Duration::from_secs(60)).await;
        let (new, taken) = claim(setup, &other).await.unwrap();
        assert_eq!((new.chunk, taken.len()), (old.chunk, 5));
        assert!(new.fence > old.fence);
        assert_eq!(lost.renew(&old).await.unwrap(), Renewal::Lost);
        assert_eq!(other.renew(&new).await.unwrap(), Renewal::Held);
        // The answer of the first worker was paid for.
        let late = outcome(&items[0], answer());
        assert_eq!(lost.record(&old, &late).await.unwrap(), Recorded::First);
        let again = outcome(&taken[0], answer());
        assert_eq!(other.record(&new, &again).await.unwrap(), Recorded::Already);
        // A release by the first worker takes nothing from the second.
        lost.release(&old).await.unwrap();
        assert_eq!(other.renew(&new).await.unwrap(), Renewal::Held);
        for item in &taken[1..] {
            let first = other.record(&new, &outcome(item, answer())).await.unwrap();
            assert_eq!(first, Recorded::First);
        }
        let late = outcome(&items[1], answer());
        assert_eq!(lost.record(&old, &late).await.unwrap(), Recorded::Already);
        assert!(claim(setup, &other).await.is_none());
        assert!(claim(setup, &lost).await.is_none());
        let status = database.status(run).await.unwrap();
        assert_eq!(status.counts.done, 5);
        assert!(status.is_complete() && status.workers.is_empty());
    });
}

#[test]
fn what_a_lost_worker_recorded_is_not_handed_out_again() {
    Setup::run(async |setup| {
        setup.submit(&prompts(8)).await;
        let lost = open(&setup.database, &setup.run, Duration::from_millis(100)).await;
        let (lease, items) = claim(setup, &lost).await.unwrap();
        for item in &items[..3] {
            lost.record(&lease, &outcome(item, answer())).await.unwrap();
        }
        drop(lost);
        let other = open(&setup.database, &setup.run, Duration::from_secs(60)).await;
        let (_, left) = claim(setup, &other).await.unwrap();
        let places: Vec<_> = left.iter().map(|item| item.place).collect();
        assert_eq!(places, [4, 5, 6, 7, 8]);
    });
}

#[test]
fn chunks_become_smaller_towards_the_end() {
    Setup::run(async |setup| {
        setup
            .submit_as(&prompts(3_000), Submission::default().chunk(20))
            .await;
        let journal = open(&setup.database, &setup.run, Duration::from_secs(60)).await;
        let (mut sizes, mut next) = (Vec::new(), 1);
        while let Claim::Items(_, items) = journal.claim(1).await.unwrap() {
            sizes.push(items.len());
            for item in items {
                assert_eq!(item.place, next);
                next += 1;
            }
        }
        assert_eq!(next, 3_001);
        assert!(sizes.iter().all(|&size| size <= 20), "{sizes:?}");
        assert_eq!((sizes[0], sizes[sizes.len() - 2]), (20, 15));
    });
}

#[test]
fn the_status_names_the_workers() {
    Setup::run(async |setup| {
        setup.submit(&prompts(40)).await;
        for name in ["one", "two"] {
            let journal =
                PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
            let journal = journal.worker(name).open().await.unwrap();
            let (lease, items) = claim(setup, &journal).await.unwrap();
            let first = outcome(&items[0], answer());
            journal.record(&lease, &first).await.unwrap();
        }
        let status = setup.database.status(&setup.run).await.unwrap();
        let workers: Vec<_> = status
            .workers
            .iter()
            .map(|worker| (worker.name.as_str(), worker.chunks, worker.items))
            .collect();
        assert_eq!(workers, [("one", 1, 7), ("two", 1, 7)]);
        assert_eq!(status.counts.done, 2);
        assert!(!status.is_complete());
    });
}

#[test]
fn a_lease_is_renewed_while_another_statement_hangs() {
    Setup::run(async |setup| {
        let database = setup.database.clone().with_schema("renewals").unwrap();
        let database = database.statement_timeout(Duration::from_secs(600));
        let input = std::io::Cursor::new(prompts(20));
        let submitted = database.submit(&setup.run, input, Submission::default().chunk(5));
        submitted.await.unwrap();
        let journal = PostgresJournal::builder(database, &setup.run, Identity::new());
        let journal = journal.lease(Duration::from_secs(600)).open().await;
        let journal = Arc::new(journal.unwrap());
        let Claim::Items(lease, _) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        let server = setup.server;
        server.psql("CREATE TABLE renewals.go (go integer)");
        let locked = smol::unblock(|| {
            server.psql(
                "DO $$ BEGIN LOCK TABLE renewals.block IN ACCESS EXCLUSIVE MODE; \
                 WHILE NOT EXISTS (SELECT FROM renewals.go) LOOP PERFORM pg_sleep(0.01); END LOOP; \
                 END $$",
            )
        });
        let until = async |is_granted: &str| {
            let found = format!(
                "SELECT count(*) > 0 FROM pg_locks \
                 WHERE relation = 'renewals.block'::regclass AND {is_granted}"
            );
            while server.psql(&found) != "t\n" {
                setup.executor.sleep(Duration::from_millis(5)).await;
            }
        };
        until("granted AND mode = 'AccessExclusiveLock'").await;
        let claiming = smol::spawn({
            let journal = Arc::clone(&journal);
            async move { journal.claim(1).await }
        });
        until("NOT granted").await;
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Held);
        server.psql("INSERT INTO renewals.go VALUES (1)");
        locked.await;
        assert!(matches!(claiming.await.unwrap(), Claim::Items(..)));
    });
}

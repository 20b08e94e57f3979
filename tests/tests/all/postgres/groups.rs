//! Results that are written in groups: which call writes a group, and when.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatcore::journal::{Claim, Item, Journal, Lease, Recorded};
use chatcore::{BoxFuture, Executor, Instant};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::postgres::{Identity, PostgresJournal};
use futures_lite::FutureExt;
use futures_lite::future::poll_once;
use futures_util::future::join_all;

use super::{Setup, answer, database, outcome, prompts};

/// A time that no group gathers for.
const NEVER: Duration = Duration::from_secs(100_000);

async fn open(setup: &Setup, executor: &Arc<dyn Executor>, gathering: Duration) -> PostgresJournal {
    let database = database(setup.server, executor);
    let journal = PostgresJournal::builder(database, &setup.run, Identity::new());
    journal.gathering(gathering).open().await.unwrap()
}

async fn claim(journal: &PostgresJournal) -> (Lease, Vec<Item>) {
    match journal.claim(1).await.unwrap() {
        Claim::Items(lease, items) => (lease, items),
        other => panic!("{other:?}"),
    }
}

/// Fails after a time that only a hang exceeds.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    let late = async {
        smol::Timer::after(Duration::from_secs(300)).await;
        panic!("a result was never told");
    };
    work.or(late).await
}

#[test]
fn a_group_whose_call_is_dropped_is_written_in_the_background() {
    Setup::run(async |setup| {
        setup.submit(&prompts(2)).await;
        // The first call gathers when it is dropped.
        let journal = open(setup, &setup.executor, Duration::from_millis(50)).await;
        let (lease, items) = claim(&journal).await;
        let outcomes: Vec<_> = items.iter().map(|item| outcome(item, answer())).collect();
        let mut first = journal.record(&lease, &outcomes[0]);
        assert!(poll_once(&mut first).await.is_none());
        let mut second = journal.record(&lease, &outcomes[1]);
        assert!(poll_once(&mut second).await.is_none());
        drop(first);
        assert_eq!(soon(second).await.unwrap(), Recorded::First);
        let again = journal.record(&lease, &outcomes[0]);
        assert_eq!(soon(again).await.unwrap(), Recorded::Already);
    });
}

#[test]
fn a_call_that_is_dropped_when_it_shall_write_the_next_group_loses_nothing() {
    Setup::run(async |setup| {
        setup.submit(&prompts(3)).await;
        let journal = open(setup, &setup.executor, Duration::ZERO).await;
        let (lease, items) = claim(&journal).await;
        let outcomes: Vec<_> = items.iter().map(|item| outcome(item, answer())).collect();
        let mut calls = outcomes
            .iter()
            .map(|outcome| journal.record(&lease, outcome));
        let mut calls: [_; 3] = std::array::from_fn(|_| calls.next().unwrap());
        // The first call writes its own result, and the others come meanwhile.
        for call in &mut calls {
            assert!(poll_once(call).await.is_none());
        }
        let [first, second, third] = calls;
        assert_eq!(soon(first).await.unwrap(), Recorded::First);
        // The second call was told to write, but is never polled again.
        drop(second);
        assert_eq!(soon(third).await.unwrap(), Recorded::First);
        let again = journal.record(&lease, &outcomes[1]);
        assert_eq!(soon(again).await.unwrap(), Recorded::Already);
    });
}

#[test]
fn a_full_group_is_written_at_once() {
    Setup::run(async |setup| {
        setup.submit(&prompts(1_000)).await;
        let journal = open(setup, &setup.executor, NEVER).await;
        let mut chunks = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            let outcomes = items.iter().map(|item| outcome(item, answer()));
            chunks.push((lease, outcomes.collect::<Vec<_>>()));
        }
        let calls = chunks
            .iter()
            .flat_map(|(lease, outcomes)| outcomes.iter().map(move |one| (lease, one)));
        let calls = calls.map(|(lease, outcome)| journal.record(lease, outcome));
        let recorded = soon(join_all(calls)).await;
        assert_eq!(recorded.len(), 1_000);
        for recorded in recorded {
            assert_eq!(recorded.unwrap(), Recorded::First);
        }
    });
}

/// A clock that is set by hand. Its sleeps never end.
#[derive(Debug, Default)]
struct Still(AtomicU64);

impl Executor for Still {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        SmolExecutor::new().spawn(task);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }

    fn now(&self) -> Instant {
        Instant::from_epoch(Duration::from_millis(self.0.load(Ordering::SeqCst)))
    }
}

#[test]
fn a_result_that_comes_after_the_time_to_gather_ends_it() {
    Setup::run(async |setup| {
        setup.submit(&prompts(3)).await;
        let clock = Arc::new(Still::default());
        let executor: Arc<dyn Executor> = clock.clone();
        let journal = open(setup, &executor, Duration::from_millis(10)).await;
        let (lease, items) = claim(&journal).await;
        let outcomes: Vec<_> = items.iter().map(|item| outcome(item, answer())).collect();
        let mut first = journal.record(&lease, &outcomes[0]);
        assert!(poll_once(&mut first).await.is_none());
        clock.0.store(9, Ordering::SeqCst);
        let mut second = journal.record(&lease, &outcomes[1]);
        assert!(poll_once(&mut second).await.is_none());
        let written = "SELECT count(*) FROM chatcore.result r JOIN chatcore.run ON run.id = r.run";
        let written = format!("{written} WHERE run.name = '{}'", setup.run);
        assert_eq!(setup.server.psql(&written), "0\n");
        clock.0.store(10, Ordering::SeqCst);
        let third = journal.record(&lease, &outcomes[2]);
        let (first, (second, third)) = soon(futures_lite::future::zip(
            first,
            futures_lite::future::zip(second, third),
        ))
        .await;
        for recorded in [first, second, third] {
            assert_eq!(recorded.unwrap(), Recorded::First);
        }
    });
}

//! Resumed runs with a slow journal, and such that are stopped or cancelled at once.

use std::sync::Arc;
use std::time::Duration;

use chatcore::journal::{Claim, Counts, Lease, Outcome, Recorded, Renewal};
use chatcore::provider_batch::RunEnd;
use chatcore::{BoxFuture, Error, Executor, Journal};
use chatcore_adapters::journal::files::{FilesJournal, Identity};
use chatcore_adapters::sim::{Sim, SimExecutor};

use super::{PROVIDERS, World, events};

/// A journal whose claims take a while.
#[derive(Debug)]
struct Slow {
    inner: Arc<dyn Journal>,
    sim: Arc<SimExecutor>,
    takes: Duration,
}

impl Journal for Slow {
    fn claim(&self, want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        Box::pin(async move {
            self.sim.sleep(self.takes).await;
            self.inner.claim(want).await
        })
    }
    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        self.inner.record(lease, outcome)
    }
    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        self.inner.renew(lease)
    }
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        self.inner.release(lease)
    }
    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        self.inner.progress()
    }
    fn sync(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.sync()
    }
}

/// A process that creates two batches of three, and is killed.
async fn created(world: &World) {
    let executor: Arc<dyn Executor> = world.sim.clone();
    let mut run = world.open(executor).await.unwrap();
    while world.api.created() < 2 || run.waiting() < 2 {
        run.next().await.unwrap().unwrap();
    }
    drop(run);
    world.disk.kill();
}

/// Opens a run whose claims take so long.
async fn resume(world: &World, takes: u64) -> chatcore::provider_batch::ProviderRun {
    let executor: Arc<dyn Executor> = world.sim.clone();
    let takes = Duration::from_secs(takes);
    let wrap = |sim: &Arc<SimExecutor>, inner| {
        let sim = Arc::clone(sim);
        Arc::new(Slow { inner, sim, takes }) as Arc<dyn Journal>
    };
    world.open_with(executor, wrap).await.unwrap()
}

#[test]
fn a_slow_journal_loses_no_results() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 6);
            created(&world).await;
            let mut run = resume(&world, 61).await;
            events(&mut run).await.unwrap();
            assert_eq!(run.end(), RunEnd::Complete);
            world.assert_all_once(6);
        });
    }
}

#[test]
fn a_journal_that_hands_out_nothing_ends_the_run_and_keeps_the_batches() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 6);
        created(&world).await;
        let mut run = resume(&world, 3600).await;
        let error = events(&mut run).await.unwrap_err();
        assert!(error.message().contains("has not handed out"), "{error}");
        assert_eq!(run.waiting(), 2);
        drop(run);
        world.disk.kill();
        world.run().await;
        world.assert_all_once(6);
    });
}

#[test]
fn a_run_that_is_not_complete_does_not_say_so() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 6);
        let mut run = resume(&world, 61).await;
        events(&mut run).await.unwrap();
        assert_eq!(run.end(), RunEnd::Complete);
        world.assert_all_once(6);
    });
}

#[test]
fn a_resumed_run_that_is_cancelled_and_stopped_at_once_loses_no_results() {
    for (is_cancelled_first, takes) in [(true, 0), (false, 0), (true, 30), (false, 30)] {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, "openai", 6);
            created(&world).await;
            // They end at the provider meanwhile.
            let executor: Arc<dyn Executor> = sim.clone();
            let batches = world.client(executor).provider_batches().unwrap();
            for batch in batches.list(None).await.unwrap().batches {
                while !batches.get(&batch.id).await.unwrap().state.is_ended() {}
            }
            let mut run = resume(&world, takes).await;
            match is_cancelled_first {
                true => {
                    run.cancel();
                    run.stop();
                }
                false => {
                    run.stop();
                    run.cancel();
                }
            }
            events(&mut run).await.unwrap();
            assert_eq!(run.end(), RunEnd::Cancelled);
            drop(run);
            world.disk.kill();
            world.assert_all_once(6);
        });
    }
}

#[test]
fn items_at_the_provider_are_not_sent_as_chats() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 6);
        created(&world).await;
        let open = || {
            let executor: Arc<dyn Executor> = sim.clone();
            FilesJournal::builder(executor, Identity::new(), "in.jsonl", "out.jsonl")
                .disk(Arc::new(world.disk.clone()))
        };
        // Not even by force.
        for is_forced in [false, true] {
            let error = open().force(is_forced).open().await.unwrap_err();
            assert_eq!(error.code(), Some("at_provider"), "{error}");
            assert!(
                error.message().contains("(2, see out.jsonl.batches)"),
                "{error}"
            );
        }
        world.run().await;
        world.assert_all_once(6);
        world.disk.kill();
        open().open().await.unwrap();
        world
            .disk
            .put("out.jsonl.batches", "{\"chatcore_batches\": 1");
        world.disk.kill();
        let error = open().open().await.unwrap_err();
        assert_eq!(error.code(), Some("at_provider"), "{error}");
    });
}

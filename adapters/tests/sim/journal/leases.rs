//! Several workers on one journal: leases that expire, renewals that are lost, two workers that
//! both believe that they hold a chunk, results that are delivered twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use chatcore::journal::{Claim, Counts, Lease, Outcome, Recorded, Renewal};
use chatcore::{BoxFuture, ChatRequest, Error, ErrorKind, Journal, Message};
use chatcore_adapters::journal::MemoryJournal;
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimExecutor, SimTransport};

use super::processor;
use crate::support::{client, ms, secs};

fn items(count: usize) -> impl Iterator<Item = (String, ChatRequest)> {
    (0..count).map(|number| {
        let request = ChatRequest::new([Message::user(format!("p{number}"))]);
        (format!("n{number}"), request)
    })
}

fn memory(sim: &Arc<SimExecutor>, count: usize, chunk: usize) -> Arc<MemoryJournal> {
    let journal = MemoryJournal::new(sim.clone(), items(count));
    Arc::new(journal.chunk(chunk).lease(secs(3)))
}

/// How a worker's view of the journal is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum View {
    True,
    /// Renewals never complete.
    RenewalsHang,
    /// Renewals fail.
    RenewalsFail,
    /// The worker believes that every renewal holds.
    Believes,
    /// Each result is delivered twice.
    Twice,
}

#[derive(Debug)]
struct Seen {
    journal: Arc<MemoryJournal>,
    view: View,
    already: AtomicUsize,
}

impl Journal for Seen {
    fn claim(&self, want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        self.journal.claim(want)
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        Box::pin(async move {
            let recorded = self.journal.record(lease, outcome).await?;
            if self.view == View::Twice {
                let again = self.journal.record(lease, outcome).await?;
                assert_eq!(again, Recorded::Already);
            }
            if recorded == Recorded::Already {
                self.already.fetch_add(1, Relaxed);
            }
            Ok(recorded)
        })
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<Renewal, Error>> {
        match self.view {
            View::RenewalsHang => Box::pin(std::future::pending()),
            View::RenewalsFail => {
                let error = Error::new(ErrorKind::Journal, "the simulated database is away");
                Box::pin(std::future::ready(Err(error)))
            }
            View::Believes => Box::pin(std::future::ready(Ok(Renewal::Held))),
            View::True | View::Twice => self.journal.renew(lease),
        }
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        self.journal.release(lease)
    }

    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        self.journal.progress()
    }
}

/// Runs three workers with one view each. Returns how many of their results came too late.
fn three_workers(views: [View; 3], seeds: u64) -> usize {
    let late = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&late);
    Sim::run_seeds(0..seeds, move |sim| {
        let counted = Arc::clone(&counted);
        async move {
            const ITEMS: usize = 60;
            let network = SimTransport::builder(&sim)
                // Some requests take longer than a lease lasts.
                .first_token(Latency::Exponential { mean: secs(1) })
                .script(Script::new().chance(0.1, Fault::Status(400)))
                .build();
            let journal = memory(&sim, ITEMS, 10);
            let client = client(&sim, &network).workers(100).build().unwrap();
            let mut ends = Vec::new();
            for view in views {
                let seen = Arc::new(Seen {
                    journal: Arc::clone(&journal),
                    view,
                    already: AtomicUsize::new(0),
                });
                let batch = processor(sim.clone(), &client, 2);
                let mut run = batch.process_journal(seen.clone());
                let is_done = Arc::new(AtomicBool::new(false));
                let done = Arc::clone(&is_done);
                sim.spawn(async move {
                    while let Some(finished) = run.next().await {
                        finished.unwrap();
                    }
                    done.store(true, Relaxed);
                });
                ends.push((is_done, seen));
            }
            sim.sleep(secs(600)).await;
            for (is_done, seen) in ends {
                assert!(is_done.load(Relaxed), "{:?} never ended", seen.view);
                counted.fetch_add(seen.already.load(Relaxed), Relaxed);
            }
            let outcomes = journal.outcomes();
            assert_eq!(outcomes.len(), ITEMS, "an item is lost");
            let counts = journal.progress().await.unwrap();
            assert_eq!((counts.total, counts.finished()), (Some(60), 60));
            // There are at most as many extra requests as items.
            let sent = network.stats().sent as usize;
            let late: usize = sent - ITEMS;
            assert!(late <= ITEMS, "{late} requests too many");
            network.assert_idle();
        }
    });
    late.load(Relaxed)
}

#[test]
fn workers_that_renew_send_nothing_twice() {
    assert_eq!(three_workers([View::True; 3], 30), 0);
    assert_eq!(three_workers([View::Twice; 3], 30), 0);
}

#[test]
fn workers_that_both_believe_they_hold_a_chunk_record_each_item_once() {
    let late = three_workers([View::Believes, View::Believes, View::True], 100);
    println!("journal: {late} results came second and left no trace");
    assert!(late > 0, "no two workers ever held a chunk");
}

#[test]
fn workers_that_cannot_renew_stop_sending() {
    for view in [View::RenewalsHang, View::RenewalsFail] {
        Sim::run_seeds(0..30, move |sim| async move {
            let network = SimTransport::builder(&sim)
                .first_token(Latency::from(ms(700)))
                .build();
            let journal = memory(&sim, 40, 40);
            let seen = Arc::new(Seen {
                journal: Arc::clone(&journal),
                view,
                already: AtomicUsize::new(0),
            });
            let client = client(&sim, &network).workers(1).build().unwrap();
            let batch = processor(sim.clone(), &client, 1);
            let mut run = batch.process_journal(seen);
            let (began, mut last) = (sim.now(), Duration::ZERO);
            for _ in 0..40 {
                let sent_at = sim.now() - began;
                run.next().await.unwrap().unwrap();
                // A lease lasts 3 s: items started within it finish, then the chunk is claimed
                // again.
                assert!(sent_at - last <= secs(3), "{sent_at:?} after {last:?}");
                if sent_at - last > ms(700) {
                    last = sent_at;
                }
            }
            assert!(run.next().await.is_none());
            assert_eq!(journal.outcomes().len(), 40);
            assert_eq!(network.stats().sent, 40);
        });
    }
}

#[test]
fn a_worker_that_died_is_taken_over_from_when_its_lease_has_run_out() {
    Sim::run_seeds(0..50, |sim| async move {
        let journal = memory(&sim, 20, 20);
        // The worker dies with its lease and releases nothing.
        let Claim::Items(dead, claimed) = journal.claim(1).await.unwrap() else {
            unreachable!("there are items");
        };
        assert_eq!(claimed.len(), 20);
        let Claim::Later(wait) = journal.claim(1).await.unwrap() else {
            unreachable!("the lease is held");
        };
        assert_eq!(wait, ms(100));
        let network = SimTransport::builder(&sim).build();
        let client = client(&sim, &network).build().unwrap();
        let batch = processor(sim.clone(), &client, 5);
        let mut run = batch.process_journal(journal.clone());
        while let Some(finished) = run.next().await {
            finished.unwrap();
        }
        assert!(sim.now().since_epoch() >= secs(3));
        assert_eq!(journal.outcomes().len(), 20);
        // The worker was only away: its result gets `Recorded::Already` and changes nothing.
        assert_eq!(journal.renew(&dead).await.unwrap(), Renewal::Lost);
        let outcome = Outcome {
            place: 1,
            id: "n0".into(),
            tag: claimed[0].tag,
            result: Err(Error::new(ErrorKind::Server, "late")),
            took: ms(1),
        };
        let recorded = journal.record(&dead, &outcome).await.unwrap();
        assert_eq!(recorded, Recorded::Already);
        assert!(journal.outcomes()[0].result.is_ok());
    });
}

#[test]
fn a_run_ends_with_its_last_item_and_not_with_its_lease() {
    Sim::run_seeds(0..20, |sim| async move {
        let journal = memory(&sim, 3, 3);
        let network = SimTransport::builder(&sim)
            .first_token(Latency::from(ms(50)))
            .build();
        let client = client(&sim, &network).build().unwrap();
        let batch = processor(sim.clone(), &client, 5);
        let mut run = batch.process_journal(journal.clone());
        let began = sim.now();
        while let Some(finished) = run.next().await {
            finished.unwrap();
        }
        assert!(sim.now() - began < secs(1), "{:?}", sim.now() - began);
        assert_eq!(journal.outcomes().len(), 3);
    });
}

#[test]
fn a_pause_holds_and_a_cancel_ends_from_outside() {
    Sim::run_seeds(0..20, |sim| async move {
        let journal = memory(&sim, 100, 10);
        let network = SimTransport::builder(&sim)
            .first_token(Latency::from(secs(1)))
            .build();
        let client = client(&sim, &network).build().unwrap();
        let batch = processor(sim.clone(), &client, 5);
        let mut run = batch.process_journal(journal.clone());
        journal.pause();
        let (paused, clock) = (journal.clone(), sim.clone());
        sim.spawn(async move {
            clock.sleep(secs(60)).await;
            paused.resume();
            clock.sleep(ms(4_500)).await;
            paused.cancel();
        });
        let mut recorded = 0;
        while let Some(finished) = run.next().await {
            finished.unwrap();
            recorded += 1;
        }
        assert!(sim.now().since_epoch() > secs(60));
        // Two and a half chunks of 10 items at 5 per second; the third chunk is lost at its
        // renewal, or finished.
        assert!((20..=30).contains(&recorded), "{recorded}");
        assert_eq!(journal.outcomes().len(), recorded);
    });
}

#[test]
fn a_key_that_is_refused_ends_the_run_and_no_item_fails_of_it() {
    Sim::run_seeds(0..20, |sim| async move {
        let journal = memory(&sim, 50, 10);
        let refused = (11..=60).fold(Script::new(), |script, number| {
            script.nth(number, Fault::Status(401))
        });
        let network = SimTransport::builder(&sim).script(refused).build();
        let client = client(&sim, &network).build().unwrap();
        let batch = processor(sim.clone(), &client, 4);
        let mut run = batch.process_journal(journal.clone());
        let mut error = None;
        while let Some(finished) = run.next().await {
            assert!(error.is_none(), "an error is the last");
            error = finished.err();
        }
        assert_eq!(error.unwrap().kind(), ErrorKind::Auth);
        let counts = journal.progress().await.unwrap();
        assert_eq!((counts.done, counts.failed), (10, 0));
        network.set_script(Script::new());
        let mut run = batch.process_journal(journal.clone());
        while let Some(finished) = run.next().await {
            finished.unwrap();
        }
        assert_eq!(journal.progress().await.unwrap().done, 50);
    });
}

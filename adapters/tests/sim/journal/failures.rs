//! Journals that fail: paid answers are kept, no more requests are sent, and no lease is left
//! behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chatcore::journal::{Claim, Counts, Lease, Outcome, Recorded};
use chatcore::{BoxFuture, ChatRequest, Error, ErrorKind, Journal, Message};
use chatcore_adapters::journal::MemoryJournal;
use chatcore_adapters::sim::{Latency, Sim, SimExecutor, SimTransport};

use super::disks::{files, run, scenario};
use super::{assert_each_once, processor};
use crate::support::{client, ms};

const ITEMS: usize = 30;
const WORKERS: usize = 4;

/// A journal whose calls fail after a given number of calls.
#[derive(Debug)]
struct Failing {
    journal: Arc<MemoryJournal>,
    claims: AtomicUsize,
    records: AtomicUsize,
}

impl Failing {
    fn fails(left: &AtomicUsize) -> Result<(), Error> {
        let before = left.fetch_update(Relaxed, Relaxed, |left| Some(left.saturating_sub(1)));
        match before {
            Ok(0) | Err(_) => Err(Error::new(ErrorKind::Journal, "the database is away")),
            Ok(_) => Ok(()),
        }
    }
}

impl Journal for Failing {
    fn claim(&self, want: usize) -> BoxFuture<'_, Result<Claim, Error>> {
        Box::pin(async move {
            Self::fails(&self.claims)?;
            self.journal.claim(want).await
        })
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        outcome: &'a Outcome,
    ) -> BoxFuture<'a, Result<Recorded, Error>> {
        Box::pin(async move {
            Self::fails(&self.records)?;
            self.journal.record(lease, outcome).await
        })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), Error>> {
        self.journal.release(lease)
    }

    fn progress(&self) -> BoxFuture<'_, Result<Counts, Error>> {
        self.journal.progress()
    }
}

/// Runs a failing journal, then a working one on the same items. Returns the results recorded and
/// the requests sent by each.
async fn fail(sim: &Arc<SimExecutor>, claims: usize, records: usize) -> [(usize, u64); 2] {
    let items = (0..ITEMS).map(|number| {
        let request = ChatRequest::new([Message::user(format!("p{number}"))]);
        (format!("n{number}"), request)
    });
    // The journal's leases do not expire, so a lease that is not released would hang the next run.
    let journal = Arc::new(MemoryJournal::new(sim.clone(), items).chunk(WORKERS));
    let failing = Arc::new(Failing {
        journal: Arc::clone(&journal),
        claims: AtomicUsize::new(claims),
        records: AtomicUsize::new(records),
    });
    let network = SimTransport::builder(sim)
        .first_token(Latency::Exponential { mean: ms(50) })
        .build();
    let client = client(sim, &network).workers(WORKERS).build().unwrap();
    let batch = processor(sim.clone(), &client, WORKERS);
    let mut first = batch.process_journal(failing);
    let mut recorded = 0;
    let error = loop {
        match first.next().await.unwrap() {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Journal);
    assert!(first.next().await.is_none(), "an error is the last thing");
    let sent = network.stats().sent;
    let mut second = batch.process_journal(journal.clone());
    let mut rest = 0;
    while let Some(finished) = second.next().await {
        finished.unwrap();
        rest += 1;
    }
    assert_eq!(journal.outcomes().len(), ITEMS);
    [(recorded, sent), (rest, network.stats().sent - sent)]
}

#[test]
fn a_claim_that_fails_loses_nothing_that_was_paid_for() {
    Sim::run_seeds(0..20, |sim| async move {
        for claims in 1..4 {
            let [(recorded, sent), (rest, again)] = fail(&sim, claims, usize::MAX).await;
            assert_eq!((recorded, sent), (claims * WORKERS, recorded as u64));
            assert_eq!((rest, again), (ITEMS - recorded, rest as u64));
        }
    });
}

#[test]
fn a_record_that_fails_gives_its_lease_back() {
    Sim::run_seeds(0..20, |sim| async move {
        for records in [0, 1, 6] {
            let [(recorded, _), (rest, _)] = fail(&sim, usize::MAX, records).await;
            assert_eq!((recorded, rest), (records, ITEMS - records));
        }
    });
}

#[test]
fn a_dead_journal_hands_out_nothing() {
    scenario(30, |sim, disk, network| async move {
        let journal = Arc::new(files(&sim, &disk).open().await.unwrap());
        disk.set_room(Some(3_000));
        let client = client(&sim, &network).workers(2).build().unwrap();
        let batch = processor(sim.clone(), &client, 2);
        let mut first = batch.process_journal(journal.clone());
        while !matches!(first.next().await, Some(Err(_))) {}
        let sent = network.stats().sent;
        let mut second = batch.process_journal(journal.clone());
        let error = second.next().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("make room"), "{error}");
        assert!(second.next().await.is_none());
        assert_eq!(network.stats().sent, sent, "nothing more was spent");
    });
}

#[test]
fn the_lock_is_held_until_the_last_write() {
    scenario(40, |sim, disk, network| async move {
        // The journal is dropped with queued but unwritten results, and opened again at once.
        for polls in 1..12 {
            let journal = Arc::new(files(&sim, &disk).open().await.unwrap());
            let client = client(&sim, &network).workers(4).build().unwrap();
            let batch = processor(sim.clone(), &client, 4);
            let mut dropped = batch.process_journal(journal);
            for _ in 0..polls {
                futures_lite::future::poll_once(dropped.next()).await;
                sim.sleep(std::time::Duration::from_micros(100 * polls))
                    .await;
            }
        }
        let journal = files(&sim, &disk).open().await.unwrap();
        run(&sim, &network, journal).await.unwrap();
        assert_each_once(&disk, 40);
    });
}

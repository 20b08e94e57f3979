//! Runs in files whose process dies at any await, during writes, or by a power loss.

use std::sync::Arc;

use chatcore::{Error, Executor};
use chatcore_adapters::journal::files::{FilesBuilder, FilesJournal, Identity};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimDisk, SimExecutor, SimTransport};

use super::mortal::{Life, Lived};
use super::{assert_each_once, input, processor, results};
use crate::support::{client, ms};

const WORKERS: usize = 3;

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum Death {
    Kill,
    KillInWrite,
    PowerLoss,
}

/// Results are written by the journal's own task or, in every second run, by the task that records.
fn journal(executor: Arc<dyn Executor>, disk: &SimDisk, seed: u64) -> FilesBuilder {
    FilesJournal::builder(executor, Identity::new(), "in.jsonl", "out.jsonl")
        .disk(Arc::new(disk.clone()))
        .write_in_place(seed % 2 == 1)
}

fn transport(sim: &SimExecutor) -> Arc<SimTransport> {
    SimTransport::builder(sim)
        .first_token(Latency::Exponential { mean: ms(30) })
        .script(Script::new().chance(0.2, Fault::Status(400)))
        .build()
}

/// Runs one process and returns whether it finished. It may die at any await of any of its tasks.
async fn live(
    sim: &Arc<SimExecutor>,
    disk: &SimDisk,
    network: &Arc<SimTransport>,
    polls: u64,
    death: Death,
) -> bool {
    let (clock, crashes) = (Arc::clone(sim), disk.crashes());
    let life = Life::new(sim, polls, disk, move |disk| match death {
        Death::Kill => disk.kill(),
        Death::KillInWrite => disk.kill_in_next_write(&clock),
        Death::PowerLoss => disk.lose_power(&clock),
    });
    let executor: Arc<dyn Executor> = Arc::new(Lived(Arc::clone(&life)));
    let client = client(sim, network).workers(WORKERS).build().unwrap();
    let ran = life
        .run(async {
            let journal = journal(Arc::clone(&executor), disk, sim.seed())
                .open()
                .await?;
            let batch = processor(executor, &client, WORKERS);
            let mut run = batch.process_journal(Arc::new(journal));
            while let Some(finished) = run.next().await {
                finished?;
            }
            Ok::<_, Error>(())
        })
        .await;
    match ran {
        // A torn write in place returns an error to the task that writes, as the process dies.
        Some(_) if disk.crashes() > crashes => false,
        Some(ran) => {
            assert!(ran.is_ok(), "{ran:?}");
            disk.kill();
            true
        }
        None => false,
    }
}

fn lines(disk: &SimDisk) -> usize {
    let count = |path| disk.get(path).iter().filter(|&&byte| byte == b'\n').count();
    count("out.jsonl") + count("out.errors.jsonl")
}

/// Runs processes until one finishes. Returns how many died before.
async fn run_to_the_end(
    sim: &Arc<SimExecutor>,
    disk: &SimDisk,
    items: usize,
    death: Death,
    mut polls: impl FnMut(u64) -> u64,
) -> u64 {
    let network = transport(sim);
    for deaths in 0.. {
        let (sent, had) = (network.stats().sent, lines(disk));
        let is_end = live(sim, disk, &network, polls(deaths), death).await;
        let sent = (network.stats().sent - sent) as usize;
        match death {
            // Requests that were sent but not recorded were in flight.
            Death::Kill | Death::KillInWrite => {
                let repeated = sent + had - lines(disk);
                assert!(repeated <= WORKERS, "{repeated} requests are repeated");
                assert!(!is_end || repeated == 0);
            }
            Death::PowerLoss => {}
        }
        if is_end {
            assert_each_once(disk, items);
            let answers = results(disk, "out.jsonl").len();
            assert!(network.stats().faults > 0 || answers == items);
            return deaths;
        }
    }
    unreachable!()
}

/// A run that dies once, at this await, and then runs to its end. Returns how often it died. With
/// an odd seed, results are written in place.
fn die_at(polls: u64, seed: u64, death: Death) -> u64 {
    const ITEMS: usize = 15;
    let sim = Sim::new(seed);
    let disk = SimDisk::new();
    disk.put("in.jsonl", input(ITEMS));
    let executor = sim.executor();
    let first = |deaths| if deaths == 0 { polls } else { u64::MAX };
    sim.run(run_to_the_end(&executor, &disk, ITEMS, death, first))
}

#[test]
fn a_run_that_dies_at_every_await_in_turn_loses_nothing() {
    for in_place in [0, 1] {
        let seed = |polls| 2 * polls + in_place;
        let dies = |polls, death| die_at(polls, seed(polls), death) == 1;
        let awaits = (0..).find(|&polls| !dies(polls, Death::Kill)).unwrap();
        println!("journal: a run killed at each of its {awaits} awaits");
        assert!(awaits > 25, "{awaits}");
        let torn = (0..awaits).filter(|&polls| dies(polls, Death::KillInWrite));
        let torn = torn.count() as u64;
        println!("journal: and {torn} times in the midst of the write after it");
        assert!(torn > awaits / 2, "{torn}");
    }
}

#[test]
fn a_run_that_dies_again_and_again_comes_to_its_end() {
    for death in [Death::Kill, Death::KillInWrite, Death::PowerLoss] {
        Sim::run_seeds(0..40, move |sim| async move {
            let disk = SimDisk::new();
            disk.put("in.jsonl", input(60));
            let draw = Arc::clone(&sim);
            // Each process may live longer than the one before, so that the run ends.
            let polls = move |deaths: u64| 10 + draw.random_below(60 + 20 * deaths);
            let deaths = run_to_the_end(&sim, &disk, 60, death, polls).await;
            assert!(deaths > 0);
        });
    }
}

#[test]
fn what_is_not_synced_is_little() {
    // A run that has time to sync loses at most 100 ms of results in a power loss.
    Sim::run_seeds(0..20, |sim| async move {
        let disk = SimDisk::new();
        disk.put("in.jsonl", input(40));
        let network = SimTransport::builder(&sim)
            .first_token(Latency::from(ms(200)))
            .build();
        let polls = 50 + sim.random_below(200);
        live(&sim, &disk, &network, polls, Death::PowerLoss).await;
        let sent = network.stats().sent as usize;
        // The requests in flight, and those of the round before.
        assert!(sent - lines(&disk).min(sent) <= 2 * WORKERS);
        live(&sim, &disk, &network, u64::MAX, Death::Kill).await;
        assert_each_once(&disk, 40);
    });
}

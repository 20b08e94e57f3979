//! Runs whose process dies at any await, or by a power loss.

use std::sync::Arc;

use chatcore::provider_batch::RunEnd;
use chatcore::{Error, Executor};
use chatcore_adapters::sim::{BatchFault, Sim, SimDisk, SimExecutor};

use super::{PROVIDERS, World, events};
use crate::journal::mortal::{Life, Lived};

/// Runs one process, which dies after so many polls. Returns whether it came to its end.
async fn live(world: &World, polls: u64, die: impl Fn(&SimDisk) + Send + Sync + 'static) -> bool {
    let crashes = world.disk.crashes();
    let life = Life::new(&world.sim, polls, &world.disk, die);
    let executor: Arc<dyn Executor> = Arc::new(Lived(Arc::clone(&life)));
    let ran = life
        .run(async {
            let mut run = world.open(executor).await?;
            events(&mut run).await?;
            assert_eq!(run.end(), RunEnd::Complete);
            Ok::<_, Error>(())
        })
        .await;
    match ran {
        Some(_) if world.disk.crashes() > crashes => false,
        Some(ran) => {
            assert!(ran.is_ok(), "{ran:?}");
            world.disk.kill();
            true
        }
        None => false,
    }
}

/// A run that dies once, at this await, and then comes to its end. Returns how often it died.
fn die_at(provider: &'static str, polls: u64, loses_power: bool) -> u64 {
    let sim = Sim::new(polls);
    let executor: Arc<SimExecutor> = sim.executor();
    let mut deaths = 0;
    sim.run(async {
        let world = World::new(&executor, provider, 7);
        world
            .api
            .add_faults([BatchFault::None, BatchFault::CreatedThen500]);
        let clock = Arc::clone(&executor);
        let die = move |disk: &SimDisk| match loses_power {
            true => disk.lose_power(&clock),
            false => disk.kill(),
        };
        if !live(&world, polls, die).await {
            deaths = 1;
            assert!(live(&world, u64::MAX, |_| {}).await);
        }
        world.assert_all_once(7);
    });
    deaths
}

#[test]
fn a_run_that_dies_at_every_await_in_turn_pays_nothing_twice() {
    for provider in PROVIDERS {
        for loses_power in [false, true] {
            let dies = |polls| die_at(provider, polls, loses_power) == 1;
            let awaits = (0..).find(|&polls| !dies(polls)).unwrap();
            println!("{provider}: killed at each of {awaits} awaits, power lost: {loses_power}");
            assert!(awaits > 40, "{awaits}");
        }
    }
}

#[test]
fn a_run_that_dies_again_and_again_on_a_bad_network_pays_nothing_twice() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..40, |sim| async move {
            let mut world = World::new(&sim, provider, 12);
            world.lost = 0.1;
            let mut deaths = 0;
            loop {
                let polls = sim.random_below(150) + 5 * deaths;
                if live(&world, polls, SimDisk::kill).await {
                    break;
                }
                deaths += 1;
            }
            world.assert_all_once(12);
        });
    }
}

//! Batches run as fast as the limit allows, in constant memory.
//!
//! The figures: `cargo test -p chatcore-adapters --no-default-features --features sim --test sim
//! batch -- --nocapture`

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore::{BatchProcessor, Closing, Error, ErrorKind, Progress};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimExecutor, SimTransport};
use futures_lite::{StreamExt, stream};

use crate::support::{assert_balanced, client, ms, secs};

const LATENCY: Duration = secs(2);

fn transport(sim: &SimExecutor) -> Arc<SimTransport> {
    SimTransport::builder(sim)
        .first_token(Latency::from(LATENCY))
        .build()
}

/// The time of a batch divided by the time of full rounds at its limit.
fn overhead(began: Duration, ended: Duration, items: usize, limit: usize) -> f64 {
    let rounds = items.div_ceil(limit) as u32;
    (ended - began).as_secs_f64() / (LATENCY * rounds).as_secs_f64()
}

#[test]
fn a_batch_takes_as_many_rounds_as_its_limit_needs() {
    let mut worst = 0_f64;
    for (items, limit) in [(1, 1), (10, 3), (100, 7), (1_000, 50), (5_000, 1_000)] {
        let sim = Sim::new(items as u64);
        let transport = transport(&sim.executor());
        // In one run the client's workers are the limit, in the other the batch's.
        for (workers, batch_workers) in [(limit, items), (items, limit)] {
            let client = client(&sim.executor(), &transport)
                .workers(workers)
                .build()
                .unwrap();
            let batch = BatchProcessor::chats(&client).max_workers(batch_workers);
            let prompts = (0..items).map(|number| number.to_string());
            let began = sim.now().since_epoch();
            let results = sim.run(batch.process_batch(prompts.clone()));
            for (number, result) in results.iter().enumerate() {
                assert_eq!(result.as_ref().unwrap().text(), format!("echo: {number}"));
            }
            worst = worst.max(overhead(began, sim.now().since_epoch(), items, limit));
            assert_balanced(&client);

            let began = sim.now().since_epoch();
            let mut results = batch.process_stream(stream::iter(prompts));
            let places = sim.run(async {
                let mut places = vec![false; items];
                while let Some((place, result)) = results.next().await {
                    result.unwrap();
                    assert!(
                        !std::mem::replace(&mut places[place], true),
                        "{place} twice"
                    );
                }
                places
            });
            assert!(places.into_iter().all(|seen| seen), "an item has no result");
            worst = worst.max(overhead(began, sim.now().since_epoch(), items, limit));
        }
        transport.assert_idle();
    }
    println!("batch: at most {worst:.4} x the rounds that the limit needs");
    assert!(worst <= 1.02, "{worst}");
}

#[test]
fn failures_keep_their_places_and_stop_nobody() {
    Sim::run_seeds(0..50, |sim| async move {
        let script = Script::new().chance(0.3, Fault::Status(400));
        let transport = SimTransport::builder(&sim)
            .first_token(Latency::Exponential { mean: ms(300) })
            .script(script)
            .build();
        let client = client(&sim, &transport).workers(5).build().unwrap();
        let last = Arc::new(Mutex::new(Progress::default()));
        let told = Arc::clone(&last);
        let batch = BatchProcessor::chats(&client)
            .max_workers(8)
            .on_progress(move |progress| {
                assert!(progress.in_flight <= 8);
                *told.lock().unwrap() = progress.clone();
            });
        let results = batch
            .process_batch((0..40).map(|number| number.to_string()))
            .await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        for (number, result) in results.iter().enumerate() {
            match result {
                Ok(answer) => assert_eq!(answer.text(), format!("echo: {number}")),
                Err(error) => assert_eq!(error.kind(), ErrorKind::BadRequest),
            }
        }
        let progress = last.lock().unwrap().clone();
        assert_eq!((progress.total, progress.finished()), (Some(40), 40));
        assert_eq!((progress.failed, progress.in_flight), (failed, 0));
        assert_eq!(progress.remaining, Some(Duration::ZERO));
        assert_eq!(progress.tokens, 3 * (40 - failed as u64));
        assert_balanced(&client);
    });
}

#[test]
fn a_dropped_batch_frees_all_it_held() {
    Sim::run_seeds(0..50, |sim| async move {
        let transport = transport(&sim);
        let client = client(&sim, &transport).workers(4).build().unwrap();
        let batch = BatchProcessor::chats(&client).max_workers(10);
        let mut results = batch.process_stream(stream::iter((0..100).map(|n| n.to_string())));
        for _ in 0..sim.random_below(9) {
            results.next().await.unwrap().1.unwrap();
        }
        drop(results);
        assert_balanced(&client);
        transport.assert_idle();
    });
}

/// Runs items whose work is only a sleep of one second of virtual time.
async fn run_items(sim: &Arc<SimExecutor>, items: usize) {
    let pulled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&pulled);
    let input = stream::iter(0..items).inspect(move |_| {
        counted.fetch_add(1, Relaxed);
    });
    let clock = Arc::clone(sim);
    let batch = BatchProcessor::new(sim.clone(), move |number: usize| {
        let waits = clock.sleep(ms(1_000 + number as u64 % 7));
        async move {
            waits.await;
            Ok::<usize, Error>(number)
        }
    })
    .max_workers(100);
    let mut results = batch.process_stream(input);
    let mut finished = 0;
    while let Some((place, result)) = results.next().await {
        assert_eq!(result.unwrap(), place);
        finished += 1;
        let ahead = pulled.load(Relaxed) - finished;
        assert!(ahead <= 100, "{ahead} items were pulled that cannot run");
    }
    assert_eq!(finished, items);
}

fn peak_of(items: usize) -> usize {
    let sim = Sim::new(1);
    let executor = sim.executor();
    let before = crate::memory::reset_peak();
    sim.run(run_items(&executor, items));
    crate::memory::peak() - before
}

#[test]
fn memory_does_not_grow_with_the_items() {
    let (few, many) = (peak_of(1_000), peak_of(10_000));
    assert!(
        many <= few + 1_024,
        "{few} bytes for 1,000, {many} for 10,000"
    );
}

/// `cargo test --release -p chatcore-adapters --no-default-features --features sim --test sim --
/// --ignored --nocapture a_million`
#[test]
#[ignore = "takes a while without optimisation"]
fn a_million_items_take_the_memory_of_ten_thousand() {
    let (few, many) = (peak_of(10_000), peak_of(1_000_000));
    println!("batch: peak of {few} bytes for 10,000 items, of {many} for 1,000,000");
    assert!(many <= few + 1_024, "{few} bytes, {many} bytes");
}

#[test]
fn added_requests_run_by_size_by_time_and_by_flush() {
    let sim = Sim::new(3);
    let batch = Arc::new(counting(&sim.executor()).batch_size(10));
    let executor = sim.executor();
    let add = |number: usize| {
        let (batch, clock) = (Arc::clone(&batch), executor.clone());
        async move {
            batch.add_request(number).await.unwrap();
            clock.now().since_epoch()
        }
    };
    let together = |numbers: std::ops::Range<usize>| {
        let (send, receive) = std::sync::mpsc::channel();
        for number in numbers {
            let (send, add) = (send.clone(), add(number));
            executor.spawn(async move {
                let at = add.await;
                send.send(at).ok();
            });
        }
        receive
    };
    sim.run(async {
        // A full batch starts at once, and its items take a second each, five at a time.
        let ended = together(0..10);
        executor.sleep(secs(10)).await;
        let ended: Vec<_> = ended.try_iter().collect();
        assert_eq!(ended.len(), 10);
        assert_eq!(ended.iter().max(), Some(&secs(2)));
        // A batch that is not full starts a second after its first item.
        let began = executor.now().since_epoch();
        let ended = together(0..3);
        executor.sleep(secs(10)).await;
        assert!(ended.try_iter().all(|at| at == began + secs(2)));
        // A flushed batch starts at once.
        let began = executor.now().since_epoch();
        let ended = together(0..3);
        executor.sleep(ms(1)).await;
        batch.flush().await;
        assert_eq!(executor.now().since_epoch(), began + ms(1) + secs(1));
        // All callers get their results at the same time, in any order.
        executor.sleep(ms(1)).await;
        assert_eq!(ended.try_iter().count(), 3);
    });
}

#[test]
fn closing_finishes_or_stops_by_choice() {
    for (closing, finished) in [(Closing::Finish, true), (Closing::Cancel, false)] {
        Sim::run_seeds(0..20, move |sim| async move {
            let batch = Arc::new(counting(&sim).batch_size(4).max_concurrent_batches(2));
            let results = Arc::new(Mutex::new(Vec::new()));
            for number in 0..10 {
                let (batch, results) = (Arc::clone(&batch), Arc::clone(&results));
                sim.spawn(async move {
                    let result = batch.add_request(number).await;
                    results.lock().unwrap().push(result);
                });
            }
            // Two batches run and two requests wait.
            sim.sleep(ms(500)).await;
            let began = sim.now();
            batch.close(closing).await;
            let took = sim.now() - began;
            sim.sleep(ms(1)).await;
            let results = std::mem::take(&mut *results.lock().unwrap());
            assert_eq!(results.len(), 10);
            for result in &*results {
                match result {
                    Ok(_) => assert!(finished),
                    Err(error) => assert!(!finished && error.kind() == ErrorKind::Closed),
                }
            }
            assert_eq!(took > Duration::ZERO, finished);
            assert_eq!(
                batch.add_request(1).await.unwrap_err().kind(),
                ErrorKind::Closed
            );
        });
    }
}

/// A processor whose work takes one second.
fn counting(sim: &Arc<SimExecutor>) -> BatchProcessor<usize, usize> {
    let clock = Arc::clone(sim);
    BatchProcessor::new(sim.clone(), move |number| {
        let waits = clock.sleep(secs(1));
        async move {
            waits.await;
            Ok(number)
        }
    })
}

//! Tests of the executor's promises.

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use cpu_time::ThreadTime;
use futures_lite::future::{or, yield_now};

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Tasks that sleep, yield, spawn and log. Returns the trace's hash and the order of the log
/// entries.
fn scenario(seed: u64) -> (u64, Vec<u64>) {
    let sim = Sim::new(seed);
    let log = Arc::new(Mutex::new(Vec::new()));
    let handle = sim.executor();
    for i in 0..20 {
        let (handle, log) = (handle.clone(), Arc::clone(&log));
        sim.spawn(async move {
            handle.sleep(ms(handle.random_below(5))).await;
            yield_now().await;
            log.lock().unwrap().push(i);
            let inner = Arc::clone(&log);
            handle.spawn(async move { inner.lock().unwrap().push(100 + i) });
        });
    }
    sim.run(sim.sleep(ms(10)));
    let log = log.lock().unwrap().clone();
    (sim.trace_hash(), log)
}

#[test]
fn one_seed_one_trace_over_a_thousand_seeds() {
    let mut hashes = std::collections::BTreeSet::new();
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..1_000 {
        let (hash, order) = scenario(seed);
        assert_eq!((hash, &order), (scenario(seed).0, &scenario(seed).1));
        assert_eq!(order.len(), 40, "every task has run once");
        hashes.insert(hash);
        orders.insert(order);
    }
    assert_eq!((hashes.len(), orders.len()), (1_000, 1_000));
}

#[test]
fn tasks_that_could_run_at_once_run_in_every_order() {
    let orders: std::collections::BTreeSet<Vec<u8>> = (0..200)
        .map(|seed| {
            let sim = Sim::new(seed);
            let log = Arc::new(Mutex::new(Vec::new()));
            for i in 0..3 {
                let log = Arc::clone(&log);
                sim.spawn(async move { log.lock().unwrap().push(i) });
            }
            sim.run(sim.sleep(ms(1)));
            log.lock().unwrap().clone()
        })
        .collect();
    assert_eq!(orders.len(), 6);
}

#[test]
fn a_deadlock_is_proven_and_says_who_waits() {
    let sim = Sim::new(9);
    sim.spawn_named("the one who waits", pending());
    let handle = sim.executor();
    let error = sim
        .try_run(async move {
            handle.sleep(ms(5)).await;
            pending::<()>().await;
        })
        .unwrap_err();
    assert_eq!(*error.kind(), SimErrorKind::Deadlock);
    assert_eq!((error.seed(), error.at()), (9, ms(5)));
    let names: Vec<_> = error.pending().iter().map(|task| &*task.name).collect();
    assert_eq!(names, ["the run's own future", "the one who waits"]);
    assert_eq!(error.pending()[0].polls, 2);
    let text = error.to_string();
    assert!(text.contains("CHATCORE_SIM_SEED=9"), "{text}");
}

#[test]
fn waiting_for_the_end_of_time_is_a_deadlock() {
    let sim = Sim::new(0);
    let error = sim.try_run(sim.sleep(Duration::MAX)).unwrap_err();
    assert_eq!(*error.kind(), SimErrorKind::Deadlock);
}

#[test]
fn a_livelock_and_an_endless_ticking_are_found() {
    let sim = Sim::new(1).max_polls_per_moment(1_000);
    let spin = poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let error = sim.try_run(spin).unwrap_err();
    assert_eq!(*error.kind(), SimErrorKind::Livelock { polls: 1_000 });

    let limit = Duration::from_secs(60);
    let sim = Sim::new(1).time_limit(limit);
    let handle = sim.executor();
    sim.spawn(async move {
        loop {
            handle.sleep(Duration::from_secs(1)).await;
        }
    });
    let error = sim.try_run(pending::<()>()).unwrap_err();
    assert_eq!(*error.kind(), SimErrorKind::TimeLimit { limit });
    assert_eq!(error.at(), limit);
}

#[test]
fn time_jumps_to_the_next_timer_and_fires_it_exactly() {
    let sim = Sim::new(3);
    let fired = Arc::new(Mutex::new(Vec::new()));
    for nanos in [3_000_000_007, 1, 86_400_000_000_000, 1_000_000] {
        let (handle, fired) = (sim.executor(), Arc::clone(&fired));
        sim.spawn(async move {
            handle.sleep(Duration::from_nanos(nanos)).await;
            fired.lock().unwrap().push(handle.now().since_epoch());
        });
    }
    sim.run(sim.sleep(Duration::from_secs(100_000)));
    let expected = [1, 1_000_000, 3_000_000_007, 86_400_000_000_000].map(Duration::from_nanos);
    assert_eq!(*fired.lock().unwrap(), expected);
}

#[test]
fn a_dropped_sleep_leaves_no_timer_and_does_not_move_the_clock() {
    let sim = Sim::new(4);
    let handle = sim.executor();
    sim.run(async move {
        for _ in 0..1_000 {
            or(
                handle.sleep(ms(1)),
                handle.sleep(Duration::from_secs(9_999)),
            )
            .await;
            assert_eq!(handle.pending_timers(), 0);
        }
        // A sleep that is awaited twice keeps one timer.
        let mut sleep = handle.sleep(ms(10));
        or(&mut sleep, handle.sleep(ms(1))).await;
        or(&mut sleep, handle.sleep(ms(1))).await;
        assert_eq!(handle.pending_timers(), 1);
        sleep.await;
    });
    assert_eq!(sim.now().since_epoch(), ms(1_010));
    assert_eq!(sim.pending_timers(), 0);
}

/// Counts how many of its instances were dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn what_ended_is_dropped_at_once_and_the_rest_with_the_simulation() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(5);
    let handle = sim.executor();
    for forever in [false, true] {
        let counted = Counted(Arc::clone(&dropped));
        let handle = sim.executor();
        sim.spawn(async move {
            let _counted = counted;
            match forever {
                true => handle.sleep(Duration::from_secs(99)).await,
                false => yield_now().await,
            }
        });
    }
    sim.run(sim.sleep(ms(1)));
    assert_eq!(dropped.load(Relaxed), 1);
    assert_eq!((sim.pending_tasks().len(), sim.pending_timers()), (1, 1));
    drop(sim);
    assert_eq!(dropped.load(Relaxed), 2);
    let counted = Counted(Arc::clone(&dropped));
    handle.spawn(async move { drop(counted) });
    assert_eq!(dropped.load(Relaxed), 3, "nobody runs it, so it is dropped");
}

#[test]
fn a_panic_stays_in_its_task_and_ends_the_run() {
    let sim = Sim::new(6);
    sim.spawn_named("clumsy", async { panic!("dropped {}", "the ball") });
    let error = sim.try_run(sim.sleep(ms(1))).unwrap_err();
    let expected = SimErrorKind::TaskPanicked {
        task: 1,
        name: "clumsy".into(),
        message: "dropped the ball".into(),
    };
    assert_eq!(*error.kind(), expected);

    let sim = Sim::new(6).panics_allowed();
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Counted(Arc::clone(&done));
    sim.spawn(async { panic!("allowed") });
    sim.spawn(async move { drop(counted) });
    sim.run(sim.sleep(ms(1)));
    assert_eq!((sim.panicked(), done.load(Relaxed)), (1, 1));
}

#[test]
fn a_simulation_can_run_again_after_an_error_and_after_a_panic() {
    let sim = Sim::new(7);
    sim.try_run(pending::<()>()).unwrap_err();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sim.run(async { panic!("the scenario's own") });
    }));
    assert!(caught.is_err());
    assert_eq!(sim.run(async { 5 }), 5);
}

#[test]
fn what_is_recorded_changes_the_hash() {
    let hash = |fact| {
        let sim = Sim::new(8);
        sim.run(async { sim.record(fact) });
        sim.trace_hash()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

/// `cargo test --release -p chatcore-adapters --no-default-features --features sim -- --ignored
/// --nocapture polls_a_second`
#[test]
#[ignore = "a measurement, for a release build"]
fn polls_a_second() {
    for (tasks, what) in [
        (1, "one task"),
        (100, "100 tasks"),
        (10_000, "10,000 tasks"),
    ] {
        let sim = Sim::new(1).max_polls_per_moment(u64::MAX);
        let each = 4_000_000 / tasks;
        for _ in 0..tasks {
            let handle = sim.executor();
            sim.spawn(async move {
                for turn in 0..each {
                    match turn % 8 {
                        0 => handle.sleep(Duration::from_micros(turn % 97)).await,
                        _ => yield_now().await,
                    }
                }
            });
        }
        // This thread's CPU time, which does not depend on other programs.
        let began = ThreadTime::now();
        sim.run(sim.sleep(Duration::from_secs(10_000)));
        let took = began.elapsed();
        let rate = sim.polls() as f64 / took.as_secs_f64();
        println!(
            "{what}: {} polls in {took:.2?}, {:.2} million a second",
            sim.polls(),
            rate / 1e6
        );
        assert!(rate >= 1e6);
    }
}

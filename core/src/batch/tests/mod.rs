mod cases;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures_util::{FutureExt, StreamExt};

use super::*;
use crate::error::ErrorKind;
use crate::testing::Clockwork;

const LATENCY: Duration = Duration::from_secs(2);

/// Doubles a number in two seconds; odd hundreds fail.
async fn double(executor: Arc<dyn Executor>, n: u64) -> Result<u64, Error> {
    executor.sleep(LATENCY).await;
    match n % 200 {
        100 => Err(Error::new(ErrorKind::Server, format!("{n} fails"))),
        _ => Ok(n * 2),
    }
}

type Doubler = BatchProcessor<u64, u64>;

fn doubler() -> (Arc<Clockwork>, Doubler) {
    let (clock, executor) = Clockwork::new();
    let sleeping = Arc::clone(&executor);
    let batch = BatchProcessor::new(executor, move |n| double(Arc::clone(&sleeping), n));
    (clock, batch)
}

#[test]
fn a_batch_keeps_the_order_and_its_failures() {
    let (clock, batch) = doubler();
    let results = clock.run(batch.process_batch((0..201).collect::<Vec<_>>()));
    assert_eq!(results.len(), 201);
    for (n, result) in (0..).zip(results) {
        match n {
            100 => assert_eq!(result.unwrap_err().message(), "100 fails"),
            n => assert_eq!(result.unwrap(), n * 2),
        }
    }
    // 201 items, 5 at once, 2 s each.
    assert_eq!(clock.seconds(), 82.0);
}

#[test]
fn progress_is_told() {
    let (clock, batch) = doubler();
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let batch = batch
        .count_tokens(|output| *output)
        .on_progress(move |progress| telling.lock().unwrap().push(progress.clone()));
    clock.run(batch.process_batch([1, 2, 100, 4, 5, 6, 7]));
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 7);
    let fifth = &told[4];
    assert_eq!((fifth.done, fifth.failed, fifth.total), (4, 1, Some(7)));
    assert_eq!(fifth.tokens, 24);
    assert_eq!(fifth.elapsed, LATENCY);
    let last = &told[6];
    assert_eq!((last.finished(), last.in_flight), (7, 0));
    assert_eq!(last.remaining, Some(Duration::ZERO));
}

#[test]
fn a_stream_is_pulled_only_as_it_can_run() {
    let (clock, batch) = doubler();
    let pulled = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&pulled);
    let items = stream::iter(0..1_000).inspect(move |_| {
        counting.fetch_add(1, SeqCst);
    });
    let mut results = batch.process_stream(items);
    for ended in 1..=50_usize {
        clock.run(results.next()).unwrap().1.unwrap();
        assert!(pulled.load(SeqCst) <= ended + 4, "{pulled:?} after {ended}");
    }
}

#[test]
fn a_full_batch_begins_at_once_and_a_part_of_one_in_time() {
    let (clock, batch) = doubler();
    let batch = batch.max_workers(10);
    let ten = async {
        let adding = (0..10).map(|n| batch.add_request(n));
        futures_util::future::join_all(adding).await
    };
    for (n, result) in (0..).zip(clock.run(ten)) {
        assert_eq!(result.unwrap(), n * 2);
    }
    assert_eq!(clock.seconds(), 2.0);
    // A single item waits 1 s for others.
    assert_eq!(clock.run(batch.add_request(7)).unwrap(), 14);
    assert_eq!(clock.seconds(), 5.0);
}

#[test]
fn a_flush_begins_and_awaits_what_was_added() {
    let (clock, batch) = doubler();
    let done = clock.run(async {
        let mut adding = Box::pin(batch.add_request(3));
        assert!((&mut adding).now_or_never().is_none());
        batch.flush().await;
        adding.now_or_never()
    });
    assert_eq!(done.unwrap().unwrap(), 6);
    assert_eq!(clock.seconds(), 2.0);
}

#[test]
fn batches_run_one_after_the_other_unless_more_may() {
    for (batches, seconds) in [(1, 6.0), (3, 2.0)] {
        let (clock, batch) = doubler();
        let batch = batch.max_workers(10).max_concurrent_batches(batches);
        let adding = (0..30).map(|n| batch.add_request(n));
        clock.run(futures_util::future::join_all(adding));
        assert_eq!(clock.seconds(), seconds);
    }
}

#[test]
fn a_caller_that_has_gone_takes_no_part() {
    let (clock, batch) = doubler();
    clock.run(async {
        let mut gone = Box::pin(batch.add_request(100));
        let mut stays = Box::pin(batch.add_request(1));
        assert!((&mut gone).now_or_never().is_none());
        assert!((&mut stays).now_or_never().is_none());
        drop(gone);
        assert_eq!(stays.await.unwrap(), 2);
    });
}

#[test]
fn closing_finishes_or_cancels() {
    for closing in [Closing::Finish, Closing::Cancel] {
        let (clock, batch) = doubler();
        clock.run(async {
            let adding: Vec<_> = (0..14).map(|n| batch.add_request(n)).collect();
            let mut all = Box::pin(futures_util::future::join_all(adding));
            assert!((&mut all).now_or_never().is_none());
            batch.close(closing).await;
            for result in all.await {
                match closing {
                    Closing::Finish => drop(result.unwrap()),
                    Closing::Cancel => {
                        assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
                    }
                }
            }
            let late = batch.add_request(1).await.unwrap_err();
            assert_eq!(late.kind(), ErrorKind::Closed);
        });
        assert_eq!(clock.seconds() > 0.0, closing == Closing::Finish);
    }
}

#[test]
fn a_panic_costs_no_other_its_result() {
    let (clock, executor) = Clockwork::new();
    let batch: Doubler = BatchProcessor::new(executor, |n| async move {
        assert!(n != 1, "one panics");
        Ok(n)
    });
    let adding = (0..3).map(|n| batch.add_request(n));
    let results = clock.run(futures_util::future::join_all(adding));
    assert_eq!(*results[0].as_ref().unwrap(), 0);
    assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(*results[2].as_ref().unwrap(), 2);
}

/// An executor that is shut down: it drops its tasks, and its sleeps end at once.
#[derive(Debug)]
struct Gone;

impl Executor for Gone {
    fn spawn(&self, task: crate::BoxFuture<'static, ()>) {
        drop(task);
    }

    fn sleep(&self, _: Duration) -> crate::BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> crate::Instant {
        crate::Instant::default()
    }
}

#[test]
fn an_executor_that_drops_its_tasks_leaves_nobody_waiting() {
    for size in [1, 10] {
        let batch: Doubler = BatchProcessor::new(Arc::new(Gone), |n| async move { Ok(n) });
        let batch = batch.batch_size(size);
        for n in 0..3 {
            let result = batch.add_request(n).now_or_never().expect("it waits");
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
        }
        batch
            .close(Closing::Finish)
            .now_or_never()
            .expect("it waits");
    }
}

/// An executor that holds its tasks until it shuts down, and from then on drops each task at once.
struct Holding(Mutex<Option<Vec<crate::BoxFuture<'static, ()>>>>);

impl std::fmt::Debug for Holding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holding")
    }
}

impl Executor for Holding {
    fn spawn(&self, task: crate::BoxFuture<'static, ()>) {
        if let Some(tasks) = &mut *self.0.lock().unwrap() {
            tasks.push(task);
            return;
        }
        drop(task);
    }

    fn sleep(&self, _: Duration) -> crate::BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn now(&self) -> crate::Instant {
        crate::Instant::default()
    }
}

#[test]
fn an_executor_that_drops_many_batches_does_not_nest_them() {
    let executor = Arc::new(Holding(Mutex::new(Some(Vec::new()))));
    let batch: Doubler = BatchProcessor::new(executor.clone(), |n| async move { Ok(n) });
    let batch = batch.batch_size(1).max_concurrent_batches(1);
    let adding = (0..100_000).map(|n| batch.add_request(n));
    let mut results = Box::pin(futures_util::future::join_all(adding));
    assert!(results.as_mut().now_or_never().is_none());
    let tasks = executor.0.lock().unwrap().take();
    assert_eq!(tasks.as_ref().map(Vec::len), Some(1));
    drop(tasks);
    let results = results.now_or_never().expect("somebody still waits");
    assert!(
        results
            .iter()
            .all(|result| { matches!(result, Err(error) if error.kind() == ErrorKind::Closed) })
    );
}

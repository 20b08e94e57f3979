//! Tests of the pool's promises.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Waker};

use futures_lite::future::{block_on, poll_fn};

use super::*;

/// A pool of one worker that is busy until the sender is dropped.
fn busy_pool(queue_size: usize) -> (ThreadPool, mpsc::Sender<()>, Blocking<()>) {
    let pool = ThreadPool::builder()
        .workers(1)
        .queue_size(queue_size)
        .build()
        .unwrap();
    let (release, wait) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let job = pool.spawn_blocking(move || {
        started.send(()).unwrap();
        let _ = wait.recv();
    });
    has_started.recv().unwrap();
    (pool, release, job)
}

fn status(pool: &ThreadPool) -> (usize, usize, usize) {
    let status = pool.status();
    (status.max_workers, status.active, status.queued)
}

#[test]
fn no_thread_before_there_is_work_and_no_more_than_there_are_jobs() {
    let pool = ThreadPool::new(4).unwrap();
    assert!(lock_handles(&pool).is_empty());
    for _ in 0..10 {
        block_on(pool.spawn_blocking(|| ())).unwrap();
    }
    let names = lock_handles(&pool);
    assert!(names.contains(&"chatcore-worker-0".to_owned()));
    assert!(names.len() <= 4, "{names:?}");
}

fn lock_handles(pool: &ThreadPool) -> Vec<String> {
    let mut names = pool.handle.worker_threads.names();
    names.extend(pool.handle.task_threads.names());
    names.extend(pool.handle.timer_threads.names());
    names
}

#[test]
fn jobs_run_side_by_side_up_to_the_limit() {
    let pool = ThreadPool::new(3).unwrap();
    let together = Arc::new(Barrier::new(3));
    let jobs: Vec<_> = (0..3)
        .map(|n| {
            let together = Arc::clone(&together);
            pool.spawn_blocking(move || {
                together.wait();
                n
            })
        })
        .collect();
    let results: Vec<_> = jobs.into_iter().map(|job| block_on(job).unwrap()).collect();
    assert_eq!(results, [0, 1, 2]);
    assert_eq!(status(&pool), (3, 0, 0));
}

#[test]
fn a_panic_stays_in_its_job_and_the_worker_goes_on() {
    let pool = ThreadPool::new(1).unwrap();
    let thread = || std::thread::current().id();
    let first = block_on(pool.spawn_blocking(thread)).unwrap();
    let error = block_on(pool.spawn_blocking(|| panic!("the job's own"))).unwrap_err();
    assert!(matches!(error, JobError::Panicked(message) if message == "the job's own"));
    assert_eq!(status(&pool), (1, 0, 0));
    assert_eq!(block_on(pool.spawn_blocking(thread)).unwrap(), first);
}

#[test]
fn a_full_queue_says_so_at_once() {
    let (pool, release, job) = busy_pool(2);
    let queued: Vec<_> = (0..2).map(|n| pool.spawn_blocking(move || n)).collect();
    assert_eq!(status(&pool), (1, 1, 2));
    let mut refused = pool.spawn_blocking(|| 0);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(
        std::pin::Pin::new(&mut refused).poll(&mut cx),
        Poll::Ready(Err(JobError::QueueFull { queue_size: 2 }))
    ));
    drop(release);
    block_on(job).unwrap();
    for (n, job) in queued.into_iter().enumerate() {
        assert_eq!(block_on(job).unwrap(), n);
    }
    assert_eq!(status(&pool), (1, 0, 0));
}

#[test]
fn a_dropped_future_takes_its_job_out_of_the_queue() {
    let (pool, release, job) = busy_pool(1);
    let owned = Arc::new(());
    let held = Arc::clone(&owned);
    let waiting = pool.spawn_blocking(move || drop(held));
    assert_eq!(status(&pool), (1, 1, 1));
    drop(waiting);
    assert_eq!(status(&pool), (1, 1, 0));
    assert_eq!(Arc::strong_count(&owned), 1);
    drop(release);
    block_on(job).unwrap();
}

#[test]
fn close_finishes_what_is_queued_and_joins() {
    let (pool, release, job) = busy_pool(100);
    let done = Arc::new(AtomicUsize::new(0));
    let queued: Vec<_> = (0..50)
        .map(|_| {
            let done = Arc::clone(&done);
            pool.spawn_blocking(move || done.fetch_add(1, Ordering::SeqCst))
        })
        .collect();
    drop(release);
    pool.close();
    assert_eq!(done.load(Ordering::SeqCst), 50);
    assert!(lock_handles(&pool).is_empty());
    block_on(job).unwrap();
    for job in queued {
        block_on(job).unwrap();
    }
    let late = block_on(pool.spawn_blocking(|| ()));
    assert!(matches!(late, Err(JobError::Closed)));
    pool.close();
}

#[test]
fn dropping_the_last_handle_closes_and_joins() {
    let pool = ThreadPool::new(2).unwrap();
    let other = pool.clone();
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    let job = pool.spawn_blocking(move || counted.fetch_add(1, Ordering::SeqCst));
    drop(pool);
    block_on(other.spawn_blocking(|| ())).unwrap();
    let workers = Arc::downgrade(&other.handle.workers);
    drop(other);
    assert_eq!(done.load(Ordering::SeqCst), 1);
    drop(job);
    assert!(workers.upgrade().is_none(), "every thread has ended");
}

#[test]
fn the_pool_can_be_closed_and_dropped_on_its_own_threads() {
    let pool = ThreadPool::new(2).unwrap();
    let inner = pool.clone();
    block_on(pool.spawn_blocking(move || inner.close())).unwrap();
    pool.close();

    let pool = ThreadPool::new(1).unwrap();
    let (tx, rx) = mpsc::channel();
    let (handed, handle) = mpsc::channel::<ThreadPool>();
    pool.spawn(Box::pin(async move {
        drop(handle.recv());
        let _ = tx.send(());
    }));
    handed.send(pool).unwrap();
    rx.recv().unwrap();
}

#[test]
fn two_threads_may_close_at_once_and_both_wait() {
    let (pool, release, _job) = busy_pool(1);
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    let _queued = pool.spawn_blocking(move || counted.fetch_add(1, Ordering::SeqCst));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                pool.close();
                assert_eq!(done.load(Ordering::SeqCst), 1);
            });
        }
        drop(release);
    });
}

#[test]
fn tasks_and_timers_do_not_wait_behind_a_blocking_call() {
    let (pool, release, job) = busy_pool(1);
    let (tx, rx) = mpsc::channel();
    let sleeper = pool.clone();
    pool.spawn(Box::pin(async move {
        sleeper.sleep(Duration::from_millis(1)).await;
        tx.send(()).unwrap();
    }));
    rx.recv().unwrap();
    assert_eq!(status(&pool), (1, 1, 0));
    drop(release);
    block_on(job).unwrap();
}

#[test]
fn a_panic_in_a_task_stays_in_it() {
    let pool = ThreadPool::new(1).unwrap();
    let (tx, rx) = mpsc::channel();
    pool.spawn(Box::pin(async { panic!("the task's own") }));
    pool.spawn(Box::pin(async move { tx.send(()).unwrap() }));
    rx.recv().unwrap();
}

#[test]
fn a_task_is_woken_from_another_thread_and_dropped_when_the_pool_closes() {
    let pool = ThreadPool::new(1).unwrap();
    let owned = Arc::new(());
    let held = Arc::clone(&owned);
    let (wakers, waker) = mpsc::channel();
    let mut polls = 0;
    pool.spawn(Box::pin(async move {
        let _held = held;
        poll_fn(move |cx| {
            polls += 1;
            wakers.send((polls, cx.waker().clone())).unwrap();
            Poll::<()>::Pending
        })
        .await;
    }));
    let (polls, first) = waker.recv().unwrap();
    assert_eq!(polls, 1);
    first.wake();
    let (polls, kept) = waker.recv().unwrap();
    assert_eq!(polls, 2);
    pool.close();
    assert_eq!(Arc::strong_count(&owned), 1);
    kept.wake();
}

#[test]
fn closing_lets_a_task_that_is_ready_go_on_and_does_not_wait_for_one_that_always_is() {
    let (pool, release, job) = busy_pool(1);
    let done = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&done);
    pool.spawn(Box::pin(async move {
        job.await.unwrap();
        futures_lite::future::yield_now().await;
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    pool.spawn(Box::pin(async {
        loop {
            futures_lite::future::yield_now().await;
        }
    }));
    drop(release);
    pool.close();
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[test]
fn many_tasks_all_run() {
    let pool = ThreadPool::new(1).unwrap();
    let (tx, rx) = mpsc::channel();
    for n in 0..1_000_u32 {
        let tx = tx.clone();
        pool.spawn(Box::pin(async move {
            futures_lite::future::yield_now().await;
            tx.send(n).unwrap();
        }));
    }
    drop(tx);
    let mut seen: Vec<_> = rx.iter().collect();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..1_000));
}

#[test]
fn time_does_not_go_back() {
    let pool = ThreadPool::new(1).unwrap();
    let early = pool.now();
    block_on(pool.sleep(Duration::from_millis(2)));
    assert!(pool.now() - early >= Duration::from_millis(2));
}

#[test]
fn what_cannot_be_built() {
    assert_eq!(ThreadPool::new(0).unwrap_err(), PoolError::NoWorkers);
    let named = ThreadPool::builder().name("a\0b").build();
    assert_eq!(named.unwrap_err(), PoolError::Name);
}

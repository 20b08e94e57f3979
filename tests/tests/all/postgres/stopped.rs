//! A process that was stopped and continued, or whose machine slept: its clock has jumped, and it has
//! tried nothing meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use chatcore::{BoxFuture, Executor, Instant, LimitAmount, LimitBlock, SharedLimits};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::postgres::{Database, DatabaseEvent, RunLimits, Submission};
use chatcore_tests::postgres::Postgres;

use super::Setup;

/// An executor whose clock jumps.
#[derive(Debug)]
struct Clock {
    inner: SmolExecutor,
    ahead: AtomicU64,
}

impl Clock {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: SmolExecutor::new(),
            ahead: AtomicU64::new(0),
        })
    }

    fn jump(&self, seconds: u64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Executor for Clock {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        self.inner.spawn(task);
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(duration)
    }

    fn now(&self) -> Instant {
        self.inner.now() + Duration::from_secs(self.ahead.load(Ordering::SeqCst))
    }
}

#[test]
fn a_statement_goes_on_when_its_process_was_stopped_for_longer_than_its_patience() {
    let Some(server) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let clock = Clock::new();
    let (tell, told) = mpsc::channel();
    let is_lost = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&is_lost);
    let database = Database::new(clock.clone(), &server.url()).unwrap();
    let database = database.watch(move |event| {
        // The process is stopped while it waits for a server that is away.
        if matches!(event, DatabaseEvent::Lost(_)) {
            clock.jump(24 * 3600);
            noted.store(true, Ordering::SeqCst);
        }
        tell.send(event).unwrap();
    });
    assert!(smol::block_on(database.runs()).unwrap().is_empty());
    server.hold();
    server.crash();
    // The server answers for a moment after the signal.
    let waits = thread::spawn(move || {
        loop {
            let runs = smol::block_on(database.runs());
            if runs.is_err() || is_lost.load(Ordering::SeqCst) {
                return runs;
            }
        }
    });
    let lost = told.recv().unwrap();
    assert!(matches!(lost, DatabaseEvent::Lost(_)), "{lost:?}");
    server.release();
    assert!(waits.join().unwrap().unwrap().is_empty());
}

#[test]
fn draws_that_still_fail_are_told_again_after_a_minute() {
    Setup::run(async |setup| {
        let clock = Clock::new();
        let (tell, told) = mpsc::channel();
        let database = Database::new(clock.clone(), &setup.server.url()).unwrap();
        let database = database.with_schema("again").unwrap();
        let database = database.watch(move |event| tell.send(event).unwrap());
        let mut limits = RunLimits::default();
        limits.requests_per_minute = Some(6_000);
        let submission = Submission::default().limits(limits);
        let submitted = database.submit(&setup.run, &b"x"[..], submission);
        submitted.await.unwrap();
        let shared = database.shared_limits(&setup.run).await.unwrap().unwrap();
        let need = LimitAmount {
            requests: 1,
            tokens: 1,
        };
        let rename = "ALTER TABLE again.bucket RENAME TO hidden";
        setup.server.psql(rename);
        // Each second of a pause of a minute, and again after it.
        let mut failures = 0;
        for _ in 0..=60 {
            let block = shared.draw(need, need).await;
            assert!(matches!(block, LimitBlock::Later(_)), "{block:?}");
            failures += told.try_iter().count();
            clock.jump(1);
        }
        assert_eq!(failures, 2);
        setup
            .server
            .psql("ALTER TABLE again.hidden RENAME TO bucket");
        shared.draw(need, need).await;
        let news: Vec<_> = told.try_iter().collect();
        assert!(
            matches!(news[..], [DatabaseEvent::LimitsRegained]),
            "{news:?}"
        );
    });
}

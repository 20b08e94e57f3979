//! Servers that crash and restart, connections that are cut or go silent, and passwords that must
//! not be told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use chatcore::journal::Recorded;
use chatcore::{BatchProcessor, ChatRequest, Error, Executor, Journal};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::postgres::{
    Database, DatabaseEvent, Identity, PostgresJournal, Submission,
};
use chatcore_tests::postgres::{PASSWORD, Postgres};
use futures_lite::future;

use super::{Setup, answer, prompts};

/// Works on a run to its end. Returns how many results were the first of their items.
async fn work(database: Database, run: &str, each: impl Fn(u64) + Send) -> Result<u64, Error> {
    let journal = PostgresJournal::builder(database.clone(), run, Identity::new());
    let journal = journal.lease(Duration::from_secs(5)).open().await?;
    let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let batch = BatchProcessor::new(executor, |_: ChatRequest| async {
        smol::Timer::after(Duration::from_millis(2)).await;
        answer()
    });
    let mut batch = batch.max_workers(10).process_journal(Arc::new(journal));
    let mut first = 0;
    while let Some(finished) = batch.next().await {
        if finished?.recorded == Recorded::First {
            first += 1;
            each(first);
        }
    }
    Ok(first)
}

#[test]
fn a_server_that_crashes_and_restarts_loses_nothing() {
    let Some(server) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    smol::block_on(async {
        let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
        let database = Database::new(executor, &server.url()).unwrap();
        let items = 600;
        let input = std::io::Cursor::new(prompts(items));
        let submission = Submission::default().chunk(50);
        database.submit("run", input, submission).await.unwrap();
        let ends = |first: u64| match first {
            60 => server.crash(),
            200 => server.restart(),
            _ => {}
        };
        let (one, other) = future::zip(
            work(database.clone(), "run", ends),
            work(
                Database::new(Arc::new(SmolExecutor::new()), &server.url()).unwrap(),
                "run",
                |_| {},
            ),
        )
        .await;
        // Each item has exactly one first result, although some answers of the server were lost.
        assert_eq!(one.unwrap() + other.unwrap(), items as u64);
        let status = database.status("run").await.unwrap();
        assert!(status.is_complete());
        assert_eq!(status.counts.done, items as u64);
    });
}

/// Forwards connections to a server, and cuts them after some bytes, or goes silent.
struct Proxy {
    port: u16,
    is_silent: Arc<AtomicBool>,
}

impl Proxy {
    /// Each connection is cut after `bytes` bytes from the client and, as often, from the server;
    /// each one lives a little longer than the one before.
    fn start(to: u16, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_silent = Arc::new(AtomicBool::new(false));
        let silent = Arc::clone(&is_silent);
        thread::spawn(move || {
            for (number, client) in (0..).zip(listener.incoming()) {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", to)))
                else {
                    continue;
                };
                // What was silent stays so; a new connection works.
                silent.store(false, Ordering::SeqCst);
                let left = Arc::new(AtomicU64::new(bytes + number * bytes / 7));
                let ways = [
                    (
                        client.try_clone().unwrap(),
                        server.try_clone().unwrap(),
                        number % 2 == 0,
                    ),
                    (server, client, number % 2 == 1),
                ];
                let own_silence = Arc::new(AtomicBool::new(false));
                for (from, to, counts) in ways {
                    let (left, silent) = (Arc::clone(&left), Arc::clone(&silent));
                    let own_silence = Arc::clone(&own_silence);
                    thread::spawn(move || {
                        forward(from, to, counts.then_some(&*left), &silent, &own_silence)
                    });
                }
            }
        });
        Self { port, is_silent }
    }
}

fn forward(
    mut from: TcpStream,
    mut to: TcpStream,
    left: Option<&AtomicU64>,
    silent: &AtomicBool,
    own_silence: &AtomicBool,
) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if silent.load(Ordering::SeqCst) {
            own_silence.store(true, Ordering::SeqCst);
        }
        if own_silence.load(Ordering::SeqCst) {
            // The connection stays open, and nothing passes any more.
            continue;
        }
        let mut passes = read as u64;
        if let Some(left) = left {
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                Some(left.saturating_sub(passes))
            });
            passes = passes.min(before.unwrap_or(0));
        }
        let written = to.write_all(&buffer[..passes as usize]);
        if written.is_err() || passes < read as u64 {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_connection_that_is_cut_in_mid_statement_costs_nothing() {
    Setup::run(async |setup| {
        let items = 300;
        setup
            .submit_as(&prompts(items), Submission::default().chunk(20))
            .await;
        let proxy = Proxy::start(setup.server.port(), 30_000);
        let url = setup.server.url_through(proxy.port);
        let database = Database::new(Arc::clone(&setup.executor), &url).unwrap();
        let first = work(database, &setup.run, |_| {}).await.unwrap();
        assert_eq!(first, items as u64);
        let status = setup.database.status(&setup.run).await.unwrap();
        assert_eq!(status.counts.done, items as u64);
    });
}

#[test]
fn a_connection_that_goes_silent_is_given_up() {
    Setup::run(async |setup| {
        setup.submit(&prompts(5)).await;
        let proxy = Proxy::start(setup.server.port(), u64::MAX / 100);
        let url = setup.server.url_through(proxy.port);
        let database = Database::new(Arc::clone(&setup.executor), &url).unwrap();
        let database = database.statement_timeout(Duration::from_millis(500));
        let journal = PostgresJournal::builder(database, &setup.run, Identity::new());
        let journal = journal.open().await.unwrap();
        proxy.is_silent.store(true, Ordering::SeqCst);
        // The statement is repeated on a new connection.
        let counts = journal.progress().await.unwrap();
        assert_eq!(counts.total, Some(5));
    });
}

#[test]
fn a_server_that_is_away_is_told_once_and_so_is_its_return() {
    let Some(server) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    smol::block_on(async {
        let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
        let (tell, told) = std::sync::mpsc::channel();
        let database = Database::new(executor, &server.url()).unwrap();
        let database = database.watch(move |event| tell.send(event).unwrap());
        assert_eq!(database.runs().await.unwrap().len(), 0);
        assert!(told.try_recv().is_err());
        server.hold();
        server.crash();
        // The statement is repeated until the server is back.
        let back = thread::spawn({
            let database = database.clone();
            move || smol::block_on(database.runs())
        });
        let lost = told.recv().unwrap();
        let DatabaseEvent::Lost(error) = lost else {
            panic!("{lost:?}");
        };
        assert_eq!(error.code(), Some("postgres_unreachable"), "{error}");
        let place = format!("127.0.0.1:{} cannot be reached", server.port());
        assert!(error.to_string().contains(&place), "{error}");
        // What passes is no wrong setting, even for the first statement of a database.
        let first = Database::new(Arc::new(SmolExecutor::new()), &server.url()).unwrap();
        let error = first.patience(Duration::ZERO).runs().await.unwrap_err();
        assert_eq!(error.kind(), chatcore::ErrorKind::Journal, "{error}");
        server.release();
        back.join().unwrap().unwrap();
        let regained = told.recv().unwrap();
        assert!(matches!(regained, DatabaseEvent::Regained), "{regained:?}");
        assert!(told.try_recv().is_err());
    });
}

/// URLs that cannot be used, with the password in them.
pub(super) fn wrong_urls(setup: &Setup) -> [String; 9] {
    let right = setup.server.url();
    let port = setup.server.port().to_string();
    [
        // Another password, another port, another database, and URLs that are none.
        right.replace("pa55%2Fw%2Ard", "pa55%2Fw%2Ard-wrong"),
        right.replace(&port, "1"),
        right.replace("/postgres", "/missing"),
        right.replace(&port, "99999"),
        format!("{right}?sslmode=pa55/w*rd"),
        format!("{right}?sslmode=verify-full"),
        right.replace("postgres://", "mysql://"),
        right.replace("%2F", "/").replace("%2A", "*"),
        format!("{right}?sslmode=require"),
    ]
}

#[test]
fn no_error_tells_the_password() {
    Setup::run(async |setup| {
        for url in wrong_urls(setup) {
            let opened = Database::new(Arc::clone(&setup.executor), &url);
            let error = match opened {
                Ok(database) => {
                    let database = database.patience(Duration::from_millis(1));
                    let shown = format!("{database:?}");
                    assert!(!shown.contains("pa55"), "{shown}");
                    database.status("none").await.unwrap_err()
                }
                Err(error) => error,
            };
            let mut texts = vec![format!("{error} {error:?}")];
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                texts.push(format!("{error} {error:?}"));
                source = error.source();
            }
            for text in texts {
                assert!(!text.contains("pa55"), "{text}");
                assert!(!text.contains(PASSWORD), "{text}");
            }
        }
        let journal = {
            setup.submit(&prompts(1)).await;
            let builder =
                PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
            builder.open().await.unwrap()
        };
        let _: &dyn Journal = &journal;
        assert!(!format!("{journal:?}").contains("pa55"));
    });
}

#[test]
fn tables_of_a_newer_version_are_refused_and_left_alone() {
    Setup::run(async |setup| {
        let newer = || setup.database.clone().with_schema("newer").unwrap();
        assert!(newer().runs().await.unwrap().is_empty());
        let own = setup.server.psql("SELECT version FROM newer.version");
        setup.server.psql("UPDATE newer.version SET version = 99");
        let database = newer();
        let opened = PostgresJournal::builder(database.clone(), "x", Identity::new()).open();
        let submitted = database.submit("x", &b"p"[..], Submission::default());
        for error in [
            database.runs().await.unwrap_err(),
            opened.await.unwrap_err(),
            submitted.await.unwrap_err(),
        ] {
            assert_eq!(error.code(), Some("newer_schema"), "{error}");
            assert!(error.message().contains("version 99"), "{error}");
        }
        let left = setup
            .server
            .psql("SELECT version, (SELECT count(*) FROM newer.run) FROM newer.version");
        assert_eq!(left.trim(), "99|0");
        // The program works again with tables of its own version.
        let set = format!("UPDATE newer.version SET version = {own}");
        setup.server.psql(&set);
        assert!(newer().runs().await.unwrap().is_empty());
    });
}

#[test]
fn schemas_are_separate_and_may_be_made_by_several_at_once() {
    Setup::run(async |setup| {
        let of = |schema: &str| setup.database.clone().with_schema(schema);
        for wrong in ["", "Upper", "1st", "a-b", "pg_x", "a\"b", &"a".repeat(64)] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let (one, other) = (of("one").unwrap(), of("other").unwrap());
        // Several workers make the tables at once.
        let (a, b) = future::zip(one.runs(), of("one").unwrap().runs()).await;
        assert!(a.unwrap().is_empty() && b.unwrap().is_empty());
        one.submit("x", &b"p"[..], Submission::default())
            .await
            .unwrap();
        assert!(other.runs().await.unwrap().is_empty());
        assert_eq!(one.runs().await.unwrap().len(), 1);
    });
}

//! Following a run reads each result from the database once.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use chatcore::journal::Claim;
use chatcore::{Error, ErrorKind, Journal};
use chatcore_adapters::journal::postgres::Database;

use super::{Setup, open, outcome, prompts};

/// Forwards connections to a server. Returns the port, and the number of bytes that the server sent.
fn counted(to: u16) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let bytes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&bytes);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || {
                let _ = copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
            let counter = Arc::clone(&counter);
            thread::spawn(move || {
                let mut buffer = [0; 16_384];
                while let Ok(read @ 1..) = server.read(&mut buffer) {
                    counter.fetch_add(read as u64, Ordering::SeqCst);
                    if client.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
            });
        }
    });
    (port, bytes)
}

#[test]
fn a_chunk_with_news_is_not_read_again() {
    const ITEMS: usize = 20;
    const SIZE: usize = 50_000;
    Setup::run(async |setup| {
        setup.submit(&prompts(ITEMS)).await;
        let journal = open(setup).await;
        let (port, bytes) = counted(setup.server.port());
        let url = setup.server.url_through(port);
        let database = Database::new(Arc::clone(&setup.executor), &url).unwrap();
        let mut follow = database.follow(&setup.run).await.unwrap();
        let mut followed = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                let error = Error::new(ErrorKind::BadRequest, "x".repeat(SIZE));
                let outcome = outcome(&item, Err(error));
                journal.record(&lease, &outcome).await.unwrap();
                loop {
                    let new = follow.next().await.unwrap();
                    if new.is_empty() {
                        break;
                    }
                    followed.extend(new.iter().map(|line| line.place));
                }
            }
        }
        assert_eq!(followed, (1..=ITEMS as u64).collect::<Vec<_>>());
        let read = bytes.load(Ordering::SeqCst);
        let size = (ITEMS * SIZE) as u64;
        assert!(read >= size, "{read} bytes of {size}");
        assert!(read < size * 3 / 2, "{read} bytes of {size}");
    });
}

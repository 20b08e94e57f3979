//! Databases that cannot be reached, and what a worker says about them and about its errors.

use std::fs::File;
use std::net::TcpListener;
use std::time::Duration;

use chatcore_conformance::server::Server;
use chatcore_tests::postgres::Postgres;

use crate::fleet::{batch, worker_of};
use crate::harness::{Folder, chatcore, requests, run};

#[test]
fn a_database_that_cannot_be_reached_is_no_wrong_command_line() {
    let folder = Folder::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let mut status = chatcore(&folder);
    status
        .env(
            "CHATCORE_POSTGRES",
            format!("postgres://me:pa55@127.0.0.1:{port}/x"),
        )
        .args(["batch", "status"]);
    let (status, _, said) = run(&mut status);
    assert_eq!(status, 1, "{said}");
    let place = format!("PostgreSQL at 127.0.0.1:{port} cannot be reached: ");
    assert!(said.contains(&place), "{said}");
    assert!(!said.contains("pa55"), "{said}");
}

#[test]
fn a_wrong_password_is_a_wrong_setting() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let folder = Folder::new();
    let mut status = batch(&folder, &database, &["status"]);
    status.env("CHATCORE_POSTGRES", database.url().replace("pa55", "other"));
    let (status, _, said) = run(&mut status);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("check the user and the password"), "{said}");
}

#[test]
fn a_worker_says_when_the_database_is_lost_and_back() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(200));
    let submit = ["submit", "in.jsonl", "night"];
    assert_eq!(run(&mut batch(&folder, &database, &submit)).0, 0);
    let says = |text: &str| folder.read("said").matches(text).count();
    let mut worker = worker_of(&folder, &database, &server, "key/lost/delay/20ms", "night")
        .stderr(File::create(folder.path("said")).unwrap())
        .spawn()
        .unwrap();
    let waits_for = |what: &dyn Fn() -> bool| {
        while !what() {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    waits_for(&|| server.counts("lost").requests >= 20);
    database.hold();
    database.crash();
    waits_for(&|| says("lost the database") == 1);
    database.release();
    waits_for(&|| says("the database is back") == 1);
    assert_eq!(worker.wait().unwrap().code(), Some(0));
    let said = folder.read("said");
    assert_eq!(says("lost the database"), 1, "{said}");
    assert!(said.contains("cannot be reached: "), "{said}");
}

#[test]
fn a_worker_says_which_items_fail() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(30));
    let submit = ["submit", "in.jsonl", "night"];
    assert_eq!(run(&mut batch(&folder, &database, &submit)).0, 0);
    let path = "key/fails/status/400";
    let (status, _, said) = run(&mut worker_of(&folder, &database, &server, path, "night"));
    assert_eq!(status, 3, "{said}");
    // The first one of a kind is shown.
    let shown = said
        .lines()
        .filter(|line| line.starts_with(['n', '\u{1b}']) && line.contains(": "));
    assert_eq!(
        shown.filter(|line| line.contains("400")).count(),
        1,
        "{said}"
    );
    assert!(
        said.contains("errors by this worker: 30 bad_request"),
        "{said}"
    );
}

//! Runs on many machines: workers that are killed by `kill -9` at random moments, and the commands
//! from submission to results.
//!
//! Three hundred kills over 20,100 items:
//! `CHATCORE_KILLS=300 cargo test -p chatcore-cli --test all fleet::kill -- --nocapture`

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chatcore_conformance::server::Server;
use chatcore_tests::postgres::Postgres;

use crate::harness::{Folder, against, chatcore, requests, run};

const WORKERS: usize = 4;
const CONCURRENCY: u64 = 8;
/// How many items a worker has in flight at most: requests, and answers that are being recorded.
const IN_FLIGHT: u64 = CONCURRENCY + CONCURRENCY / 4 + 4;

pub(crate) fn batch(folder: &Folder, database: &Postgres, args: &[&str]) -> Command {
    let mut command = chatcore(folder);
    command
        .env("CHATCORE_POSTGRES", database.url())
        .arg("batch")
        .args(args);
    command
}

fn worker(folder: &Folder, database: &Postgres, server: &Server, path: &str, run: &str) -> Child {
    let mut command = worker_of(folder, database, server, path, run);
    command.stderr(Stdio::null()).spawn().unwrap()
}

pub(crate) fn worker_of(
    folder: &Folder,
    database: &Postgres,
    server: &Server,
    path: &str,
    run: &str,
) -> Command {
    let mut command = against(folder, server, path);
    command
        .env("CHATCORE_POSTGRES", database.url())
        .args(["batch", "worker", run, "--lease", "10s", "--concurrency"])
        .arg(CONCURRENCY.to_string());
    command
}

#[test]
fn kill_nine_of_workers_loses_no_item_and_writes_none_twice() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let kills: u64 = std::env::var("CHATCORE_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let items = 67 * kills.max(20);
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let path = "key/fleet/delay/20ms";
    folder.write("in.jsonl", &requests(items as usize));
    let submit = ["submit", "in.jsonl", "night", "--chunk", "50"];
    assert_eq!(run(&mut batch(&folder, &database, &submit)).0, 0);
    let start = || worker(&folder, &database, &server, path, "night");
    let sent = || server.counts("fleet").requests;
    let mut workers: Vec<_> = (0..WORKERS).map(|_| start()).collect();
    let mut killed = 0;
    while killed < kills {
        let until = sent() + fastrand::u64(0..=items / kills);
        while sent() < until.min(items * 9 / 10) && workers.iter_mut().any(is_alive) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let victim = &mut workers[fastrand::usize(0..WORKERS)];
        if !is_alive(victim) {
            break;
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        killed += 1;
        *victim = start();
    }
    for mut worker in workers {
        assert_eq!(worker.wait().unwrap().code(), Some(0));
    }
    let (status, _, _) = run(&mut batch(
        &folder,
        &database,
        &["results", "night", "-o", "o.jsonl"],
    ));
    assert_eq!(status, 0);
    let results = folder.results("o.jsonl");
    assert_eq!(results.len() as u64, items, "an item is lost");
    assert!(
        results.values().all(|&times| times == 1),
        "an item has two results"
    );
    let repeated = sent() - items;
    println!("{killed} kills of {WORKERS} workers over {items} items: {repeated} repeated");
    assert!(killed > 0);
    assert!(
        repeated <= killed * IN_FLIGHT,
        "{repeated} repeated after {killed} kills"
    );
}

fn is_alive(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_none()
}

#[test]
fn a_run_goes_from_submission_to_results() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let mut text = requests(40);
    text.push_str("nonsense\n");
    folder.write("in.jsonl", &text);
    let batch = |args: &[&str]| run(&mut batch(&folder, &database, args));
    let submit = ["submit", "in.jsonl", "night", "--price", "1,2"];
    let (status, _, said) = batch(&submit);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("41 items") && said.contains("line 41"),
        "{said}"
    );
    assert_eq!(batch(&submit).0, 2);
    assert_eq!(batch(&["pause", "night"]).0, 0);
    assert!(batch(&["status", "night"]).1.contains("paused, 0/41"));
    let mut paused = worker(&folder, &database, &server, "key/night", "night");
    assert_eq!(batch(&["resume", "night"]).0, 0);
    // One of the items is an error.
    assert_eq!(paused.wait().unwrap().code(), Some(3));
    let (_, json, _) = batch(&["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["state"], &json["done"], &json["failed"]),
        (&"complete".into(), &40.into(), &1.into())
    );
    assert!(json["cost"].as_f64().unwrap() > 0.0);
    assert_eq!(
        batch(&["results", "night", "-o", "out.jsonl", "--follow"]).0,
        0
    );
    assert_eq!(folder.results("out.jsonl").len(), 40);
    assert_eq!(folder.results("out.errors.jsonl").len(), 1);
    let (_, both, _) = batch(&["results", "night", "-o", "-"]);
    assert_eq!(both.lines().count(), 41);
    assert!(
        both.lines()
            .next()
            .unwrap()
            .contains("\"custom_id\":\"n0\"")
    );
    assert_eq!(batch(&["remove", "night"]).0, 0);
    let (status, _, said) = batch(&["status", "night"]);
    assert_eq!(status, 2);
    assert!(said.contains("no run \"night\""), "{said}");
    let (status, _, said) = run(chatcore(&folder).args(["batch", "status"]));
    assert_eq!(status, 2);
    assert!(said.contains("CHATCORE_POSTGRES"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_signal_and_a_cancellation_give_the_rest_back() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(20_000));
    let batch = |args: &[&str]| run(&mut batch(&folder, &database, args));
    assert_eq!(batch(&["submit", "in.jsonl", "night"]).0, 0);
    for (number, ends) in [(1, "signal"), (2, "cancel")] {
        let mut child = worker(&folder, &database, &server, "key/ends/delay/5ms", "night");
        while server.counts("ends").requests < number * 50 {
            std::thread::sleep(Duration::from_millis(1));
        }
        match ends {
            "signal" => {
                let pid = child.id().to_string();
                assert!(
                    Command::new("kill")
                        .args(["-TERM", &pid])
                        .status()
                        .unwrap()
                        .success()
                );
            }
            _ => assert_eq!(batch(&["cancel", "night"]).0, 0),
        }
        assert_eq!(child.wait().unwrap().code(), Some(4), "{ends}");
    }
    let (_, json, _) = batch(&["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["state"], "cancelled");
    assert_eq!(
        json["workers"].as_array().unwrap().len(),
        0,
        "a lease is still held"
    );
    // What was in flight was finished and recorded.
    assert_eq!(json["done"], server.counts("ends").requests);
}

#[test]
fn a_run_at_its_cap_ends_its_followers_and_goes_on_when_the_cap_is_raised() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(1_000));
    let batch = |args: &[&str]| run(&mut batch(&folder, &database, args));
    // A dollar for each token, so that every answer costs several dollars.
    let price = ["--price", "1000000,1000000", "--max-cost", "100"];
    let submit = [&["submit", "in.jsonl", "night"], &price[..]].concat();
    assert_eq!(batch(&submit).0, 0);
    let mut first = worker(&folder, &database, &server, "key/cap/delay/5ms", "night");
    assert_eq!(first.wait().unwrap().code(), Some(4));
    let status = || -> serde_json::Value {
        serde_json::from_str(&batch(&["status", "night", "--json"]).1).unwrap()
    };
    let before = status();
    assert_eq!(before["state"], "at its cap");
    // The worker counts its own results, so it does not wait for its next look. An answer that is
    // in flight when the cap is reached still counts.
    let each = before["cost"].as_f64().unwrap() / before["done"].as_f64().unwrap();
    let cost = before["cost"].as_f64().unwrap();
    assert!(
        cost <= 100.0 + each * (IN_FLIGHT + 1) as f64,
        "{cost}, {each} for each answer"
    );
    let follow = ["results", "night", "-o", "out.jsonl", "--follow"];
    assert_eq!(batch(&follow).0, 0);
    assert_eq!(folder.results("out.jsonl").len() as u64, before["done"]);
    let (_, _, said) = batch(&["resume", "night"]);
    assert!(said.contains("at its cap"), "{said}");
    let raise = ["resume", "night", "--max-cost", "1e9", "--rpm", "1000000"];
    let (code, _, said) = batch(&raise);
    assert!(code == 0 && said.contains("running"), "{said}");
    let mut second = worker(&folder, &database, &server, "key/cap/delay/5ms", "night");
    assert_eq!(second.wait().unwrap().code(), Some(0));
    let after = status();
    assert_eq!(
        (&after["state"], &after["requests_per_minute"]),
        (&"complete".into(), &1_000_000.into())
    );
}

#[cfg(unix)]
#[test]
fn a_second_signal_stops_a_worker_whose_database_is_away() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(100));
    let submit = ["submit", "in.jsonl", "night"];
    assert_eq!(run(&mut batch(&folder, &database, &submit)).0, 0);
    let mut child = worker(&folder, &database, &server, "key/away/delay/3600s", "night");
    while server.counts("away").requests < CONCURRENCY {
        std::thread::sleep(Duration::from_millis(1));
    }
    database.hold();
    database.crash();
    // Two signals of one kind might be merged before the worker sees the first.
    for signal in ["-TERM", "-INT"] {
        let pid = child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

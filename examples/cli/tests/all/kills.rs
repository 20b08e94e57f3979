//! Runs that are killed by `kill -9` at random moments, and stopped by signals.
//!
//! A thousand kills over 20,000 items:
//! `CHATCORE_KILLS=1000 cargo test -p chatcore-cli --test all repeats_only -- --nocapture`

use std::process::{Child, Stdio};
use std::time::Duration;

use chatcore_conformance::server::Server;

use crate::harness::{Folder, against, requests};

const CONCURRENCY: u64 = 16;
const PATH: &str = "key/killed/delay/3ms";

fn start(folder: &Folder, server: &Server, concurrency: u64) -> Child {
    against(folder, server, PATH)
        .args([
            "batch",
            "run",
            "in.jsonl",
            "-o",
            "out.jsonl",
            "--concurrency",
        ])
        .arg(concurrency.to_string())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits until the server has seen this many requests. Returns whether the child is still alive.
fn lives_until(child: &mut Child, server: &Server, requests: u64) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if server.counts("killed").requests >= requests {
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Counts complete lines without parsing them, because there may be many.
fn lines(folder: &Folder) -> u64 {
    let bytes = std::fs::read(folder.path("out.jsonl")).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[test]
fn kill_nine_loses_no_item_and_repeats_only_what_was_in_flight() {
    let kills: u64 = std::env::var("CHATCORE_KILLS").map_or(10, |kills| kills.parse().unwrap());
    let items = 20 * kills.max(100);
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(items as usize));
    let (mut killed, mut repeated) = (0, 0);
    while killed < kills {
        let (sent, had) = (server.counts("killed").requests, lines(&folder));
        let mut child = start(&folder, &server, CONCURRENCY);
        let more = fastrand::u64(0..=2 * items / kills);
        let is_alive = lives_until(&mut child, &server, sent + more);
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..3_000)));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if !is_alive || status.code() == Some(0) {
            break;
        }
        killed += 1;
        // The server may count a request after its sender was killed, so only the sum is checked.
        repeated += server.counts("killed").requests - sent - (lines(&folder) - had);
        assert!(
            repeated <= killed * CONCURRENCY,
            "{repeated} repeated after {killed} kills"
        );
    }
    let status = start(&folder, &server, CONCURRENCY).wait().unwrap();
    assert_eq!(status.code(), Some(0));
    let results = folder.results("out.jsonl");
    assert_eq!(results.len() as u64, items, "an item is lost");
    assert!(
        results.values().all(|&times| times == 1),
        "an item has two results"
    );
    let sent = server.counts("killed").requests;
    let repeated = sent - items;
    println!("{killed} kills over {items} items: {repeated} requests repeated, {sent} sent");
    assert!(killed > 0);
    assert!(repeated <= killed * CONCURRENCY);
}

#[cfg(unix)]
#[test]
fn one_signal_finishes_what_is_in_flight_and_two_stop_at_once() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(100_000));
    let signal = |child: &Child| {
        let pid = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    let mut child = start(&folder, &server, 8);
    assert!(lives_until(&mut child, &server, 100));
    signal(&child);
    assert_eq!(child.wait().unwrap().code(), Some(4));
    // Every request that was sent is recorded.
    assert_eq!(lines(&folder), server.counts("killed").requests);
    // If requests never end, a second signal is needed.
    let mut child = against(&folder, &server, "key/stuck/delay/600s")
        .args(["batch", "run", "in.jsonl", "-o", "stuck.jsonl"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while server.counts("stuck").requests == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    while child.try_wait().unwrap().is_none() {
        signal(&child);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

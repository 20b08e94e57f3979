//! Runs that are killed by `kill -9` at random moments, and stopped by signals.
//!
//! Many kills: `CHATCORE_KILLS=300 cargo test -p chatcore-cli --test all via::kills -- --nocapture`

use std::process::{Child, Stdio};
use std::time::Duration;

use chatcore_adapters::sim::{BatchFault, ItemFate};

use super::PROVIDERS;
use super::server::Server;
use crate::harness::{Folder, requests};

const BATCHES: [&str; 4] = ["--batch-size", "7", "--max-batches", "3"];

fn start(folder: &Folder, server: &Server, provider: &str) -> Child {
    server
        .command(folder, provider, &BATCHES)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn kill_nine_loses_no_item_and_pays_for_none_twice() {
    let kills: u64 = std::env::var("CHATCORE_KILLS").map_or(12, |kills| kills.parse().unwrap());
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        let items = (20 * kills as usize).max(100);
        folder.write("in.jsonl", &requests(items));
        // Every tenth item expires once; some creations are answered by a 500.
        server.api.set_fate(|prompt, before| match before {
            0 if prompt.ends_with('7') => ItemFate::Expire,
            _ => ItemFate::Answer,
        });
        let faults = (0..items).map(|n| match n % 5 {
            3 => BatchFault::CreatedThen500,
            _ => BatchFault::None,
        });
        server.api.add_faults(faults);
        let mut killed = 0;
        let status = loop {
            let mut child = start(&folder, &server, provider);
            // Until the server has seen so many requests, and then some microseconds.
            let until = server.api.requests() + fastrand::u64(0..25);
            let ended = loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break Some(status);
                }
                if killed < kills && server.api.requests() >= until {
                    break None;
                }
                std::thread::sleep(Duration::from_micros(200));
            };
            if let Some(status) = ended {
                break status;
            }
            std::thread::sleep(Duration::from_micros(fastrand::u64(0..3_000)));
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        };
        assert_eq!(status.code(), Some(0), "{provider}");
        let results = folder.results("out.jsonl");
        assert_eq!(results.len(), items, "{provider}: an item is lost");
        let twice = results.values().filter(|&&times| times != 1).count();
        assert_eq!(twice, 0, "{provider}: an item has two results");
        for (prompt, times) in server.api.sent() {
            let expected = if prompt.ends_with('7') { 2 } else { 1 };
            assert_eq!(
                times, expected,
                "{provider}: {prompt} was paid {times} times"
            );
        }
        println!(
            "{provider}: {killed} kills over {items} items in {} batches, none paid twice",
            server.api.created()
        );
        assert!(killed > 0);
    }
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_the_batches_at_the_provider() {
    let (folder, server) = (Folder::new(), Server::start());
    folder.write("in.jsonl", &requests(20));
    server.api.set_polls(u32::MAX);
    let mut child = start(&folder, &server, "openai");
    while server.api.created() < 3 {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    let kill = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert_eq!(server.api.running(), 3);
    server.api.set_polls(1);
    let status = start(&folder, &server, "openai").wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        (folder.results("out.jsonl").len(), server.api.created()),
        (20, 3)
    );
}

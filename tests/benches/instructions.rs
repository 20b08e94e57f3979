//! Instructions of one chat: `cargo bench -p chatcore-tests --bench instructions`.
//!
//! The same cases as in `--bench chat`, counted by valgrind (Debian's package `valgrind`; without
//! it the bench prints that it skips). Each case is run twice, once with more chats, and the
//! difference is divided by the additional chats, so start-up does not count. The counts do not
//! depend on how busy the machine is.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it prints figures, and a benchmark that cannot go on must stop"
)]

mod cases;

use std::env;
use std::process::Command;

/// The environment variable that tells the counted process which case to run.
const CASE: &str = "CHATCORE_BENCH_CASE";
const ROUNDS: &str = "CHATCORE_BENCH_ROUNDS";

fn main() {
    if let (Ok(name), Ok(rounds)) = (env::var(CASE), env::var(ROUNDS)) {
        let chat = cases::chat(&name);
        for _ in 0..rounds.parse().unwrap() {
            chat();
        }
        return;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: there is no valgrind here");
        return;
    }
    for name in cases::NAMES {
        let each = (count(name, 300) - count(name, 100)) / 200;
        println!("{name:24} {each:8} instructions");
    }
}

/// The instructions of `rounds` chats, start-up included.
fn count(name: &str, rounds: u32) -> u64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().unwrap())
        .envs([(CASE, name), (ROUNDS, &rounds.to_string())])
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{name} failed:\n{report}");
    let collected = report
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("valgrind failed:\n{report}"));
    count.trim().parse().unwrap()
}

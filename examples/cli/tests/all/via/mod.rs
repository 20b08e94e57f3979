//! `chatcore batch run --via provider` against the simulated Batch APIs.

mod aimock;
mod kills;
mod server;

use chatcore_adapters::sim::{BatchFault, ItemFate};

use crate::harness::{Folder, against, requests, run};
use server::Server;

/// The three APIs.
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

#[test]
fn a_run_is_complete_and_then_has_nothing_left() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        folder.write("in.jsonl", &requests(250));
        server.api.set_shuffled(true);
        let more = ["--batch-size", "100", "--report", "report.html", "--sort"];
        let (status, out, err) = run(&mut server.command(&folder, provider, &more));
        assert_eq!((status, out.as_str()), (0, ""), "{provider}: {err}");
        assert!(err.contains("100 items sent"), "{err}");
        assert!(err.contains("250 answers in out.jsonl"), "{err}");
        assert!(!err.contains("0123456789abcdef"), "{err}");
        assert_eq!(folder.results("out.jsonl").len(), 250);
        let first = folder.read("out.jsonl").lines().next().unwrap().to_owned();
        assert!(
            first.contains("\"n0\"") && first.contains("echo: p0"),
            "{first}"
        );
        assert_eq!(server.api.created(), 3);
        assert!(!folder.path("out.jsonl.batches").exists());
        let (status, _, err) = run(&mut server.command(&folder, provider, &[]));
        assert_eq!((status, server.api.created()), (0, 3), "{err}");
    }
}

#[test]
fn what_a_request_does_not_say_is_filled_in_and_a_large_file_is_uploaded() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        let long = "x".repeat(200_000);
        folder.write(
            "in.jsonl",
            &format!("{{\"prompt\":\"{long}\"}}\n").repeat(10),
        );
        let more = ["--max-tokens", "9", "--system-prompt", "be brief"];
        let (status, _, err) = run(&mut server.command(&folder, provider, &more));
        assert_eq!(status, 0, "{provider}: {err}");
        assert_eq!(folder.results("out.jsonl").len(), 10);
        assert_eq!(server.api.created(), 1);
    }
}

#[test]
fn errors_are_kept_apart_and_what_may_pass_is_sent_again() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        folder.write("in.jsonl", &format!("{}{{oops\n", requests(20)));
        server
            .api
            .set_fate(|prompt, before| match (prompt, before) {
                ("p1", 0) => ItemFate::Expire,
                ("p2", 0) => ItemFate::Status(500),
                ("p3", _) => ItemFate::Status(400),
                ("p4", 0) => ItemFate::Missing,
                ("p5", _) => ItemFate::AnswerTwice,
                ("p6", _) => ItemFate::Status(429),
                _ => ItemFate::Answer,
            });
        let (status, _, err) = run(&mut server.command(&folder, provider, &["--attempts", "2"]));
        assert_eq!(status, 3, "{provider}: {err}");
        assert!(err.contains("to be sent again"), "{err}");
        assert_eq!(folder.results("out.jsonl").len(), 18);
        let failed: Vec<_> = folder.results("out.errors.jsonl").into_keys().collect();
        assert_eq!(failed, ["n3", "n6", "request-21"]);
        assert!(
            folder
                .results("out.jsonl")
                .values()
                .all(|&times| times == 1)
        );
        assert_eq!(server.api.sent()["p6"], 2);
    }
}

#[test]
fn a_creation_that_failed_after_it_was_done_is_found() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        folder.write("in.jsonl", &requests(20));
        server.api.add_faults([BatchFault::CreatedThen500]);
        let (status, _, err) = run(&mut server.command(&folder, provider, &[]));
        assert_eq!(status, 0, "{provider}: {err}");
        assert!(err.contains("found, 20 items"), "{err}");
        assert_eq!(
            (server.api.created(), folder.results("out.jsonl").len()),
            (1, 20)
        );
    }
}

#[test]
fn results_at_another_origin_end_the_run_and_the_batch_is_kept() {
    let (folder, server) = (Folder::new(), Server::start());
    folder.write("in.jsonl", &requests(3));
    server.api.add_faults([BatchFault::ResultsElsewhere]);
    let (status, _, err) = run(&mut server.command(&folder, "anthropic", &[]));
    assert_eq!(status, 1, "{err}");
    assert!(
        err.contains("another origin") && err.contains("left at the provider: 1 batch;"),
        "{err}"
    );
    assert!(folder.path("out.jsonl.batches").exists());
}

#[test]
fn a_deadline_leaves_batches_and_the_next_run_goes_on_or_cancels() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        folder.write("in.jsonl", &requests(10));
        server.api.set_polls(u32::MAX);
        let mut seconds = 1;
        // On a busy machine the deadline may pass before the first batch is created.
        let err = loop {
            let deadline = format!("{seconds}s");
            let more = ["--deadline", &deadline, "--batch-size", "5"];
            seconds *= 2;
            let (status, _, err) = run(&mut server.command(&folder, provider, &more));
            assert_eq!(status, 4, "{provider}: {err}");
            if server.api.created() > 0 {
                break err;
            }
        };
        assert!(err.contains("left at the provider"), "{err}");
        assert!(err.contains("--deadline"), "{err}");
        let created = server.api.created();
        // As chats they would be paid twice.
        let mut chats = server.command(&folder, provider, &["--via", "chats"]);
        let (status, _, err) = run(&mut chats);
        assert_eq!(status, 2, "{err}");
        // Neither with another key, whose account does not have them.
        let mut other = server.command(&folder, provider, &["--force"]);
        let (status, _, err) = run(other.env("LLM_API_KEY", "sk-another-key-0123456789"));
        assert_eq!(status, 2, "{err}");
        assert!(err.contains("another key"), "{err}");
        assert_eq!(server.api.created(), created);

        let (status, _, err) = run(&mut server.command(&folder, provider, &["--cancel"]));
        assert_eq!(status, 4, "{err}");
        assert!(err.contains("cancelled"), "{err}");
        assert_eq!((server.api.created(), server.api.running()), (created, 0));
        assert!(!folder.path("out.jsonl.batches").exists());
        assert_eq!(folder.read("out.errors.jsonl"), "");
        assert!(!folder.results("out.jsonl").is_empty());

        server.api.set_polls(1);
        let (status, _, err) = run(&mut server.command(&folder, provider, &[]));
        assert_eq!(status, 0, "{err}");
        assert_eq!(folder.results("out.jsonl").len(), 10);
    }
}

#[test]
fn a_run_is_cancelled_by_the_name_of_its_output() {
    for provider in PROVIDERS {
        let (folder, server) = (Folder::new(), Server::start());
        folder.write("in.txt", &"Why?\n".repeat(10));
        server.api.set_polls(u32::MAX);
        let begin = [
            "batch",
            "run",
            "in.txt",
            "-o",
            "out.jsonl",
            "--via",
            "provider",
            "--format",
            "text",
            "--poll",
            "20ms",
            "--settle",
            "100ms",
            "--batch-size",
            "5",
            "--max-tokens",
            "9",
            "--system-prompt",
            "Be brief.",
        ];
        let mut seconds = 1;
        // On a busy machine the deadline may pass before the first batch is created.
        while server.api.created() == 0 {
            let deadline = format!("{seconds}s");
            let mut run_until = server.program(&folder, provider);
            let (status, _, err) = run(run_until.args(begin).args(["--deadline", &deadline]));
            assert_eq!(status, 4, "{provider}: {err}");
            seconds *= 2;
        }
        let created = server.api.created();
        // Another key has no right to the batches.
        let cancel = ["batch", "cancel", "out.jsonl"];
        let mut other = server.program(&folder, provider);
        let (status, _, err) = run(other
            .args(cancel)
            .env("LLM_API_KEY", "sk-another-key-0123456789"));
        assert_eq!(status, 2, "{err}");

        let (status, _, err) = run(server.program(&folder, provider).args(cancel));
        assert_eq!(status, 0, "{err}");
        assert!(err.contains("without --cancel resumes"), "{err}");
        assert_eq!((server.api.created(), server.api.running()), (created, 0));
        assert!(!folder.path("out.jsonl.batches").exists());
        assert!(!folder.results("out.jsonl").is_empty());

        let (status, _, err) = run(server.program(&folder, provider).args(cancel));
        assert_eq!(status, 0, "{err}");
        assert!(err.contains("no batches at the provider"), "{err}");
        server.api.set_polls(1);
        let (status, _, err) = run(server.program(&folder, provider).args(begin));
        assert_eq!(status, 0, "{err}");
        assert_eq!(folder.results("out.jsonl").len(), 10);
    }
}

#[test]
fn a_cap_counts_what_is_at_the_provider() {
    let (folder, server) = (Folder::new(), Server::start());
    folder.write("in.jsonl", &requests(100));
    // An answer counts 10 tokens before it has come, and 2 dollars then.
    let cap = [
        "--max-tokens",
        "10",
        "--price",
        "0,1000000",
        "--max-cost",
        "45",
    ];
    let (status, _, err) = run(&mut server.command(&folder, "openai", &cap));
    assert_eq!(status, 4, "{err}");
    assert!(err.contains("--max-cost"), "{err}");
    let done = folder.results("out.jsonl").len();
    assert!((10..=22).contains(&done), "{done}: {err}");
}

#[test]
fn what_is_wrong_is_told_before_anything_is_sent() {
    let (folder, server) = (Folder::new(), Server::start());
    folder.write("in.jsonl", &requests(1));
    let (status, _, err) = run(&mut server.command(&folder, "ollama", &[]));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("no Batch API"), "{err}");
    let chats = chatcore_conformance::server::Server::start().unwrap();
    let cancel = ["batch", "run", "in.jsonl", "-o", "out.jsonl", "--cancel"];
    let (status, _, err) = run(against(&folder, &chats, "key/none").args(cancel));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("--via provider"), "{err}");
    let (status, _, err) = run(&mut server.command(&folder, "openai", &["--max-batches", "0"]));
    assert_eq!(status, 2, "{err}");
    assert_eq!(server.api.requests(), 0);
}

//! What is refused before anything is sent or overwritten.

use chatcore_conformance::server::Server;
use chatcore_tests::postgres::Postgres;

use crate::harness::{Folder, against, chatcore, requests, run};

const RUN: &[&str] = &["batch", "run", "in.jsonl", "-o", "out.jsonl"];

#[test]
fn a_report_overwrites_only_a_report() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let input = requests(2);
    folder.write("in.jsonl", &input);
    folder.write("notes.html", "<p>my notes\n");
    for (report, told) in [
        ("in.jsonl", "the input are the same file"),
        ("out.jsonl", "the output are the same file"),
        ("./out.jsonl", "the output are the same file"),
        ("out.errors.jsonl", "the file of errors are the same file"),
        ("out.jsonl.run", "beside its output are the same file"),
        ("out.jsonl.lock", "beside its output are the same file"),
        ("notes.html", "is not a report"),
        ("no/such/folder/r.html", "cannot be written"),
        (".", "cannot be written"),
    ] {
        let more = ["--report", report];
        let (status, _, err) = run(against(&folder, &server, "key/r").args(RUN).args(more));
        assert_eq!(status, 2, "{report}: {err}");
        assert!(err.contains(told), "{report}: {err}");
    }
    assert_eq!(server.counts("r").requests, 0);
    assert_eq!(folder.read("in.jsonl"), input);
    assert_eq!(folder.read("notes.html"), "<p>my notes\n");
    // A report replaces the report of an earlier part of the run.
    for _ in 0..2 {
        let more = ["--report", "r.html"];
        let (status, _, err) = run(against(&folder, &server, "key/r").args(RUN).args(more));
        assert_eq!(status, 0, "{err}");
        assert!(folder.read("r.html").contains("<svg"));
    }
}

#[test]
fn a_run_at_its_cap_sends_nothing_when_it_is_started_again() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(50));
    // Each answer costs at least a dollar.
    let cap = |most| {
        let more = ["--concurrency", "2", "--price", "1000000,1000000"];
        run(against(&folder, &server, "key/cap")
            .args(RUN)
            .args(more)
            .args(["--max-cost", most]))
    };
    let (status, _, err) = cap("3");
    assert_eq!(status, 4, "{err}");
    let sent = server.counts("cap").requests;
    for _ in 0..2 {
        let (status, _, err) = cap("3");
        assert_eq!(status, 4, "{err}");
        assert!(err.contains("nothing was sent"), "{err}");
        assert_eq!(server.counts("cap").requests, sent);
    }
    let (status, _, err) = cap("1000000");
    assert_eq!(status, 0, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 50);
}

#[test]
fn a_provider_without_a_batch_api_is_refused() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(1));
    let via = ["--via", "provider"];
    let refused = |command: &mut std::process::Command, name: &str| {
        let (status, _, err) = run(command.args(RUN).args(via));
        assert_eq!(status, 2, "{name}: {err}");
        let told = format!("{name} has no Batch API; openai, anthropic and gemini have one");
        assert!(err.contains(&told), "{err}");
    };
    refused(&mut against(&folder, &server, "key/v"), "openai_compatible");
    let mut command = chatcore(&folder);
    refused(command.env("DEEPSEEK_API_KEY", "sk-0123456789"), "deepseek");
    refused(
        chatcore(&folder).env("USE_MOCK_LLM", "true"),
        "the demo model",
    );
    assert_eq!(server.counts("v").requests, 0);
    assert!(!folder.path("out.jsonl").exists());
}

#[test]
fn results_of_a_run_overwrite_only_results() {
    let Some(database) = Postgres::start(&[("fsync", "off")]) else {
        return;
    };
    let folder = Folder::new();
    let input = requests(2);
    folder.write("in.jsonl", &input);
    folder.write("prompts.txt", "my prompt\n");
    let batch = |args: &[&str]| {
        run(chatcore(&folder)
            .env("CHATCORE_POSTGRES", database.url())
            .env("USE_MOCK_LLM", "true")
            .arg("batch")
            .args(args))
    };
    for args in [&["submit", "in.jsonl", "night"][..], &["worker", "night"]] {
        let (status, _, err) = batch(args);
        assert_eq!(status, 0, "{err}");
    }
    for (more, told) in [
        (&["-o", "in.jsonl"][..], "does not hold results"),
        (&["-o", "prompts.txt"], "does not hold results"),
        (&["-o", "in.jsonl", "--follow"], "does not hold results"),
        (
            &["-o", "o.jsonl", "--errors", "in.jsonl"],
            "does not hold results",
        ),
        (&["-o", "o.jsonl", "--errors", "./o.jsonl"], "the same file"),
    ] {
        let (status, _, err) = batch(&[&["results", "night"][..], more].concat());
        assert_eq!(status, 2, "{more:?}: {err}");
        assert!(err.contains(told), "{more:?}: {err}");
    }
    assert_eq!(folder.read("in.jsonl"), input);
    assert_eq!(folder.read("prompts.txt"), "my prompt\n");
    for _ in 0..2 {
        let (status, _, err) = batch(&["results", "night", "-o", "o.jsonl"]);
        assert_eq!(status, 0, "{err}");
        assert_eq!(folder.results("o.jsonl").len(), 2);
    }
}

#[test]
fn a_key_of_another_provider_is_named() {
    let folder = Folder::new();
    folder.write("in.jsonl", &requests(1));
    for args in [RUN, &["doctor"]] {
        let mut command = chatcore(&folder);
        let (status, out, err) = run(command.env("OPENAI_API_KEY", "sk-0123456789").args(args));
        assert_eq!(status, 2, "{out}{err}");
        let told = "OPENAI_API_KEY is set: to ask openai, set LLM_PROVIDER=openai";
        assert!(out.contains(told) || err.contains(told), "{out}{err}");
        assert!(!out.contains("sk-0123") && !err.contains("sk-0123"));
    }
}

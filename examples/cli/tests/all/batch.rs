//! `chatcore batch run`: exit codes, resuming, limits, the report.

use std::io::Write;
use std::process::Stdio;

use chatcore_conformance::server::Server;

use crate::harness::{Folder, against, chatcore, outcome, requests, run};

const RUN: &[&str] = &["batch", "run", "in.jsonl", "-o", "out.jsonl"];

#[test]
fn a_run_is_complete_and_then_has_nothing_left() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(300));
    let (status, out, err) = run(against(&folder, &server, "key/whole").args(RUN).args([
        "--concurrency",
        "20",
        "--report",
        "report.html",
        "--price",
        "1,2",
    ]));
    assert_eq!((status, out.as_str()), (0, ""), "{err}");
    assert!(
        err.contains("300 answers in out.jsonl") && err.contains('$'),
        "{err}"
    );
    assert!(
        !err.contains('\u{1b}'),
        "colours where there is no terminal: {err}"
    );
    assert_eq!(folder.results("out.jsonl").len(), 300);
    assert_eq!(server.counts("whole").requests, 300);
    let report = folder.read("report.html");
    assert!(
        report.contains("<svg") && !report.contains("http"),
        "{report}"
    );
    // No items are left, and --sort restores the order of the input.
    let (status, _, _) = run(against(&folder, &server, "key/whole")
        .args(RUN)
        .arg("--sort"));
    assert_eq!((status, server.counts("whole").requests), (0, 300));
    let first = folder.read("out.jsonl").lines().next().unwrap().to_owned();
    assert!(
        first.contains("\"n0\"") && first.contains("echo: p0"),
        "{first}"
    );
}

#[test]
fn errors_are_kept_apart_and_run_again_by_choice() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write(
        "in.jsonl",
        "{\"prompt\":\"a\"}\n{oops\n{\"prompt\":\"b\"}\n",
    );
    let (status, _, err) = run(against(&folder, &server, "key/e/status/400").args(RUN));
    assert_eq!(status, 3, "{err}");
    assert!(
        err.contains("line 2 of the input") && err.contains("3 errors"),
        "{err}"
    );
    assert_eq!(folder.results("out.errors.jsonl").len(), 3);
    assert_eq!(folder.read("out.jsonl"), "");
    // A run with another base URL is not resumed.
    let (status, _, err) = run(against(&folder, &server, "key/e").args(RUN));
    assert_eq!(status, 2, "{err}");
    assert!(
        err.contains("base URL was") && err.contains("use --force"),
        "{err}"
    );
    let again = ["--force", "--retry-errors"];
    let (status, _, err) = run(against(&folder, &server, "key/e").args(RUN).args(again));
    assert_eq!(status, 3, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 2);
    assert_eq!(folder.results("out.errors.jsonl").len(), 1);
    let refuse = [
        "batch",
        "run",
        "in.jsonl",
        "-o",
        "o2",
        "--bad-lines",
        "refuse",
    ];
    let (status, _, err) = run(against(&folder, &server, "key/e").args(refuse));
    assert_eq!(status, 2, "{err}");
}

#[test]
fn what_is_wrong_is_told_before_anything_is_sent() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let asked = |args: &[&str]| run(against(&folder, &server, "key/none").args(args));
    folder.write(
        "twice.jsonl",
        "{\"custom_id\":\"a\",\"prompt\":\"x\"}\n{\"custom_id\":\"a\",\"prompt\":\"y\"}\n",
    );
    folder.write("in.jsonl", &requests(1));
    folder.write("notes.txt", "my notes\n");
    for (args, status, told) in [
        (
            &["batch", "run", "none.jsonl", "-o", "o"][..],
            2,
            "none.jsonl cannot be read",
        ),
        (
            &["batch", "run", "twice.jsonl", "-o", "o"],
            2,
            "on line 1 and on line 2",
        ),
        (
            &["batch", "run", "in.jsonl", "-o", "in.jsonl"],
            2,
            "same file",
        ),
        (
            &["batch", "run", "in.jsonl", "-o", "notes.txt"],
            2,
            "it is unknown how it was made",
        ),
        (
            &["batch", "run", "in.jsonl", "-o", "no/such/folder/o"],
            2,
            "check the path",
        ),
        (
            &["batch", "run", "in.jsonl", "-o", "o", "--max-cost", "1"],
            2,
            "--price",
        ),
        (
            &["batch", "run", "in.jsonl", "-o", "o", "--concurrency", "0"],
            2,
            "--concurrency",
        ),
        (&["batch", "run", "in.jsonl"], 2, "--output"),
        (&["batch"], 2, "Usage"),
    ] {
        let (code, _, err) = asked(args);
        assert_eq!(code, status, "{args:?}: {err}");
        assert!(err.contains(told), "{args:?}: {err}");
    }
    assert_eq!(server.counts("none").requests, 0);
    assert_eq!(folder.read("notes.txt"), "my notes\n");
    let (status, _, err) = run(chatcore(&folder).args(RUN));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("DEEPSEEK_API_KEY"), "{err}");
}

#[test]
fn a_key_that_is_refused_ends_the_run_and_can_be_mended() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(50));
    let (status, _, err) = run(against(&folder, &server, "key/k/status/401").args(RUN));
    assert_eq!(status, 1, "{err}");
    assert!(
        err.contains("check the key") && err.contains("50 items are left"),
        "{err}"
    );
    assert_eq!(folder.read("out.errors.jsonl"), "");
    assert!(
        server.counts("k").requests <= 5,
        "those in flight and no more"
    );
}

#[test]
fn a_pipe_is_read_and_a_cap_stops() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let piped = |more: &[&str]| {
        let mut child = against(&folder, &server, "key/p")
            .args(["batch", "run", "-", "-o", "out.jsonl"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(requests(200).as_bytes()).unwrap();
        drop(stdin);
        outcome(&child.wait_with_output().unwrap())
    };
    // Each answer costs at least a dollar.
    let cap = [
        "--concurrency",
        "4",
        "--price",
        "1000000,1000000",
        "--max-cost",
        "10",
    ];
    let (status, _, err) = piped(&cap);
    assert_eq!(status, 4, "{err}");
    assert!(
        err.contains("--max-cost") && err.contains("the same command resumes"),
        "{err}"
    );
    let done = folder.results("out.jsonl").len();
    assert!((1..=14).contains(&done), "{done}");
    assert!(!folder.path("out.jsonl.input").exists());
    // A deadline of zero stops the resumed run too.
    let (status, _, _) = piped(&["--deadline", "0s"]);
    assert_eq!(status, 4);
    let (status, _, err) = piped(&[]);
    assert_eq!(status, 0, "{err}");
    assert_eq!(folder.results("out.jsonl").len(), 200);
    assert!(
        folder
            .results("out.jsonl")
            .values()
            .all(|&times| times == 1)
    );
}

#[test]
fn a_dry_run_sends_nothing() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.jsonl", &requests(100));
    let dry = ["--dry-run", "--price", "1,2", "--max-tokens", "50"];
    let (status, out, err) = run(against(&folder, &server, "key/dry").args(RUN).args(dry));
    assert_eq!(status, 0, "{err}");
    for told in [
        "100 items for m of",
        "at most 5000 tokens of answers",
        "about $",
        "nothing was sent",
    ] {
        assert!(out.contains(told), "{out}");
    }
    assert_eq!(server.counts("dry").requests, 0);
    assert!(!folder.path("out.jsonl").exists());
}

#[test]
fn what_requests_do_not_say_is_filled_in() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    folder.write("in.txt", "one prompt\n");
    let more = [
        "--system-prompt",
        "be brief",
        "--max-tokens",
        "9",
        "--temperature",
        "0.5",
    ];
    let (status, _, err) = run(against(&folder, &server, "key/fill")
        .args(["batch", "run", "in.txt", "-o", "out.jsonl"])
        .args(more));
    assert_eq!(status, 0, "{err}");
    let events = server.events();
    let body = events.iter().find_map(|event| match &event.what {
        chatcore_conformance::server::What::Request(seen) => Some(seen.body.clone()),
        _ => None,
    });
    let body: serde_json::Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(body["messages"][0]["content"], "be brief");
    assert_eq!(body["messages"][1]["content"], "one prompt");
    assert_eq!(
        (&body["max_tokens"], &body["temperature"]),
        (&9.into(), &0.5.into())
    );
}

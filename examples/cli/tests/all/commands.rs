//! The other commands.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use chatcore_conformance::server::Server;

use crate::harness::{Folder, against, chatcore, outcome, run};

#[test]
fn a_question_comes_from_the_arguments_or_from_standard_input() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let (status, out, err) = run(against(&folder, &server, "key/c").args(["chat", "hello", "you"]));
    assert_eq!((status, out.as_str()), (0, "echo: hello you\n"), "{err}");
    let mut child = against(&folder, &server, "key/c")
        .args(["chat", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"from a pipe")
        .unwrap();
    let (status, out, _) = outcome(&child.wait_with_output().unwrap());
    assert_eq!(status, 0);
    let answer: chatcore::ChatResponse = serde_json::from_str(&out).unwrap();
    assert_eq!(answer.text(), "echo: from a pipe");
    let (status, _, err) = run(against(&folder, &server, "key/c")
        .arg("chat")
        .stdin(Stdio::null()));
    assert_eq!(status, 2, "{err}");
    let (status, _, err) = run(against(&folder, &server, "key/c/status/400").args(["chat", "x"]));
    assert_eq!(status, 1, "{err}");
}

#[test]
fn a_doctor_shows_what_is_set_and_what_is_wrong_and_no_key() {
    let (folder, server) = (Folder::new(), Server::start().unwrap());
    let secret = "sk-0123456789abcdef";
    let doctor = |path: &str| {
        run(against(&folder, &server, path)
            .env("LLM_API_KEY", secret)
            .env("HTTPS_PROXY", "http://user:hunter2@proxy:1")
            .env("NO_PROXY", "127.0.0.1")
            .arg("doctor"))
    };
    let (status, out, err) = doctor("key/d");
    assert_eq!(status, 0, "{out}{err}");
    for told in ["LLM_API_KEY = (set)", "✓ one call", "✓ clock", "…@proxy:1"] {
        assert!(out.contains(told), "{out}");
    }
    let (status, wrong, _) = doctor("key/d/status/401");
    assert_eq!(status, 1, "{wrong}");
    assert!(
        wrong.contains("✗ one call") && wrong.contains("check the key"),
        "{wrong}"
    );
    for text in [&out, &wrong] {
        assert!(
            !text.contains(secret) && !text.contains("hunter2"),
            "{text}"
        );
    }
    let (status, out, _) = run(chatcore(&folder).arg("doctor"));
    assert_eq!(status, 2, "{out}");
    assert!(out.contains("DEEPSEEK_API_KEY"), "{out}");
}

#[test]
fn the_demo_model_is_listed_and_checked_offline() {
    let folder = Folder::new();
    let (status, out, err) = run(chatcore(&folder).args(["models", "--mock"]));
    assert_eq!(status, 0, "{err}");
    assert_eq!(out, "demo (configured)\n");
    let (status, out, _) = run(chatcore(&folder).args(["doctor", "--mock"]));
    assert_eq!(status, 0, "{out}");
    assert!(out.starts_with("Settings\n  no variable is set\n"), "{out}");
    assert!(out.contains("✓ models: the demo model"), "{out}");
    assert!(!out.contains("LLM_BASE_URL"), "{out}");
}

#[test]
fn a_missing_key_is_advice_for_the_command_line() {
    let folder = Folder::new();
    folder.write("in.jsonl", "{\"prompt\":\"x\"}\n");
    for args in [
        &["chat", "hello"][..],
        &["models"],
        &["doctor"],
        &["batch", "run", "in.jsonl", "-o", "o"],
    ] {
        let (status, out, err) = run(chatcore(&folder).env("LLM_PROVIDER", "deepseek").args(args));
        assert_eq!(status, 2, "{args:?}: {err}");
        let told = out + &err;
        assert!(
            told.contains("DEEPSEEK_API_KEY") && told.contains("--mock"),
            "{args:?}: {told}"
        );
        assert!(!told.contains("Provider::"), "{args:?}: {told}");
    }
}

#[test]
fn help_completions_and_the_manual_come_from_the_definitions() {
    let folder = Folder::new();
    for (args, told) in [
        (&["--help"][..], "Examples:"),
        (&["batch", "run", "--help"], "Exit status:"),
        (
            &["serve", "--help"],
            "Set the token with CHATCORE_TOKEN rather than --token",
        ),
        (&["completions", "bash"], "--requests-per-minute"),
        (&["completions", "zsh"], "--retry-errors"),
        (&["completions", "fish"], "retry-errors"),
        (&["man"], ".TH chatcore"),
        (&["man", "batch", "run"], "retry\\-errors"),
        (&["man", "batch", "submit"], ".TH chatcore-batch-submit"),
        (&["man", "serve"], "CHATCORE_TOKEN"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let (status, out, err) = run(chatcore(&folder).args(args));
        assert_eq!(status, 0, "{args:?}: {err}");
        assert!(out.contains(told), "{args:?}: {out}");
        assert!(
            !out.contains('\u{1b}'),
            "colours where there is no terminal"
        );
    }
}

#[test]
fn a_server_runs_with_its_own_options_and_without_other_files() {
    let folder = Folder::new();
    let mut child = chatcore(&folder)
        .args(["serve", "--mock", "--addr", "127.0.0.1:0"])
        .env("CHATCORE_MAX_PROMPTS", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let base = lines.next().unwrap().unwrap();
    assert!(lines.next().unwrap().unwrap().contains("demo model"));
    let addr = base.strip_prefix("http://").unwrap();
    let request = |request: String| {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let get = |path: &str| {
        request(format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        ))
    };
    assert!(get("/").contains("<title>chatcore</title>"));
    assert!(get("/chatcore/index.js").contains("class LlmClient"));
    let post = |path: &str, body: &str| {
        request(format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    assert!(post("/api/chat", r#"{"message":"2 + 3"}"#).contains("2 + 3 = 5."));
    let refused = post("/api/batch", r#"{"prompts":["a","b"]}"#);
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_server_that_cannot_serve_says_why() {
    let folder = Folder::new();
    for (args, told) in [
        (&["serve", "--max-body", "big"][..], "a number of bytes"),
        (&["serve", "--addr", "0.0.0.0:0"], "CHATCORE_TOKEN"),
        (&["serve", "--provider", "deepseek"], "DEEPSEEK_API_KEY"),
        (&["serve", "--provider", "nobody"], "nobody"),
    ] {
        let (status, _, err) = run(chatcore(&folder).args(args));
        assert_eq!(status, 2, "{args:?}: {err}");
        assert!(err.contains(told), "{args:?}: {err}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let (status, _, err) = run(chatcore(&folder).args(["man", "--into", "."]));
    assert_eq!(status, 0, "{err}");
    for name in [
        "chatcore",
        "chatcore-batch-run",
        "chatcore-batch-worker",
        "chatcore-serve",
    ] {
        let page = folder.read(&format!("{name}.1"));
        assert!(page.contains(&format!(".TH {name}")), "{name}: {page}");
    }
    let (status, _, err) = run(chatcore(&folder).args(["man", "nobody"]));
    assert_eq!(status, 2, "{err}");
    assert!(err.contains("nobody"), "{err}");
}

#[test]
fn a_wrong_provider_is_told_by_its_option_with_the_nearest_name() {
    let folder = Folder::new();
    let (status, out, err) = run(chatcore(&folder).args(["doctor", "--provider", "opnai"]));
    assert_eq!(status, 2, "{out}{err}");
    assert!(
        out.contains("--provider is \"opnai\", which is not"),
        "{out}"
    );
    assert!(out.contains("did you mean openai?"), "{out}");
    assert!(!out.contains("LLM_PROVIDER"), "{out}");
    // Where a variable is wrong, it is named.
    let (_, out, _) = run(chatcore(&folder).arg("doctor").env("LLM_PROVIDER", "opnai"));
    assert!(out.contains("LLM_PROVIDER is \"opnai\""), "{out}");
}

#[test]
fn the_help_of_the_server_says_what_each_value_is() {
    let folder = Folder::new();
    let (status, out, _) = run(chatcore(&folder).args(["serve", "--help"]));
    assert_eq!(status, 0);
    for option in [
        "--open <true|false>",
        "--grace <SECONDS>",
        "--addr <ADDRESS>",
    ] {
        assert!(out.contains(option), "{option}: {out}");
    }
    assert!(!out.contains("<VALUE>"), "{out}");
}

#[test]
fn what_cannot_be_cancelled_is_told_with_what_can() {
    let folder = Folder::new();
    let mut cancel = chatcore(&folder);
    let (status, _, err) = run(cancel.args(["batch", "cancel", "out.jsonl"]));
    assert_eq!(status, 2, "{err}");
    for told in ["no out.jsonl.run or out.jsonl.batches", "--postgres"] {
        assert!(err.contains(told), "{told}: {err}");
    }
}

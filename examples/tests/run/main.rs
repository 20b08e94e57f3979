//! Runs the example programs offline, as a user does.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are no tests to clippy

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");
const CUSTOM_EXECUTOR: &str = env!("CARGO_BIN_EXE_custom_executor");
const MIGRATION: &str = env!("CARGO_BIN_EXE_migration");
const TOOLS: &str = env!("CARGO_BIN_EXE_tools");
const EXTRACT: &str = env!("CARGO_BIN_EXE_extract");

const KEY: &str = "sk-never-shown-0123456789";

/// Runs a program with these variables, and with no others that could reach a provider by accident.
fn run(program: &str, vars: &[(&str, &str)]) -> Output {
    command(program, vars).output().unwrap()
}

fn command(program: &str, vars: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    // Variables that programs need on some systems. None of them concerns chatcore.
    for name in ["PATH", "SystemRoot", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(vars.iter().copied());
    command
}

/// Nobody reads the output, as with `| head`.
#[test]
fn quickstart_ends_quietly_when_its_output_is_closed() {
    let mut quickstart = command(QUICKSTART, &[("USE_MOCK_LLM", "true")]);
    let quickstart = quickstart.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut quickstart = quickstart.spawn().unwrap();
    drop(quickstart.stdout.take());
    let output = quickstart.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success(), "{:?}", output.status);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The output of a program, which must succeed.
fn printed(program: &str, vars: &[(&str, &str)]) -> String {
    let output = run(program, vars);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    text(&output.stdout).to_owned()
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            panic!("{part:?} is not where it should be in:\n{text}");
        };
        rest = behind;
    }
}

#[test]
fn quickstart_without_a_key_says_so_and_does_the_main_job() {
    let printed = printed(QUICKSTART, &[]);
    assert_in_order(
        &printed,
        &[
            "No API key is set for deepseek, so the offline demo model answers.",
            "DEEPSEEK_API_KEY",
            "One chat",
            "17 * 23 = 391.",
            " tok]",
            "One stream",
            "only sea and a rule or three;",
            "first word after ",
            "One conversation",
            "Your name is Ada",
            "Ten prompts at once, 4 of them in flight",
            "17 * 23 = 391.",
            "bonjour",
            "1 2 3 4 5 6 7 8 9 10 11 12",
            "你好！",
            "42。",
            "hello, world",
            "all ten took ",
            "Status",
            "5 workers, 0 active, 0 of 100 queued; 14 calls: 14 succeeded, 0 failed, 0 cancelled",
        ],
    );
}

#[test]
fn quickstart_with_the_demo_asked_for_says_so_and_needs_no_key() {
    let vars = [
        ("USE_MOCK_LLM", "true"),
        ("LLM_API_KEY", KEY),
        ("LLM_ASYNC_WORKERS", "2"),
    ];
    let printed = printed(QUICKSTART, &vars);
    assert!(printed.starts_with("USE_MOCK_LLM is set"), "{printed}");
    assert!(printed.contains("2 workers, 0 active"), "{printed}");
    assert!(!printed.contains(KEY), "{printed}");
}

#[test]
fn custom_executor_interleaves_three_chats() {
    let printed = printed(CUSTOM_EXECUTOR, &[]);
    assert_in_order(
        &printed,
        &[
            "the offline demo model answers",
            "frame  10: words so far [",
            "succeeded: 3, failed: 0",
        ],
    );
    for said in ["6 * 7 = 42.", "only dragons and", "天空是蓝色的"] {
        assert!(printed.contains(said), "{printed}");
    }
    // In one frame at least, all three were in progress.
    let all_on_their_way = printed
        .lines()
        .filter_map(|line| line.split_once('[')?.1.split_once(']'))
        .any(|(words, _)| !words.split(", ").any(|words| words == "0"));
    assert!(all_on_their_way, "{printed}");
}

/// A server that streams the answer "one two three" to each request, word by word.
fn words() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            std::thread::spawn(move || stream_words(socket.unwrap()));
        }
    });
    base_url
}

fn stream_words(mut socket: TcpStream) {
    while let Some(head) = read_head(&mut socket) {
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        socket.read_exact(&mut body).unwrap();
        let chunk = |event: &str| format!("{:x}\r\n{event}\n\n\r\n", event.len() + 2);
        let word = |word: &str| {
            chunk(&format!(
                r#"data: {{"choices":[{{"index":0,"delta":{{"content":"{word} "}}}}]}}"#
            ))
        };
        let end = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    transfer-encoding: chunked\r\n\r\n";
        for piece in [
            head,
            &word("one"),
            &word("two"),
            &word("three"),
            &(chunk(end) + &chunk("data: [DONE]") + "0\r\n\r\n"),
        ] {
            // At least one frame after the request, as from a distant server.
            std::thread::sleep(Duration::from_millis(20));
            if socket.write_all(piece.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Reads the head of a request. `None` if the client has closed the connection.
fn read_head(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}

/// The loop runs in a process in which nothing else waits for sockets. Their reactor is on a
/// separate thread. If the reactor does not wake a call for its answer, the call ends with a
/// timeout.
#[test]
fn custom_executor_speaks_plain_http() {
    let base_url = words();
    let vars = [
        ("LLM_API_KEY", KEY),
        ("LLM_BASE_URL", base_url.as_str()),
        ("LLM_MODEL", "tiny"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let printed = printed(CUSTOM_EXECUTOR, &vars);
    for name in ["the smith", "the bard", "the sage"] {
        assert_in_order(&printed, &[&format!("{name} said:\none two three")]);
    }
    assert_in_order(&printed, &["succeeded: 3, failed: 0"]);
}

#[test]
fn custom_executor_is_under_60_lines() {
    let source = include_str!("../src/bin/custom_executor.rs");
    let (_, executor) = source.split_once("// ── the executor ──").unwrap();
    let (executor, _) = executor.split_once("// ── the game ──").unwrap();
    let lines = executor
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count();
    println!("{lines} lines of code");
    assert!((20..60).contains(&lines), "{lines} lines of code");
}

#[test]
fn migration_runs_every_snippet() {
    let printed = printed(MIGRATION, &[]);
    assert_in_order(
        &printed,
        &[
            "No API key is set",
            "Blocking",
            "2+2 = 4.",
            "Hybrid",
            "one",
            "three",
            "two",
            "Async",
            "With context",
            "Your name is Ada",
            "Errors",
            "failed: ",
            "temperature",
            "too slow: ",
            "Retries",
            "2+2 = 4. (after 3 attempts)",
            "You said: “One try”",
            "gather(…, return_exceptions=True)",
            "a\nfailed: ",
            "c\n",
            "gather_with_limit",
            "1 * 1 = 1.",
            "5 * 5 = 25.",
            "run_with_timeout",
            "too slow",
            "Pool status",
            "5 workers, 0 active, 0 queued; ",
            "cleanup()",
            "as it should: ",
            "async with",
            "gone",
        ],
    );
}

#[test]
fn tools_are_called_and_their_results_told() {
    let printed = printed(TOOLS, &[]);
    assert_in_order(
        &printed,
        &[
            "> convert_temperature: 72 degrees to celsius",
            "convert_temperature({",
            "→ 22.2 °C",
            "The tool returned: 22.2 °C",
            "(2 turns, ",
        ],
    );
}

#[test]
fn tools_ask_before_a_call() {
    for (line, told) in [
        ("y\n", "→ 22.2 °C"),
        ("n\n", "→ error: the user does not want"),
    ] {
        let mut tools = command(TOOLS, &[]);
        tools.arg("--ask").stdin(Stdio::piped());
        let mut tools = tools.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = tools.stdin.take().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        let output = tools.wait_with_output().unwrap();
        assert_in_order(text(&output.stdout), &["run convert_temperature(", told]);
    }
}

#[test]
fn a_type_is_read_from_each_line_and_a_second_run_reads_none() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("extract");
    std::fs::remove_dir_all(&folder).ok();
    std::fs::create_dir_all(&folder).unwrap();
    let [input, output] = ["in.txt", "out.jsonl"].map(|name| folder.join(name));
    let messages = "I would like 3 of the blue mugs.\n\
                    A question: do you ship 2 lamps to Norway?\n";
    std::fs::write(&input, messages).unwrap();
    let run = || {
        let output = command(EXTRACT, &[])
            .args([&input, &output])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout).to_owned()
    };
    let printed = run();
    assert!(
        printed.contains("the offline demo model answers"),
        "{printed}"
    );
    // The messages are read at once, in any order.
    for expected in [
        "> I would like 3 of the blue mugs.\n  Order: mugs\n  pieces: 3",
        "> A question: do you ship 2 lamps to Norway?\n  Question: Norway\n  pieces: 2",
        "2 messages were read now. ",
        " has 2 results.",
    ] {
        assert!(printed.contains(expected), "{printed}");
    }
    let results = std::fs::read_to_string(&output).unwrap();
    assert_eq!(results.lines().count(), 2);
    assert!(results.contains(r#"\"subject\":\"Norway\""#), "{results}");
    assert!(!printed.contains("not read again"), "{printed}");
    let again = [
        "already has 2 results; their messages are not read again.",
        "0 messages were read now. ",
        " has 2 results.",
    ];
    assert_in_order(&run(), &again);
    // A line that is added is read by the next run.
    std::fs::write(&input, format!("{messages}A complaint: my kettle leaks!\n")).unwrap();
    assert_in_order(
        &run(),
        &[
            "already has 2",
            "Complaint: ",
            "1 messages were read now. ",
            " has 3 ",
        ],
    );
}

#[test]
fn a_bad_setting_is_one_line_that_names_it() {
    for program in [QUICKSTART, MIGRATION] {
        let output = run(
            program,
            &[("LLM_ASYNC_WORKERS", "many"), ("LLM_API_KEY", KEY)],
        );
        assert_eq!(output.status.code(), Some(2));
        let errors = text(&output.stderr);
        assert_eq!(errors.lines().count(), 1, "{errors}");
        for part in [
            "error: ",
            "LLM_ASYNC_WORKERS",
            "\"many\"",
            "a whole number of at least 1",
        ] {
            assert!(errors.contains(part), "{errors}");
        }
        assert!(!errors.contains(KEY), "{errors}");
    }
}

#[test]
fn no_other_model_answers_for_a_provider_that_was_named() {
    for (vars, told) in [
        (
            [("LLM_PROVIDER", "gemini"), ("OPENAI_API_KEY", KEY)],
            "no API key for gemini: set GEMINI_API_KEY",
        ),
        (
            [
                ("LLM_BASE_URL", "https://api.deepseek.com/v1"),
                ("LLM_MODEL", "m"),
            ],
            "no API key for deepseek: set DEEPSEEK_API_KEY",
        ),
    ] {
        let output = run(QUICKSTART, &vars);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(text(&output.stdout), "");
        let errors = text(&output.stderr);
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_key_of_another_provider_is_pointed_to() {
    let printed = printed(
        QUICKSTART,
        &[("OPENAI_API_KEY", KEY), ("LLM_PROVIDER", " ")],
    );
    let told = "answers. OPENAI_API_KEY is set: LLM_PROVIDER=openai uses it.";
    assert_in_order(&printed, &[told, "One chat"]);
    assert!(!printed.contains(KEY), "{printed}");
}

#[test]
fn a_key_that_cannot_be_sent_is_not_shown() {
    let output = run(QUICKSTART, &[("LLM_API_KEY", "sk-never-shown\n0123")]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("line break"), "{errors}");
    assert!(!errors.contains("never-shown"), "{errors}");
}

/// The server repeats the key that it was sent.
#[test]
fn a_key_that_comes_back_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let head = read_head(&mut socket).unwrap();
        let body = format!(
            r#"{{"error":{{"message":"no such key: {KEY}","type":"auth","code":"{KEY}"}}}}"#
        );
        write!(
            socket,
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nx-request-id: {KEY}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        head
    });
    let vars = [
        ("LLM_API_KEY", KEY),
        ("LLM_BASE_URL", base_url.as_str()),
        ("LLM_MODEL", "tiny"),
        ("NO_PROXY", "127.0.0.1"),
    ];
    let output = run(QUICKSTART, &vars);
    let head = server.join().unwrap();
    assert!(head.contains(KEY), "the key was not sent at all: {head}");
    assert_eq!(output.status.code(), Some(1));
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(errors.contains("401"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        !printed.contains(KEY) && !errors.contains(KEY),
        "{printed}{errors}"
    );
}

/// The providers. Each has the variables, in addition to key and address, that select it and a
/// model that it offers today. Without `LLM_MODEL`, that is its default model.
const PROVIDERS: &[(&str, &[(&str, &str)])] = &[
    ("deepseek", &[("LLM_PROVIDER", "deepseek")]),
    ("openai", &[("LLM_PROVIDER", "openai")]),
    ("anthropic", &[("LLM_PROVIDER", "anthropic")]),
    (
        "mistral",
        &[
            ("LLM_PROVIDER", "openai_compatible"),
            ("LLM_MODEL", "mistral-small-latest"),
        ],
    ),
];

#[test]
fn quickstart_works_with_each_provider_as_it_is_today() {
    let server = chatcore_conformance::server::Server::start().unwrap();
    for (provider, vars) in PROVIDERS {
        let version = if *provider == "anthropic" { "" } else { "/v1" };
        let base_url = server.url(&format!("/as/{provider}{version}"));
        let mut all = vec![
            ("LLM_API_KEY", KEY),
            ("LLM_BASE_URL", base_url.as_str()),
            ("NO_PROXY", "127.0.0.1"),
        ];
        all.extend(*vars);
        let printed = printed(QUICKSTART, &all);
        assert_in_order(
            &printed,
            &[
                "One chat",
                "echo: What is 17 * 23?",
                "One stream",
                "echo: Write a short poem about the sea.",
                "One conversation",
                "echo: What is my name?",
                "→ echo: What is your name?",
                "14 calls: 14 succeeded, 0 failed, 0 cancelled",
            ],
        );
    }
}

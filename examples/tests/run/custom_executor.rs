//! `custom_executor`: chats in the frames of a game.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::{KEY, assert_in_order, printed, read_head};

const CUSTOM_EXECUTOR: &str = env!("CARGO_BIN_EXE_custom_executor");

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
    let source = include_str!("../../src/bin/custom_executor.rs");
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

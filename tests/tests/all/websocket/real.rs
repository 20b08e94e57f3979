//! Real sockets that are cut at random, against a loopback server made with the WebSocket library
//! alone.

use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use async_tungstenite::tungstenite::{self, Message};
use chatcore::dialect::OpenAiResponses;
use chatcore::{ErrorKind, LlmClient, Provider};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::transport::{Http1Transport, Proxies, WebSocketTransport};
use futures_lite::future;
use serde_json::{Value, json};

const CALLS: usize = 64;

/// After how many messages the connection with this number is cut; 0 for never.
fn cut_after(connection: usize) -> usize {
    match connection % 3 {
        0 => 7 + connection,
        _ => 0,
    }
}

/// Starts a server that answers every message with its input, on its lane. Returns its address and
/// a counter of the connections that it cut.
fn serve() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let cuts = Arc::new(AtomicUsize::new(0));
    let seen = cuts.clone();
    thread::spawn(move || {
        for (number, socket) in listener.incoming().enumerate() {
            let cuts = cuts.clone();
            thread::spawn(move || {
                let Ok(mut socket) = tungstenite::accept(socket.unwrap()) else {
                    return;
                };
                let mut left = cut_after(number);
                while let Ok(message) = socket.read() {
                    let Message::Text(text) = message else {
                        continue;
                    };
                    for event in answer(&serde_json::from_str(&text).unwrap()) {
                        left = left.wrapping_sub(1);
                        if left == 0 {
                            cuts.fetch_add(1, Ordering::Relaxed);
                            socket.get_ref().shutdown(Shutdown::Both).ok();
                            return;
                        }
                        if socket.send(Message::text(event.to_string())).is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    (base, seen)
}

fn answer(create: &Value) -> [Value; 4] {
    let content = &create["input"][0]["content"];
    let text = content.as_str().or_else(|| content[0]["text"].as_str());
    let text = text.unwrap();
    let half = text.len() / 2;
    let events = [
        json!({"type": "response.created", "response": {"id": "r"}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": text[..half]}),
        json!({"type": "response.output_text.delta", "output_index": 0, "delta": text[half..]}),
        json!({"type": "response.completed", "response": {"id": "r", "status": "completed"}}),
    ];
    events.map(|mut event| {
        event["stream_id"] = create["stream_id"].clone();
        event
    })
}

#[test]
fn calls_over_sockets_that_are_cut_end_once_each() {
    let (base, cuts) = serve();
    let executor = Arc::new(SmolExecutor::new());
    let http = Http1Transport::builder(executor.clone()).proxies(Proxies::none());
    let transport = WebSocketTransport::new(executor.clone(), http.build());
    let client = LlmClient::builder(executor, Arc::new(transport))
        .provider(Provider::new("real", base, "m", OpenAiResponses::default()))
        .workers(CALLS)
        .max_attempts(20)
        .build()
        .unwrap();
    let whole = AtomicUsize::new(0);
    let calls = (0..CALLS).map(|number| {
        let (client, whole) = (&client, &whole);
        async move {
            let prompt = format!("prompt number {number}");
            let mut stream = client.chat_async(&*prompt).stream();
            let mut text = String::new();
            loop {
                match stream.next_text().await {
                    None => break,
                    Some(Ok(piece)) => text.push_str(&piece),
                    Some(Err(error)) => {
                        // Content had begun, or the retry budget is used up.
                        let is_lost = [ErrorKind::Truncated, ErrorKind::Connection];
                        assert!(is_lost.contains(&error.kind()), "{error}");
                        assert!(prompt.starts_with(&text));
                        return;
                    }
                }
            }
            assert_eq!(text, prompt);
            whole.fetch_add(1, Ordering::Relaxed);
        }
    });
    future::block_on(futures_util::future::join_all(calls));
    assert!(cuts.load(Ordering::Relaxed) > 0);
    assert!(whole.load(Ordering::Relaxed) >= CALLS / 2);
}

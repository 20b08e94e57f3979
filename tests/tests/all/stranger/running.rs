//! The outside dialect over real sockets, on two executors and two transports.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use chatcore::{ErrorKind, Executor, LlmClient, Provider, Transport};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use chatcore_stranger::OllamaChat;

/// Starts a server that answers each connection once, depending on the requested model. Returns its
/// address.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) {
    let request = read_request(&mut stream);
    let (status, body) = match () {
        () if request.contains("\"missing\"") => (404, r#"{"error":"model 'missing' not found"}"#),
        () if request.contains("\"stream\":true") => (
            200,
            "{\"model\":\"m\",\"message\":{\"content\":\"Hel\"},\"done\":false}\n\
             {\"model\":\"m\",\"message\":{\"content\":\"lo\"},\"done\":false}\n\
             {\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"eval_count\":2}\n",
        ),
        () => (
            200,
            r#"{"model":"m","message":{"content":"Hello"},"done":true,"done_reason":"stop","eval_count":2}"#,
        ),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // In pieces that split lines.
    for piece in body.as_bytes().chunks(23) {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
    }
}

/// Reads a request's head, and its body by the `content-length`.
fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap().to_lowercase();
    let length = head.split("content-length:").nth(1).unwrap();
    let length = length.lines().next().unwrap().trim().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn pairs() -> Vec<(Arc<dyn Executor>, Arc<dyn Transport>)> {
    let smol: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let threads: Arc<dyn Executor> = Arc::new(ThreadPool::new(2).unwrap());
    let http1 = Arc::new(Http1Transport::new(Arc::clone(&smol)));
    let ureq = Arc::new(UreqTransport::new(ThreadPool::new(2).unwrap()));
    vec![(smol, http1), (threads, ureq)]
}

#[test]
fn whole_answers_streams_and_errors_on_two_executors() {
    let base_url = server();
    for (executor, transport) in pairs() {
        let provider = Provider::new("ollama", base_url.clone(), "m", OllamaChat::default());
        let client = LlmClient::builder(executor, transport)
            .provider(provider)
            .build()
            .unwrap();
        smol::block_on(async {
            let whole = client.chat_async("hi").await.unwrap();
            assert_eq!(whole.text(), "Hello");
            assert_eq!(whole.usage.as_ref().unwrap().output_tokens, 2);
            let mut stream = client.chat_async("hi").stream();
            let mut text = String::new();
            while let Some(piece) = stream.next_text().await {
                text.push_str(&piece.unwrap());
            }
            assert_eq!(text, "Hello");
            let missing = client.chat_async("hi").model("missing").await;
            let error = missing.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.message().contains("'missing' not found"), "{error}");
        });
    }
}

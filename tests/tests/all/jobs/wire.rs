//! Jobs over real sockets, on each native transport.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use chatcore::{LlmClient, Provider};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, SurfTransport, UreqTransport};

/// Answers one request on each of `connections` connections, and returns their first lines and
/// bodies.
fn serve(connections: usize) -> (String, thread::JoinHandle<Vec<(String, String)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut seen = Vec::new();
        for _ in 0..connections {
            let (mut socket, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let (mut first, mut length) = (String::new(), 0);
            reader.read_line(&mut first).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = match first.starts_with("GET") {
                true => r#"{"data":[{"id":"tiny","owned_by":"me"}]}"#,
                false => r#"{"data":[{"index":0,"embedding":[0.5,-0.25]}]}"#,
            };
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
            let answer = format!("{head} {}\r\n\r\n{answer}", answer.len());
            socket.write_all(answer.as_bytes()).unwrap();
            seen.push((
                first.trim_end().to_owned(),
                String::from_utf8(body).unwrap(),
            ));
        }
        seen
    });
    (base, serving)
}

#[test]
fn each_transport_carries_them() {
    let smol = Arc::new(SmolExecutor::new());
    let pool = Arc::new(ThreadPool::new(1).unwrap());
    let builders = [
        LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol.clone()))),
        LlmClient::builder(pool.clone(), Arc::new(UreqTransport::new((*pool).clone()))),
        LlmClient::builder(smol.clone(), Arc::new(SurfTransport::new())),
    ];
    for builder in builders {
        let (base, serving) = serve(2);
        let provider = Provider::openai_compatible(base, "tiny");
        let client = builder.provider(provider).build().unwrap();
        let (models, answer) =
            smol::block_on(async { (client.models().await, client.embed(["a"]).await) });
        assert_eq!(models.unwrap()[0].id, "tiny");
        assert_eq!(answer.unwrap().vectors, [[0.5, -0.25]]);
        let seen = serving.join().unwrap();
        assert_eq!(
            seen[0],
            ("GET /v1/models HTTP/1.1".to_owned(), String::new())
        );
        assert_eq!(seen[1].0, "POST /v1/embeddings HTTP/1.1");
        assert_eq!(seen[1].1, r#"{"model":"tiny","input":["a"]}"#);
    }
}

//! Thousands of connections at once.

use std::time::Instant;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use smol::net::TcpStream;

use super::server;

const CLIENTS: u64 = 2_000;

/// All requests wait behind one gate, so that all are in flight at once on any machine.
#[test]
fn two_thousand_at_once_each_get_their_own_answer() {
    let server = server();
    let address = server.address();
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|n| {
            smol::spawn(async move {
                let mut stream = TcpStream::connect(address).await?;
                let body = format!("{{\"messages\":[{{\"content\":\"client {n}\"}}]}}");
                let head = format!(
                    "POST /key/many/gate/all/v1/chat/completions HTTP/1.1\r\nconnection: close\r\n\
                     content-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await?;
                let mut came = String::new();
                stream.read_to_string(&mut came).await?;
                std::io::Result::Ok(came.contains(&format!("\"echo: client {n}\"")))
            })
        })
        .collect();
    smol::block_on(async {
        server
            .reaches("2,000 requests", |stats| stats.total.in_flight == CLIENTS)
            .await
            .unwrap();
        server.release("all", CLIENTS);
        for (n, client) in clients.into_iter().enumerate() {
            assert!(
                client.await.unwrap(),
                "client {n} got another's answer, or none"
            );
        }
        server.all_closed().await.unwrap();
    });
    let counts = server.counts("many");
    assert_eq!((counts.answered, counts.max_in_flight), (CLIENTS, CLIENTS));
    println!("2,000 clients in {:?}", began.elapsed());
}

//! Many calls at once over two streams, in virtual time: answers come in any order, late, or never,
//! calls are dropped, and the server may end.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatcore_adapters::mcp::{McpClient, McpErrorKind};
use chatcore_adapters::sim::{Sim, SimExecutor};
use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncWriteExt, FutureExt};
use futures_util::future::join_all;
use serde_json::{Value, json};
use smol::lock::Mutex as AsyncMutex;

use super::script::text;

const SEEDS: u64 = 300;
const CALLS: usize = 20;

/// The numbers of the calls that came and of those that were cancelled.
#[derive(Default)]
struct Seen {
    calls: Vec<u64>,
    cancelled: Vec<u64>,
}

async fn serve(
    sim: Arc<SimExecutor>,
    input: piper::Reader,
    output: piper::Writer,
    seen: Arc<Mutex<Seen>>,
) {
    let output = Arc::new(AsyncMutex::new(output));
    let mut lines = BufReader::new(input);
    let mut line = String::new();
    while lines.read_line(&mut line).await.unwrap_or(0) > 0 {
        let message: Value = serde_json::from_str(&line).unwrap();
        line.clear();
        let id = &message["id"];
        let answer = match message["method"].as_str() {
            Some("initialize") => {
                let version = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
                Some((0, json!({"id": id, "result": version})))
            }
            Some("tools/call") => {
                seen.lock().unwrap().calls.push(id.as_u64().unwrap());
                let name = message["params"]["name"].as_str().unwrap();
                match sim.random_below(20) {
                    0 => None,
                    1 => Some((1, json!({"id": id, "error": {"code": 1, "message": "no"}}))),
                    2 if sim.random_chance(0.3) => return,
                    _ => {
                        let after = sim.random_below(3_000);
                        Some((after, json!({"id": id, "result": text(name)})))
                    }
                }
            }
            Some("notifications/cancelled") => {
                let id = message["params"]["requestId"].as_u64().unwrap();
                seen.lock().unwrap().cancelled.push(id);
                None
            }
            _ => None,
        };
        let Some((after, answer)) = answer else {
            continue;
        };
        let (sim, output) = (Arc::clone(&sim), Arc::clone(&output));
        let task = Arc::clone(&sim);
        task.spawn(async move {
            sim.sleep(Duration::from_millis(after)).await;
            let progress = json!({"method": "notifications/progress", "params": {}});
            let lines = format!("{progress}\nnoise\n{answer}\n");
            output.lock().await.write_all(lines.as_bytes()).await.ok();
        });
    }
}

#[test]
fn each_call_has_its_own_end() {
    let mut ends = [0; 4];
    for seed in 0..SEEDS {
        let sim = Sim::new(seed);
        let executor = sim.executor();
        let (output, writer) = piper::pipe(300);
        let (reader, input) = piper::pipe(300);
        let seen = Arc::default();
        executor.spawn(serve(executor.clone(), reader, writer, Arc::clone(&seen)));
        let client = McpClient::streams(executor.clone(), output, input)
            .protocol_version("2025-11-25")
            .request_timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        sim.run(async {
            client.connect().await.unwrap();
            let calls = (0..CALLS).map(|number| {
                let (client, executor) = (&client, &executor);
                async move {
                    executor
                        .sleep(Duration::from_millis(executor.random_below(500)))
                        .await;
                    let patience = match executor.random_chance(0.2) {
                        true => Duration::from_millis(executor.random_below(3_000)),
                        false => Duration::MAX,
                    };
                    let name = format!("tool {number}");
                    let call = async { Some(client.call_tool(&name, json!({})).await) };
                    let dropped = async {
                        executor.sleep(patience).await;
                        None
                    };
                    match call.or(dropped).await {
                        Some(Ok(result)) => {
                            assert_eq!(result.text(), name, "seed {seed}");
                            0
                        }
                        Some(Err(error)) => match error.kind() {
                            McpErrorKind::Rpc | McpErrorKind::Timeout => 1,
                            McpErrorKind::Interrupted | McpErrorKind::Connection => 2,
                            _ => panic!("seed {seed}: {error}"),
                        },
                        None => 3,
                    }
                }
            });
            for end in join_all(calls).await {
                ends[end] += 1;
            }
            drop(client);
            executor.sleep(Duration::from_secs(10)).await;
            assert_eq!(executor.pending_tasks().len(), 0, "seed {seed}");
        });
        let seen = seen.lock().unwrap();
        let calls: HashSet<_> = seen.calls.iter().collect();
        let cancelled: HashSet<_> = seen.cancelled.iter().collect();
        assert_eq!(cancelled.len(), seen.cancelled.len(), "seed {seed}");
        assert!(cancelled.is_subset(&calls), "seed {seed}");
    }
    // Each end was seen, or the test proves nothing.
    assert!(ends.iter().all(|count| *count > 50), "{ends:?}");
}

//! A dropped loop leaves nothing behind.

use std::time::Duration;

use chatcore::ToolLoopEvent;
use chatcore_adapters::sim::Sim;
use futures_lite::future::or;

use super::replies::{chat, text};
use super::{Log, asking, tools, waits};
use crate::jobs::client;

#[test]
fn a_dropped_future_drops_its_tools() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, server) = asking(
        &sim,
        vec![vec![waits("a", 9), waits("b", 9), waits("c", 9)]],
    );
    let work = client.ask("Hi").toolbox(&tools(&sim, &log)).concurrency(2);
    let executor = sim.executor();
    sim.run(async move {
        let stopped = async {
            executor.sleep(Duration::from_secs(3)).await;
            None
        };
        assert!(or(async { Some(work.await) }, stopped).await.is_none());
        executor.sleep(Duration::from_secs(100)).await;
    });
    let mut done = log.all();
    done[2..].sort();
    assert_eq!(
        done,
        ["a begins at 0", "b begins at 0", "a dropped", "b dropped"]
    );
    assert_eq!(server.sent().len(), 1);
}

#[test]
fn a_dropped_stream_drops_its_tools() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = asking(&sim, vec![vec![waits("a", 9), waits("b", 1)]]);
    let mut stream = client.ask("Hi").toolbox(&tools(&sim, &log)).stream();
    let executor = sim.executor();
    sim.run(async move {
        while let Some(event) = stream.next().await {
            if let ToolLoopEvent::CallResult { index, .. } = event.unwrap() {
                assert_eq!(index, 1);
                break;
            }
        }
        drop(stream);
        executor.sleep(Duration::from_secs(100)).await;
    });
    let expected = ["a begins at 0", "b begins at 0", "b ends at 1", "a dropped"];
    assert_eq!(log.all(), expected);
}

#[test]
fn a_dropped_loop_ends_its_request() {
    let sim = Sim::new(1);
    let (client, server) = client(&sim, chat(), |b| b, |_, sent| text(sent, "x").after(20));
    let work = client.ask("Hi").toolbox(&tools(&sim, &Log::default()));
    let executor = sim.executor();
    let observed = server.clone();
    sim.run(async move {
        let stopped = async {
            executor.sleep(Duration::from_secs(3)).await;
            assert_eq!(observed.running(), 1);
            None
        };
        assert!(or(async { Some(work.await) }, stopped).await.is_none());
    });
    assert_eq!(server.running(), 0);
    let status = client.status();
    assert_eq!((status.active, status.cancelled), (0, 1));
}

#[test]
fn nothing_is_sent_and_nothing_runs_before_the_first_poll() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, server) = asking(&sim, vec![vec![waits("a", 1)]]);
    drop(client.ask("Hi").toolbox(&tools(&sim, &log)).stream());
    assert!(server.sent().is_empty() && log.all().is_empty());
}

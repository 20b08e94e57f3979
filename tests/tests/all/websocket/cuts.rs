//! Randomly cut sockets lose no call, and repeat no call whose content has begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chatcore::dialect::OpenAiResponses;
use chatcore::{Error, ErrorKind, LlmClient, Provider};
use chatcore_adapters::sim::{Sim, SimExecutor};
use chatcore_adapters::transport::WebSocketTransport;

use super::wires::{NoHttp, SharedLog, Wires};

const CALLS: usize = 64;

#[test]
fn a_call_whose_socket_is_cut_is_tried_again_unless_its_content_began() {
    // One cut: a socket carries at most eight calls, so the retry budget suffices.
    run(0.5, 1, |error, text| {
        assert_eq!(error.kind(), ErrorKind::Truncated, "{error}");
        assert!(!text.is_empty(), "without content it is tried again");
    });
}

#[test]
fn each_call_ends_once_however_many_sockets_are_cut() {
    run(0.5, 1_000, |error, text| {
        // A call fails without content only if the retry budget is used up.
        let is_lost = [ErrorKind::Truncated, ErrorKind::Connection].contains(&error.kind());
        assert!(is_lost, "{error}");
        assert!(text.is_empty() || error.kind() == ErrorKind::Truncated);
    });
}

/// Runs 64 calls at once over 8 sockets, some of which are cut. `check` gets each error with the
/// text that arrived before it.
fn run(cut: f64, most_cuts: usize, check: fn(&Error, &str)) {
    Sim::run_seeds(0..60, |sim| async move {
        let log = SharedLog::default();
        let client = client(&sim, &log, cut, most_cuts);
        let ended = Arc::new(AtomicUsize::new(0));
        for number in 0..CALLS {
            let (client, ended) = (client.clone(), ended.clone());
            sim.spawn(async move {
                let prompt = format!("prompt number {number}");
                let (text, error) = read(&client, &prompt).await;
                match error {
                    None => assert_eq!(text, prompt),
                    Some(error) => {
                        let partial = error.partial().map(|partial| partial.text().into_owned());
                        assert_eq!(partial.unwrap_or_default(), text);
                        check(&error, &text);
                    }
                }
                ended.fetch_add(1, Ordering::Relaxed);
            });
        }
        sim.sleep(Duration::from_secs(600)).await;
        assert_eq!(ended.load(Ordering::Relaxed), CALLS, "no call is lost");
        client.close().await;
        let log = log.lock().unwrap();
        assert!(log.most_open <= 8, "{} sockets at once", log.most_open);
        assert_eq!(log.received.len(), CALLS);
        for (prompt, count) in &log.received {
            // Each cut repeats a call in progress at most once.
            let cuts = log.cut.get(prompt).copied().unwrap_or(0);
            assert!(
                *count <= 1 + cuts,
                "{prompt}: sent {count} times in {cuts} cuts"
            );
            let content = log.content.get(prompt).copied().unwrap_or(0);
            assert!(
                content <= 1,
                "{prompt} was sent again after its content began"
            );
        }
    });
}

fn client(sim: &Arc<SimExecutor>, log: &SharedLog, cut: f64, most_cuts: usize) -> LlmClient {
    let wires = Wires {
        sim: sim.clone(),
        log: log.clone(),
        cut,
        most_cuts: AtomicUsize::new(most_cuts),
    };
    let transport = WebSocketTransport::builder(sim.clone(), wires, NoHttp).max_lanes(8);
    let provider = Provider::new(
        "sim",
        "https://api.test/v1",
        "m",
        OpenAiResponses::default(),
    );
    LlmClient::builder(sim.clone(), Arc::new(transport.build()))
        .provider(provider.with_api_key("sk-simulated"))
        .workers(CALLS)
        .max_attempts(20)
        .timeout(Duration::from_secs(3_600))
        .build()
        .unwrap()
}

/// Reads a stream to its end. Returns the text, and the error that ended it.
async fn read(client: &LlmClient, prompt: &str) -> (String, Option<Error>) {
    let mut stream = client.chat_async(prompt).stream();
    let mut text = String::new();
    while let Some(piece) = stream.next_text().await {
        match piece {
            Ok(piece) => text.push_str(&piece),
            Err(error) => return (text, Some(error)),
        }
    }
    (text, None)
}

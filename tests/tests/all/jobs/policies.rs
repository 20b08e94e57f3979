//! Queue, rate limits, retries, timeouts and cancellation apply to embeddings and lists of models
//! too.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{ErrorKind, Operation, Phase, RateLimits};
use chatcore_adapters::sim::Sim;
use serde_json::json;

use super::{Heard, Reply, client, openai, vectors};

fn overloaded() -> Reply {
    Reply::ok(json!({"error": {"message": "too busy"}})).status(503)
}

#[test]
fn a_failed_request_is_sent_again_with_its_texts() {
    let sim = Sim::new(5);
    let heard = Arc::new(Heard::default());
    let observer = heard.clone();
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.observer(observer),
        |number, sent| match number {
            0 => overloaded(),
            _ => vectors(sent),
        },
    );
    let call = client.embed(["a", "b"]);
    let answer = sim.run(async move { call.await }).unwrap();
    assert_eq!((answer.vectors.len(), answer.attempts), (2, 2));
    let sent = provider.sent();
    assert_eq!(sent[0].body, sent[1].body);
    assert!(sent[1].at > 0.0);
    let of = Operation::Embeddings;
    assert_eq!(heard.all(), [(of, "retrying"), (of, "succeeded")]);

    let call = client.embed(["a"]).max_attempts(1);
    sim.run(async move { call.await }).unwrap();
}

#[test]
fn an_error_says_what_the_provider_said() {
    let sim = Sim::new(5);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b,
        |_, _| {
            Reply::ok(json!({"error": {"message": "no such model", "code": "model_not_found"}}))
                .status(404)
        },
    );
    let call = client.embed(["a"]);
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.code(), Some("model_not_found"));
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!((error.attempts(), provider.sent().len()), (1, 1));
    let error = sim.run(async move { client.models().await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn rate_limits_count_requests_and_tokens() {
    let sim = Sim::new(5);
    // 400 characters are about 100 tokens.
    let limits = RateLimits::default().tokens_per_minute(150);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.rate_limits(limits).timeout(Duration::from_secs(600)),
        |_, _| Reply::ok(json!({"data": [{"embedding": [1]}]})),
    );
    sim.run(async move {
        for _ in 0..2 {
            client.embed(["x".repeat(400)]).await.unwrap();
        }
        let ids = client.models().await;
        // A list of models costs no tokens and is not refused.
        assert_eq!(ids.unwrap(), []);
    });
    let sent = provider.sent();
    assert!(sent[1].at - sent[0].at > 10.0, "{sent:?}");
}

#[test]
fn a_limit_that_was_set_holds_for_all_requests_together() {
    let sim = Sim::new(5);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.workers(1),
        |_, sent| vectors(sent).after(20),
    );
    let texts = vec!["x"; 2048 * 4];
    // By default each request has a timeout of 30 s.
    let call = client.embed(texts.clone());
    sim.run(async move { call.await }).unwrap();
    assert_eq!(provider.sent().len(), 4);
    let call = client.embed(texts.clone()).timeout(Duration::from_secs(50));
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert!(error.to_string().contains("50s"), "{error}");
    assert_eq!(provider.sent().len(), 7);
    assert_eq!(provider.running(), 0);
    // For a patient call, the timeout applies to each attempt.
    let call = client
        .embed(texts)
        .timeout(Duration::from_secs(30))
        .patient();
    sim.run(async move { call.await }).unwrap();
}

#[test]
fn default_limits_fit_the_work() {
    let sim = Sim::new(5);
    let (client, _) = client(&sim, openai(), |b| b, |_, sent| vectors(sent).after(40));
    let small = client.embed(["x"]);
    let error = sim.run(async move { small.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // About 25,000 tokens add 22 s to the timeout.
    let large = client.embed(["x".repeat(100_000)]);
    sim.run(async move { large.await }).unwrap();
}

#[test]
fn a_dropped_call_frees_all_it_held() {
    let sim = Sim::new(5);
    let heard = Arc::new(Heard::default());
    let observer = heard.clone();
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.workers(2).observer(observer),
        |_, sent| vectors(sent).after(20),
    );
    let executor = sim.executor();
    let call = client.embed(vec!["x"; 2048 * 4]).into_future();
    let waiter = client.clone();
    sim.run(async move {
        let late = async {
            executor.sleep(Duration::from_secs(5)).await;
        };
        futures_lite::future::or(async { drop(call.await) }, late).await;
        assert_eq!((provider.running(), provider.sent().len()), (0, 2));
        let status = waiter.status();
        assert_eq!((status.active, status.queued, status.cancelled), (0, 0, 2));
        waiter.close().await;
        let error = waiter.embed(["a"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        let error = waiter.models().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
    let of = Operation::Embeddings;
    assert_eq!(heard.all()[..2], [(of, "cancelled"), (of, "cancelled")]);
}

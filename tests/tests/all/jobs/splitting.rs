//! Embedding more texts than one request can hold.

use chatcore::ErrorKind;
use chatcore_adapters::sim::Sim;

use super::{Reply, client, openai, vectors};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|n| "x".repeat(n % 50 + 1)).collect()
}

#[test]
fn several_requests_are_joined_in_order() {
    let sim = Sim::new(3);
    // The first request takes longest.
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.workers(2),
        |number, sent| vectors(sent).after(10 - number as u64),
    );
    let call = client.embed(texts(2048 * 3 + 5));
    let answer = sim.run(async move { call.await }).unwrap();
    assert_eq!(answer.vectors.len(), 2048 * 3 + 5);
    for (n, vector) in answer.vectors.iter().enumerate() {
        assert_eq!(vector[0], (n % 50 + 1) as f32, "{n}");
    }
    let sizes: Vec<_> = (provider.sent().iter())
        .map(|sent| sent.texts().len())
        .collect();
    assert_eq!(sizes, [2048, 2048, 2048, 5]);
    // At most as many requests at once as the client has workers.
    assert_eq!(provider.most(), 2);
    let usage = answer.usage.unwrap();
    assert_eq!(usage.input_tokens, 2048 * 3 + 5);
    assert_eq!(answer.attempts, 4);
    let status = client.status();
    assert_eq!((status.started, status.succeeded), (4, 4));
    assert_eq!((status.active, status.queued), (0, 0));
}

#[test]
fn tokens_split_too() {
    let sim = Sim::new(3);
    let (client, provider) = client(&sim, openai(), |b| b, |_, sent| vectors(sent));
    // 100,000 characters are about 25,000 tokens; six such texts are half of the limit.
    let long = vec!["x".repeat(100_000); 13];
    let answer = sim.run(async move { client.embed(long).await }).unwrap();
    assert_eq!(answer.vectors.len(), 13);
    let sizes: Vec<_> = (provider.sent().iter())
        .map(|sent| sent.texts().len())
        .collect();
    assert_eq!(sizes, [6, 6, 1]);
}

#[test]
fn more_requests_than_may_wait_do_not_fill_the_queue() {
    let sim = Sim::new(3);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.workers(1).queue_size(1),
        |_, sent| vectors(sent).after(1),
    );
    let answer = sim.run(async move { client.embed(texts(2048 * 5)).await });
    assert_eq!(answer.unwrap().vectors.len(), 2048 * 5);
    assert_eq!(provider.sent().len(), 5);
}

#[test]
fn one_failure_ends_all_and_names_the_text() {
    let sim = Sim::new(3);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.workers(2),
        |number, sent| match number {
            0 => vectors(sent).after(60),
            // One vector is missing.
            _ => Reply::ok(vectors(sent).body.replace("\"index\":7", "\"index\":6")).after(1),
        },
    );
    let call = client.embed(texts(2048 * 3));
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error.to_string().contains("two vectors with the index 6"),
        "{error}"
    );
    // The first request was cancelled, and the third was never sent.
    assert_eq!(provider.sent().len(), 2);
    assert_eq!(provider.running(), 0);
    let status = client.status();
    assert_eq!((status.failed, status.cancelled, status.active), (1, 1, 0));
}

#[test]
fn a_request_that_is_too_large_says_which_text_it_is() {
    let sim = Sim::new(3);
    let (client, provider) = client(
        &sim,
        openai(),
        |b| b.max_request_bytes(400),
        |_, sent| vectors(sent),
    );
    let call = client.embed(["x".repeat(150), "x".repeat(150), "x".repeat(500)]);
    let error = sim.run(async move { call.await }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error
            .to_string()
            .contains("number 2 (counted from 0), 500 bytes"),
        "{error}"
    );
    assert!(provider.sent().len() <= 2);
}

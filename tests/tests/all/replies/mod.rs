//! Server replies that once caused errors, each with the right result, over real sockets.
//!
//! They are read from `streams.jsonl` in the folder `CHATCORE_FAULTS`, or else from
//! `../shared/faults` beside the checkout. Without that file these tests are ignored.

mod right;
mod server;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chatcore::{ChatResponse, Error, LlmClient, LlmClientBuilder, Provider, RetryPolicy};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::transport::{Http1Transport, UreqTransport};
use futures_lite::future::block_on;
use serde_json::Value;

use server::{Scale, Scripted};

/// How an answer is requested.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Whole,
    Streamed,
}

/// The native pairs of executor and transport.
fn builders() -> [(&'static str, LlmClientBuilder); 2] {
    let smol = Arc::new(SmolExecutor::new());
    let pool = ThreadPool::new(2).unwrap();
    [
        (
            "http1",
            LlmClient::builder(smol.clone(), Arc::new(Http1Transport::new(smol))),
        ),
        (
            "ureq",
            LlmClient::builder(Arc::new(pool.clone()), Arc::new(UreqTransport::new(pool))),
        ),
    ]
}

fn provider(dialect: &str, base_url: String) -> Provider {
    match dialect {
        "openai_chat" => Provider::openai_compatible(format!("{base_url}/v1"), "m"),
        "anthropic" => Provider::anthropic()
            .with_base_url(base_url)
            .with_api_key("sk-ant-test"),
        other => panic!("there is no dialect {other}"),
    }
}

fn ask(client: &LlmClient, way: Way) -> Result<ChatResponse, Error> {
    // Longer than any reply takes, so only a hang reaches it.
    let call = client.chat_async("hi").timeout(Duration::from_secs(180));
    match way {
        Way::Whole => block_on(call.into_future()),
        Way::Streamed => block_on(call.stream().into_response()),
    }
}

/// What is wrong with the results of a row, for each transport and way.
fn faults(row: &Value, scale: Scale) -> Vec<String> {
    let name = row["name"].as_str().unwrap();
    let dialect = row["dialect"].as_str().unwrap();
    let mut faults = Vec::new();
    for (transport, builder) in builders() {
        let server = Scripted::start(row["server"].as_array().unwrap(), scale);
        let mut retry = RetryPolicy::default();
        retry.base = Duration::from_millis(1);
        let provider = provider(dialect, server.base_url());
        let client = builder.provider(provider).retry(retry).build().unwrap();
        for way in [Way::Whole, Way::Streamed] {
            let before = server.requests();
            let told = ask(&client, way);
            let requests = server.requests() - before;
            if let Err(why) = right::check(name, way, &told, requests) {
                let right = &row["right"];
                faults.push(format!(
                    "{name}, {transport}, {way:?}: {why}\n  {told:?}\n  after {requests} \
                     requests; right is {right}"
                ));
            }
        }
    }
    faults
}

fn check(scale: Scale, is_chosen: fn(&Value) -> bool) {
    let path = Path::new(env!("FAULTS")).join("streams.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let rows: Vec<Value> = rows.filter(is_chosen).collect();
    // Run concurrently, because some rows wait.
    let faults: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = rows
            .iter()
            .map(|row| scope.spawn(move || faults(row, scale)))
            .collect();
        let faults = threads.into_iter().map(|thread| thread.join().unwrap());
        faults.flatten().collect()
    });
    println!("{} rows", rows.len());
    assert!(!rows.is_empty(), "there is no row");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
#[cfg_attr(not(has_faults), ignore = "no replies: set CHATCORE_FAULTS")]
fn each_reply_has_its_right_result() {
    check(Scale::Tenth, |_| true);
}

#[test]
#[ignore = "it waits as long as the replies do"]
fn each_slow_reply_has_its_right_result() {
    check(Scale::Full, |row| {
        row["server"].to_string().contains("wait_s")
    });
}

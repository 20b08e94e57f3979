//! Batches from journals: whatever dies and whenever, no item is lost and none has two results.

mod disks;
mod failures;
mod foreign;
mod kills;
mod leases;
pub(crate) mod mortal;
mod outages;

use std::collections::BTreeMap;
use std::sync::Arc;

use chatcore::{BatchProcessor, ChatRequest, ChatResponse, Executor, LlmClient};
use chatcore_adapters::sim::SimDisk;

/// A processor that sends its items with `client`.
fn processor(
    executor: Arc<dyn Executor>,
    client: &LlmClient,
    workers: usize,
) -> BatchProcessor<ChatRequest, ChatResponse> {
    let client = client.clone();
    BatchProcessor::new(executor, move |request| {
        client.ask(request).patient().into_future()
    })
    .max_workers(workers)
}

/// An input of this many items, with blank lines, in both short forms and OpenAI's form.
pub(crate) fn input(items: usize) -> String {
    let line = |number: usize| match number % 3 {
        0 => format!("{{\"prompt\":\"p{number}\",\"custom_id\":\"n{number}\"}}\n"),
        1 => format!("\n{{\"messages\":[{{\"role\":\"user\",\"content\":\"p{number}\"}}]}}\n"),
        _ => format!(
            "{{\"custom_id\":\"n{number}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\
             \"body\":{{\"messages\":[{{\"role\":\"user\",\"content\":\"p{number}\"}}]}}}}\n"
        ),
    };
    (0..items).map(line).collect()
}

/// How many results of each name a file has. Every line must be complete.
pub(crate) fn results(disk: &SimDisk, path: &str) -> BTreeMap<String, usize> {
    let text = String::from_utf8(disk.get(path)).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{path}: {text}");
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = line["custom_id"].as_str().unwrap().to_owned();
        *found.entry(id).or_default() += 1;
    }
    found
}

/// Asserts that each of `items` has exactly one result, an answer or an error.
pub(crate) fn assert_each_once(disk: &SimDisk, items: usize) {
    let mut found = results(disk, "out.jsonl");
    for (id, times) in results(disk, "out.errors.jsonl") {
        *found.entry(id).or_default() += times;
    }
    let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "twice: {twice:?}");
    assert_eq!(found.len(), items, "an item is lost");
}

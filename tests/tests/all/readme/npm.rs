//! What the npm package's README says of variables and defaults.

use std::time::Duration;

use chatcore::{BatchProcessor, DEFAULT_GATHER_LIMIT, Defaults, Timeouts};

use super::{grouped, says};

const FILE: &str = "wasm/README.md";

fn milliseconds(duration: Duration) -> String {
    grouped(duration.as_millis().try_into().unwrap())
}

#[test]
fn the_defaults_of_calls_and_helpers_are_the_codes() {
    type Batch = BatchProcessor<(), ()>;
    let limits = Timeouts::default();
    let [connect, idle] = [limits.connect, limits.byte_idle].map(Option::unwrap);
    let (prompt, conversation) = (Defaults::PROMPT, Defaults::CONVERSATION);
    let [of_prompt, of_conversation] = [prompt, conversation].map(|of| of.temperature.unwrap());
    let tokens = prompt.max_tokens.unwrap();
    for words in [
        format!("| `temperature` | {of_prompt}; {of_conversation} for a conversation |"),
        format!("| `maxTokens` | {tokens} |"),
        format!("temperature {of_prompt} and at most {tokens} tokens unless told otherwise"),
        format!("likewise for a conversation; temperature {of_conversation} |"),
        format!("`byteIdle` ({};", milliseconds(idle)),
        format!(
            "A connection may take {} seconds in Node",
            connect.as_secs()
        ),
        format!(
            "in their order; concurrency {} |",
            Batch::DEFAULT_MAX_WORKERS
        ),
        format!("at most `limit` at once (default {DEFAULT_GATHER_LIMIT})"),
        format!(
            "`batchSize` (how many added requests make a batch; default {})",
            Batch::DEFAULT_BATCH_SIZE
        ),
        format!(
            "`maxWorkers` (how many items run at once in each batch; default {})",
            Batch::DEFAULT_MAX_WORKERS
        ),
        format!(
            "request of a batch waits for others; default {})",
            milliseconds(Batch::DEFAULT_TIMEOUT)
        ),
        format!(
            "`maxConcurrentBatches` (of added requests; default {})",
            Batch::DEFAULT_CONCURRENT_BATCHES
        ),
    ] {
        assert!(says(FILE, &words), "{FILE} does not say: {words}");
    }
}

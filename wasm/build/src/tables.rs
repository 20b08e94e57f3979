//! What stands in a table of the core, as TypeScript, so that it stands nowhere else.

use std::fmt::Write;
use std::time::Duration;

use chatcore::{
    Adaptive, BatchProcessor, DEFAULT_GATHER_LIMIT, ErrorKind, Hedging, Phase, Timeouts,
};
use serde_json::{Value, json};

/// The module `wasm/ts/tables.ts`.
pub(crate) fn typescript() -> String {
    let mut out = String::from(
        "// Made by the build (wasm/build/src/tables.rs) from the tables of the core, and not kept in git.\n",
    );
    words(
        &mut out,
        "ErrorCode",
        "The kinds of error, in one word each.",
        ErrorKind::ALL.iter().map(|kind| kind.as_str()),
    );
    words(
        &mut out,
        "TimeoutPhase",
        "Which time limit of a call ran out.",
        Phase::ALL.iter().map(|phase| phase.as_str()),
    );
    let limits = Timeouts::default();
    let limits = json!({
        "queue": limits.queue.map(milliseconds),
        "connect": limits.connect.map(milliseconds),
        "headers": limits.headers.map(milliseconds),
        "firstContent": limits.first_content.map(milliseconds),
        "byteIdle": limits.byte_idle.map(milliseconds),
        "contentIdle": limits.content_idle.map(milliseconds),
        "attempt": limits.attempt.map(milliseconds),
        "overall": limits.overall.map(milliseconds),
        "total": limits.total.map(milliseconds),
    });
    constant(
        &mut out,
        "TIMEOUTS",
        "Time limits in milliseconds; null is none.",
        limits,
    );
    let adaptive = Adaptive::default();
    let adaptive = json!({ "start": adaptive.start, "min": adaptive.min, "max": adaptive.max });
    constant(&mut out, "ADAPTIVE", "Of the option `adaptive`.", adaptive);
    let quantiles = json!({
        "least": Hedging::QUANTILES.start(),
        "most": Hedging::QUANTILES.end(),
    });
    constant(
        &mut out,
        "QUANTILES",
        "What the option `hedging` may have as its quantile.",
        quantiles,
    );
    type Batch = BatchProcessor<(), ()>;
    let batch = json!({
        "batchSize": Batch::DEFAULT_BATCH_SIZE,
        "maxWorkers": Batch::DEFAULT_MAX_WORKERS,
        "timeoutMs": milliseconds(Batch::DEFAULT_TIMEOUT),
        "maxConcurrentBatches": Batch::DEFAULT_CONCURRENT_BATCHES,
    });
    constant(&mut out, "BATCH", "Of a BatchProcessor.", batch);
    constant(
        &mut out,
        "GATHER_LIMIT",
        "Of `gatherWithLimit`.",
        DEFAULT_GATHER_LIMIT.into(),
    );
    out
}

/// A constant, of which the declarations of the package show nothing.
fn constant(out: &mut String, name: &str, doc: &str, value: Value) {
    let _ = write!(
        out,
        "\n/** @internal {doc} */\nexport const {name} = {value:#} as const;\n"
    );
}

/// A type that is one of some words.
fn words<'a>(out: &mut String, name: &str, doc: &str, words: impl Iterator<Item = &'a str>) {
    let _ = write!(out, "\n/** {doc} */\nexport type {name} =");
    for word in words {
        let _ = write!(out, "\n  | '{word}'");
    }
    out.push_str(";\n");
}

fn milliseconds(duration: Duration) -> Value {
    u64::try_from(duration.as_millis()).map_or(Value::Null, Value::from)
}

//! The variables and defaults in the npm package's README.

use std::time::Duration;

use chatcore::chat::ReasoningEffort;
use chatcore::{
    BatchProcessor, DEFAULT_GATHER_LIMIT, Defaults, ErrorKind, KNOWN_PROVIDERS, LlmClientBuilder,
    Phase, SETTINGS, SettingKind, Timeouts,
};

use super::{grouped, read, says};

const FILE: &str = "wasm/README.md";

fn milliseconds(duration: Duration) -> String {
    grouped(duration.as_millis().try_into().unwrap())
}

/// A default in the README's format.
fn shown(kind: SettingKind, default: &str) -> String {
    match kind {
        SettingKind::Count { .. } => grouped(default.parse().unwrap()),
        SettingKind::Seconds => milliseconds(Duration::from_secs_f64(default.parse().unwrap())),
        _ => format!("`{default}`"),
    }
}

/// The rows of the README's tables, as cells.
fn rows() -> Vec<Vec<String>> {
    let readme = read(FILE);
    let rows = readme.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    })
    .collect()
}

#[test]
fn every_variable_has_its_row_and_its_default() {
    let rows = rows();
    for setting in SETTINGS {
        let name = format!("`{}`", setting.var);
        assert!(read(FILE).contains(&name), "{FILE} does not name {name}");
        if setting.default.is_empty() || setting.var.starts_with("XWE_") {
            continue;
        }
        let row = rows
            .iter()
            .find(|row| row.len() == 4 && row[1].starts_with(&name))
            .unwrap_or_else(|| panic!("{FILE} has no option for {name}"));
        let expected = shown(setting.kind, setting.default);
        assert!(
            row[2].starts_with(&expected),
            "{name}: {expected}, not {}",
            row[2]
        );
    }
}

/// The cells of the row for this client option.
fn option(name: &str) -> Vec<String> {
    let name = format!("`{name}`");
    let row = rows().into_iter().find(|row| row[0] == name);
    row.unwrap_or_else(|| panic!("{FILE} has no option {name}"))
}

#[test]
fn rows_that_list_words_list_all_of_them() {
    let providers = option("provider").concat();
    for known in KNOWN_PROVIDERS {
        assert!(
            providers.contains(&format!("`{}`", known.name)),
            "{}",
            known.name
        );
    }
    let efforts = option("reasoningEffort").concat();
    for word in ReasoningEffort::WORDS {
        assert!(efforts.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_kind_of_error_has_its_row() {
    let rows = rows().concat().concat();
    for word in ErrorKind::ALL.iter().map(|kind| kind.as_str()) {
        assert!(
            rows.contains(&format!("`{word}`")),
            "{FILE} does not name {word}"
        );
    }
    for word in Phase::ALL.iter().map(|phase| phase.as_str()) {
        assert!(
            rows.contains(&format!("`{word}`")),
            "{FILE} does not name {word}"
        );
    }
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
        format!("| `maxTokens` | {tokens}"),
        format!(
            "| `maxRequestBytes` | – | {} |",
            grouped(LlmClientBuilder::DEFAULT_MAX_REQUEST_BYTES as u64)
        ),
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

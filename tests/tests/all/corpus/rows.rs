//! Rows of the recordings.

use std::path::Path;

use chatcore::{Dialect, dialect};
use serde_json::Value;

/// The dialect for a recording's `dialect` name, if chatcore has it.
pub(super) fn dialect(name: &str) -> Option<Box<dyn Dialect>> {
    match name {
        "ollama-chat" => Some(Box::new(dialect::OllamaChat::default())),
        "openai-chat" => Some(Box::new(dialect::OpenAiChat::default())),
        "gemini" => Some(Box::new(dialect::Gemini::default())),
        "openai-responses" => Some(Box::new(dialect::OpenAiResponses::default())),
        "anthropic" => Some(Box::new(dialect::Anthropic::default())),
        _ => None,
    }
}

/// Calls `check` with each row of `file` in a known dialect, and returns the number of these rows.
pub(super) fn each(file: &str, mut check: impl FnMut(&Value, &dyn Dialect)) {
    // The build script found this folder.
    let folder = env!("CORPUS");
    let text = std::fs::read_to_string(Path::new(folder).join(file)).unwrap();
    let mut count = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        if let Some(dialect) = dialect(row["dialect"].as_str().unwrap()) {
            check(&row, &*dialect);
            count += 1;
        }
    }
    println!("{file}: {count} rows");
    assert!(count > 0, "{file} has no row of any dialect");
}

/// The name of a row in a failure message.
pub(super) fn name(row: &Value) -> String {
    format!("{} {} {}", row["dialect"], row["id"], row["provider"])
}

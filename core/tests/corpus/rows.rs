//! Rows of the recordings.

use std::path::PathBuf;

use chatcore::{Dialect, dialect};
use serde_json::Value;

/// The folder of the recordings, if there is one.
fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CHATCORE_CORPUS") {
        let folder = PathBuf::from(folder);
        assert!(folder.is_dir(), "CHATCORE_CORPUS is no folder: {folder:?}");
        return Some(folder);
    }
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
    Some(PathBuf::from(beside)).filter(|folder| folder.is_dir())
}

/// The dialects that the recordings are held against, by the recordings' names.
pub(crate) fn dialect(name: &str) -> Option<Box<dyn Dialect>> {
    match name {
        "openai-chat" => Some(Box::new(dialect::OpenAiChat::default())),
        "anthropic" => Some(Box::new(dialect::Anthropic::default())),
        _ => None,
    }
}

/// Calls `check` with each row of `file` whose dialect there is, and tells how many there were.
pub(crate) fn each(file: &str, mut check: impl FnMut(&Value, &dyn Dialect)) {
    let Some(folder) = folder() else {
        println!("ignored: no recordings; set CHATCORE_CORPUS to their folder");
        return;
    };
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
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

/// What a row is called in a failure.
pub(crate) fn name(row: &Value) -> String {
    format!("{} {} {}", row["dialect"], row["id"], row["provider"])
}

//! Paths of the workspace.

use std::path::{Path, PathBuf};

/// The folder of this workspace.
pub(crate) fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

pub(crate) fn repository() -> PathBuf {
    peers().join("../..")
}

/// A program of this workspace, built with the same profile as the harness.
pub(crate) fn program(name: &str) -> PathBuf {
    let harness = std::env::current_exe().unwrap_or_default();
    harness.with_file_name(name)
}

/// litellm has a separate environment, because its pinned dependencies conflict with the newest
/// `openai`.
pub(crate) fn python(peer: &str) -> PathBuf {
    let name = match peer {
        "litellm" => "venv-litellm",
        _ => "venv",
    };
    peers().join("target").join(name).join("bin/python")
}

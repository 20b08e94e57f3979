//! Runs the program in a temporary folder.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use chatcore_conformance::server::Server;
use serde_json::Value;

/// A temporary folder that is deleted when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chatcore-cli-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// How many results of each name a file has. A last line without a line end is ignored.
    pub(crate) fn results(&self, name: &str) -> BTreeMap<String, usize> {
        let text = self.read(name);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let mut found = BTreeMap::new();
        for line in whole.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let id = line["custom_id"].as_str().unwrap().to_owned();
            *found.entry(id).or_default() += 1;
        }
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program in a folder, without the environment of the user who runs the tests.
pub(crate) fn chatcore(folder: &Folder) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatcore"));
    command.current_dir(&folder.0).env_clear();
    // Variables that a process needs on any system.
    for name in ["PATH", "SystemRoot", "TMPDIR", "HOME", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// The program with a server whose path sets these behaviours.
pub(crate) fn against(folder: &Folder, server: &Server, path: &str) -> Command {
    let mut command = chatcore(folder);
    command
        .env("LLM_PROVIDER", "openai_compatible")
        .env("LLM_MODEL", "m")
        .env("LLM_BASE_URL", server.url(&format!("/{path}/v1")));
    command
}

/// This many requests, each with its number.
pub(crate) fn requests(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            "{{\"custom_id\":\"n{number}\",\"prompt\":\"p{number}\"}}"
        )
        .unwrap();
        text
    })
}

/// The exit status of a run, and its standard output and standard error.
pub(crate) fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// Runs a command and collects its result.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    outcome(&command.output().unwrap())
}

//! The conditions of a measurement: date, machine, command, versions.

use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::plan::{Language, PEERS};
use crate::{paths, size};

pub(crate) fn about(command: &str) -> Value {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<f64>().ok())
        .map(|kib| (kib / 1024.0 / 1024.0).round());
    json!({
        "date": said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gib": memory,
        "kernel": said("uname", &["-sr"]),
        "rustc": said("rustc", &["--version"]),
        "node": said("node", &["--version"]),
        "python": said("python3", &["--version"]),
        "commit": said("git", &["-C", &paths::repository().to_string_lossy(), "rev-parse", "--short", "HEAD"]),
        "load_before": fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next(),
        "command": command,
        "versions": versions(),
    })
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    size::output(command)
        .ok()
        .map(|said| said.trim().to_owned())
}

fn versions() -> Value {
    let lock = fs::read_to_string(paths::peers().join("Cargo.lock")).unwrap_or_default();
    let mut versions = Map::new();
    for peer in PEERS {
        let version = match peer.language {
            Language::Rust => lock
                .split("[[package]]")
                .find_map(|package| {
                    package
                        .split_once(&format!("name = \"{}\"\nversion = \"", peer.package))
                        .and_then(|(_, rest)| rest.split('"').next())
                })
                .map(str::to_owned),
            Language::Python => said(
                &paths::python(peer.name).to_string_lossy(),
                &[
                    "-c",
                    &format!(
                        "import importlib.metadata as m; print(m.version('{}'))",
                        peer.package
                    ),
                ],
            ),
            Language::Node => {
                let folder = match peer.package {
                    "chatcore" => paths::repository().join("wasm"),
                    package => paths::peers().join("node/node_modules").join(package),
                };
                fs::read_to_string(folder.join("package.json"))
                    .ok()
                    .and_then(|text| serde_json::from_str::<Value>(&text).ok())
                    .and_then(|package| package["version"].as_str().map(str::to_owned))
                    .or_else(|| said("node", &["--version"]))
            }
        };
        if let Some(version) = version {
            versions.insert(peer.name.to_owned(), version.into());
        }
    }
    versions.into()
}

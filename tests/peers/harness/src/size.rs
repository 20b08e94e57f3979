//! The size of a client: its program, dependency tree, build time and bundle.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::plan::{Language, PEERS, Peer};
use crate::{Result, paths};

/// The size of the stripped program that chats once, and its number of crates. With `builds`, also
/// the time of a clean build (with the sources already downloaded).
pub(crate) fn programs(builds: bool) -> Result<Vec<Value>> {
    let mut sizes = Vec::new();
    for peer in PEERS {
        if peer.language == Language::Rust && peer.once {
            sizes.push(program(peer, builds)?);
        }
    }
    Ok(sizes)
}

fn program(peer: &Peer, builds: bool) -> Result<Value> {
    let package = format!("once-{}", peer.name);
    let stripped = paths::peers().join("target/stripped");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&stripped).arg(paths::program(&package));
    output(strip)?;
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--prefix", "none", "-e", "normal,build"]);
    tree.args(["-p", &package]);
    let tree = output(tree)?;
    // A repeated crate is marked with a star. The first line is the program itself.
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| {
            line.trim_end_matches(" (*)")
                .trim_end_matches(" (proc-macro)")
        })
        .filter(|line| !line.is_empty() && !line.starts_with(&package))
        .collect();
    let mut size = json!({
        "peer": peer.name,
        "stripped_bytes": fs::metadata(&stripped)?.len(),
        "crates": crates.len(),
    });
    if builds {
        let target = paths::peers().join("target/clean");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        let mut build = cargo();
        build.args(["build", "--release", "--locked", "--quiet", "-p", &package]);
        build.arg("--target-dir").arg(&target);
        let began = Instant::now();
        output(build)?;
        size["clean_build_s"] = began.elapsed().as_secs_f64().into();
        fs::remove_dir_all(&target)?;
    }
    Ok(size)
}

fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(paths::peers());
    command
}

/// The bytes that a page loads, minified and compressed.
pub(crate) fn bundles() -> Result<Value> {
    let mut bundle = Command::new("node");
    bundle.arg(paths::peers().join("node/bundle.mjs"));
    Ok(serde_json::from_str(&output(bundle)?)?)
}

pub(crate) fn output(mut command: Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}\n{complaint}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

//! Finds what some tests need from outside, so that they are reported as ignored without it.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_corpus)");
    println!("cargo::rustc-check-cfg=cfg(has_faults)");
    println!("cargo::rustc-check-cfg=cfg(has_engine)");
    println!("cargo::rustc-check-cfg=cfg(has_aimock)");
    println!("cargo::rustc-check-cfg=cfg(has_mcp)");
    println!("cargo::rerun-if-changed=build.rs");
    for var in [
        "CHATCORE_CORPUS",
        "CHATCORE_FAULTS",
        "CHATCORE_LLAMACPP",
        "CHATCORE_AIMOCK",
        "CHATCORE_MCP",
    ] {
        println!("cargo::rerun-if-env-changed={var}");
    }

    // Recorded traffic of providers.
    if folder("CHATCORE_CORPUS", "corpus", "CORPUS") {
        println!("cargo::rustc-cfg=has_corpus");
    }
    // Server replies that once went wrong, each with the right result.
    if folder("CHATCORE_FAULTS", "faults", "FAULTS") {
        println!("cargo::rustc-cfg=has_faults");
    }

    // A real engine: the base URL of a llama.cpp server.
    if env::var_os("CHATCORE_LLAMACPP").is_some() {
        println!("cargo::rustc-cfg=has_engine");
    }

    // A server that speaks every dialect: the base URL of an aimock.
    if env::var_os("CHATCORE_AIMOCK").is_some() {
        println!("cargo::rustc-cfg=has_aimock");
    }

    // Real MCP servers: the folder where they are installed.
    if env::var_os("CHATCORE_MCP").is_some() {
        println!("cargo::rustc-cfg=has_mcp");
    }
}

/// Looks for a folder that the variable `given` names, or else for `../shared/{name}` beside the
/// repository, and tells the tests its path as `env!(told)`. Whether it exists.
///
/// A variable that names no folder is an error: its tests were asked for.
fn folder(given: &str, name: &str, told: &str) -> bool {
    let path = match env::var_os(given).map(PathBuf::from) {
        Some(path) => {
            assert!(path.is_dir(), "{given} is no folder: {path:?}");
            path
        }
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared")
            .join(name),
    };
    println!("cargo::rerun-if-changed={}", path.display());
    println!("cargo::rustc-env={told}={}", path.display());
    path.is_dir()
}

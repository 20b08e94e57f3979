//! Finds what some tests need from outside, so that they are reported as ignored without it.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(has_corpus)");
    println!("cargo::rustc-check-cfg=cfg(has_engine)");
    println!("cargo::rerun-if-changed=build.rs");
    for var in ["CHATCORE_CORPUS", "CHATCORE_LLAMACPP"] {
        println!("cargo::rerun-if-env-changed={var}");
    }

    // Recorded traffic of providers.
    let given = env::var_os("CHATCORE_CORPUS").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    if let Some(given) = &given {
        assert!(given.is_dir(), "CHATCORE_CORPUS is no folder: {given:?}");
    }
    let corpus = given.unwrap_or(beside);
    println!("cargo::rerun-if-changed={}", corpus.display());
    if corpus.is_dir() {
        println!("cargo::rustc-cfg=has_corpus");
    }
    println!("cargo::rustc-env=CORPUS={}", corpus.display());

    // A real engine: the base URL of a llama.cpp server.
    if env::var_os("CHATCORE_LLAMACPP").is_some() {
        println!("cargo::rustc-cfg=has_engine");
    }
}

//! The steps of the npm package's build that are done in Rust:
//!
//! - `chatcore-wasm-build bindings INPUT.wasm OUTPUT_DIR` writes the JavaScript bindings of a wasm file;
//! - `chatcore-wasm-build tables OUTPUT.ts` writes the core's tables as TypeScript.

mod bindings;
mod rules;
mod tables;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["bindings", input, output] => bindings::write(input, output),
        ["tables", output] => Ok(std::fs::write(output, tables::typescript()?)?),
        _ => Err("usage: bindings INPUT.wasm OUTPUT_DIR, or tables OUTPUT.ts".into()),
    }
}

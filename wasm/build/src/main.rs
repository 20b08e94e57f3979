//! The two steps of the npm package's build that are done in Rust:
//! `chatcore-wasm-build glue INPUT.wasm OUTPUT_DIR` writes the JavaScript glue of a wasm file, and
//! `chatcore-wasm-build pack INPUT OUTPUT` packs a file for `ts/unpack.ts`.

use std::error::Error;
use std::fs;
use std::io::Write;

use lzma_rust2::{LzmaOptions, LzmaWriter};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["glue", input, output] => glue(input, output),
        ["pack", input, output] => pack(input, output),
        _ => {
            Err("usage: chatcore-wasm-build glue INPUT.wasm OUTPUT_DIR | pack INPUT OUTPUT".into())
        }
    }
}

fn glue(input: &str, output: &str) -> Result<(), Box<dyn Error>> {
    Bindgen::new()
        .input_path(input)
        .out_name("core")
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(output)?;
    Ok(())
}

/// Raw LZMA, with neither a header nor an end marker.
fn pack(input: &str, output: &str) -> Result<(), Box<dyn Error>> {
    let mut options = LzmaOptions::with_preset(9);
    // wasm has no alignment, and what a byte means depends on the one before it.
    options.lc = 4;
    options.lp = 0;
    options.pb = 0;
    options.nice_len = LzmaOptions::NICE_LEN_MAX;
    options.depth_limit = 1000;
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, false)?;
    writer.write_all(&fs::read(input)?)?;
    fs::write(output, writer.finish()?)?;
    Ok(())
}

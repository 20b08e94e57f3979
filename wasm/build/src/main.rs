//! The step of the npm package's build that is done in Rust:
//! `chatcore-wasm-build INPUT.wasm OUTPUT_DIR` writes the JavaScript glue of a wasm file.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = &words[..] else {
        return Err("usage: chatcore-wasm-build INPUT.wasm OUTPUT_DIR".into());
    };
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

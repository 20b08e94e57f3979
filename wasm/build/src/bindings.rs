//! The JavaScript bindings of a wasm file, which wasm-bindgen writes.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

/// Writes the bindings of `input` into the folder `output`.
pub(crate) fn write(input: &str, output: &str) -> Result<(), Box<dyn Error>> {
    Bindgen::new()
        .input_path(input)
        .out_name("core")
        .web(true)?
        .typescript(true)
        .remove_name_section(false)
        .remove_producers_section(true)
        .generate(output)?;
    Ok(())
}

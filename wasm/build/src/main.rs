//! Writes the JavaScript glue of a wasm file: `chatcore-wasm-build INPUT.wasm OUTPUT_DIR`.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(input), Some(output)) = (words.next(), words.next()) else {
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

//! `tools`: functions that the model calls.

use std::io::Write;
use std::process::Stdio;

use super::{assert_in_order, command, printed, text};

const TOOLS: &str = env!("CARGO_BIN_EXE_tools");

#[test]
fn tools_are_called_and_their_results_told() {
    let printed = printed(TOOLS, &[]);
    assert_in_order(
        &printed,
        &[
            "> convert_temperature: 72 degrees to celsius",
            "convert_temperature({",
            "→ 22.2 °C",
            "The tool returned: 22.2 °C",
            "(2 turns, ",
        ],
    );
}

#[test]
fn tools_ask_before_a_call() {
    for (line, told) in [
        ("y\n", "→ 22.2 °C"),
        ("n\n", "→ error: the user does not want"),
    ] {
        let mut tools = command(TOOLS, &[]);
        tools.arg("--ask").stdin(Stdio::piped());
        let mut tools = tools.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = tools.stdin.take().unwrap();
        stdin.write_all(line.as_bytes()).unwrap();
        let output = tools.wait_with_output().unwrap();
        assert_in_order(text(&output.stdout), &["run convert_temperature(", told]);
    }
}

//! Runs the example programs offline, as a user does.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are no tests to clippy

mod custom_executor;
mod extract;
mod migration;
mod quickstart;
mod settings;
mod tools;

use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Output};

const QUICKSTART: &str = env!("CARGO_BIN_EXE_quickstart");
const MIGRATION: &str = env!("CARGO_BIN_EXE_migration");

const KEY: &str = "sk-never-shown-0123456789";

/// Runs a program with these variables, and with no others that could reach a provider by accident.
fn run(program: &str, vars: &[(&str, &str)]) -> Output {
    command(program, vars).output().unwrap()
}

fn command(program: &str, vars: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    // Variables that programs need on some systems. None of them concerns chatcore.
    for name in ["PATH", "SystemRoot", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.envs(vars.iter().copied());
    command
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The output of a program, which must succeed.
fn printed(program: &str, vars: &[(&str, &str)]) -> String {
    let output = run(program, vars);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    text(&output.stdout).to_owned()
}

fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            panic!("{part:?} is not where it should be in:\n{text}");
        };
        rest = behind;
    }
}

/// Reads the head of a request. `None` if the client has closed the connection.
fn read_head(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}

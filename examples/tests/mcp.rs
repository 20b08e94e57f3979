//! The program `mcp` with a server that is a shell script, and with the demo model.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests are no tests to clippy

use std::process::{Command, Output};

/// A server of the revision 2025-06-18 with one tool.
const SERVER: &str = r#"
answer() { printf '{"jsonrpc": "2.0", "id": %s, "result": %s}\n' "$id" "$1"; }
while read -r line; do
    id=${line#*\"id\":}; id=${id%%[!0-9]*}
    case $line in
    *'"initialize"'*)
        answer '{"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
            "serverInfo": {"name": "shell", "version": "1"}}' | tr -d '\n'; echo ;;
    *'"tools/list"'*)
        answer '{"tools": [{"name": "shout", "description": "Shouts.\nLoudly.", "inputSchema": {"type": "object",
            "properties": {"text": {"type": "string"}}, "required": ["text"]}}]}' | tr -d '\n'; echo ;;
    *'"tools/call"'*) answer '{"content": [{"type": "text", "text": "HELLO!"}]}' ;;
    *'"id"'*)
        printf '{"jsonrpc": "2.0", "id": %s, "error": {"code": -32601, "message": "unknown"}}\n' "$id" ;;
    esac
done
"#;

fn mcp(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp"));
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.args(args).output().unwrap()
}

fn printed(args: &[&str]) -> String {
    let output = mcp(&[args, &["sh", "-c", SERVER]].concat());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_lists_calls_and_asks() {
    let server = "shell 1, MCP 2025-06-18\n";
    let listed = "  shout: Shouts.\n      arguments: {\"text\":{\"type\":\"string\"}}\n";
    assert_eq!(printed(&[]), format!("{server}{listed}"));
    let called = printed(&["--call", "shout", r#"{"text": "hello"}"#]);
    assert_eq!(called, format!("{server}result: HELLO!\n"));
    let asked = printed(&["--ask", "shout: hello"]);
    assert!(
        asked.contains("  shout({\"text\":\"hello\"})\n  → HELLO!\n"),
        "{asked}"
    );
    assert!(asked.ends_with("(2 turns)\n"), "{asked}");
}

#[test]
fn it_says_what_is_wrong() {
    for (args, status, what) in [
        (&[][..], 2, "no server is named"),
        (&["--call", "shout", "{", "server"], 2, "not JSON"),
        (&["--call", "shout"], 2, "usage: mcp"),
        (&["/nonexistent/server"], 1, "cannot be started"),
        (&["http://example.com:x/mcp"], 1, "no valid port"),
    ] {
        let output = mcp(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(what), "{errors}");
    }
}

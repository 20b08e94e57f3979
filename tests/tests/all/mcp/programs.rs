//! Servers that are local programs.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{Executor, ToolError};
use chatcore_adapters::executor::{SmolExecutor, ThreadPool};
use chatcore_adapters::mcp::{McpClient, McpCommand, McpErrorKind};
use serde_json::json;
use smol::block_on;

/// Answers each request by its number: the handshake is 1, the first call 2. `$1` is what it does
/// with a call.
const SERVER: &str = r#"
answer() { printf '{"jsonrpc": "2.0", "id": %s, "result": %s}\n' "$1" "$2"; }
call=$1
while read -r line; do
    id=${line#*\"id\":}; id=${id%%[!0-9]*}
    case $line in
    *'"initialize"'*) answer "$id" '{"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}' ;;
    *'"tools/call"'*) eval "$call" ;;
    esac
done
"#;

fn text(text: &str) -> String {
    format!(r#"answer "$id" '{{"content": [{{"type": "text", "text": "'"{text}"'"}}]}}'"#)
}

fn command(call: &str) -> McpCommand {
    McpCommand::new("sh").args(["-c", SERVER, "server", call])
}

fn client(command: McpCommand) -> McpClient {
    let executor = Arc::new(SmolExecutor::new());
    let client = McpClient::stdio(executor, command).protocol_version("2025-06-18");
    client.build().unwrap()
}

#[test]
fn a_program_answers_on_every_executor() {
    let executors: [Arc<dyn Executor>; 2] = [
        Arc::new(SmolExecutor::new()),
        Arc::new(ThreadPool::new(2).unwrap()),
    ];
    for executor in executors {
        let client = McpClient::stdio(executor, command(&text("done")));
        let client = client.protocol_version("2025-06-18").build().unwrap();
        let result = block_on(client.call_tool("search", json!({}))).unwrap();
        assert_eq!(result.text(), "done");
        block_on(client.close());
        let error = block_on(client.call_tool("search", json!({}))).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Closed);
    }
}

#[test]
fn a_program_that_has_ended_is_started_again() {
    let client = client(command(&format!("{}; exit 7", text("$$"))));
    let pid = || block_on(client.call_tool("search", json!({}))).map(|result| result.text());
    let first = pid().unwrap();
    // The end may be seen before the next call or during it, which is not repeated.
    let second = loop {
        match pid() {
            Ok(pid) => break pid,
            Err(error) => assert_eq!(error.kind(), McpErrorKind::Interrupted, "{error}"),
        }
    };
    assert_ne!(first, second);
}

#[test]
fn the_end_of_a_program_says_how_and_why_but_no_secrets() {
    let secret = "key-0123456789";
    let call = "echo \"cannot log in with $KEY\" >&2; exit 7";
    let client = client(command(call).env("KEY", secret));
    let error = block_on(client.call_tool("search", json!({}))).unwrap_err();
    assert_eq!(error.kind(), McpErrorKind::Interrupted);
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("exit status: 7"), "{shown}");
    assert_eq!(error.stderr(), Some("cannot log in with [redacted]"));
    assert!(!shown.contains(secret) && !format!("{client:?}").contains(secret));
}

/// It may contain secrets of which the client knows nothing.
#[test]
fn no_model_reads_the_standard_error_of_a_program() {
    let client = client(command("echo 'the password is hunter2' >&2; exit 7"));
    let error = block_on(client.call_tool("search", json!({}))).unwrap_err();
    assert_eq!(error.stderr(), Some("the password is hunter2"));
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let read = format!("{} {error:?} {source:?}", ToolError::from(error.clone()));
    assert!(read.contains("exit status: 7"), "{read}");
    assert!(!read.contains("hunter2"), "{read}");
}

#[test]
fn a_program_inherits_few_variables() {
    let env = text("$(env | sed 's/=.*//' | sort | tr '\\n' ' ')");
    let names = |command: McpCommand| {
        let result = block_on(client(command).call_tool("env", json!({}))).unwrap();
        result
            .text()
            .split(' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let few = names(command(&env).env("MINE", "1"));
    assert!(
        few.contains(&"PATH".to_owned()) && few.contains(&"MINE".to_owned()),
        "{few:?}"
    );
    assert!(!few.iter().any(|name| name.starts_with("CARGO")), "{few:?}");
    let all = names(command(&env).inherit_env());
    assert!(all.iter().any(|name| name.starts_with("CARGO")), "{all:?}");
}

#[test]
fn a_program_that_cannot_be_started_says_so() {
    for program in ["/nonexistent/server", "/"] {
        let error = block_on(client(McpCommand::new(program)).connect()).unwrap_err();
        assert_eq!(error.kind(), McpErrorKind::Config, "{error}");
        assert!(error.to_string().contains(program), "{error}");
    }
}

/// A program that does not end by itself is killed, whether the client is closed or dropped.
#[test]
fn no_program_is_left_behind() {
    for is_closed in [true, false] {
        // It neither reads its input to the end nor ends.
        let call = format!("trap '' TERM HUP; {}; exec sleep 1000", text("$$"));
        let client = client(command(&call));
        let pid = block_on(client.call_tool("search", json!({})))
            .unwrap()
            .text();
        match is_closed {
            true => block_on(client.close()),
            false => drop(client),
        }
        if is_closed {
            assert!(!is_alive(&pid));
        }
        while is_alive(&pid) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Whether a process runs. One that has ended may be listed until its status was read.
fn is_alive(pid: &str) -> bool {
    let mut ps = std::process::Command::new("ps");
    let told = ps.args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8_lossy(&told.stdout);
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// As `npx` does: it starts the server, and ends or is killed without it.
#[test]
fn what_a_program_has_started_ends_with_it() {
    // It tells the number of a process of its own that does not read the input.
    let child = |setup: &str| {
        let told = text("$child");
        format!("({setup} exec sleep 1000) >/dev/null 2>&1 & child=$!; {told}")
    };
    for (setup, is_crash) in [
        ("", false),
        ("trap '' TERM;", false),
        ("trap '' TERM;", true),
    ] {
        let client = client(command(&match is_crash {
            false => child(setup),
            true => format!("{}; exit 7", child(setup)),
        }));
        let pid = block_on(client.call_tool("search", json!({}))).unwrap();
        let pid = pid.text();
        block_on(client.close());
        while is_alive(&pid) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

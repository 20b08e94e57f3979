//! The tools of an MCP server: lists them, calls one, or lets a model call them.
//!
//! ```text
//! mcp URL-OR-COMMAND…                       lists the server's tools
//! mcp --call NAME ARGUMENTS URL-OR-COMMAND… calls a tool with JSON arguments
//! mcp --ask PROMPT URL-OR-COMMAND…          lets a model answer with the tools
//! ```
//!
//! A URL is that of an MCP endpoint of streamable HTTP; `MCP_TOKEN` is sent to it as a bearer token.
//! Anything else is a program with its arguments.

#![allow(clippy::print_stdout, clippy::print_stderr)] // example programs talk to people

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use chatcore::serde_json::{self, Value};
use chatcore::{Message, Role, ToolLoopEvent, Toolbox};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::mcp::{McpClient, McpCommand, McpError};
use chatcore_adapters::run_async_in_sync;
use chatcore_adapters::transport::Http1Transport;
use chatcore_examples::{client_or_demo, put, say};

const USAGE: &str = "usage: mcp [--call NAME ARGUMENTS | --ask PROMPT] URL-OR-COMMAND…";

/// What the program is asked to do.
enum Job {
    List,
    Call { name: String, arguments: Value },
    Ask { prompt: String },
}

fn main() -> ExitCode {
    let (job, server) = match read(std::env::args().skip(1).collect()) {
        Ok(read) => read,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run_async_in_sync(run(job, server)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let error = error.downcast_ref::<McpError>();
            if let Some(stderr) = error.and_then(McpError::stderr) {
                eprintln!("the end of what the server wrote to its standard error:\n{stderr}");
            }
            ExitCode::FAILURE
        }
    }
}

fn read(mut args: Vec<String>) -> Result<(Job, Vec<String>), String> {
    let job = match args.first().map(String::as_str) {
        Some("--call") if args.len() > 3 => {
            let json = serde_json::from_str(&args[2]);
            let arguments = json.map_err(|error| format!("the arguments are not JSON: {error}"))?;
            let name = args[1].clone();
            args.drain(..3);
            Job::Call { name, arguments }
        }
        Some("--ask") if args.len() > 2 => {
            let prompt = args[1].clone();
            args.drain(..2);
            Job::Ask { prompt }
        }
        _ => Job::List,
    };
    match args.first() {
        None => Err("no server is named".to_owned()),
        Some(first) if first.starts_with("--") => Err(format!(
            "{first} is not known, or something after it is missing"
        )),
        Some(_) => Ok((job, args)),
    }
}

fn connect(server: Vec<String>) -> Result<McpClient, McpError> {
    let executor = Arc::new(SmolExecutor::new());
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    match &server[..] {
        [url] if is_url(url) => {
            let http = Http1Transport::new(executor.clone());
            let builder = McpClient::http(executor, http, url);
            match std::env::var("MCP_TOKEN") {
                Ok(token) => builder.bearer(token).build(),
                Err(_) => builder.build(),
            }
        }
        [program, args @ ..] => {
            McpClient::stdio(executor, McpCommand::new(program).args(args)).build()
        }
        [] => McpClient::stdio(executor, McpCommand::new("")).build(),
    }
}

async fn run(job: Job, server: Vec<String>) -> Result<(), Box<dyn Error>> {
    let client = connect(server)?;
    let server = client.connect().await?;
    say!(
        "{} {}, MCP {}",
        server.name,
        server.version,
        server.protocol_version
    );
    match job {
        Job::List => list(&client).await?,
        Job::Call { name, arguments } => {
            let result = client.call_tool(&name, arguments).await?;
            if result.is_error {
                client.close().await;
                return Err(format!("the tool failed: {}", result.text()).into());
            }
            say!("result: {}", result.text());
        }
        Job::Ask { prompt } => ask(&client, &prompt).await?,
    }
    client.close().await;
    Ok(())
}

async fn list(client: &McpClient) -> Result<(), McpError> {
    let list = client.list_tools().await?;
    for tool in list.tools {
        let description = tool.description.unwrap_or_default();
        let line = description.lines().next().unwrap_or("");
        say!("  {}: {line}", tool.name);
        say!("      arguments: {}", tool.input_schema["properties"]);
    }
    for tool in list.rejected {
        say!("  {} is left out: {}", tool.name, tool.why);
    }
    Ok(())
}

/// Lets the model that the environment names, or the demo model, answer with the tools.
async fn ask(server: &McpClient, prompt: &str) -> Result<(), Box<dyn Error>> {
    let mut toolbox = Toolbox::new();
    for tool in server.tools().await? {
        toolbox.add(tool)?;
    }
    let client = client_or_demo()?;
    say!("> {prompt}");
    let mut stream = client.ask(prompt).toolbox(&toolbox).max_turns(10).stream();
    while let Some(event) = stream.next().await {
        match event? {
            ToolLoopEvent::CallAsked { call, .. } => say!("  {}({})", call.name, call.arguments),
            ToolLoopEvent::CallResult { result, .. } => {
                let prefix = if result.is_error { "error: " } else { "" };
                say!(
                    "  → {prefix}{}",
                    Message::new(Role::Tool, result.content).text()
                );
            }
            event => put(format_args!("{}", event.as_text().unwrap_or_default())),
        }
    }
    let answer = stream.into_answer().await?;
    say!("\n({} turns)", answer.turns);
    Ok(())
}

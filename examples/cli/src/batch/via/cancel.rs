//! `chatcore batch cancel OUTPUT`: cancels the batches that a run with `--via provider` has at the
//! provider.

use std::path::Path;

use chatcore_adapters::journal::files::{BatchFile, Identity};
use clap::Parser;

use crate::args::{BatchCommand, Cli, Command, FormatArg, RunArgs, Who};
use crate::batch;
use crate::failure::{Failure, STOPPED, WRONG};
use crate::say;

/// Whether `output` is the output of a run in files.
pub(crate) fn is_of_files(output: &str) -> bool {
    [".run", ".batches"]
        .iter()
        .any(|end| Path::new(&format!("{output}{end}")).exists())
}

/// Cancels the batches, and writes the answers that they have.
pub(crate) async fn cancel(who: &Who, output: &str) -> Result<u8, Failure> {
    let batches = record(output).batches();
    if batches.map_err(Failure::of_beginning)? == 0 {
        say::note(&format!("{output} has no batches at the provider"));
        return Ok(0);
    }
    let args = remembered(output)?;
    match batch::run(who, args).await? {
        STOPPED => Ok(0),
        status => Ok(status),
    }
}

fn record(output: &str) -> BatchFile {
    BatchFile::beside(output, Identity::new())
}

/// The options with which the run was begun, and `--cancel`.
fn remembered(output: &str) -> Result<RunArgs, Failure> {
    let note = record(output).note()?.unwrap_or_default();
    let unknown = || Failure {
        status: WRONG,
        message: format!(
            "it is not known from which input {output} was made: run its command again, with --via \
             provider --cancel"
        ),
    };
    let options: Vec<String> = serde_json::from_str(&note).map_err(|_| unknown())?;
    let begun = [
        "chatcore", "batch", "run", "-o", output, "--via", "provider", "--cancel",
    ];
    let whole = begun.into_iter().chain(options.iter().map(String::as_str));
    match Cli::try_parse_from(whole).map(|cli| cli.command) {
        Ok(Command::Batch {
            command: BatchCommand::Run(args),
        }) => Ok(*args),
        _ => Err(unknown()),
    }
}

/// The options that `cancel` needs to open the run again, as the note of its batches. `None` if the
/// input can be read only once.
pub(super) fn note(args: &RunArgs) -> Option<String> {
    // The path must be good in every folder.
    let whole = |path: &Path| {
        let whole = std::path::absolute(path).ok()?;
        whole.to_str().map(str::to_owned)
    };
    if args.input.as_os_str() == "-" || !args.input.is_file() {
        return None;
    }
    let mut options = Vec::new();
    let mut option = |name: &str, value: String| options.push(format!("--{name}={value}"));
    if let Some(errors) = &args.errors {
        option("errors", whole(errors)?);
    }
    match args.format {
        FormatArg::Auto => {}
        FormatArg::Json => option("format", "json".to_owned()),
        FormatArg::Text => option("format", "text".to_owned()),
    }
    // They are among the settings that must be the same.
    if let Some(prompt) = &args.system_prompt {
        option("system-prompt", prompt.clone());
    }
    if let Some(tokens) = args.max_tokens {
        option("max-tokens", tokens.to_string());
    }
    if let Some(temperature) = args.temperature {
        option("temperature", temperature.to_string());
    }
    for (name, time) in [("poll", args.via.poll), ("settle", args.via.settle)] {
        option(name, humantime::format_duration(time).to_string());
    }
    options.push("--".to_owned());
    options.push(whole(&args.input)?);
    serde_json::to_string(&options).ok()
}

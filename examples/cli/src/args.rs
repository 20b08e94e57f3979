//! The command line options. Help, completions and the manual page are generated from them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::batch::fleet::args::{
    CancelArgs, OfRun, ResultsArgs, ResumeArgs, StatusArgs, SubmitArgs, WorkerArgs,
};
use crate::price::{Price, dollars, price};
use crate::serve::ServeArgs;

const EXAMPLES: &str = "\
Examples:
  chatcore chat 'Why is the sky blue?'
  chatcore batch run in.jsonl -o out.jsonl --concurrency 50 --rpm 500
  zstdcat prompts.zst | chatcore batch run - -o out.jsonl
  chatcore doctor

The provider, the model and the key are read from the environment: LLM_PROVIDER, LLM_MODEL and
LLM_API_KEY, or the provider's own variable such as DEEPSEEK_API_KEY. USE_MOCK_LLM=true (or --mock)
asks the offline demo model.";

const BATCH_EXAMPLES: &str = "\
Examples:
  chatcore batch run in.jsonl -o out.jsonl
  chatcore batch run in.jsonl -o out.jsonl --dry-run
  chatcore batch run in.jsonl -o out.jsonl --max-cost 20 --price 0.27,1.10 --deadline 8h
  chatcore batch run in.jsonl -o out.jsonl --retry-errors --report report.html
  chatcore batch run in.jsonl -o out.jsonl --via provider

The same command resumes a run that was stopped or killed. Each line of INPUT is a request of
OpenAI's Batch API, or {\"prompt\": …}, or {\"messages\": […]}; a file whose first line does not begin
with { has a prompt on each line.

Exit status:
  0  every item has an answer
  1  the run could not go on, for example because nothing connects; what is done is kept
  2  an option, a setting or the input is wrong; nothing was sent
  3  every item has a result, and some of them are errors
  4  stopped by Ctrl-C, --deadline or --max-cost; the same command resumes";

const SERVE_EXAMPLES: &str = "\
Examples:
  chatcore serve                                   # http://127.0.0.1:8080
  chatcore serve --mock --addr 127.0.0.1:9000
  CHATCORE_TOKEN=\"$(cat token)\" chatcore serve --addr 0.0.0.0:8080

Set the token with CHATCORE_TOKEN rather than --token, because other users of the machine see a
program's options in the list of processes.";

/// LLM chats and batches on the command line.
#[derive(Debug, Parser)]
#[command(name = "chatcore", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The provider and the model.
#[derive(Debug, Args)]
#[command(next_help_heading = "Provider")]
pub(crate) struct Who {
    /// The provider; overrides LLM_PROVIDER
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// The model; overrides LLM_MODEL
    #[arg(long, short, global = true, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// The provider's base URL; overrides LLM_BASE_URL
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) base_url: Option<String>,
    /// Use the offline demo model; nothing is sent
    #[arg(long, global = true)]
    pub(crate) mock: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run many requests from a file
    Batch {
        #[command(subcommand)]
        command: BatchCommand,
    },
    /// Ask a question or start a conversation
    Chat(ChatArgs),
    /// List the models that the provider offers
    Models {
        /// Print one line of JSON for each model
        #[arg(long)]
        json: bool,
    },
    /// Serve chats over HTTP: a page, JSON, streams, WebSocket, and OpenAI's and Anthropic's protocols
    ///
    /// Without a key and a provider, the offline demo model answers.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Check the settings, the network and the key with one small request
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of the program or of a command, for example `chatcore man batch run`
    Man {
        /// The command; if missing, the program
        command: Vec<String>,
        /// Write the pages of all commands into this folder instead
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with = "command")]
        into: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BatchCommand {
    /// Run a batch on this machine, or resume one
    Run(Box<RunArgs>),
    /// Load a batch into PostgreSQL, for workers on many machines
    Submit(Box<SubmitArgs>),
    /// Show the progress of the runs in PostgreSQL, and who works on them
    Status(StatusArgs),
    /// Work on a run in PostgreSQL until it ends
    Worker(Box<WorkerArgs>),
    /// Write the results of a run in PostgreSQL into files
    Results(ResultsArgs),
    /// Send no more items of a run in PostgreSQL until it is resumed
    Pause(OfRun),
    /// Go on with a run in PostgreSQL that was paused or cancelled
    Resume(ResumeArgs),
    /// End a run early, and keep its results: one in PostgreSQL, or one with --via provider
    Cancel(CancelArgs),
    /// Delete a run in PostgreSQL with its input and its results
    Remove(OfRun),
}

#[derive(Debug, Args)]
#[command(after_help = BATCH_EXAMPLES)]
pub(crate) struct RunArgs {
    /// The file of requests, plain or compressed with gzip or zstd; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
    /// The file for the answers; if it contains results of an earlier run, that run is resumed
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// The file for the errors [default: the output's name with `.errors` before its extension]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) errors: Option<PathBuf>,
    /// The format of the input
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    pub(crate) format: FormatArg,
    /// How to handle a line that is not a valid request
    #[arg(long, value_enum, default_value_t = BadLinesArg::Record)]
    pub(crate) bad_lines: BadLinesArg,
    /// Estimate tokens and cost without sending anything
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run items that ended with an error again
    #[arg(long)]
    pub(crate) retry_errors: bool,
    /// Resume even with a different provider, model or key than the run started with
    #[arg(long)]
    pub(crate) force: bool,
    /// Sort the results into the order of the input at the end
    #[arg(long)]
    pub(crate) sort: bool,
    /// Write an HTML report of progress, latency, tokens, cost and errors
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) via: crate::batch::ViaArgs,

    /// Maximum number of requests in flight [default: LLM_ASYNC_WORKERS, or 5]
    #[arg(long, value_name = "N", help_heading = "Speed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) concurrency: Option<u32>,
    /// Maximum requests per minute
    #[arg(long, value_name = "N", help_heading = "Speed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rpm: Option<u32>,
    /// Maximum tokens per minute, of prompts and answers together
    #[arg(long, value_name = "N", help_heading = "Speed", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tpm: Option<u64>,
    /// Adapt the number of requests in flight to the load that the provider accepts; --concurrency
    /// is then the maximum
    #[arg(long, help_heading = "Speed")]
    pub(crate) adaptive: bool,
    /// Attempts for each item, including the first [default: LLM_MAX_RETRIES, or 3]
    #[arg(long, value_name = "N", help_heading = "Speed", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: Option<u32>,

    /// Price in dollars per million tokens of prompts and of answers, for example `0.27,1.10`
    /// [default: the list price, for models of which chatcore knows it; see `chatcore models`]
    #[arg(long, value_name = "IN,OUT", help_heading = "Limits", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// Stop sending requests once the run has cost this many dollars, earlier parts of the run
    /// included
    #[arg(long, value_name = "DOLLARS", help_heading = "Limits", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
    /// Stop sending requests after this time, for example `8h`, `90m` or `1h 30m`
    #[arg(long, value_name = "TIME", help_heading = "Limits", value_parser = humantime::parse_duration)]
    pub(crate) deadline: Option<Duration>,

    /// System prompt for each conversation that has none
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Requests that do not say otherwise"
    )]
    pub(crate) system_prompt: Option<String>,
    /// Maximum number of tokens in an answer
    #[arg(
        long,
        value_name = "N",
        help_heading = "Requests that do not say otherwise"
    )]
    pub(crate) max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2
    #[arg(
        long,
        value_name = "X",
        help_heading = "Requests that do not say otherwise"
    )]
    pub(crate) temperature: Option<f64>,

    /// Sync results to disk at least every this many milliseconds; 0 syncs each result before its
    /// item counts as done
    #[arg(long, value_name = "MS", default_value_t = 100, help_heading = "Disk")]
    pub(crate) sync_interval: u64,
    /// Sync results to disk after this many results, if that is sooner
    #[arg(long, value_name = "N", default_value_t = 1_000, help_heading = "Disk")]
    pub(crate) sync_lines: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ChatArgs {
    /// The question; if missing, it is read from standard input, or a conversation starts on a
    /// terminal
    pub(crate) question: Vec<String>,
    /// The system prompt
    #[arg(long, short, value_name = "TEXT")]
    pub(crate) system_prompt: Option<String>,
    /// Maximum number of tokens in an answer
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2
    #[arg(long, value_name = "X")]
    pub(crate) temperature: Option<f64>,
    /// Print the whole answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FormatArg {
    /// Decided by the first line; one that begins with [ is refused
    Auto,
    /// A JSON object on each line
    Json,
    /// A prompt on each line
    Text,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BadLinesArg {
    /// Record the line as an error and run the others
    Record,
    /// Refuse the whole input; nothing is sent
    Refuse,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}

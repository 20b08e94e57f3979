//! The options of the commands that run a batch on many machines.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use crate::args::{BadLinesArg, FormatArg};
use crate::price::{Price, dollars, price};

const SUBMIT_EXAMPLES: &str = "\
Examples:
  export CHATCORE_POSTGRES=postgres://user@db.internal/batches PGPASSWORD=…
  chatcore batch submit in.jsonl night
  chatcore batch worker night --concurrency 50       # on each machine
  chatcore batch status night
  chatcore batch results night -o out.jsonl

The input is loaded into the database, so that no other machine needs the file.";

const CANCEL_EXAMPLES: &str = "\
Examples:
  chatcore batch cancel night        # a run in PostgreSQL
  chatcore batch cancel out.jsonl    # what `batch run --via provider -o out.jsonl` has at the provider

The second form cancels the batches at the provider, writes the answers that they have, and ends. It
needs the provider and the key of the run. If the input came from a pipe, run its command again with
--cancel instead.";

const WORKER_EXAMPLES: &str = "\
Ctrl-C or SIGTERM once finishes what is in flight and gives the rest back, twice stops at once.

Exit status:
  0  every item has an answer
  1  the worker could not go on; other workers take over its items
  2  an option or a setting is wrong; nothing was sent
  3  every item has a result, and some of them are errors
  4  stopped by a signal, by `cancel`, or at the run's --max-cost";

/// Where the run is kept.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Database")]
pub(crate) struct PostgresArgs {
    /// The database, such as postgres://user@host/name [default: CHATCORE_POSTGRES]
    ///
    /// Other users of this machine can see options, so leave the password out and set PGPASSWORD or
    /// write it into ~/.pgpass, or set CHATCORE_POSTGRES.
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// The schema that holds the tables
    #[arg(long, value_name = "NAME", default_value = "chatcore")]
    pub(crate) schema: String,
}

/// A run that was submitted.
#[derive(Clone, Debug, Args)]
pub(crate) struct OfRun {
    /// The run's name
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) postgres: PostgresArgs,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = CANCEL_EXAMPLES)]
pub(crate) struct CancelArgs {
    /// The name of a run in PostgreSQL, or the output of a run with --via provider
    pub(crate) run: String,
    #[command(flatten)]
    pub(crate) postgres: PostgresArgs,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = SUBMIT_EXAMPLES)]
pub(crate) struct SubmitArgs {
    /// The file of requests, plain or compressed with gzip or zstd; `-` reads standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) input: PathBuf,
    #[command(flatten)]
    pub(crate) of: OfRun,
    /// The format of the input
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    pub(crate) format: FormatArg,
    /// How to handle a line that is not a valid request
    #[arg(long, value_enum, default_value_t = BadLinesArg::Record)]
    pub(crate) bad_lines: BadLinesArg,
    /// How many items a worker leases at once, at most
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) chunk: u32,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

/// Limits of the whole run, over all its workers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of the whole run, over all its workers")]
pub(crate) struct LimitArgs {
    /// Maximum requests per minute
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rpm: Option<u32>,
    /// Maximum tokens per minute, of prompts and answers together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tpm: Option<u64>,
    /// Price in dollars per million tokens of prompts and of answers, for example `0.27,1.10`
    /// [default with --max-cost: the list price of this machine's model; see `chatcore models`]
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// Stop sending requests once the run has cost this many dollars
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct StatusArgs {
    /// The run's name; if missing, all runs are listed
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) postgres: PostgresArgs,
    /// Print one line of JSON for each run
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ResumeArgs {
    #[command(flatten)]
    pub(crate) of: OfRun,
    /// Run items that ended with an error again
    #[arg(long)]
    pub(crate) retry_errors: bool,
    /// Change the requests per minute of the whole run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rpm: Option<u32>,
    /// Change the tokens per minute of the whole run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tpm: Option<u64>,
    /// Change the price in dollars per million tokens of prompts and of answers
    #[arg(long, value_name = "IN,OUT", value_parser = price)]
    pub(crate) price: Option<Price>,
    /// Raise or lower the dollars at which the run stops; what it has cost already counts
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
}

#[derive(Clone, Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) of: OfRun,
    /// Maximum number of requests in flight [default: LLM_ASYNC_WORKERS, or 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) concurrency: Option<u32>,
    /// Adapt the number of requests in flight to the load that the provider accepts; --concurrency
    /// is then the maximum
    #[arg(long)]
    pub(crate) adaptive: bool,
    /// Attempts for each item, including the first [default: LLM_MAX_RETRIES, or 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) attempts: Option<u32>,
    /// The worker's name in `status` [default: the machine's name and the process number]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// After how long the items of a worker that disappeared are taken over
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) lease: Duration,
    /// Work on the run even with a different provider, model or key than its other workers
    #[arg(long)]
    pub(crate) force: bool,
    /// System prompt for each conversation that has none
    #[arg(long, value_name = "TEXT")]
    pub(crate) system_prompt: Option<String>,
    /// Maximum number of tokens in an answer, where the request does not say
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2, where the request does not say
    #[arg(long, value_name = "X")]
    pub(crate) temperature: Option<f64>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ResultsArgs {
    #[command(flatten)]
    pub(crate) of: OfRun,
    /// The file for the answers; `-` writes answers and errors to standard output
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// The file for the errors [default: the output's name with `.errors` before its extension]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) errors: Option<PathBuf>,
    /// Write results as they come, until the run ends, instead of those that are there now in the
    /// order of the input
    #[arg(long)]
    pub(crate) follow: bool,
}

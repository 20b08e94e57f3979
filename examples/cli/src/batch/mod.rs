//! `chatcore batch`: runs a batch from files; [`fleet`] runs one on many machines.

mod check;
mod estimate;
mod first;
pub(crate) mod fleet;
mod report;
mod run;
mod show;
mod stats;
pub(crate) mod via;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chatcore::{
    Adaptive, BatchProcessor, ChatRequest, ChatResponse, Config, Executor, LlmClient, Message,
    RateLimits, Role,
};
use chatcore_adapters::executor::SmolExecutor;
use chatcore_adapters::journal::files::{
    BadLines, FilesBuilder, FilesJournal, Format, Identity, Input,
};

use crate::args::{BadLinesArg, FormatArg, RunArgs, Who};
use crate::failure::{FAILED, Failure, SOME_ERRORS, STOPPED, WRONG};
use crate::price::{self, Price};
use crate::{say, setup};
use first::FirstContent;
use run::{Ended, Limits};
use show::Show;
use stats::Stats;
pub(crate) use via::ViaArgs;

pub(crate) async fn run(who: &Who, mut args: RunArgs) -> Result<u8, Failure> {
    let config = setup::config(who)?;
    let defaults = Defaults::of(&args);
    if args.dry_run {
        return estimate::run(&args, &config, &defaults);
    }
    let identity = defaults.identify(Identity::of(&config.provider));
    via::check(&args, &config, &identity)?;
    check::report(&args)?;
    let mut price = price::of_run(args.price, &config, args.max_cost.is_some())?;
    if matches!(args.via.via, via::Via::Provider) {
        price = price.map(Price::in_batches);
    }
    args.price = price;
    let told = price.and_then(|price| price.told(config.provider.model()));
    let first_content = args.report.as_ref().map(|_| Arc::default());
    let client = client(config, &args, first_content.clone())?;
    let journal = builder(&args, identity.clone())?.open().await;
    let journal = journal.map_err(Failure::of_beginning)?;
    tell_input(&args.input, journal.input());
    let journal = Arc::new(journal);
    if let Some(told) = told.filter(|_| args.max_cost.is_some()) {
        say::note(&told);
    }
    let stats = Stats::new(&journal.counts(), price);
    let mut show = Show::new(std::io::stderr().is_terminal(), journal.input());
    let limits = Limits {
        max_cost: args.max_cost,
        deadline: args.deadline,
    };
    let (ended, stats) = match args.via.via {
        via::Via::Provider => {
            let parts = via::Parts {
                client,
                journal: Arc::clone(&journal),
                identity,
                defaults,
            };
            via::run(parts, &args, stats, &mut show).await?
        }
        // Checked before the first request, because every start would spend a little more otherwise.
        via::Via::Chats if !stats.is_complete() && limits.is_over_cost(&stats) => {
            let why = "--max-cost was reached by earlier parts of the run, so nothing was sent: raise it to go on";
            (Ended::Stopped(why), stats)
        }
        via::Via::Chats => {
            let batch = processor(&client, defaults).max_workers(in_flight(&client, &args));
            let began = batch.process_journal(Arc::clone(&journal) as Arc<dyn chatcore::Journal>);
            run::to_the_end(began, stats, &mut show, limits).await?
        }
    };
    show.end(&stats, &ended, journal.output_path(), journal.errors_path());
    let output = journal.output_path().to_owned();
    if let Some(path) = &args.report {
        let first = first_content.as_deref().map(FirstContent::histogram);
        let page = report::page(&stats, first.as_ref(), &ended, &output);
        std::fs::write(path, page).map_err(|error| unwritable(path, &error))?;
    }
    match ended {
        Ended::Failed(error) => Err(error.into()),
        Ended::Stopped(_) | Ended::Cancelled => Ok(STOPPED),
        Ended::All => {
            if args.sort {
                journal.sort().await?;
            }
            Ok(match stats.failed() {
                0 => 0,
                _ => SOME_ERRORS,
            })
        }
    }
}

/// The failure to write a file while the command runs.
fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure {
        status: FAILED,
        message: format!("{} cannot be written: {error}", path.display()),
    }
}

/// Defaults for fields that a request does not set.
#[derive(Clone, Debug)]
struct Defaults {
    system_prompt: Option<String>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
}

impl Defaults {
    fn of(args: &RunArgs) -> Self {
        Self {
            system_prompt: args.system_prompt.clone(),
            max_tokens: args.max_tokens,
            temperature: args.temperature,
        }
    }

    /// Adds these settings to those that must be the same when the run is resumed.
    fn identify(&self, mut identity: Identity) -> Identity {
        if let Some(prompt) = &self.system_prompt {
            identity = identity.with("system prompt", prompt);
        }
        if let Some(tokens) = self.max_tokens {
            identity = identity.with("max tokens", tokens);
        }
        if let Some(temperature) = self.temperature {
            identity = identity.with("temperature", temperature);
        }
        identity
    }

    fn apply(&self, mut request: ChatRequest) -> ChatRequest {
        request.max_tokens = request.max_tokens.or(self.max_tokens);
        request.temperature = request.temperature.or(self.temperature);
        if let Some(prompt) = &self.system_prompt
            && !request.messages.iter().any(|m| m.role == Role::System)
        {
            request.messages.insert(0, Message::system(prompt.as_str()));
        }
        request
    }
}

/// A processor that sends the items of a journal.
fn processor(client: &LlmClient, defaults: Defaults) -> BatchProcessor<ChatRequest, ChatResponse> {
    BatchProcessor::requests(client).prepare(move |request| defaults.apply(request))
}

/// A client with the run's settings. With `first_content`, it fetches every answer as a stream, so
/// that the time to its first content is known.
fn client(
    config: Config,
    args: &RunArgs,
    first_content: Option<Arc<FirstContent>>,
) -> Result<LlmClient, Failure> {
    let key_var = setup::key_var(&config);
    let mut builder = chatcore_adapters::smol_builder(config)?;
    if let Some(workers) = args.concurrency {
        builder = builder.workers(workers as usize);
    }
    if let Some(attempts) = args.attempts {
        builder = builder.max_attempts(attempts);
    }
    if args.rpm.is_some() || args.tpm.is_some() {
        let mut limits = RateLimits::default();
        limits.requests_per_minute = args.rpm;
        limits.tokens_per_minute = args.tpm;
        builder = builder.rate_limits(limits);
    }
    if let Some(first_content) = first_content {
        builder = builder.fetch_as_stream(true).observer(first_content);
    }
    if args.adaptive {
        let most = args.concurrency.map_or(1_000, |most| most as usize);
        let start = Adaptive::default().start.min(most);
        builder = builder.adaptive(Adaptive::default().start(start).max(most));
    }
    Ok(builder
        .build()
        .map_err(|error| setup::on_the_command_line(error, key_var.as_deref()))?)
}

/// How many items are started at once: the maximum number of requests in flight. Items that wait
/// for a rate limit are included, but there are few of them.
fn in_flight(client: &LlmClient, args: &RunArgs) -> usize {
    match args.adaptive {
        true => args.concurrency.map_or(1_000, |most| most as usize),
        false => client.status().max_workers,
    }
}

fn builder(args: &RunArgs, identity: Identity) -> Result<FilesBuilder, Failure> {
    let executor: Arc<dyn Executor> = Arc::new(SmolExecutor::new());
    let output = args.output.clone();
    if output.as_os_str() == "-" {
        return Err(Failure {
            status: WRONG,
            message: "the output must be a file, because a run that is resumed reads it: name one \
                      (./- for a file of the name -)"
                .to_owned(),
        });
    }
    if check::is_same(&args.input, &output) {
        return Err(Failure {
            status: WRONG,
            message: "the input and the output are the same file: name another output".to_owned(),
        });
    }
    let mut builder = match open_pipe(&args.input)? {
        Some(pipe) => FilesJournal::from_pipe(executor, identity, pipe, output),
        None => FilesJournal::builder(executor, identity, &args.input, output),
    };
    if let Some(errors) = &args.errors {
        builder = builder.errors(errors);
    }
    let interval = Duration::from_millis(args.sync_interval);
    Ok(builder
        .format(format(args.format))
        .bad_lines(match args.bad_lines {
            BadLinesArg::Record => BadLines::Record,
            BadLinesArg::Refuse => BadLines::Refuse,
        })
        .force(args.force)
        .retry_errors(args.retry_errors)
        .via_provider(args.via.via == via::Via::Provider)
        // Nothing else runs in this process.
        .write_in_place(true)
        .sync_every(args.sync_lines, interval))
}

fn format(format: FormatArg) -> Format {
    match format {
        FormatArg::Auto => Format::Auto,
        FormatArg::Json => Format::Json,
        FormatArg::Text => Format::Text,
    }
}

/// Opens the input if it can be read only once: standard input, a named pipe, `<(…)`.
fn open_pipe(path: &PathBuf) -> Result<Option<Box<dyn Read + Send>>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Some(Box::new(std::io::stdin())));
    }
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => Ok(None),
        Ok(_) => Ok(Some(Box::new(
            std::fs::File::open(path).map_err(|error| unreadable(path, &error))?,
        ))),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::of_file(format!("{} cannot be read: {error}", path.display()), error)
}

fn tell_input(path: &Path, input: &Input) {
    if input.items == 0 {
        let name = match path.as_os_str() == "-" {
            true => "standard input".to_owned(),
            false => path.display().to_string(),
        };
        say::warning(&format!("{name} has no items: it is empty"));
    }
    for error in &input.first_bad {
        say::warning(error.message());
    }
    if input.bad_lines > input.first_bad.len() as u64 {
        say::warning(&format!("{} lines in all cannot be run", input.bad_lines));
    }
}

//! The program `chatcore`.
//!
//! ```text
//!  args ─► setup (settings → client) ─► batch, chat, models, serve, doctor
//! ```

mod args;
mod batch;
mod chat;
mod doctor;
mod failure;
mod models;
mod price;
mod say;
mod serve;
mod setup;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{BatchCommand, Cli, Command, Who};
use batch::fleet::args::OfRun;
use batch::{fleet, via};
use failure::{Failure, WRONG};

fn main() -> ExitCode {
    // Each request needs a socket. If this fails, the limit stays unchanged.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap also reports help and the version as errors.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { WRONG } else { 0 });
        }
    };
    match smol::block_on(run(cli)) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            say::error(&failure.message);
            ExitCode::from(failure.status)
        }
    }
}

async fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        Command::Batch { command } => batch(&cli.who, command).await,
        Command::Chat(args) => chat::run(&cli.who, args).await,
        Command::Models { json } => models::run(&cli.who, json).await,
        Command::Serve(args) => serve::run(&cli.who, args).await,
        Command::Doctor => doctor::run(&cli.who).await,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "chatcore", &mut text);
            say::out(&String::from_utf8_lossy(&text))?;
            Ok(0)
        }
        Command::Man {
            into: Some(folder), ..
        } => {
            clap_mangen::generate_to(Cli::command(), &folder).map_err(|error| {
                let why = format!("{} cannot be written: {error}", folder.display());
                Failure::of_file(why, &error)
            })?;
            Ok(0)
        }
        Command::Man { command, .. } => {
            let mut text = Vec::new();
            clap_mangen::Man::new(page_of(&command)?).render(&mut text)?;
            say::out(&String::from_utf8_lossy(&text))?;
            Ok(0)
        }
    }
}

async fn batch(who: &Who, command: BatchCommand) -> Result<u8, Failure> {
    match command {
        BatchCommand::Run(args) => batch::run(who, *args).await,
        BatchCommand::Submit(args) => fleet::submit(who, *args).await,
        BatchCommand::Status(args) => fleet::status(args).await,
        BatchCommand::Worker(args) => fleet::worker(who, *args).await,
        BatchCommand::Results(args) => fleet::results(args).await,
        BatchCommand::Pause(args) => fleet::pause(args).await,
        BatchCommand::Resume(args) => fleet::resume(args).await,
        // An output with batches at the provider, unless a database is named.
        BatchCommand::Cancel(args)
            if args.postgres.postgres.is_none() && via::is_of_files(&args.run) =>
        {
            via::cancel(who, &args.run).await
        }
        BatchCommand::Cancel(args) => {
            let (run, postgres) = (args.run, args.postgres);
            fleet::cancel(OfRun { run, postgres }).await
        }
        BatchCommand::Remove(args) => fleet::remove(args).await,
    }
}

/// The definition of a command, which its manual page is made of.
fn page_of(path: &[String]) -> Result<clap::Command, Failure> {
    let mut program = Cli::command();
    // Names each command in full, and adds the options that all commands have.
    program.build();
    let mut command = &program;
    for name in path {
        command = command.find_subcommand(name).ok_or_else(|| Failure {
            status: WRONG,
            message: format!("there is no command {name:?}; chatcore --help lists all of them"),
        })?;
    }
    Ok(command.clone())
}

//! `chatcore batch submit`: loads an input into the database.

use std::fs::File;
use std::io::Read;

use chatcore_adapters::journal::postgres::{BadLines, RunLimits, Submission};

use super::args::{LimitArgs, SubmitArgs};
use super::database;
use crate::args::{BadLinesArg, Who};
use crate::batch::{format, tell_input, unreadable};
use crate::failure::Failure;
use crate::price::{self, Price};
use crate::{say, setup};

pub(crate) async fn submit(who: &Who, mut args: SubmitArgs) -> Result<u8, Failure> {
    if args.limits.max_cost.is_some() && args.limits.price.is_none() {
        args.limits.price = Some(listed(who)?);
    }
    let database = database(&args.of.postgres)?;
    let input: Box<dyn Read + Send> = match args.input.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => {
            let unreadable = |error: std::io::Error| unreadable(&args.input, &error);
            let file = File::open(&args.input).map_err(unreadable)?;
            // Asked before the run is made in the database.
            if file.metadata().map_err(unreadable)?.is_dir() {
                return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
            }
            Box::new(file)
        }
    };
    let submission = Submission::default()
        .format(format(args.format))
        .bad_lines(match args.bad_lines {
            BadLinesArg::Record => BadLines::Record,
            BadLinesArg::Refuse => BadLines::Refuse,
        })
        .chunk(args.chunk as usize)
        .limits(limits(&args.limits));
    let run = &args.of.run;
    let found = database.submit(run, input, submission).await;
    let found = found.map_err(Failure::of_beginning)?;
    tell_input(&args.input, &found);
    say::note(&format!(
        "{} submitted as {run}; `chatcore batch worker {run}` on any machine works on it",
        say::count(found.items, "item")
    ));
    Ok(0)
}

/// The list price of the configured model. The database keeps it, so that it is the same for all
/// workers.
fn listed(who: &Who) -> Result<Price, Failure> {
    let config = setup::config(who)?;
    let price = price::needed(&config)?;
    if let Some(told) = price.told(config.provider.model()) {
        say::note(&told);
    }
    Ok(price)
}

fn limits(args: &LimitArgs) -> RunLimits {
    let mut limits = RunLimits::default();
    limits.requests_per_minute = args.rpm.map(u64::from);
    limits.tokens_per_minute = args.tpm;
    limits.max_cost = args.max_cost;
    if let Some(price) = args.price {
        limits.input_price = price.input;
        limits.output_price = price.output;
    }
    limits
}

//! `--dry-run`: estimates the tokens and the cost of a run without sending anything.

use std::fs::File;

use chatcore::{Config, estimate_tokens};
use chatcore_adapters::journal::files::Items;

use super::{Defaults, format, open_pipe, unreadable};
use crate::args::RunArgs;
use crate::failure::Failure;
use crate::say::{self, BOLD};

/// How many lines that cannot be run are shown.
const SHOWN: u64 = 5;

pub(super) fn run(args: &RunArgs, config: &Config, defaults: &Defaults) -> Result<u8, Failure> {
    let fail = |error: std::io::Error| unreadable(&args.input, &error);
    let items = match open_pipe(&args.input)? {
        Some(pipe) => Items::new(pipe, format(args.format)),
        None => Items::new(File::open(&args.input).map_err(fail)?, format(args.format)),
    };
    let (mut count, mut bad, mut input, mut output, mut limited) = (0_u64, 0_u64, 0, 0, 0);
    for item in items.map_err(fail)? {
        let item = item.map_err(fail)?;
        count += 1;
        match item.request {
            Ok(request) => {
                let request = defaults.apply(request);
                let answer = estimate_tokens(&request);
                limited += u64::from(request.max_tokens.is_some());
                let most = u64::from(request.max_tokens.unwrap_or(NO_LIMIT));
                input += answer - most;
                output += most;
            }
            Err(error) => {
                bad += 1;
                if bad <= SHOWN {
                    say::warning(error.message());
                }
            }
        }
    }
    let (provider, model) = (config.provider.name(), config.provider.model());
    let mut text = format!(
        "{BOLD}{}{BOLD:#} for {model} of {provider}",
        say::count(count, "item")
    );
    if bad > 0 {
        text.push_str(&format!(", {bad} of which cannot be run"));
    }
    text.push_str(&format!(
        "\nabout {} of prompts\n",
        say::count(input, "token")
    ));
    let unlimited = count - bad - limited;
    text.push_str(&format!("at most {output} tokens of answers"));
    if unlimited > 0 {
        text.push_str(&format!(
            ", if the {unlimited} without max_tokens take {NO_LIMIT} each"
        ));
    }
    text.push('\n');
    if let Some(price) = crate::price::of_run(args.price, config, false)? {
        let (least, most) = (price.of(input, 0), price.of(input, output));
        let (least, most) = (say::dollars(least), say::dollars(most));
        text.push_str(&format!("about {least} to {most}\n"));
        if let Some(told) = price.told(config.provider.model()) {
            text.push_str(&format!("{told}\n"));
        }
    }
    text.push_str("nothing was sent\n");
    say::out(&text)?;
    Ok(0)
}

/// The tokens assumed for an answer without a limit.
const NO_LIMIT: u32 = 256;

//! `chatcore batch status`, `pause`, `resume`, `cancel` and `remove`.

use chatcore_adapters::journal::postgres::{Database, RunState, RunStatus};
use serde_json::json;

use super::args::{OfRun, ResumeArgs, StatusArgs};
use super::{VARIABLE, database, url};
use crate::failure::{Failure, WRONG};
use crate::say::{self, BAD, BOLD, DIM, GOOD};

pub(crate) async fn status(args: StatusArgs) -> Result<u8, Failure> {
    let database = database(&args.postgres)?;
    let runs = match &args.run {
        Some(run) => vec![database.status(run).await?],
        None => database.runs().await?,
    };
    if runs.is_empty() {
        say::note("there are no runs in this schema");
    }
    let shown = runs.iter().map(|run| match args.json {
        true => as_json(run),
        false => as_text(run),
    });
    say::out(&shown.collect::<String>())?;
    Ok(0)
}

pub(crate) async fn pause(args: OfRun) -> Result<u8, Failure> {
    database(&args.postgres)?.pause(&args.run).await?;
    say::note("paused; items in flight finish, and `chatcore batch resume` goes on");
    Ok(0)
}

pub(crate) async fn resume(args: ResumeArgs) -> Result<u8, Failure> {
    let database = database(&args.of.postgres)?;
    let run = &args.of.run;
    let had_none = change_limits(&database, &args).await?;
    if args.retry_errors {
        let errors = database.retry_errors(run).await?;
        say::note(&format!("{} will run again", say::count(errors, "item")));
    }
    database.resume(run).await?;
    if had_none && (args.rpm.is_some() || args.tpm.is_some()) {
        say::note("the run had no limits per minute: restart its workers, so that they keep them");
    }
    let status = database.status(run).await?;
    match status.is_over_its_cost() {
        true => say::warning("the run is at its cap: raise it by --max-cost"),
        false => say::note("running"),
    }
    Ok(0)
}

/// Sets the limits that were given, and keeps the others. Returns whether the run had no limits per
/// minute before.
async fn change_limits(database: &Database, args: &ResumeArgs) -> Result<bool, Failure> {
    let mut limits = database.status(&args.of.run).await?.limits;
    let before = limits;
    limits.requests_per_minute = args.rpm.map(u64::from).or(limits.requests_per_minute);
    limits.tokens_per_minute = args.tpm.or(limits.tokens_per_minute);
    limits.max_cost = args.max_cost.or(limits.max_cost);
    if let Some(price) = args.price {
        limits.input_price = price.input;
        limits.output_price = price.output;
    }
    if limits != before {
        database.set_limits(&args.of.run, limits).await?;
    }
    Ok(before.requests_per_minute.is_none() && before.tokens_per_minute.is_none())
}

pub(crate) async fn cancel(args: OfRun) -> Result<u8, Failure> {
    if url(&args.postgres).is_none() {
        let run = &args.run;
        return Err(Failure {
            status: WRONG,
            message: format!(
                "there is no {run}.run or {run}.batches, so {run} is not the output of a run here; to \
                 cancel a run in PostgreSQL, set --postgres or {VARIABLE}"
            ),
        });
    }
    database(&args.postgres)?.cancel(&args.run).await?;
    say::note("cancelled; results are kept, and `chatcore batch resume` goes on");
    Ok(0)
}

pub(crate) async fn remove(args: OfRun) -> Result<u8, Failure> {
    database(&args.postgres)?.remove(&args.run).await?;
    say::note("removed, with its input and its results");
    Ok(0)
}

fn state(run: &RunStatus) -> &'static str {
    match run.state {
        _ if run.is_complete() => "complete",
        RunState::Loading => "loading",
        RunState::Removing => "being removed",
        RunState::Running if run.is_over_its_cost() => "at its cap",
        RunState::Running => "running",
        RunState::Paused => "paused",
        _ => "cancelled",
    }
}

fn as_json(run: &RunStatus) -> String {
    let workers: Vec<_> = run
        .workers
        .iter()
        .map(|worker| {
            json!({
                "name": worker.name,
                "chunks": worker.chunks,
                "items": worker.items,
                "lease_seconds": worker.lasts.as_secs(),
            })
        })
        .collect();
    let counts = &run.counts;
    let line = json!({
        "run": run.name,
        "state": state(run),
        "items": counts.total,
        "done": counts.done,
        "failed": counts.failed,
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
        "cost": run.cost(),
        "max_cost": run.limits.max_cost,
        "requests_per_minute": run.limits.requests_per_minute,
        "tokens_per_minute": run.limits.tokens_per_minute,
        "workers": workers,
    });
    format!("{line}\n")
}

fn as_text(run: &RunStatus) -> String {
    let counts = &run.counts;
    let total = counts
        .total
        .map_or("?".to_owned(), |total| total.to_string());
    let state = match state(run) {
        state @ "complete" => format!("{GOOD}{state}{GOOD:#}"),
        state => state.to_owned(),
    };
    let mut text = format!(
        "{BOLD}{}{BOLD:#}: {state}, {}/{total} items",
        run.name,
        counts.finished()
    );
    if counts.failed > 0 {
        text.push_str(&format!(
            ", {BAD}{}{BAD:#}",
            say::count(counts.failed, "error")
        ));
    }
    text.push_str(&format!(
        ", {} + {} tokens",
        counts.input_tokens, counts.output_tokens
    ));
    if let Some(cost) = run.cost() {
        text.push_str(&format!(", {}", say::dollars(cost)));
        if let Some(most) = run.limits.max_cost {
            text.push_str(&format!(" of {}", say::dollars(most)));
        }
    }
    text.push('\n');
    for worker in &run.workers {
        text.push_str(&format!(
            "  {} has {} left {DIM}({}, lease ends in {} s){DIM:#}\n",
            worker.name,
            say::count(worker.items, "item"),
            say::count(worker.chunks, "chunk"),
            worker.lasts.as_secs()
        ));
    }
    text
}

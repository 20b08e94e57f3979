//! Shows the progress of a run: a bar on a terminal, lines elsewhere.

use std::path::Path;
use std::time::{Duration, Instant};

use chatcore::{Error, Finished};
use chatcore_adapters::journal::files::Input;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::run::Ended;
use super::stats::Stats;
use crate::say::{self, BAD, BOLD, GOOD, WARN};

/// How often a line is written if there is no terminal.
const LINES: Duration = Duration::from_secs(10);

/// How many errors are shown as they arrive. All errors are in the file of errors.
const ERRORS: u64 = 3;

/// The progress display of a run.
pub(super) struct Show {
    bar: Option<ProgressBar>,
    last_line: Instant,
    errors: u64,
    /// The messages about bad lines that were told when the input was checked.
    told: Vec<String>,
    /// Whether only the first bad lines were told, and the others counted.
    are_counted: bool,
}

impl Show {
    /// `input` is what was told about the input.
    pub(super) fn new(is_terminal: bool, input: &Input) -> Self {
        let bar = is_terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let colours = match anstream::AutoStream::choice(&std::io::stderr()) {
                anstream::ColorChoice::Never => "{bar:30} {pos}/{len} {msg}",
                _ => "{bar:30.green/dim} {pos}/{len} {msg}",
            };
            match ProgressStyle::with_template(colours) {
                Ok(style) => bar.with_style(style.progress_chars("━━─")),
                Err(_) => bar,
            }
        });
        Self {
            bar,
            last_line: Instant::now(),
            errors: 0,
            told: input
                .first_bad
                .iter()
                .map(|error| error.message().to_owned())
                .collect(),
            are_counted: input.bad_lines > input.first_bad.len() as u64,
        }
    }

    /// Whether this error of a line was told before the run began.
    fn was_told(&self, error: &Error) -> bool {
        let is_counted = self.are_counted && error.code() == Some("invalid_line");
        is_counted || self.told.iter().any(|told| told == error.message())
    }

    /// Shows the first few errors.
    pub(super) fn finished(&mut self, finished: &Finished) {
        let Err(error) = &finished.outcome.result else {
            return;
        };
        if self.was_told(error) {
            return;
        }
        self.errors += 1;
        if self.errors <= ERRORS {
            let id = &finished.outcome.id;
            self.pause(|| say::note(&format!("{BAD}{id}{BAD:#}: {error}")));
        }
        if self.errors == ERRORS + 1 {
            self.pause(|| say::note("further errors are in their file"));
        }
    }

    /// Updates the display.
    pub(super) fn tick(&mut self, stats: &mut Stats, in_flight: usize) {
        stats.tick();
        match &self.bar {
            Some(bar) => {
                bar.set_length(stats.total());
                bar.set_position(stats.finished());
                bar.set_message(line(stats, in_flight));
            }
            None if self.last_line.elapsed() >= LINES => {
                self.last_line = Instant::now();
                let (finished, total) = (stats.finished(), stats.total());
                say::note(&format!("{finished}/{total} {}", line(stats, in_flight)));
            }
            None => {}
        }
    }

    /// Hides the bar while `write` writes.
    pub(super) fn pause(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Prints the summary at the end.
    pub(super) fn end(&self, stats: &Stats, ended: &Ended, output: &Path, errors: &Path) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let (done, failed) = (stats.done(), stats.failed());
        let left = stats.total().saturating_sub(stats.finished());
        let mut text = format!(
            "{BOLD}{}{BOLD:#} in {}",
            say::count(done, "answer"),
            output.display()
        );
        if failed > 0 {
            text.push_str(&format!(
                ", {BAD}{}{BAD:#} in {}",
                say::count(failed, "error"),
                errors.display()
            ));
        }
        text.push_str(&format!(", {}", whole_seconds(stats.elapsed())));
        let (input, output) = stats.tokens();
        text.push_str(&format!(", {input} + {output} tokens"));
        if let Some(cost) = stats.cost() {
            text.push_str(&format!(", {}", say::dollars(cost)));
        }
        say::note(&text);
        let left = match left {
            1 => "1 item is left".to_owned(),
            _ => format!("{left} items are left"),
        };
        match ended {
            Ended::All if failed == 0 => say::note(&format!("{GOOD}complete{GOOD:#}")),
            Ended::All => say::note("complete; --retry-errors runs the errors again"),
            Ended::Stopped(why) => say::note(&format!(
                "{WARN}{why}{WARN:#}; {left}, the same command resumes"
            )),
            Ended::Cancelled => say::note(&format!(
                "{WARN}cancelled{WARN:#}; {left}, and `chatcore batch run` without --cancel resumes"
            )),
            Ended::Failed(_) => say::note(&format!(
                "{left}; the same command resumes when the cause is fixed"
            )),
        }
    }
}

/// The status line: failed items, items in flight, pace, cost and time left.
fn line(stats: &Stats, in_flight: usize) -> String {
    let (items, tokens) = stats.pace();
    let mut text = format!(
        "{} failed, {in_flight} in flight, {items:.1} items/s, {tokens:.0} tokens/s",
        stats.failed()
    );
    if let Some(cost) = stats.cost() {
        text.push_str(&format!(", {}", say::dollars(cost)));
    }
    if let Some(left) = stats.left() {
        text.push_str(&format!(", {} left", whole_seconds(left)));
    }
    text
}

fn whole_seconds(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

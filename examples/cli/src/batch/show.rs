//! Shows the progress of a run: a bar on a terminal, lines elsewhere.

use std::path::Path;
use std::time::{Duration, Instant};

use chatcore::Finished;
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
}

impl Show {
    pub(super) fn new(is_terminal: bool) -> Self {
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
        }
    }

    /// Shows the first few errors.
    pub(super) fn finished(&mut self, finished: &Finished) {
        let Err(error) = &finished.outcome.result else {
            return;
        };
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

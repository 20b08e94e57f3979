//! Shows what happens at the provider.

use std::io::IsTerminal;

use chatcore::provider_batch::{BatchEvent, BatchProgress};

use crate::batch::show::Show;
use crate::say::{self, WARN};

/// What was shown last.
pub(super) struct Shown {
    progress: BatchProgress,
    is_terminal: bool,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            progress: BatchProgress::default(),
            is_terminal: std::io::stderr().is_terminal(),
        }
    }
}

impl Shown {
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// How many items are at the provider and not answered.
    pub(super) fn running(&self) -> usize {
        let progress = &self.progress;
        let ended = progress.done.saturating_add(progress.failed);
        usize::try_from(progress.items.saturating_sub(ended)).unwrap_or(usize::MAX)
    }

    /// Tells what happened.
    pub(super) fn tell(&mut self, event: &BatchEvent, show: &Show) {
        let line = match event {
            BatchEvent::Created { id, items } => {
                self.progress.items += items;
                format!("batch {id}: {} sent", say::count(*items, "item"))
            }
            BatchEvent::Found { id, items } => {
                self.progress.items += items;
                format!("batch {id}: found, {}", say::count(*items, "item"))
            }
            BatchEvent::Ended { id, state, back } => {
                let mut line = format!("batch {id}: {}", state.as_str());
                if *back > 0 {
                    line.push_str(&format!(", {} to be sent again", say::count(*back, "item")));
                }
                line
            }
            BatchEvent::NotCancelled { id, items } => format!(
                "{WARN}perhaps not cancelled:{WARN:#} batch {id}, {}: it may be another program's; \
                 cancel it at the provider if it is not",
                say::count(*items, "item")
            ),
            BatchEvent::Trouble { error, wait } => {
                let wait = humantime::format_duration(*wait);
                format!("{WARN}warning:{WARN:#} {error}; again in {wait}")
            }
            BatchEvent::Progress(progress) => {
                let is_new = *progress != self.progress;
                self.progress = *progress;
                if self.is_terminal || !is_new || progress.batches == 0 {
                    return;
                }
                format!(
                    "at the provider: {} of {} answered, {} failed, in {}",
                    progress.done,
                    say::count(progress.items, "item"),
                    progress.failed,
                    batches(progress.batches)
                )
            }
            _ => return,
        };
        show.pause(|| say::note(&line));
    }
}

/// Says which batches stay at the provider.
pub(super) fn left(waiting: usize, show: &Show) {
    if waiting > 0 {
        let waiting = batches(waiting);
        show.pause(|| {
            say::note(&format!(
                "left at the provider: {waiting}; the same command goes on with them, and --cancel \
                 cancels them"
            ));
        });
    }
}

fn batches(number: usize) -> String {
    match number {
        1 => "1 batch".to_owned(),
        _ => format!("{number} batches"),
    }
}

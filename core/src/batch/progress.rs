//! The progress of a batch.

use std::time::Duration;

use crate::time::Instant;

/// The progress of a batch, reported after each item.
///
/// ```
/// # async fn example(client: chatcore::LlmClient) {
/// use chatcore::BatchProcessor;
///
/// let batch = BatchProcessor::requests(&client).on_progress(|progress| {
///     println!("{} of {:?}, {:?} left", progress.finished(), progress.total, progress.remaining);
/// });
/// batch.process_batch(["one", "two"]).await;
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// All items, if their number is known.
    pub total: Option<usize>,
    /// Items that succeeded.
    pub done: usize,
    /// Items that failed.
    pub failed: usize,
    /// Items that are running.
    pub in_flight: usize,
    /// Tokens of the items that succeeded, if the processor [counts
    /// them](super::BatchProcessor::count_tokens).
    pub tokens: u64,
    /// Time since the batch started.
    pub elapsed: Duration,
    /// Estimated time for the remaining items, at the pace so far; `None` if the total is not
    /// known.
    pub remaining: Option<Duration>,
}

impl Progress {
    /// Items that succeeded or failed.
    pub fn finished(&self) -> usize {
        self.done + self.failed
    }
}

/// Counts items and time for [`Progress`].
#[derive(Debug)]
pub(super) struct Meter {
    began: Instant,
    progress: Progress,
}

impl Meter {
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            progress: Progress::default(),
        }
    }

    pub(super) fn set_total(&mut self, total: Option<usize>) {
        self.progress.total = total;
    }

    /// Whether no item has been started yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.progress.in_flight == 0 && self.progress.finished() == 0
    }

    pub(super) fn started(&mut self) {
        self.progress.in_flight += 1;
    }

    /// Counts an item as removed: its caller dropped it, or it was not recorded.
    pub(super) fn left(&mut self) {
        self.progress.in_flight -= 1;
        self.progress.total = self.progress.total.map(|total| total.saturating_sub(1));
    }

    /// Counts an item as finished; `tokens` is `None` if it failed.
    pub(super) fn ended(&mut self, tokens: Option<u64>, now: Instant) -> &Progress {
        let progress = &mut self.progress;
        progress.in_flight -= 1;
        match tokens {
            Some(tokens) => {
                progress.done += 1;
                progress.tokens = progress.tokens.saturating_add(tokens);
            }
            None => progress.failed += 1,
        }
        progress.elapsed = now - self.began;
        let finished = progress.finished();
        progress.remaining = progress.total.map(|total| {
            let left = total.saturating_sub(finished) as f64;
            let seconds = progress.elapsed.as_secs_f64() * (left / finished as f64);
            // The total may be any number, so the time may not fit into a `Duration`.
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        });
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_from_the_pace() {
        let at = |seconds| Instant::from_epoch(Duration::from_secs(seconds));
        let mut meter = Meter::new(at(10));
        meter.set_total(Some(4));
        meter.started();
        meter.started();
        let progress = meter.ended(Some(7), at(13)).clone();
        assert_eq!(
            (progress.done, progress.in_flight, progress.tokens),
            (1, 1, 7)
        );
        assert_eq!(progress.elapsed, Duration::from_secs(3));
        assert_eq!(progress.remaining, Some(Duration::from_secs(9)));
        let progress = meter.ended(None, at(14)).clone();
        assert_eq!((progress.failed, progress.finished()), (1, 2));
        assert_eq!(progress.remaining, Some(Duration::from_secs(4)));
    }

    #[test]
    fn more_items_than_there_is_time_for_take_for_ever() {
        let mut meter = Meter::new(Instant::default());
        meter.set_total(Some(usize::MAX));
        meter.started();
        let progress = meter.ended(Some(1), Instant::from_epoch(Duration::from_secs(60)));
        assert_eq!(progress.remaining, Some(Duration::MAX));
    }
}

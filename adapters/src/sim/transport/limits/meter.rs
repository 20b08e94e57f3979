//! One limit per minute, in integers, so that it is exact to the nanosecond.

use std::collections::VecDeque;
use std::time::Duration;

use super::Window;

const MINUTE: Duration = Duration::from_secs(60);
const MINUTE_NANOS: u128 = MINUTE.as_nanos();

#[derive(Debug)]
pub(super) struct Meter {
    limit: u64,
    count: Count,
}

#[derive(Debug)]
enum Count {
    /// What is left, in parts of which a request or token costs `MINUTE_NANOS`, so that each
    /// nanosecond adds `limit` parts.
    Bucket { level: u128, at: Duration },
    /// The use in this minute.
    Fixed { minute: u64, used: u64 },
    /// The admitted costs of the last minute, the oldest first.
    Sliding {
        log: VecDeque<(Duration, u64)>,
        used: u64,
    },
}

impl Meter {
    pub(super) fn new(limit: u64, window: Window) -> Self {
        let limit = limit.max(1);
        let count = match window {
            Window::TokenBucket => Count::Bucket {
                level: u128::from(limit) * MINUTE_NANOS,
                at: Duration::ZERO,
            },
            Window::Fixed => Count::Fixed { minute: 0, used: 0 },
            Window::Sliding => Count::Sliding {
                log: VecDeque::new(),
                used: 0,
            },
        };
        Self { limit, count }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// How long until `cost` fits; `None` if it fits now. A cost above the limit waits a minute.
    pub(super) fn wait(&mut self, cost: u64, now: Duration) -> Option<Duration> {
        if cost > self.limit {
            return Some(MINUTE);
        }
        self.advance(now);
        if cost <= self.left() {
            return None;
        }
        Some(match &self.count {
            Count::Bucket { level, .. } => {
                let missing = u128::from(cost) * MINUTE_NANOS - level;
                nanos(missing.div_ceil(self.limit.into()))
            }
            Count::Fixed { minute, .. } => until_minute(minute + 1, now),
            Count::Sliding { log, used } => {
                let mut used = *used;
                let frees = log.iter().find(|(_, cost_then)| {
                    used -= cost_then;
                    used + cost <= self.limit
                });
                frees.map_or(MINUTE, |&(at, _)| (at + MINUTE).saturating_sub(now))
            }
        })
    }

    pub(super) fn charge(&mut self, cost: u64, now: Duration) {
        self.advance(now);
        match &mut self.count {
            Count::Bucket { level, .. } => {
                *level = level.saturating_sub(u128::from(cost) * MINUTE_NANOS);
            }
            Count::Fixed { used, .. } => *used += cost,
            Count::Sliding { log, used } => {
                log.push_back((now, cost));
                *used += cost;
            }
        }
    }

    pub(super) fn remaining(&mut self, now: Duration) -> u64 {
        self.advance(now);
        self.left()
    }

    pub(super) fn until_full(&mut self, now: Duration) -> Duration {
        self.advance(now);
        match &self.count {
            Count::Bucket { level, .. } => {
                let missing = u128::from(self.limit) * MINUTE_NANOS - level;
                nanos(missing.div_ceil(self.limit.into()))
            }
            Count::Fixed { used: 0, .. } => Duration::ZERO,
            Count::Fixed { minute, .. } => until_minute(minute + 1, now),
            Count::Sliding { log, .. } => log
                .back()
                .map_or(Duration::ZERO, |&(at, _)| (at + MINUTE).saturating_sub(now)),
        }
    }

    fn left(&self) -> u64 {
        match &self.count {
            Count::Bucket { level, .. } => (level / MINUTE_NANOS) as u64,
            Count::Fixed { used, .. } | Count::Sliding { used, .. } => {
                self.limit.saturating_sub(*used)
            }
        }
    }

    fn advance(&mut self, now: Duration) {
        let full = u128::from(self.limit) * MINUTE_NANOS;
        match &mut self.count {
            Count::Bucket { level, at } => {
                let passed = now.saturating_sub(*at).as_nanos();
                *level = (*level + passed * u128::from(self.limit)).min(full);
                *at = now;
            }
            Count::Fixed { minute, used } => {
                let this = now.as_secs() / MINUTE.as_secs();
                if std::mem::replace(minute, this) != this {
                    *used = 0;
                }
            }
            Count::Sliding { log, used } => {
                while let Some(&(at, cost)) = log.front()
                    && at + MINUTE <= now
                {
                    log.pop_front();
                    *used -= cost;
                }
            }
        }
    }
}

fn until_minute(minute: u64, now: Duration) -> Duration {
    Duration::from_secs(minute * MINUTE.as_secs()).saturating_sub(now)
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOWS: [Window; 3] = [Window::TokenBucket, Window::Fixed, Window::Sliding];

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_limit_is_let_in_and_not_one_more() {
        for window in WINDOWS {
            let mut meter = Meter::new(6, window);
            for left in (0..6).rev() {
                assert_eq!(meter.wait(1, at(0)), None);
                meter.charge(1, at(0));
                assert_eq!(meter.remaining(at(0)), left);
            }
            assert!(meter.wait(1, at(0)).is_some(), "{window:?}");
        }
    }

    #[test]
    fn the_wait_is_exact_to_the_nanosecond() {
        let waits = WINDOWS.map(|window| {
            let mut meter = Meter::new(7, window);
            meter.charge(4, at(0));
            meter.charge(3, at(20_000));
            let wait = meter.wait(4, at(30_000)).unwrap();
            let due = at(30_000) + wait;
            assert!(
                meter.wait(4, due - Duration::from_nanos(1)).is_some(),
                "{window:?}"
            );
            assert_eq!(meter.wait(4, due), None, "{window:?}");
            wait
        });
        // The bucket is full before the second charge's 3: 7 - 4 + 20/60 · 7 - 3 + 10/60 · 7 = 3.5
        // are there, and 0.5 more take 60 s · 0.5 / 7.
        assert_eq!(waits[0], Duration::from_nanos(4_285_714_286));
        assert_eq!(waits[1..], [at(30_000), at(30_000)]);
    }

    #[test]
    fn windows_differ_where_they_should() {
        let again = |window| {
            let mut meter = Meter::new(2, window);
            meter.charge(2, at(59_000));
            meter.wait(2, at(60_000))
        };
        assert_eq!(again(Window::TokenBucket), Some(at(59_000)));
        assert_eq!(again(Window::Fixed), None);
        assert_eq!(again(Window::Sliding), Some(at(59_000)));
    }

    #[test]
    fn what_never_fits_waits_and_all_is_full_in_the_end() {
        for window in WINDOWS {
            let mut meter = Meter::new(10, window);
            assert_eq!(meter.wait(11, at(0)), Some(MINUTE));
            meter.charge(10, at(5));
            let full = at(5) + meter.until_full(at(5));
            assert_eq!(meter.remaining(full), 10, "{window:?}");
            assert_eq!(meter.until_full(full), Duration::ZERO);
        }
    }
}

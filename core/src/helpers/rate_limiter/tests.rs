use std::fmt::Write;
use std::pin::pin;

use futures_util::future::{Either, join, join_all, select};
use serde_json::Value;

use super::*;
use crate::testing::Clockwork;

const SECOND: Duration = Duration::from_secs(1);

/// What a limiter must do, case by case. The npm package's `RateLimiter` is tested against the same
/// file. Times are in milliseconds. A step acquires, or tries to, at a time, and may give up at
/// another; `passes` is when it was admitted, or null.
const CASES: &str = include_str!("../../../cases/rate_limiter.jsonl");
/// The path of the same file. `CHATCORE_GOLDEN=write` writes it anew from what the limiter does.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/rate_limiter.jsonl");

fn milliseconds(of: &Value) -> Duration {
    Duration::from_millis(of.as_u64().unwrap())
}

/// When each step was admitted, in milliseconds.
fn run(case: &Value) -> Vec<Option<u64>> {
    let (clock, executor) = Clockwork::new();
    let number = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
    let limiter = RateLimiter::new(
        Arc::clone(&executor),
        number("calls"),
        milliseconds(&case["period"]),
    )
    .burst(number("burst"));
    let steps = case["steps"].as_array().unwrap().iter().map(|step| {
        let (clock, executor, limiter) = (&clock, &executor, &limiter);
        async move {
            let at = milliseconds(&step["at"]);
            executor.sleep(at).await;
            let passed = match &step["gives_up"] {
                _ if step["try"] == true => limiter.try_acquire(),
                Value::Null => {
                    limiter.acquire().await;
                    true
                }
                until => {
                    let acquired = pin!(limiter.acquire());
                    let gives_up = executor.sleep(milliseconds(until) - at);
                    matches!(select(acquired, gives_up).await, Either::Left(_))
                }
            };
            passed.then(|| (clock.seconds() * 1000.0).round() as u64)
        }
    });
    clock.run(join_all(steps))
}

#[test]
fn every_case() {
    let mut now = String::new();
    for line in CASES.lines() {
        let mut case: Value = serde_json::from_str(line).unwrap();
        case["passes"] = run(&case).into();
        let _ = write!(now, "{{");
        for (index, name) in ["name", "calls", "period", "burst", "steps", "passes"]
            .iter()
            .enumerate()
        {
            let comma = if index > 0 { "," } else { "" };
            let _ = write!(now, "{comma}\"{name}\":{}", case[name]);
        }
        let _ = writeln!(now, "}}");
    }
    if std::env::var_os("CHATCORE_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(FILE, &now).unwrap();
    } else {
        for (held, now) in CASES.lines().zip(now.lines()) {
            assert_eq!(held, now);
        }
    }
}

#[test]
fn in_no_case_are_there_more_in_a_period_than_may_be() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let calls = case["calls"].as_u64().unwrap().max(1) as usize;
        let period = case["period"].as_u64().unwrap();
        let mut passes: Vec<_> = run(&case).into_iter().flatten().collect();
        passes.sort_unstable();
        for window in passes.windows(calls + 1) {
            assert!(
                window[calls] >= window[0] + period,
                "{}: {passes:?}",
                case["name"]
            );
        }
    }
}

#[test]
fn how_many_wait() {
    let (clock, executor) = Clockwork::new();
    let limiter = RateLimiter::new(Arc::clone(&executor), 1, SECOND);
    assert!(limiter.try_acquire());
    clock.run(join(limiter.acquire(), async {
        executor.sleep(SECOND / 2).await;
        assert_eq!(limiter.waiting(), 1);
        assert!(!limiter.try_acquire());
    }));
    assert_eq!(limiter.waiting(), 0);
}

#[test]
fn without_a_period_nothing_waits() {
    let (_, executor) = Clockwork::new();
    let unlimited = RateLimiter::new(executor, 1, Duration::ZERO);
    assert!((0..100).all(|_| unlimited.try_acquire()));
}

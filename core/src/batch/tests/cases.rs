//! Runs the cases in a golden file, which the tests of the npm package's `BatchProcessor` share.
//! Times are in milliseconds. A step adds an item, flushes, or closes. An item has a duration, may
//! fail, and its caller may drop it at a given time. For an item, `begins` is when its work
//! started, and `ends` is when and how its caller got a result. `told` lists the calls of
//! `on_progress`: the time, and the total, succeeded, failed and running items.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use serde_json::{Value, json};

use super::*;
use crate::error::ErrorKind;
use crate::testing::Clockwork;

const CASES: &str = include_str!("../../../cases/batch.jsonl");
/// The path of the same file, for `CHATCORE_GOLDEN=write`, which regenerates it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/batch.jsonl");

/// An item's index in the steps, its duration, and whether it fails.
type Item = (usize, Duration, bool);

fn milliseconds(of: &Value) -> Duration {
    Duration::from_millis(of.as_u64().unwrap())
}

fn now(clock: &Clockwork) -> u64 {
    (clock.seconds() * 1000.0).round() as u64
}

/// The results of the steps, in their order, and the reported progress.
fn run(case: &Value) -> (Vec<Value>, Vec<Value>) {
    let (clock, executor) = Clockwork::new();
    let steps = case["steps"].as_array().unwrap();
    let begun = Arc::new(Mutex::new(vec![Value::Null; steps.len()]));
    let told = Arc::new(Mutex::new(Vec::new()));

    let (sleeping, timing, noting) = (executor.clone(), clock.clone(), begun.clone());
    let (telling, telling_at) = (told.clone(), clock.clone());
    let number = |name: &str| case[name].as_u64().unwrap() as usize;
    let work = move |(place, takes, fails): Item| {
        let (executor, clock, begun) = (sleeping.clone(), timing.clone(), noting.clone());
        async move {
            begun.lock().unwrap()[place] = now(&clock).into();
            executor.sleep(takes).await;
            match fails {
                true => Err(Error::new(ErrorKind::Server, "it fails")),
                false => Ok(takes.as_millis() as u64),
            }
        }
    };
    let batch = BatchProcessor::<Item, u64>::new(executor.clone(), work)
        .batch_size(number("batch_size"))
        .max_workers(number("max_workers"))
        .timeout(milliseconds(&case["timeout"]))
        .max_concurrent_batches(number("max_concurrent_batches"))
        .on_progress(move |p| {
            let at = now(&telling_at);
            let line = json!([at, p.total, p.done, p.failed, p.in_flight]);
            telling.lock().unwrap().push(line);
        });

    let each = steps.iter().enumerate().map(|(place, step)| {
        let (clock, executor, batch) = (&clock, &executor, &batch);
        async move {
            let at = milliseconds(&step["at"]);
            executor.sleep(at).await;
            if step["flush"] == true {
                batch.flush().await;
                return json!({ "ends": now(clock) });
            }
            if let Some(closing) = step["close"].as_str() {
                let closing = match closing {
                    "finish" => Closing::Finish,
                    _ => Closing::Cancel,
                };
                batch.close(closing).await;
                return json!({ "ends": now(clock) });
            }
            let item = (place, milliseconds(&step["add"]), step["fails"] == true);
            let adding = pin!(batch.add_request(item));
            let result = match &step["leaves"] {
                Value::Null => Some(adding.await),
                until => {
                    let leaving = executor.sleep(milliseconds(until) - at);
                    match select(adding, leaving).await {
                        Either::Left((result, _)) => Some(result),
                        Either::Right(_) => None,
                    }
                }
            };
            let how = match result {
                None => "left",
                Some(Ok(takes)) if takes == step["add"] => "ok",
                Some(Err(error)) if error.kind() == ErrorKind::Server => "failed",
                Some(Err(error)) if error.kind() == ErrorKind::Closed => "closed",
                Some(other) => panic!("{other:?}"),
            };
            json!({ "ends": now(clock), "how": how })
        }
    });
    let mut outcomes = clock.run(join_all(each));
    for (place, outcome) in outcomes.iter_mut().enumerate() {
        if outcome["how"].is_string() {
            outcome["begins"] = begun.lock().unwrap()[place].clone();
        }
    }
    let told = told.lock().unwrap().clone();
    (outcomes, told)
}

#[test]
fn every_case() {
    let mut now = String::new();
    for line in CASES.lines() {
        let mut case: Value = serde_json::from_str(line).unwrap();
        let (outcomes, told) = run(&case);
        case["outcomes"] = outcomes.into();
        case["told"] = told.into();
        now += &format!("{case}\n");
    }
    if std::env::var_os("CHATCORE_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(FILE, &now).unwrap();
        return;
    }
    for (held, now) in CASES.lines().zip(now.lines()) {
        let [held, now] = [held, now].map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(held, now);
    }
}

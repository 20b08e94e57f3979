//! Medians and ranges of the runs.

use serde_json::Value;

/// The median of some runs, and their minimum and maximum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Figure {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (&least, &most) = (values.first()?, values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Some(Self {
            median,
            least,
            most,
        })
    }
}

/// The summary of all runs of one peer at one kind of work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Answers per second; for streams, events per second.
    pub(crate) rate: Option<Figure>,
    /// CPU microseconds of the client for each answer or event.
    pub(crate) cpu: Option<Figure>,
    pub(crate) p50: Option<Figure>,
    pub(crate) p99: Option<Figure>,
    /// The difference to the bare client in the same round.
    pub(crate) added_cpu: Option<Figure>,
    pub(crate) added_p50: Option<Figure>,
    pub(crate) added_p99: Option<Figure>,
    /// KiB of resident memory for each call in flight, at the peak.
    pub(crate) memory: Option<Figure>,
    /// Time from the start of the process to its answer, in milliseconds.
    pub(crate) start_up: Option<Figure>,
    /// The smallest share of the measured time, over the runs, in which the server was idle.
    pub(crate) server_idle: Option<f64>,
    pub(crate) errors: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) runs: usize,
}

const EVENTS: f64 = 200.0;

/// Summarizes the runs of one peer. `runs` are all runs of the session.
pub(crate) fn summary(runs: &[Value], work: &str, peer: &str, bare: Option<&str>) -> Summary {
    let of = |name: &str| -> Vec<&Value> {
        let mine = runs
            .iter()
            .filter(|run| run["work"] == work && run["peer"] == name);
        mine.collect()
    };
    let mine = of(peer);
    let mut result = Summary {
        runs: mine.len(),
        errors: mine
            .iter()
            .map(|run| run["errors"].as_u64().unwrap_or(0))
            .sum(),
        first_error: mine
            .iter()
            .find_map(|run| run["first_error"].as_str().map(str::to_owned)),
        ..Summary::default()
    };
    // A run with errors did different work, so its errors are counted but its figures are left out.
    let good: Vec<&Value> = mine.into_iter().filter(|run| run["errors"] == 0).collect();
    let figure = |value: &dyn Fn(&Value) -> Option<f64>| {
        Figure::of(good.iter().filter_map(|run| value(run)))
    };
    if work == "f" {
        result.start_up = figure(&|run| Some(run["wall_us"].as_f64()? / 1e3));
        return result;
    }
    result.rate = figure(&|run| Some(each(run)? / run["wall_us"].as_f64()? * 1e6));
    result.cpu = figure(&cpu);
    result.p50 = figure(&|run| run["p50_us"].as_f64());
    result.p99 = figure(&|run| run["p99_us"].as_f64());
    result.memory = figure(&|run| {
        let grown = run["memory_peak_kib"].as_f64()? - run["memory_before_kib"].as_f64()?;
        Some(grown.max(0.0) / run["at_once"].as_f64()?)
    });
    result.server_idle = good
        .iter()
        .filter_map(|run| Some(1.0 - run["server_busy_us"].as_f64()? / run["wall_us"].as_f64()?))
        .min_by(f64::total_cmp)
        .map(|idle| idle.max(0.0));
    if let Some(bare) = bare {
        let bare = of(bare);
        let added = |value: &dyn Fn(&Value) -> Option<f64>| {
            Figure::of(good.iter().filter_map(|run| {
                let other = bare
                    .iter()
                    .find(|other| other["round"] == run["round"] && other["errors"] == 0)?;
                Some(value(run)? - value(other)?)
            }))
        };
        result.added_cpu = added(&cpu);
        result.added_p50 = added(&|run| run["p50_us"].as_f64());
        result.added_p99 = added(&|run| run["p99_us"].as_f64());
    }
    result
}

/// The number of answers, or of events for streams. Counts the events that the server sent, because
/// a client may join or split them.
fn each(run: &Value) -> Option<f64> {
    let answers = run["answers"].as_f64()?;
    match run["work"].as_str()?.starts_with('d') {
        true => Some(answers * EVENTS),
        false => Some(answers),
    }
}

fn cpu(run: &Value) -> Option<f64> {
    Some((run["user_us"].as_f64()? + run["system_us"].as_f64()?) / each(run)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn added_is_the_difference_within_each_round() {
        let run = |peer: &str, round: u32, cpu: u32| {
            json!({"peer": peer, "work": "a", "round": round, "errors": 0, "answers": 10,
                "at_once": 1, "user_us": cpu, "system_us": 0, "wall_us": 1000,
                "server_busy_us": 400})
        };
        let runs = [
            run("x", 0, 100),
            run("bare", 0, 40),
            run("x", 1, 300),
            run("bare", 1, 230),
        ];
        let summary = summary(&runs, "a", "x", Some("bare"));
        assert_eq!(summary.cpu.unwrap().median, 20.0);
        assert_eq!(summary.added_cpu.unwrap().median, 6.5);
        assert_eq!(summary.rate.unwrap().median, 10_000.0);
        assert_eq!(summary.server_idle, Some(0.6));
    }

    #[test]
    fn a_run_with_errors_is_counted_and_not_averaged() {
        let runs = [
            json!({"peer": "x", "work": "a", "errors": 2, "first_error": "reset"}),
            json!({"peer": "x", "work": "a", "errors": 0, "answers": 10, "wall_us": 1000}),
        ];
        let summary = summary(&runs, "a", "x", None);
        assert_eq!((summary.errors, summary.runs), (2, 2));
        assert_eq!(summary.first_error.as_deref(), Some("reset"));
        assert_eq!(summary.rate.unwrap().median, 10_000.0);
    }
}

//! Reads the `details` of Google's errors (google.rpc): the reason, the time to wait, and the quota
//! that was reached.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::dialect::kit::hints;
use crate::phrase;

/// The longest wait that an object with `seconds` may name, in seconds. Waits in texts have the
/// same limit.
const LONGEST: u64 = 1_000_000_000;

/// The contents of `details`.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// Google's one-word reason.
    pub(super) reason: Option<String>,
    /// How long to wait before the next attempt.
    pub(super) retry_after: Option<Duration>,
    /// Whether a daily quota was reached. Waiting for some seconds does not help then.
    pub(super) is_daily: bool,
}

impl Details {
    /// Reads the `details` of an error object.
    pub(super) fn of(error: &Map<String, Value>) -> Self {
        let mut said = Self::default();
        let Some(Value::Array(details)) = error.get("details") else {
            return said;
        };
        for detail in details.iter().filter_map(Value::as_object) {
            let kind = detail.get("@type").and_then(Value::as_str).unwrap_or("");
            // The type's name follows the last dot: `type.googleapis.com/google.rpc.RetryInfo`.
            match kind.rsplit_once('.').map_or(kind, |(_, name)| name) {
                "ErrorInfo" => {
                    let reason = detail.get("reason").and_then(Value::as_str);
                    said.reason = said.reason.or_else(|| reason.map(str::to_owned));
                }
                "RetryInfo" => said.retry_after = detail.get("retryDelay").and_then(delay),
                "QuotaFailure" => said.is_daily |= is_daily(detail),
                _ => {}
            }
        }
        said
    }
}

/// `"34.07s"`, or `{"seconds": 34, "nanos": 70000000}`.
fn delay(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => hints::duration(text),
        Value::Object(fields) => {
            let count = |name: &str| match fields.get(name) {
                Some(Value::String(text)) => text.parse().ok(),
                value => value.and_then(Value::as_u64),
            };
            let (seconds, nanos) = (count("seconds"), count("nanos"));
            (seconds.is_some() || nanos.is_some()).then(|| {
                let nanos = nanos.unwrap_or(0).min(999_999_999);
                Duration::from_secs(seconds.unwrap_or(0).min(LONGEST)) + Duration::from_nanos(nanos)
            })
        }
        _ => None,
    }
}

/// Whether one of the violated quotas is a daily quota. Its id says so:
/// `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
fn is_daily(detail: &Map<String, Value>) -> bool {
    let violations = detail.get("violations").and_then(Value::as_array);
    violations.into_iter().flatten().any(|violation| {
        let id = violation.get("quotaId").and_then(Value::as_str);
        id.is_some_and(|id| phrase::has(id, "PerDay"))
    })
}

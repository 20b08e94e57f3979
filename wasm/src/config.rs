//! What a client and a call are made of, as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use chatcore::{ChatRequest, Error, ErrorKind, Timeouts};
use serde::Deserialize;

/// What a client is made of.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[derive(Default)]
pub(crate) struct Settings {
    /// The variables of the environment, with the constructor's options put over them.
    pub(crate) vars: BTreeMap<String, String>,
    /// Headers for every request.
    pub(crate) headers: BTreeMap<String, String>,
    /// A page that says that it shows its key on purpose.
    pub(crate) browser_access: bool,
    /// No key is sent, and none is demanded: another server adds it.
    pub(crate) keyless: bool,
    /// Time limits.
    pub(crate) timeouts: Limits,
    /// What the provider grants per minute.
    pub(crate) rate: Rate,
}

/// What the provider grants per minute.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Rate {
    pub(crate) requests_per_minute: Option<u32>,
    pub(crate) tokens_per_minute: Option<u64>,
    pub(crate) request_burst: Option<u32>,
    pub(crate) token_burst: Option<u64>,
}

/// What a call is made of.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct CallSpec {
    /// In the words of the core.
    pub(crate) request: ChatRequest,
    /// Headers for this call.
    pub(crate) headers: BTreeMap<String, String>,
    /// Time limits.
    pub(crate) timeouts: Limits,
    /// Attempts in all.
    pub(crate) max_retries: Option<u32>,
    /// Wait where the queue is full.
    pub(crate) wait_for_queue: bool,
    /// Wait as long as it takes: one call of a batch.
    pub(crate) patient: bool,
}

/// Time limits in milliseconds; what is missing stays as it is, and a negative one is no limit.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Limits {
    queue: Option<f64>,
    headers: Option<f64>,
    first_content: Option<f64>,
    byte_idle: Option<f64>,
    content_idle: Option<f64>,
    attempt: Option<f64>,
    overall: Option<f64>,
    total: Option<f64>,
}

impl Limits {
    /// Sets what is there.
    pub(crate) fn apply(&self, to: &mut Timeouts) -> Result<(), Error> {
        for (name, milliseconds, limit) in [
            ("queue", self.queue, &mut to.queue),
            ("headers", self.headers, &mut to.headers),
            ("firstContent", self.first_content, &mut to.first_content),
            ("byteIdle", self.byte_idle, &mut to.byte_idle),
            ("contentIdle", self.content_idle, &mut to.content_idle),
            ("attempt", self.attempt, &mut to.attempt),
            ("overall", self.overall, &mut to.overall),
            ("total", self.total, &mut to.total),
        ] {
            if let Some(milliseconds) = milliseconds {
                *limit = match milliseconds < 0.0 {
                    true => None,
                    false => Some(duration(name, milliseconds)?),
                };
            }
        }
        Ok(())
    }
}

fn duration(name: &str, milliseconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(milliseconds / 1000.0).map_err(|_| {
        Error::new(
            ErrorKind::Config,
            format!("the time limit {name} is {milliseconds}, which is no number of milliseconds"),
        )
    })
}

/// Reads JSON from the other side.
pub(crate) fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| {
        Error::new(
            ErrorKind::InvalidRequest,
            format!("the request is not as documented: {error}"),
        )
    })
}

//! State shared by all requests to one simulated provider, and the record of each request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;

use super::fault::{Fault, Script};
use super::limits::{Gate, Limits, Verdict};
use super::stats::Stats;
use crate::sim::SimExecutor;
use crate::sim::rng::mix;

/// From this many refused requests on, those whose wait is over are forgotten.
const REMEMBERED: usize = 1_024;

#[derive(Debug)]
pub(super) struct Server {
    pub(super) sim: SimExecutor,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    stats: Stats,
    script: Script,
    gate: Gate,
    /// Until when a request was told to wait, by the hash of its body.
    refused: BTreeMap<u64, Duration>,
}

impl Server {
    pub(super) fn new(sim: SimExecutor, script: Script, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            sim,
            state: Mutex::new(State {
                stats: Stats::default(),
                script,
                gate: Gate::new(limits),
                refused: BTreeMap::new(),
            }),
        })
    }

    pub(super) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    /// Begins a request. Returns its number and its record.
    pub(super) fn begin(self: &Arc<Self>, body: &[u8]) -> (u64, Exchange) {
        let now = self.now();
        let body = hash(body);
        let number = {
            let mut state = self.lock();
            let is_early = state.refused.remove(&body).is_some_and(|until| now < until);
            let stats = &mut state.stats;
            stats.sent += 1;
            stats.early_retries += u64::from(is_early);
            stats.in_flight += 1;
            stats.max_in_flight = stats.max_in_flight.max(stats.in_flight);
            stats.sent
        };
        self.sim.record(number);
        let exchange = Exchange {
            server: Arc::clone(self),
            body,
            is_connected: false,
            is_working: false,
            is_faulty: false,
            has_ended: false,
        };
        (number, exchange)
    }

    pub(super) fn set_limits(&self, limits: &Limits) {
        self.lock().gate = Gate::new(limits);
    }

    pub(super) fn set_script(&self, script: Script) {
        self.lock().script = script;
    }

    /// The fault of this request, by its number or by chance.
    pub(super) fn fault(&self, number: u64) -> Option<Fault> {
        let state = self.lock();
        let by_chance = || {
            let mut chances = state.script.by_chance.iter();
            chances
                .find(|(chance, _)| self.sim.random_chance(*chance))
                .map(|&(_, fault)| fault)
        };
        let fault = state.script.by_number.get(&number).copied();
        fault.or_else(by_chance)
    }

    fn now(&self) -> Duration {
        self.sim.now().since_epoch()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record of one request, which ends exactly once. Dropping it before that means that the
/// client gave up the request, and closes its connection.
#[derive(Debug)]
pub(super) struct Exchange {
    server: Arc<Server>,
    body: u64,
    is_connected: bool,
    is_working: bool,
    is_faulty: bool,
    has_ended: bool,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The whole answer was read. The connection can be reused.
    Read { completed: bool },
    /// The request failed. The connection is closed.
    Failed,
    /// The client dropped the request.
    Dropped,
}

impl Exchange {
    pub(super) fn sim(&self) -> &SimExecutor {
        &self.server.sim
    }

    /// Records that the request has a fault.
    pub(super) fn befall(&mut self) {
        self.is_faulty = true;
        self.server.lock().stats.faults += 1;
    }

    /// Takes an idle connection, if there is one.
    pub(super) fn reuse(&mut self) -> bool {
        let idle = &mut self.server.lock().stats.connections_idle;
        self.is_connected = *idle > 0;
        *idle = idle.saturating_sub(1);
        self.is_connected
    }

    /// Records a new connection.
    pub(super) fn connected(&mut self) {
        self.is_connected = true;
        self.server.lock().stats.connections_opened += 1;
    }

    /// Records that the request has arrived.
    pub(super) fn arrived(&self) {
        self.server.lock().stats.arrived += 1;
    }

    /// Admits the request, or returns why not.
    pub(super) fn admit(&mut self, input: u64, output: u64) -> Verdict {
        let now = self.server.now();
        let mut state = self.server.lock();
        let working = state.stats.working;
        let verdict = state.gate.admit(working, input + output, now);
        let stats = &mut state.stats;
        match verdict {
            Verdict::Accepted => {
                self.is_working = true;
                stats.working += 1;
                stats.max_working = stats.max_working.max(stats.working);
                stats.input_tokens += input;
            }
            Verdict::TooMany { .. } => stats.refused_by_concurrency += 1,
            Verdict::TooFast { .. } => stats.refused_by_rate += 1,
        }
        verdict
    }

    /// Writes the limits into the headers.
    pub(super) fn describe_limits(&self, is_anthropic: bool, headers: &mut HeaderMap) {
        let now = self.server.now();
        self.server.lock().gate.describe(is_anthropic, now, headers);
    }

    /// Writes the time to retry into the headers, and remembers it. `due` is when the limits would
    /// admit the request.
    pub(super) fn announce_wait(&self, due: Duration, headers: &mut HeaderMap) {
        let now = self.server.now();
        let mut state = self.server.lock();
        let Some(wait) = state.gate.announce(due.saturating_sub(now), headers) else {
            return;
        };
        if state.refused.len() >= REMEMBERED {
            state.refused.retain(|_, until| *until > now);
        }
        state.refused.insert(self.body, now + wait);
    }

    pub(super) fn read_tokens(&self, tokens: u64) {
        self.server.lock().stats.output_tokens += tokens;
    }

    /// The provider has sent everything: its place is free, even if the body's end was not read.
    pub(super) fn worked(&mut self) {
        if std::mem::take(&mut self.is_working) {
            self.server.lock().stats.working -= 1;
        }
    }

    /// Ends the record. Only the first end counts.
    pub(super) fn end(&mut self, end: End) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        self.server.sim.record(match end {
            End::Read { .. } => 1,
            End::Failed => 2,
            End::Dropped => 3,
        });
        self.worked();
        let stats = &mut self.server.lock().stats;
        stats.in_flight -= 1;
        match end {
            End::Read { completed } => stats.completed += u64::from(completed && !self.is_faulty),
            End::Failed => {}
            End::Dropped => stats.dropped += 1,
        }
        if self.is_connected {
            match end {
                End::Read { .. } => stats.connections_idle += 1,
                _ => stats.connections_closed += 1,
            }
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end(End::Dropped);
    }
}

/// A hash that is the same on every platform, unlike std's.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = mix(bytes.len() as u64);
    for word in bytes.chunks(8) {
        let mut padded = [0; 8];
        padded[..word.len()].copy_from_slice(word);
        hash = mix(hash.rotate_left(5) ^ u64::from_le_bytes(padded));
    }
    hash
}

//! Runs all cases at once, for users without a test framework or with another one.

use std::fmt;
use std::sync::Arc;

use chatcore::{Executor, Transport};

use crate::{
    CASE_CAP, CHAT_CASES, DIALECT_CASES, EXECUTOR_CASES, Host, JOURNAL_CASES, Keeper, Outcome,
    Scheme, Skips, Subject, TRANSPORT_CASES, judge, run_dialect_case, run_executor_case,
    run_journal_case, run_transport_case,
};

/// The results of all cases. `Display` lists the failures and the skipped cases, each with its
/// reason.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Report {
    held: Vec<&'static str>,
    skipped: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    /// Whether every case passed, except those that are skipped.
    pub fn is_held(&self) -> bool {
        self.failures.is_empty()
    }

    /// The names of the cases that passed.
    pub fn held(&self) -> &[&'static str] {
        &self.held
    }

    /// The skipped cases: name, reason, and how each fails.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// The failures: the case's name, what it saw, and what the trait's documentation says.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    fn add(&mut self, name: &'static str, skips: Skips, outcome: Outcome) {
        match judge(name, skips, outcome) {
            Ok(None) => self.held.push(name),
            Ok(Some(skipped)) => self.skipped.push(skipped),
            Err(failure) => self.failures.push(failure),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.skipped.iter().chain(&self.failures) {
            writeln!(f, "{line}")?;
        }
        let [held, skipped] = [self.held.len(), self.skipped.len()];
        let failed = self.failures.len();
        write!(
            f,
            "{held} cases hold, {skipped} are skipped, {failed} do not hold"
        )
    }
}

/// Runs every executor case, each on a new host.
pub fn check_executor(host: impl Fn() -> Host, skips: Skips) -> Report {
    let mut report = Report::default();
    for case in EXECUTOR_CASES {
        report.add(
            case.name,
            skips,
            run_executor_case(case.name, CASE_CAP, host()),
        );
    }
    report
}

/// Runs every transport case and every case over the whole client, with plain HTTP. Each case has a
/// new host, transport and server.
///
/// ```no_run
/// use std::sync::Arc;
/// use chatcore::Transport;
/// use chatcore_conformance::{NONE, check_transport, hosts};
///
/// fn check<T: Transport>(make: fn() -> T) {
///     let report = check_transport(hosts::smol, |_executor| Arc::new(make()), NONE);
///     assert!(report.is_held(), "{report}");
/// }
/// ```
pub fn check_transport(
    host: impl Fn() -> Host,
    transport: impl Fn(&Arc<dyn Executor>) -> Arc<dyn Transport>,
    skips: Skips,
) -> Report {
    let mut report = Report::default();
    for case in TRANSPORT_CASES.iter().chain(CHAT_CASES) {
        let host = host();
        let transport = transport(host.executor());
        let outcome = run_transport_case(case.name, CASE_CAP, host, Scheme::Http, transport);
        report.add(case.name, skips, outcome);
    }
    report
}

/// Runs every journal case, each on a host and over a run of its own.
pub fn check_journal(host: impl Fn() -> Host, keeper: impl Fn() -> Keeper, skips: Skips) -> Report {
    let mut report = Report::default();
    for case in JOURNAL_CASES {
        let outcome = run_journal_case(case.name, CASE_CAP, host(), keeper());
        report.add(case.name, skips, outcome);
    }
    report
}

/// Runs every dialect case.
///
/// ```
/// use chatcore::dialect::OllamaChat;
/// use chatcore_conformance::{NONE, Recording, Subject, check_dialect};
///
/// let answer = r#"{"model":"m","message":{"content":"Hi"},"done":true,"done_reason":"stop"}"#;
/// let subject = Subject::new(OllamaChat::default())
///     .recording(Recording::whole("one line", answer).says("Hi"));
/// let report = check_dialect(&subject, NONE);
/// assert!(report.is_held(), "{report}");
/// ```
pub fn check_dialect(subject: &Subject, skips: Skips) -> Report {
    let mut report = Report::default();
    for case in DIALECT_CASES {
        report.add(case.name, skips, run_dialect_case(case.name, subject));
    }
    report
}

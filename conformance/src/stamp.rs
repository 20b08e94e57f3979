//! Macros that generate one `#[test]` for each case.

use std::sync::Arc;

use chatcore::{Executor, Transport};

use crate::{
    CASE_CAP, Host, Keeper, Outcome, Scheme, Skips, Subject, judge, run_dialect_case,
    run_executor_case, run_journal_case, run_transport_case,
};

/// Fails the test, or prints why a case is skipped: [`judge`] for tests that you write yourself.
///
/// # Panics
/// If the case fails and is not in `skips`, or passes although it is.
#[expect(clippy::panic, clippy::print_stdout, reason = "it is called by tests")]
pub fn assert_held(name: &str, skips: Skips, outcome: Outcome) {
    match judge(name, skips, outcome) {
        Ok(skipped) => skipped.into_iter().for_each(|why| println!("{why}")),
        Err(failure) => panic!("{failure}"),
    }
}

#[doc(hidden)]
pub fn on_executor(name: &str, skips: Skips, host: Host) {
    assert_held(name, skips, run_executor_case(name, CASE_CAP, host));
}

#[doc(hidden)]
pub fn on_transport(
    name: &str,
    skips: Skips,
    scheme: Scheme,
    host: Host,
    make: impl FnOnce(&Arc<dyn Executor>) -> Arc<dyn Transport>,
) {
    let transport = make(host.executor());
    let outcome = run_transport_case(name, CASE_CAP, host, scheme, transport);
    assert_held(name, skips, outcome);
}

#[doc(hidden)]
pub fn on_dialect(name: &str, skips: Skips, subject: &Subject) {
    assert_held(name, skips, run_dialect_case(name, subject));
}

#[doc(hidden)]
pub fn on_journal(name: &str, skips: Skips, host: Host, keeper: Keeper) {
    assert_held(name, skips, run_journal_case(name, CASE_CAP, host, keeper));
}

/// Generates a test for each case of a list. Each test calls a function with the case's name. Pass
/// this macro to a list: `chat_cases!(chatcore_conformance::stamp![run])`.
#[macro_export]
macro_rules! stamp {
    ([$run:path] $($module:ident: $($name:ident),+ $(,)?);+) => {
        $($(#[test]
        fn $name() {
            $run(stringify!($name));
        })+)+
    };
}

/// Generates a module for each executor, with a test for each case: `NAME: HOST, SKIPS;`. Each test
/// creates a new host.
#[macro_export]
macro_rules! executor_tests {
    ($($module:ident: $host:expr, $skips:expr;)+) => {
        $(mod $module {
            #[allow(unused_imports, reason = "what the expressions name may be found without it")]
            use super::*;

            fn run(name: &str) {
                $crate::__stamp::on_executor(name, $skips, $host);
            }

            $crate::executor_cases!($crate::stamp![run]);
        })+
    };
}

/// Generates a module for each transport, with a test for each case over plain HTTP, both for the
/// transport alone and for the whole client: `NAME: HOST, TRANSPORT, SKIPS;`.
///
/// `TRANSPORT` is a function from the host's executor to an `Arc<dyn Transport>`. Each test creates
/// a new host and transport.
#[macro_export]
macro_rules! transport_tests {
    ($($module:ident: $host:expr, $transport:expr, $skips:expr;)+) => {
        $(mod $module {
            #[allow(unused_imports, reason = "what the expressions name may be found without it")]
            use super::*;

            fn run(name: &str) {
                let scheme = $crate::Scheme::Http;
                $crate::__stamp::on_transport(name, $skips, scheme, $host, $transport);
            }

            $crate::transport_cases!($crate::stamp![run]);
            $crate::chat_cases!($crate::stamp![run]);
        })+
    };
}

/// Like [`transport_tests!`], with the cases that run over TLS. The transport must trust the
/// certificate from [`Secured::roots`](crate::server::Secured::roots).
#[macro_export]
macro_rules! https_tests {
    ($($module:ident: $host:expr, $transport:expr, $skips:expr;)+) => {
        $(mod $module {
            #[allow(unused_imports, reason = "what the expressions name may be found without it")]
            use super::*;

            fn run(name: &str) {
                let scheme = $crate::Scheme::Https;
                $crate::__stamp::on_transport(name, $skips, scheme, $host, $transport);
            }

            $crate::https_cases!($crate::stamp![run]);
        })+
    };
}

/// Generates a module for each dialect, with a test for each case: `NAME: SUBJECT, SKIPS;`.
///
/// ```no_run
/// use chatcore::dialect::OllamaChat;
/// use chatcore_conformance::{NONE, Recording, Subject};
///
/// const STREAM: &str = concat!(
///     r#"{"model":"m","message":{"content":"Hel"},"done":false}"#, "\n",
///     r#"{"model":"m","message":{"content":"lo"},"done":true,"done_reason":"stop"}"#, "\n",
/// );
///
/// fn ollama() -> Subject {
///     Subject::new(OllamaChat::default())
///         .recording(Recording::stream("two lines", STREAM).says("Hello"))
/// }
///
/// chatcore_conformance::dialect_tests! {
///     my_dialect: ollama(), NONE;
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! dialect_tests {
    ($($module:ident: $subject:expr, $skips:expr;)+) => {
        $(mod $module {
            #[allow(unused_imports, reason = "what the expressions name may be found without it")]
            use super::*;

            fn run(name: &str) {
                $crate::__stamp::on_dialect(name, $skips, &$subject);
            }

            $crate::dialect_cases!($crate::stamp![run]);
        })+
    };
}

/// For each journal a module with a test for each case: `NAME: HOST, KEEPER, SKIPS;`. Host and keeper
/// are made anew for each test.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use chatcore::{ChatRequest, Executor, Journal};
/// # fn journal_of(_: Vec<(String, ChatRequest)>) -> Arc<dyn Journal> { unreachable!() }
/// use chatcore_conformance::{Keeper, NONE, hosts};
///
/// /// A run that lives in memory: to open it again is to share it.
/// fn keeper() -> Keeper {
///     Keeper::new(|_executor, items| {
///         let journal = journal_of(items);
///         move || {
///             let journal = Arc::clone(&journal);
///             Box::pin(async move { Ok(journal) })
///         }
///     })
/// }
///
/// chatcore_conformance::journal_tests! {
///     my_journal: hosts::smol(), keeper(), NONE;
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! journal_tests {
    ($($module:ident: $host:expr, $keeper:expr, $skips:expr;)+) => {
        $(mod $module {
            #[allow(unused_imports, reason = "what the expressions name may be found without it")]
            use super::*;

            fn run(name: &str) {
                $crate::__stamp::on_journal(name, $skips, $host, $keeper);
            }

            $crate::journal_cases!($crate::stamp![run]);
        })+
    };
}

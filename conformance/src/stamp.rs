//! Stamps one `#[test]` for each case.

use std::sync::Arc;

use chatcore::{Executor, Transport};

use crate::{
    CASE_CAP, Host, Outcome, Scheme, Skips, Subject, judge, run_dialect_case, run_executor_case,
    run_transport_case,
};

/// Fails the test, or prints why a case was skipped: [`judge`] for tests that you stamp yourself.
///
/// # Panics
/// The case does not hold and should, or holds though it stands among the skips.
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

/// A test for each case of a list, which calls a function with the case's name. Give it to a list:
/// `chat_cases!(chatcore_conformance::stamp![run])`.
#[macro_export]
macro_rules! stamp {
    ([$run:path] $($module:ident: $($name:ident),+ $(,)?);+) => {
        $($(#[test]
        fn $name() {
            $run(stringify!($name));
        })+)+
    };
}

/// For each executor a module with a test for each case: `NAME: HOST, SKIPS;`. The host is made
/// anew for each test.
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

/// For each transport a module with a test for each case over plain HTTP, on the transport alone
/// and on the whole client: `NAME: HOST, TRANSPORT, SKIPS;`.
///
/// `TRANSPORT` is a function from the host's executor to an `Arc<dyn Transport>`. Host and
/// transport are made anew for each test.
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

/// As [`transport_tests!`], with the cases that run over TLS: the transport has to trust the
/// certificate of [`Secured::roots`](crate::server::Secured::roots).
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

/// For each dialect a module with a test for each case: `NAME: SUBJECT, SKIPS;`.
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

//! The suite's own event loops pass its executor cases.

use chatcore_conformance::NONE;
use chatcore_conformance::hosts::smol;

chatcore_conformance::executor_tests! {
    smols_global_executor: smol(), NONE;
}

/// The README states the real numbers of cases.
#[test]
fn the_readme_counts_the_cases() {
    use chatcore_conformance::{
        CHAT_CASES, DIALECT_CASES, EXECUTOR_CASES, JOURNAL_CASES, TRANSPORT_CASES,
    };
    let readme = include_str!("../README.md");
    for figure in [
        format!("**Executor**: {} cases", EXECUTOR_CASES.len()),
        format!("**Transport**: {} cases", TRANSPORT_CASES.len()),
        format!("and {} more over the whole", CHAT_CASES.len()),
        format!("**Dialect**: {} cases", DIALECT_CASES.len()),
        format!("**Journal**: {} cases", JOURNAL_CASES.len()),
    ] {
        assert!(
            readme.contains(&figure),
            "the README does not say {figure:?}"
        );
    }
}

//! The promises in the suite are exact quotes from the traits' documentation.

use std::collections::BTreeSet;
use std::path::Path;

use chatcore_conformance::{
    DIALECT_CASES, EXECUTOR_CASES, JOURNAL_CASES, PROMISES, TRANSPORT_CASES,
};

/// The doc comments of a file as plain text, without link syntax.
fn documentation(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../core/src")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(str::trim);
    let lines = lines.filter_map(|line| {
        let line = line.strip_prefix("///").or(line.strip_prefix("//!"))?;
        Some(line.trim().trim_start_matches("- ").trim())
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    // `[text](target)` and `[text]` are both read as `text`.
    let mut plain = String::new();
    let mut rest = &*text;
    while let Some(at) = rest.find([']', '[']) {
        plain.push_str(&rest[..at]);
        let is_end = rest[at..].starts_with("](");
        rest = &rest[at + 1..];
        if is_end {
            rest = &rest[rest.find(')').unwrap() + 1..];
        }
    }
    plain + rest
}

#[test]
fn every_promise_stands_in_the_documentation() {
    let documented = [
        "executor.rs",
        "transport.rs",
        "dialect/mod.rs",
        "journal/mod.rs",
    ];
    let documented = documented.map(documentation);
    for promise in PROMISES {
        let found = documented.iter().any(|text| text.contains(promise.says));
        assert!(
            found,
            "{}: no documentation says {:?}",
            promise.of, promise.says
        );
    }
}

#[test]
fn every_case_holds_one_promise() {
    let executors = EXECUTOR_CASES.iter().map(|case| case.name);
    let transports = TRANSPORT_CASES.iter().map(|case| case.name);
    let dialects = DIALECT_CASES.iter().map(|case| case.name);
    let journals = JOURNAL_CASES.iter().map(|case| case.name);
    let cases = executors.chain(transports).chain(dialects).chain(journals);
    let cases: BTreeSet<_> = cases.collect();
    let held: Vec<_> = PROMISES
        .iter()
        .flat_map(|promise| promise.cases)
        .copied()
        .collect();
    let once: BTreeSet<_> = held.iter().copied().collect();
    assert_eq!(once.len(), held.len(), "a case holds two promises");
    assert_eq!(once, cases);
}

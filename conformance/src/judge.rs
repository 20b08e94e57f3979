//! Judges an outcome, given the list of cases that an implementation cannot pass.

use crate::{CHAT_CASES, DIALECT_CASES, EXECUTOR_CASES, Outcome, TRANSPORT_CASES};

/// Cases that an implementation cannot pass, each with the reason. They are run nevertheless: a
/// case that passes must leave the list, and so must a name without a case.
pub type Skips = &'static [(&'static str, &'static str)];

/// Skips no case.
pub const NONE: Skips = &[];

/// Judges the outcome of the case `name`, given the cases that an implementation cannot pass.
/// Returns `None`, or a message about a skipped case to print.
///
/// ```
/// use chatcore_conformance::judge;
///
/// let skips = &[("connections_are_reused", "one connection for each request")];
/// let outcome = Err("three answers took three connections".into());
/// assert!(judge("connections_are_reused", skips, outcome).unwrap().is_some());
/// // A skip that is not needed any more is an error.
/// assert!(judge("connections_are_reused", skips, Ok(())).is_err());
/// ```
///
/// # Errors
/// If the case fails and is not in `skips`, if it passes although it is in `skips`, or if a name in
/// `skips` has no case.
pub fn judge(name: &str, skips: Skips, outcome: Outcome) -> Result<Option<String>, String> {
    if let Some((unknown, _)) = skips.iter().find(|(case, _)| !is_case(case)) {
        return Err(format!(
            "no case is called `{unknown}`: mend the list of skips"
        ));
    }
    let skip = skips.iter().find(|(case, _)| *case == name);
    match (outcome, skip) {
        (Ok(()), None) => Ok(None),
        (Ok(()), Some((_, reason))) => Err(format!(
            "`{name}` passes, so it must leave the list of skips (\"{reason}\")"
        )),
        (Err(failure), Some((_, reason))) => {
            Ok(Some(format!("skipped `{name}`: {reason} ({failure})")))
        }
        (Err(failure), None) => Err(format!("`{name}` does not hold: {failure}")),
    }
}

fn is_case(name: &str) -> bool {
    let transports = TRANSPORT_CASES.iter().chain(CHAT_CASES);
    let names = transports.map(|case| case.name);
    let names = names.chain(EXECUTOR_CASES.iter().map(|case| case.name));
    let mut names = names.chain(DIALECT_CASES.iter().map(|case| case.name));
    names.any(|known| known == name)
}

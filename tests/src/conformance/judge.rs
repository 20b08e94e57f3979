//! What an adapter cannot pass, with the reason, and how an outcome is judged by it.

use super::Outcome;

/// Cases that an adapter cannot pass, each with the reason. They are run all the same: one that
/// passes must leave the list.
pub type Skips = &'static [(&'static str, &'static str)];

/// Nothing is skipped.
pub const NONE: Skips = &[];

/// What ureq cannot do.
pub const UREQ: Skips = &[
    (
        "a_continue_with_headers_is_skipped",
        "ureq-proto refuses headers on 100 Continue",
    ),
    (
        "an_unknown_host_is_named",
        "the adapter's message does not name the host",
    ),
];

/// What surf and async-h1 cannot do; the documentation of `SurfTransport` says more.
pub const SURF: Skips = &[
    ("connections_are_reused", NO_REUSE),
    ("a_stream_hands_its_connection_back", NO_REUSE),
    ("an_error_status_hands_its_connection_back", NO_REUSE),
    ("streams_share_a_connection", NO_REUSE),
    ("bodies_without_a_length_stream", NO_LENGTH),
    ("answers_survive_any_framing", NO_LENGTH),
    ("a_body_ends_with_its_connection", NO_LENGTH),
    ("a_reset_does_not_end_a_body_without_a_length", NO_LENGTH),
    ("interim_answers_are_skipped", INTERIM),
    ("a_continue_is_skipped", INTERIM),
    ("a_continue_with_headers_is_skipped", INTERIM),
    (
        "unregistered_statuses_are_responses",
        "http-types knows no status that is not in its list",
    ),
];

const NO_REUSE: &str = "one new connection for each request: async-h1 cannot tell a clean end";
const NO_LENGTH: &str = "async-h1 takes a body without a length for an empty one";
const INTERIM: &str = "async-h1 takes an interim answer for the answer";

/// Judges the outcome of the case called `name` by the list of what an adapter cannot pass. The
/// answer is what a test must fail with, or what is worth printing.
///
/// # Errors
/// The case does not hold and should, or holds though it stands among the skips.
pub fn judge(name: &str, skips: Skips, outcome: Outcome) -> Result<Option<String>, String> {
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

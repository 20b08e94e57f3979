//! The same conversations in every dialect, with one server for all of them: aimock, with the
//! answers in `fixtures.json`, at `CHATCORE_AIMOCK`. The caller sees no difference.

mod askers;
mod questions;
mod tools;

use askers::{Asker, askers};

/// Holds a conversation and checks the answers.
type Conversation = fn(&Asker);

/// The conversations. Each is held with whole answers and with streams.
const CONVERSATIONS: &[(&str, Conversation)] = &[
    ("a question", questions::a_question),
    ("a system prompt", questions::a_system_prompt),
    ("two turns", questions::two_turns),
    ("reasoning", questions::reasoning),
    ("an answer as JSON", questions::an_answer_as_json),
    ("a picture", questions::a_picture),
    (
        "a limit that is reached",
        questions::a_limit_that_is_reached,
    ),
    (
        "a refusal of the server",
        questions::a_refusal_of_the_server,
    ),
    ("one tool", tools::one_tool),
    (
        "two tools at once, then a question",
        tools::two_tools_at_once,
    ),
    ("a tool after a tool", tools::a_tool_after_a_tool),
    ("a loop over tools", tools::a_loop_over_tools),
];

#[test]
#[cfg_attr(not(has_aimock), ignore = "no server: set CHATCORE_AIMOCK")]
fn every_conversation_is_the_same_in_every_dialect() {
    let mut failed = Vec::new();
    for asker in askers() {
        for (name, conversation) in CONVERSATIONS {
            let run = std::panic::AssertUnwindSafe(|| conversation(&asker));
            if std::panic::catch_unwind(run).is_err() {
                failed.push(format!("{}: {name}", asker.name()));
            }
        }
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

#[test]
#[cfg_attr(not(has_aimock), ignore = "no server: set CHATCORE_AIMOCK")]
fn a_conversation_goes_on_in_another_dialect() {
    let askers = askers();
    for first in &askers {
        for second in &askers {
            tools::hand_over(first, second);
        }
    }
}

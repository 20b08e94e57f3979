//! Ids for tool calls of servers that give none.

/// How much of an answer's id goes into the id of a call.
const MOST: usize = 40;

const PREFIX: &str = "chatcore_";

/// An id for the tool call at `index` of an answer whose server gave the call none, so that its
/// result can name it. `answer` is what tells answers apart: an id, or a time. Without it, calls of
/// two answers may have the same id; a result then belongs to the nearest call before it.
pub fn call_id(answer: &str, index: usize) -> String {
    let known = answer.chars().filter(char::is_ascii_alphanumeric);
    let known: String = known.take(MOST).collect();
    match known.is_empty() {
        true => format!("{PREFIX}{index}"),
        false => format!("{PREFIX}{known}_{index}"),
    }
}

/// The id as its server gave it: empty where it gave none, and [`call_id`] made one.
pub fn server_call_id(id: &str) -> &str {
    if id.starts_with(PREFIX) { "" } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_what_tells_the_answer_apart() {
        assert_eq!(call_id("", 2), "chatcore_2");
        assert_eq!(
            call_id("2026-11-29T02:48:15.989Z", 0),
            "chatcore_20261129T024815989Z_0"
        );
        let long = call_id(&"x".repeat(99), 0);
        assert_eq!(long.len(), "chatcore__0".len() + MOST);
    }

    #[test]
    fn a_server_does_not_see_an_id_that_it_did_not_give() {
        assert_eq!(server_call_id(&call_id("r", 0)), "");
        assert_eq!(server_call_id("call_1"), "call_1");
    }
}

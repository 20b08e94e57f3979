//! Reads what a provider's refusal says about the options of a request.

use http::StatusCode;

use super::defaults::{Lessons, Wishes};
use super::plan::{LIMITS, Plan};
use crate::error::{Error, ErrorKind};
use crate::models::{ModelRule, Reasons, members};
use crate::phrase;

/// The options that a provider refused among those that chatcore itself had added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// What to leave out now and never send to the model again.
    pub(crate) lessons: Lessons,
    /// The members of the request's JSON to leave out.
    pub(crate) members: Vec<String>,
}

/// Reads a refusal: which of the defaults that were sent it names, or that the token limit has
/// another name. `off` holds the members that turn reasoning off. `None` if the error is no
/// refusal, or is about what the caller set.
pub(crate) fn read(error: &Error, plan: &Plan, rule: &ModelRule, off: &str) -> Option<Refusal> {
    if !is_refusal(error) {
        return None;
    }
    let mut lessons = Lessons::default();
    let mut members = Vec::new();
    if plan.wishes.has(Wishes::INCLUDE) && names_include(error) {
        lessons.refused.add(Wishes::INCLUDE);
        members.push("include".to_owned());
        return Some(Refusal { lessons, members });
    }
    if names(error, LIMITS[0]) && has_word(error.message(), LIMITS[1]) {
        lessons.renames_limit = true;
        return Some(Refusal { lessons, members });
    }
    let ours = [
        (Wishes::TEMPERATURE, vec!["temperature".to_owned()]),
        (Wishes::MAX_TOKENS, LIMITS.map(str::to_owned).to_vec()),
        (Wishes::NO_REASONING, off_members(off)),
        (Wishes::STREAM, vec!["stream".to_owned()]),
        (Wishes::STREAM_USAGE, vec!["stream_options".to_owned()]),
    ];
    let sent = || ours.iter().filter(|(wish, _)| plan.wishes.has(*wish));
    // Some servers name the field only in a body whose format is not understood.
    let body = error.body().unwrap_or_default();
    let ways: [&dyn Fn(&str) -> bool; 2] =
        [&|name| names(error, name), &|name| has_word(body, name)];
    for is_named in ways {
        for (wish, its_members) in sent() {
            let is_meant = *wish == Wishes::NO_REASONING && reasons_only(error);
            if is_meant || its_members.iter().any(|name| is_named(name)) {
                lessons.refused.add(*wish);
                members.extend(its_members.iter().cloned());
            }
        }
        if !lessons.refused.is_empty() || error.param().is_some() {
            break;
        }
    }
    if lessons.refused.is_empty() {
        return None;
    }
    if lessons.refused.has(Wishes::STREAM) && plan.wishes.has(Wishes::STREAM_USAGE) {
        members.push("stream_options".to_owned());
    }
    if lessons.refused.has(Wishes::NO_REASONING) && is_about_its_value(error) {
        lessons.reasons = true;
        if plan.wishes.has(Wishes::TEMPERATURE) {
            members.push("temperature".to_owned());
        }
    }
    // Models that refuse a temperature are models that reason.
    if lessons.refused.has(Wishes::TEMPERATURE) && rule.reasoning == Reasons::Unknown {
        lessons.reasons = true;
    }
    Some(Refusal { lessons, members })
}

/// The members that turn reasoning off.
fn off_members(off: &str) -> Vec<String> {
    let members = members(off).unwrap_or_default();
    match members.is_empty() {
        // What the dialects write for a model without a rule.
        true => vec!["reasoning_effort".to_owned(), "thinking".to_owned()],
        false => members.into_iter().map(|(name, _)| name).collect(),
    }
}

/// Whether the error is about `include`, which asks for encrypted reasoning.
fn names_include(error: &Error) -> bool {
    let says = |words: &str| phrase::has(error.message(), words);
    param_names(error, "include").unwrap_or_else(|| {
        names_option(error, "include") || says("encrypted_content") || says("encrypted content")
    })
}

/// Whether the error refuses the value that turns reasoning off, rather than the field. A model
/// that does not know the value always reasons; one that does not know the field does not reason.
fn is_about_its_value(error: &Error) -> bool {
    error.code() == Some("unsupported_value")
        || reasons_only(error)
        || ["none", "disabled", "between_tools"]
            .iter()
            .any(|word| has_word(error.message(), word))
}

/// Whether the error says that the model always reasons without naming a field, as Google's does:
/// "Budget 0 is invalid. This model only works in thinking mode."
fn reasons_only(error: &Error) -> bool {
    has_word(error.message(), "only") && phrase::has(error.message(), "thinking mode")
}

/// Whether the provider refused an option of the request, rather than its content.
pub(crate) fn is_refusal(error: &Error) -> bool {
    let status = error.status();
    let refuses =
        status == Some(StatusCode::BAD_REQUEST) || status == Some(StatusCode::UNPROCESSABLE_ENTITY);
    // Leaving out the token limit does not shorten a conversation that is too long.
    let too_long = error.code() == Some("context_length_exceeded")
        || ["context length", "context window", "context size"]
            .iter()
            .any(|words| phrase::has(error.message(), words));
    refuses && error.kind() == ErrorKind::BadRequest && !error.is_in_stream() && !too_long
}

/// Whether the error names this field of the request: in its `param`, or else in its message.
fn names(error: &Error, field: &str) -> bool {
    param_names(error, field).unwrap_or_else(|| has_word(error.message(), field))
}

/// Whether the error names this option of the caller. The option may be a common word, such as
/// `stop`, so in a message it counts only if it is quoted, has an underscore, or begins or ends the
/// message.
pub(crate) fn names_option(error: &Error, field: &str) -> bool {
    param_names(error, field).unwrap_or_else(|| {
        let message = error.message();
        words(message, field).any(|(start, end)| {
            let is_quoted = message[..start].ends_with(['`', '\'', '"']);
            is_quoted || field.contains('_') || start == 0 || end == message.len()
        })
    })
}

/// Whether the error's `param` names this field; `None` if the error has no `param`.
fn param_names(error: &Error, field: &str) -> Option<bool> {
    let param = error.param().filter(|param| !param.is_empty())?;
    // Some servers send a path: `body.seed` or `tools[0].type`.
    Some(param.split(['.', '[']).any(|step| step == field))
}

/// Whether `text` has `word` as a whole word.
fn has_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// The start and end of each place where `text` has `word` as a whole word.
fn words(text: &str, word: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let places = text.match_indices(word);
    places
        .map(|(start, word)| (start, start + word.len()))
        .filter(move |(start, end)| {
            let before = start.checked_sub(1);
            let before = before.and_then(|place| text.as_bytes().get(place));
            !is_part(before) && !is_part(text.as_bytes().get(*end))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelRules;

    fn all() -> Plan {
        let wishes = Wishes::TEMPERATURE
            .and(Wishes::MAX_TOKENS)
            .and(Wishes::NO_REASONING)
            .and(Wishes::STREAM_USAGE);
        Plan::with(wishes, Some(256), false)
    }

    fn refused(param: Option<&str>, code: Option<&str>, message: &str) -> Error {
        Error::new(ErrorKind::BadRequest, message)
            .with_status(StatusCode::BAD_REQUEST)
            .with_param(param.map(str::to_owned))
            .with_code(code.map(str::to_owned))
    }

    fn read_as(provider: &'static str, error: &Error) -> Option<Refusal> {
        let rules = ModelRules::of(provider);
        let rule = rules.find("new");
        read(error, &all(), rule, &rule.reasoning_off)
    }

    #[test]
    fn refusals_that_were_seen() {
        let value = Some("unsupported_value");
        for (provider, error, wish, reasons) in [
            (
                "openai",
                refused(
                    Some("temperature"),
                    value,
                    "Unsupported value: 'temperature' does not support 0 with this model. Only \
                     the default (1) value is supported.",
                ),
                Wishes::TEMPERATURE,
                false,
            ),
            (
                "openai",
                refused(
                    None,
                    None,
                    "Unrecognized request argument supplied: reasoning_effort",
                ),
                Wishes::NO_REASONING,
                false,
            ),
            (
                "openai",
                refused(
                    Some("reasoning_effort"),
                    value,
                    "Unsupported value: 'reasoning_effort' does not support 'none' with this \
                     model. Supported values are: 'low', 'medium', and 'high'.",
                ),
                Wishes::NO_REASONING,
                true,
            ),
            (
                "anthropic",
                refused(None, None, "`temperature` is deprecated for this model."),
                Wishes::TEMPERATURE,
                true,
            ),
            (
                "deepseek",
                refused(None, None, "thinking: Extra inputs are not permitted"),
                Wishes::NO_REASONING,
                false,
            ),
            (
                "openai_chat",
                refused(
                    Some("body.stream_options"),
                    None,
                    "Extra inputs are not permitted",
                )
                .with_status(StatusCode::UNPROCESSABLE_ENTITY),
                Wishes::STREAM_USAGE,
                false,
            ),
        ] {
            let refusal = read_as(provider, &error).unwrap();
            assert_eq!(refusal.lessons.refused, wish, "{error}");
            assert_eq!(refusal.lessons.reasons, reasons, "{error}");
        }
    }

    #[test]
    fn a_model_that_reasons_always_gets_no_temperature_either() {
        let message = "\"thinking.type.disabled\" is not supported for this model. Use \
                       \"thinking.type.adaptive\"";
        let refusal = read_as("deepseek", &refused(None, None, message)).unwrap();
        assert!(refusal.lessons.reasons);
        assert_eq!(refusal.members, ["thinking", "temperature"]);
    }

    #[test]
    fn who_refuses_a_temperature_reasons() {
        let error = refused(Some("temperature"), None, "no");
        assert!(read_as("openai_chat", &error).unwrap().lessons.reasons);
        // Reasoning was turned off.
        assert!(!read_as("openai", &error).unwrap().lessons.reasons);
    }

    #[test]
    fn a_form_that_is_not_understood_is_searched() {
        let error = refused(None, None, "the server answered 422")
            .with_status(StatusCode::UNPROCESSABLE_ENTITY)
            .with_body(br#"{"what":[{"at":["body","stream_options"]}]}"#);
        let refusal = read_as("openai_chat", &error).unwrap();
        assert_eq!(refusal.lessons.refused, Wishes::STREAM_USAGE);
        let elsewhere = error.with_param(Some("model".to_owned()));
        assert_eq!(read_as("openai_chat", &elsewhere), None);
    }

    #[test]
    fn all_that_is_named_is_left_out() {
        let error = refused(None, None, "Unknown fields: temperature, max_tokens");
        let refusal = read_as("openai_chat", &error).unwrap();
        assert_eq!(
            refusal.lessons.refused,
            Wishes::TEMPERATURE.and(Wishes::MAX_TOKENS)
        );
        assert_eq!(refusal.members[0], "temperature");
        assert_eq!(refusal.members[1..], LIMITS);
    }

    #[test]
    fn another_name_is_no_refusal_of_the_limit() {
        let error = refused(
            Some("max_tokens"),
            Some("unsupported_parameter"),
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead.",
        );
        let refusal = read_as("openai_chat", &error).unwrap();
        assert!(refusal.lessons.renames_limit && refusal.lessons.refused.is_empty());
    }

    #[test]
    fn what_responses_puts_into_a_request() {
        let plan = Plan::with(Wishes::INCLUDE.and(Wishes::NO_REASONING), None, false);
        let rules = ModelRules::of("openai");
        let read = |error: &Error| {
            let off = r#""reasoning":{"effort":"none"}"#;
            let refusal = read(error, &plan, rules.find("new"), off).unwrap();
            (refusal.lessons.refused, refusal.members)
        };
        let include = (Wishes::INCLUDE, vec!["include".to_owned()]);
        for error in [
            refused(
                Some("include"),
                None,
                "Encrypted content is not supported with this model.",
            ),
            refused(None, None, "unknown field `include`"),
            refused(None, None, "reasoning.encrypted_content is not supported"),
        ] {
            assert_eq!(read(&error), include, "{error}");
        }
        let error = refused(
            Some("reasoning.effort"),
            Some("unsupported_value"),
            "Unsupported value: 'none' is not supported with this model.",
        );
        let reasoning = (Wishes::NO_REASONING, vec!["reasoning".to_owned()]);
        assert_eq!(read(&error), reasoning);
    }

    #[test]
    fn an_option_is_named_as_a_field() {
        let named = |message: &str, field| names_option(&refused(None, None, message), field);
        assert!(named("Unrecognized request argument supplied: odd", "odd"));
        assert!(named(
            "temperature: Extra inputs are not permitted",
            "temperature"
        ));
        assert!(named(
            "Unsupported parameter: 'stop' is not supported",
            "stop"
        ));
        assert!(named("the field top_p is not known", "top_p"));
        assert!(!named("do stop sending this", "stop"));
        assert!(!named("the tools of this user are broken", "tools"));
        let by_param = refused(Some("tools[0].type"), None, "stop");
        assert!(names_option(&by_param, "tools") && !names_option(&by_param, "stop"));
    }

    #[test]
    fn no_refusals_of_a_default() {
        let temperature = || refused(Some("temperature"), None, "no");
        for error in [
            temperature().with_status(StatusCode::UNAUTHORIZED),
            temperature().with_status(StatusCode::OK).in_stream(),
            refused(Some("top_p"), None, "no top_p beside temperature"),
            refused(None, None, "my_temperature and temperatures"),
            refused(None, Some("context_length_exceeded"), "max_tokens"),
            refused(
                None,
                None,
                "'max_tokens' is too large: the maximum context length is 4096",
            ),
            refused(Some("messages.0.content"), None, "max_tokens"),
        ] {
            assert_eq!(read_as("openai_chat", &error), None, "{error}");
        }
        // No default was sent.
        let none = Plan::with(Wishes::default(), Some(256), false);
        let rules = ModelRules::of("openai_chat");
        assert_eq!(read(&temperature(), &none, rules.find("new"), ""), None);
    }
}

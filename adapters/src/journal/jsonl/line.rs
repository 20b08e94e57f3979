//! Converts a line of the input to a request.

use std::borrow::Cow;

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::json::{JsonError, Reader};
use chatcore::{ChatRequest, Error, ErrorKind, Message, Role, Tool, ToolChoice};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fields::misspelt;

/// The format of an input's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Decided by the first line: JSON if it begins with `{`, otherwise text. An input that begins
    /// with `[` is refused, because it is more likely a JSON array than a prompt.
    #[default]
    Auto,
    /// Each line is a JSON object: OpenAI's Batch form, or one of the short forms.
    Json,
    /// Each line is a prompt.
    Text,
}

/// The only OpenAI path that is supported.
const URL: &str = "/v1/chat/completions";

/// The default name of a line without a `custom_id`.
pub(in crate::journal) fn own_name(number: u64) -> String {
    format!("request-{number}")
}

/// The `custom_id` of a JSON line, if it has one; a number is returned as its text. Fails unless
/// the whole line is JSON.
pub(in crate::journal) fn custom_id(line: &str) -> Result<Option<Cow<'_, str>>, Error> {
    read_custom_id(line, None)
}

/// Like [`custom_id`], but also refuses a line with a misspelt field, in its body too.
pub(in crate::journal) fn checked_custom_id(line: &str) -> Result<Option<Cow<'_, str>>, Error> {
    let mut unknown = None;
    let mut check = |name: &str| {
        if unknown.is_none() {
            unknown = refuse_misspelt(name).err();
        }
    };
    let id = read_custom_id(line, Some(&mut check))?;
    unknown.map_or(Ok(id), Err)
}

/// Passes the names of all other fields to `check`.
fn read_custom_id<'a>(
    line: &'a str,
    mut check: Option<&mut dyn FnMut(&str)>,
) -> Result<Option<Cow<'a, str>>, Error> {
    let mut read = || {
        let mut reader = Reader::new(line);
        let mut members = reader.object()?;
        let mut found = None;
        while let Some(name) = reader.name(&mut members)? {
            match &*name {
                "custom_id" if reader.null()? => {}
                "custom_id" => match reader.peek()? {
                    b'"' => found = Some(Ok(reader.string()?)),
                    b'-' | b'0'..=b'9' => found = Some(Ok(Cow::Borrowed(reader.raw()?))),
                    _ => found = Some(Err(reader.raw()?)),
                },
                "body" if check.is_some() && reader.peek()? == b'{' => {
                    let mut members = reader.object()?;
                    while let Some(name) = reader.name(&mut members)? {
                        tell(&mut check, &name);
                        reader.raw()?;
                    }
                }
                name => {
                    tell(&mut check, name);
                    reader.raw()?;
                }
            }
        }
        reader.end()?;
        Ok(found)
    };
    let found = read()
        .map_err(|error: JsonError| wrong(format!("it is not the JSON of a request: {error}")))?;
    found.transpose().map_err(|value| {
        let value = shortened(value);
        wrong(format!(
            "its custom_id is {value}, which is neither a string nor a number"
        ))
    })
}

fn tell(check: &mut Option<&mut dyn FnMut(&str)>, name: &str) {
    if let Some(check) = check {
        check(name);
    }
}

/// The `custom_id` of a line that begins with it, if it contains no escapes. The rest of the line
/// is not read.
pub(in crate::journal) fn leading_custom_id(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('{')?.trim_start();
    let rest = rest.strip_prefix("\"custom_id\"")?.trim_start();
    let rest = rest.strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let (id, _) = rest.split_once('"')?;
    (!id.contains('\\')).then_some(id)
}

/// The request of a JSON line.
pub(in crate::journal) fn request(line: &str) -> Result<ChatRequest, Error> {
    let mut asked = Asked::default();
    let mut body = None;
    let (mut has_own, mut has_id) = (false, false);
    each_member(line, |name, value| {
        match name {
            "custom_id" if has_id => return Err(wrong("it has two custom_ids")),
            "custom_id" => has_id = true,
            // As nearly every line has it.
            "method" if value == "\"POST\"" => {}
            "url" if value == "\"/v1/chat/completions\"" => {}
            "method" => match text(value)?.eq_ignore_ascii_case("POST") {
                true => {}
                false => return Err(wrong("its method is not POST")),
            },
            "url" => {
                let url = text(value)?;
                if url != URL {
                    let why = format!("its url is {url:?}; only {URL} can be run");
                    return Err(wrong(why));
                }
            }
            "body" => body = Some(value),
            name => {
                has_own = true;
                asked.set(name, value)?;
            }
        }
        Ok(())
    })?;
    match body {
        Some(_) if has_own => {
            return Err(wrong(
                "it has both a body and request fields beside the body",
            ));
        }
        Some(body) => each_member(body, |name, value| asked.set(name, value))?,
        None => {}
    }
    let request = asked.request;
    match request.messages.is_empty() {
        true => Err(wrong(
            "it has neither a body with messages, nor messages, nor a prompt",
        )),
        false => Ok(request),
    }
}

fn each_member<'a>(
    object: &'a str,
    mut member: impl FnMut(&str, &'a str) -> Result<(), Error>,
) -> Result<(), Error> {
    let broken = |error: JsonError| wrong(format!("it is not the JSON of a request: {error}"));
    let mut reader = Reader::new(object);
    let mut members = reader.object().map_err(broken)?;
    while let Some(name) = reader.name(&mut members).map_err(broken)? {
        member(&name, reader.raw().map_err(broken)?)?;
    }
    reader.end().map_err(broken)
}

#[derive(Default)]
struct Asked {
    request: ChatRequest,
}

impl Asked {
    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let request = &mut self.request;
        if value == "null" {
            return Ok(());
        }
        let or = |error: serde_json::Error| wrong(format!("its {name} is wrong: {error}"));
        match name {
            "model" => request.model = Some(typed(value).map_err(or)?),
            "prompt" => request.messages.push(Message::user(text(value)?)),
            "system_prompt" => request.messages.insert(0, Message::system(text(value)?)),
            "messages" => request.messages.extend(messages(value).map_err(or)?),
            "temperature" => request.temperature = Some(typed(value).map_err(or)?),
            "top_p" => request.top_p = Some(typed(value).map_err(or)?),
            "max_tokens" | "max_completion_tokens" => {
                request.max_tokens = Some(typed(value).map_err(or)?);
            }
            "seed" => request.seed = Some(typed(value).map_err(or)?),
            "stop" if value.starts_with('"') => request.stop = vec![text(value)?],
            "stop" => request.stop = typed(value).map_err(or)?,
            "tools" => request.tools = tools(typed(value).map_err(or)?)?,
            "tool_choice" => request.tool_choice = Some(tool_choice(typed(value).map_err(or)?)?),
            "reasoning_effort" => {
                request.reasoning_effort = Some(ReasoningEffort::from(text(value)?));
            }
            "response_format" => request.response_format = Some(response_format(value)?),
            "stream" if value != "false" => {
                return Err(wrong(
                    "it sets stream, but a batch supports only whole answers",
                ));
            }
            "n" if value != "1" => {
                return Err(wrong("its n is not 1: use one line for each answer"));
            }
            "stream" | "stream_options" | "n" => {}
            name => {
                refuse_misspelt(name)?;
                let value: Value = typed(value).map_err(or)?;
                request.extra.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}

fn refuse_misspelt(name: &str) -> Result<(), Error> {
    match misspelt(name) {
        Some(meant) => {
            let why = format!("it has the unknown field {name:?}; write {meant:?}");
            Err(wrong(why))
        }
        None => Ok(()),
    }
}

fn typed<T: DeserializeOwned>(value: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(value)
}

fn text(value: &str) -> Result<String, Error> {
    typed(value).map_err(|_| wrong(format!("{} is not a string", shortened(value))))
}

fn shortened(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// The form of nearly all messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    content: String,
}

fn messages(value: &str) -> Result<Vec<Message>, serde_json::Error> {
    match serde_json::from_str::<Vec<Plain<'_>>>(value) {
        Ok(plain) => {
            let message = |plain: Plain<'_>| match &*plain.role {
                "user" => Message::user(plain.content),
                "system" => Message::system(plain.content),
                role => Message::new(Role::from(role), [chatcore::Part::text(plain.content)]),
            };
            Ok(plain.into_iter().map(message).collect())
        }
        Err(_) => typed(value),
    }
}

fn tools(list: Vec<Value>) -> Result<Vec<Tool>, Error> {
    list.into_iter()
        .map(|mut tool| {
            if tool["type"] != "function" || !tool["function"].is_object() {
                return Err(wrong("one of its tools is not of the type function"));
            }
            let mut function = tool["function"].take();
            if function["parameters"].is_null() {
                function["parameters"] = serde_json::json!({"type": "object", "properties": {}});
            }
            serde_json::from_value(function)
                .map_err(|error| wrong(format!("one of its tools is wrong: {error}")))
        })
        .collect()
}

fn tool_choice(value: Value) -> Result<ToolChoice, Error> {
    let name = value["function"]["name"].as_str();
    match (value.as_str(), name) {
        (Some("auto"), _) => Ok(ToolChoice::Auto),
        (Some("none"), _) => Ok(ToolChoice::None),
        (Some("required"), _) => Ok(ToolChoice::Required),
        (None, Some(name)) => Ok(ToolChoice::Tool(name.to_owned())),
        _ => Err(wrong("its tool_choice is unknown")),
    }
}

fn response_format(value: &str) -> Result<ResponseFormat, Error> {
    let mut value: Value =
        typed(value).map_err(|error| wrong(format!("its response_format is wrong: {error}")))?;
    match value["type"].as_str() {
        Some("text") => Ok(ResponseFormat::Text),
        Some("json_object") => Ok(ResponseFormat::JsonObject),
        Some("json_schema") => {
            let schema = &mut value["json_schema"];
            match schema["name"].as_str().map(str::to_owned) {
                Some(name) => Ok(ResponseFormat::JsonSchema {
                    name,
                    strict: schema["strict"].as_bool().unwrap_or(false),
                    schema: schema["schema"].take(),
                }),
                None => Err(wrong("the json_schema of its response_format has no name")),
            }
        }
        _ => Err(wrong("its response_format has an unknown type")),
    }
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, why).with_code(Some("invalid_line".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_one_request_are_read_alike() {
        let whole = r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":
            {"model":"m","messages":[{"role":"user","content":"h\u0069"}],"max_tokens":7}}"#;
        let expected = ChatRequest::new([Message::user("hi")])
            .model("m")
            .max_tokens(7);
        for line in [
            whole,
            r#"{"model":"m","prompt":"hi","max_completion_tokens":7}"#,
            r#"{"max_tokens":7,"model":"m","messages":[{"role":"user","content":"hi"}],"seed":null}"#,
        ] {
            assert_eq!(request(line).unwrap(), expected, "{line}");
        }
        assert_eq!(custom_id(whole).unwrap().unwrap(), "a");
        assert_eq!(leading_custom_id(whole), Some("a"));
        assert_eq!(leading_custom_id("{ \"custom_id\" : \"b\"}"), Some("b"));
        for other in [
            "{\"custom_id\":\"\\u0061\"}",
            "{\"prompt\":\"a\"}",
            "{\"custom_id\":\"a",
        ] {
            assert_eq!(leading_custom_id(other), None, "{other}");
        }
        assert_eq!(custom_id(r#"{"prompt":"a"}"#).unwrap(), None);
    }

    #[test]
    fn a_misspelt_field_is_found_before_the_line_runs() {
        for line in [
            r#"{"custom_id":"a","prompt":"x","max_token":1}"#,
            r#"{"custom_id":"a","body":{"messages":[],"max_token":1}}"#,
            r#"{"body" : { "max_token" : 1 }, "custom_id":"a"}"#,
        ] {
            let error = checked_custom_id(line).unwrap_err();
            assert!(error.message().contains("write \"max_tokens\""), "{error}");
            assert_eq!(custom_id(line).unwrap().as_deref(), Some("a"));
        }
        // Names within a field's value are not chatcore's.
        let fine = r#"{"custom_id":"a","body":{"metadata":{"max_token":1},"top_k":2}}"#;
        assert_eq!(checked_custom_id(fine).unwrap().as_deref(), Some("a"));
    }

    #[test]
    fn a_custom_id_that_is_a_number_is_its_text() {
        for (line, id) in [
            (r#"{"custom_id":7,"prompt":"y"}"#, Some("7")),
            (r#"{"prompt":"y","custom_id": -1.5e3 }"#, Some("-1.5e3")),
            (r#"{"custom_id":null,"prompt":"y"}"#, None),
        ] {
            assert_eq!(custom_id(line).unwrap().as_deref(), id, "{line}");
        }
        for value in ["true", "[1]", r#"{"a":1}"#] {
            let line = format!(r#"{{"custom_id":{value},"prompt":"y"}}"#);
            let error = custom_id(&line).unwrap_err();
            assert!(error.message().contains(value), "{error}");
            assert_eq!(error.code(), Some("invalid_line"));
        }
    }

    #[test]
    fn every_field_has_its_place() {
        let read = request(
            r#"{"prompt":"hi","system_prompt":"be brief","temperature":0.5,"top_p":0.9,"seed":-1,
            "stop":"x","reasoning_effort":"low","presence_penalty":1,"n":1,"stream":false,
            "tools":[{"type":"function","function":{"name":"f","strict":true}}],
            "tool_choice":{"type":"function","function":{"name":"f"}},
            "response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"a":1}}}}"#,
        )
        .unwrap();
        assert_eq!(
            read.messages,
            [Message::system("be brief"), Message::user("hi")]
        );
        assert_eq!(
            (read.temperature, read.top_p, read.seed),
            (Some(0.5), Some(0.9), Some(-1))
        );
        assert_eq!(read.stop, ["x"]);
        assert_eq!(read.reasoning_effort, Some(ReasoningEffort::Low));
        assert_eq!(read.extra.len(), 1);
        assert_eq!(read.extra["presence_penalty"], 1);
        assert_eq!(read.tools[0].strict, Some(true));
        assert_eq!(read.tool_choice, Some(ToolChoice::Tool("f".into())));
        let Some(ResponseFormat::JsonSchema { name, schema, .. }) = read.response_format else {
            unreachable!("{:?}", read.response_format);
        };
        assert_eq!((name.as_str(), schema["a"].as_u64()), ("s", Some(1)));
        // Messages with parts and tool calls take the slow path.
        let long = request(
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
            "function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"r"}]}"#,
        )
        .unwrap();
        assert_eq!(long.messages.len(), 3);
        assert_eq!(long.messages[0], Message::user("hi"));
        assert_eq!(long.messages[1].tool_calls().count(), 1);
    }

    #[test]
    fn what_cannot_be_run_says_why() {
        for (line, why) in [
            ("{", "not the JSON"),
            ("[]", "not the JSON"),
            (r#"{"prompt":"a"} x"#, "not the JSON"),
            ("{}", "neither a body"),
            (r#"{"prompt":7}"#, "7 is not a string"),
            (
                r#"{"body":{"messages":[]},"prompt":"a"}"#,
                "beside the body",
            ),
            (
                r#"{"url":"/v1/embeddings","body":{}}"#,
                "only /v1/chat/completions",
            ),
            (r#"{"method":"GET","body":{}}"#, "not POST"),
            (
                r#"{"custom_id":"a","prompt":"a","custom_id":"b"}"#,
                "two custom_ids",
            ),
            (r#"{"prompt":"a","stream":true}"#, "stream"),
            (r#"{"prompt":"a","n":2}"#, "one line for each answer"),
            (
                r#"{"prompt":"a","max_tokens":-1}"#,
                "its max_tokens is wrong",
            ),
            (r#"{"prompt":"a","max_token":5}"#, "write \"max_tokens\""),
            (r#"{"promt":"a"}"#, "unknown field \"promt\""),
            (r#"{"messages":[{"content":"a"}]}"#, "no role"),
            (
                r#"{"prompt":"a","tools":[{"type":"web"}]}"#,
                "type function",
            ),
        ] {
            let error = request(line).unwrap_err();
            assert!(error.message().contains(why), "{line}: {error}");
            assert_eq!(error.code(), Some("invalid_line"));
        }
        assert!(custom_id(r#"{"custom_id":-}"#).is_err());
        assert!(custom_id(r#"{"custom_id":"a","body":{"a":}}"#).is_err());
    }
}

//! Converts a line of the input to a request.

use std::borrow::Cow;

use chatcore::chat::{ReasoningEffort, ResponseFormat};
use chatcore::json::{JsonError, Reader};
use chatcore::{ChatRequest, Error, ErrorKind, Message, Role, Tool, ToolChoice};
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
    let found = read().map_err(broken)?;
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
    let mut reader = Reader::new(line);
    let mut members = reader.object().ok()?;
    let is_first = reader.name(&mut members).ok()?? == "custom_id";
    match is_first && reader.peek().ok()? == b'"' {
        true => plain_text(reader.raw().ok()?),
        false => None,
    }
}

/// The text of a JSON string without escapes; `None` for any other value.
fn plain_text(value: &str) -> Option<&str> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr::memchr(b'\\', text.as_bytes())
        .is_none()
        .then_some(text)
}

/// The request of a JSON line.
#[cfg(test)]
fn request(line: &str) -> Result<ChatRequest, Error> {
    named_request(line).map(|(_, request)| request)
}

/// The request of a JSON line, and its `custom_id` if that is a string without escapes.
pub(in crate::journal) fn named_request(line: &str) -> Result<(Option<&str>, ChatRequest), Error> {
    let mut asked = Asked::default();
    let (mut has_body, mut has_own, mut id) = (false, false, None);
    let mut reader = Reader::new(line);
    each_member(&mut reader, |name, reader| {
        match name {
            "body" if has_body => return Err(wrong("it has two bodies")),
            "body" => {
                has_body = true;
                each_member(reader, |name, reader| asked.read(name, reader))?;
            }
            "custom_id" if id.is_some() => return Err(wrong("it has two custom_ids")),
            "custom_id" => id = Some(raw(reader)?),
            "method" => {
                // As nearly every line has it; otherwise it is read with its escapes.
                let method = raw(reader)?;
                if method != "\"POST\"" && !text(method)?.eq_ignore_ascii_case("POST") {
                    return Err(wrong("its method is not POST"));
                }
            }
            "url" => {
                let url = text(raw(reader)?)?;
                if url != URL {
                    let why = format!("its url is {url:?}; only {URL} can be run");
                    return Err(wrong(why));
                }
            }
            name => {
                has_own = true;
                asked.read(name, reader)?;
            }
        }
        Ok(())
    })?;
    reader.end().map_err(broken)?;
    if has_body && has_own {
        return Err(wrong(
            "it has both a body and request fields beside the body",
        ));
    }
    let request = asked.request;
    match request.messages.is_empty() {
        true => Err(wrong(
            "it has neither a body with messages, nor messages, nor a prompt",
        )),
        false => Ok((id.and_then(plain_text), request)),
    }
}

/// Reads an object. `member` must read the value of each member.
fn each_member<'a>(
    reader: &mut Reader<'a>,
    mut member: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut members = reader.object().map_err(broken)?;
    while let Some(name) = reader.name(&mut members).map_err(broken)? {
        member(&name, reader)?;
    }
    Ok(())
}

fn raw<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Error> {
    reader.raw().map_err(broken)
}

#[derive(Default)]
struct Asked {
    request: ChatRequest,
}

impl Asked {
    fn read(&mut self, name: &str, reader: &mut Reader<'_>) -> Result<(), Error> {
        if name == "messages" {
            let mut ahead = reader.clone();
            if let Some(messages) = plain_messages(&mut ahead) {
                *reader = ahead;
                self.request.messages.extend(messages);
                return Ok(());
            }
        }
        let value = raw(reader)?;
        self.set(name, value)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let request = &mut self.request;
        if value == "null" {
            return Ok(());
        }
        let or = |error: serde_json::Error| wrong(format!("its {name} is wrong: {error}"));
        match name {
            "model" => {
                request.model = Some(match plain_text(value) {
                    Some(model) => model.to_owned(),
                    None => typed(value).map_err(or)?,
                });
            }
            "prompt" => request.messages.push(Message::user(text(value)?)),
            "system_prompt" => request.messages.insert(0, Message::system(text(value)?)),
            "messages" => {
                let messages: Vec<Message> = typed(value).map_err(or)?;
                request.messages.extend(messages);
            }
            "temperature" => request.temperature = Some(typed(value).map_err(or)?),
            "top_p" => request.top_p = Some(typed(value).map_err(or)?),
            "max_tokens" | "max_completion_tokens" => {
                request.max_tokens = Some(match value.parse() {
                    Ok(tokens) => tokens,
                    Err(_) => typed(value).map_err(or)?,
                });
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
    if let Some(text) = plain_text(value) {
        return Ok(text.to_owned());
    }
    typed(value).map_err(|_| wrong(format!("{} is not a string", shortened(value))))
}

fn shortened(value: &str) -> String {
    let mut short: String = value.chars().take(60).collect();
    if short.len() < value.len() {
        short.push('…');
    }
    short
}

/// Reads the messages, if each has only a role and a text, as nearly all have.
fn plain_messages(reader: &mut Reader<'_>) -> Option<Vec<Message>> {
    let mut items = reader.array().ok()?;
    let mut messages = Vec::new();
    while reader.item(&mut items).ok()? {
        let mut members = reader.object().ok()?;
        let (mut role, mut content) = (None, None);
        while let Some(name) = reader.name(&mut members).ok()? {
            let field = match &*name {
                "role" => &mut role,
                "content" => &mut content,
                _ => return None,
            };
            let value = reader.raw().ok()?;
            let text = match plain_text(value) {
                Some(text) => Cow::Borrowed(text),
                None => Cow::Owned(typed::<String>(value).ok()?),
            };
            if field.replace(text).is_some() {
                return None;
            }
        }
        let content = content?.into_owned();
        messages.push(match &*role? {
            "user" => Message::user(content),
            "system" => Message::system(content),
            role => Message::new(Role::from(role), [chatcore::Part::text(content)]),
        });
    }
    Some(messages)
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

fn broken(error: JsonError) -> Error {
    wrong(format!(
        "it is not the JSON of a request ({{\"prompt\": …}}, {{\"messages\": […]}}, or a line of \
         OpenAI's Batch API): {error}"
    ))
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidInput, why).with_code(Some("invalid_line".to_owned()))
}

#[cfg(test)]
mod tests;

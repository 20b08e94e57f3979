//! A request's JSON → [`ChatRequest`].
//!
//! By hand, and not by the types' own `Deserialize`, which would be a fifth of the whole module.

use chatcore::chat::{
    Extra, Image, ImageSource, Reasoning, ReasoningEffort, Refusal, ResponseFormat, Text,
    ToolResult,
};
use chatcore::{ChatRequest, Error, ErrorKind, Message, Part, Role, Tool, ToolCall, ToolChoice};
use serde_json::Value;

/// The members of an object that were not looked at yet, and where it stands.
pub(crate) struct Object {
    place: &'static str,
    members: Extra,
}

impl Object {
    pub(crate) fn new(place: &'static str, value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(members) => Ok(Self { place, members }),
            _ => Err(wrong(place, "no object")),
        }
    }

    /// The member of this name, unless it is null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        // A null stays behind: what is removed from a map makes it close its ranks.
        let value = self.members.get_mut(name)?.take();
        Some(value).filter(|value| !value.is_null())
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Self, Error> {
        let value = self.take(name).unwrap_or_else(|| Extra::new().into());
        Self::new(name, value)
    }

    pub(crate) fn number<T>(
        &mut self,
        name: &'static str,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match read(&value) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(name, "not the number that it should be")),
        }
    }

    pub(crate) fn is(&mut self, name: &str) -> bool {
        matches!(self.take(name), Some(Value::Bool(true)))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, Error> {
        self.optional(name)?
            .ok_or_else(|| wrong(self.place, &format!("without {name}")))
    }

    pub(crate) fn optional(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "no string")),
        }
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        read: fn(Value) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => each(list, read),
            Some(_) => Err(wrong(name, "no array")),
        }
    }

    /// Names and values that are strings.
    pub(crate) fn strings(&mut self, name: &'static str) -> Result<Vec<(String, String)>, Error> {
        let members = self.object(name)?.members;
        let mut strings = Vec::with_capacity(members.len());
        for (key, value) in members {
            match value {
                Value::String(text) => strings.push((key, text)),
                _ => return Err(wrong(name, "with a value that is no string")),
            }
        }
        Ok(strings)
    }

    fn extra(&mut self) -> Result<Extra, Error> {
        Ok(self.object("extra")?.members)
    }
}

/// Reads each item of an array.
fn each<T>(list: Vec<Value>, read: fn(Value) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    let mut items = Vec::with_capacity(list.len());
    for value in list {
        items.push(read(value)?);
    }
    Ok(items)
}

/// The whole number that a JSON number is, if it is one.
pub(crate) fn count(value: &Value) -> Option<u64> {
    // JavaScript has no other numbers than floats, and may write one as 1e3.
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..1.9e19).contains(number);
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

pub(crate) fn small_count(value: &Value) -> Option<u32> {
    count(value)?.try_into().ok()
}

fn wrong(place: &str, why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidRequest,
        format!("the request is not as documented: {place} is {why}"),
    )
}

pub(crate) fn request(mut from: Object) -> Result<ChatRequest, Error> {
    let mut request = ChatRequest::default();
    request.model = from.optional("model")?;
    request.messages = from.list("messages", message)?;
    request.temperature = from.number("temperature", Value::as_f64)?;
    request.max_tokens = from.number("max_tokens", small_count)?;
    request.top_p = from.number("top_p", Value::as_f64)?;
    request.stop = match from.take("stop") {
        Some(Value::String(one)) => vec![one],
        Some(list) => {
            from.members.insert("stop".to_owned(), list);
            from.list("stop", |text| match text {
                Value::String(text) => Ok(text),
                _ => Err(wrong("stop", "not made of strings")),
            })?
        }
        None => Vec::new(),
    };
    request.seed = from.number("seed", Value::as_i64)?;
    request.tools = from.list("tools", tool)?;
    request.tool_choice = from.take("tool_choice").map(tool_choice).transpose()?;
    request.reasoning_effort = from
        .optional("reasoning_effort")?
        .map(ReasoningEffort::from);
    request.response_format = from
        .take("response_format")
        .map(response_format)
        .transpose()?;
    request.extra = from.extra()?;
    Ok(request)
}

fn message(value: Value) -> Result<Message, Error> {
    let mut from = Object::new("a message", value)?;
    let role = from.text("role")?;
    let parts = parts(&mut from)?;
    let mut message = Message::new(Role::from(&*role), parts);
    message.name = from.optional("name")?;
    message.extra = from.extra()?;
    Ok(message)
}

fn parts(from: &mut Object) -> Result<Vec<Part>, Error> {
    match from.take("content") {
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(list)) => each(list, part),
        None => Err(wrong(from.place, "without content")),
        Some(_) => Err(wrong("content", "neither a string nor an array of parts")),
    }
}

fn part(value: Value) -> Result<Part, Error> {
    let mut from = Object::new("a part", value)?;
    let kind = from.text("type")?;
    Ok(match &*kind {
        "text" => {
            let mut text = Text::new(from.text("text")?);
            text.extra = from.extra()?;
            text.into()
        }
        "image" => {
            let mut source = from.object("source")?;
            let kind = source.text("type")?;
            let mut image = Image::new(match &*kind {
                "url" => ImageSource::Url {
                    url: source.text("url")?,
                },
                "base64" => ImageSource::Base64 {
                    media_type: source.text("media_type")?,
                    data: source.text("data")?,
                },
                _ => return Err(wrong("the source of an image", "neither url nor base64")),
            });
            image.detail = from.optional("detail")?;
            image.extra = from.extra()?;
            image.into()
        }
        "tool_call" => {
            let (id, name) = (from.text("id")?, from.text("name")?);
            let mut call = ToolCall::new(id, name, from.text("arguments")?);
            call.extra = from.extra()?;
            call.into()
        }
        "tool_result" => {
            let mut result = ToolResult::new(from.text("call_id")?, "");
            result.content = parts(&mut from)?;
            result.is_error = from.is("is_error");
            result.into()
        }
        "reasoning" => {
            let mut reasoning = Reasoning::new(from.text("text")?);
            reasoning.signature = from.optional("signature")?;
            reasoning.encrypted = from.optional("encrypted")?;
            reasoning.extra = from.extra()?;
            reasoning.into()
        }
        "refusal" => Refusal::new(from.text("text")?).into(),
        "other" => Part::Other {
            value: from.take("value").unwrap_or_default(),
        },
        _ => return Err(wrong("a part", "of a type that there is not")),
    })
}

fn tool(value: Value) -> Result<Tool, Error> {
    let mut from = Object::new("a tool", value)?;
    let name = from.text("name")?;
    let Some(parameters) = from.take("parameters") else {
        return Err(wrong("a tool", "without parameters"));
    };
    let mut tool = Tool::new(name, parameters);
    tool.description = from.optional("description")?;
    tool.strict = from
        .take("strict")
        .map(|strict| matches!(strict, Value::Bool(true)));
    Ok(tool)
}

fn tool_choice(value: Value) -> Result<ToolChoice, Error> {
    match value.as_str() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some("required") => Ok(ToolChoice::Required),
        Some(_) => Err(wrong("toolChoice", "none of its words")),
        None => Ok(ToolChoice::Tool(
            Object::new("toolChoice", value)?.text("tool")?,
        )),
    }
}

fn response_format(value: Value) -> Result<ResponseFormat, Error> {
    let mut from = Object::new("responseFormat", value)?;
    let kind = from.text("type")?;
    Ok(match &*kind {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => ResponseFormat::JsonSchema {
            name: from.text("name")?,
            schema: from.take("schema").unwrap_or_default(),
            strict: from.is("strict"),
        },
        _ => return Err(wrong("responseFormat", "of a type that there is not")),
    })
}

//! Reads a [`ChatRequest`] from JSON.

use std::fmt::Display;

use chatcore::chat::{Extra, ReasoningEffort, ResponseFormat};
use chatcore::json::{self, JsonError};
use chatcore::{ChatRequest, Defaults, Error, ErrorKind, Tool, ToolChoice};
use serde_json::Value;

use crate::messages;

/// The members of an object that were not read yet, and the object's place for error messages.
pub(crate) struct Object {
    place: &'static str,
    members: Extra,
}

impl Object {
    pub(crate) fn empty(place: &'static str) -> Self {
        Self {
            place,
            members: Extra::new(),
        }
    }

    pub(crate) fn new(place: &'static str, value: Value) -> Result<Self, Error> {
        match value {
            Value::Object(members) => Ok(Self { place, members }),
            _ => Err(wrong(place, "not an object")),
        }
    }

    /// The member of this name, unless it is null.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        // Leaves a null behind, because removing from the map would move its other members.
        let value = self.members.get_mut(name)?.take();
        Some(value).filter(|value| !value.is_null())
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Self, Error> {
        match self.take(name) {
            Some(value) => Self::new(name, value),
            None => Ok(Self::empty(name)),
        }
    }

    /// Reads a number into `into`, if the member exists.
    pub(crate) fn number<T>(
        &mut self,
        name: &'static str,
        into: &mut Option<T>,
        read: fn(&Value) -> Option<T>,
    ) -> Result<(), Error> {
        if let Some(value) = self.take(name) {
            *into = read(&value);
            if into.is_none() {
                return Err(wrong(name, "not a valid number for this field"));
            }
        }
        Ok(())
    }

    /// A boolean, if it is given.
    pub(crate) fn switch(&mut self, name: &str) -> Option<bool> {
        self.take(name)?.as_bool()
    }

    pub(crate) fn is(&mut self, name: &str) -> bool {
        matches!(self.take(name), Some(Value::Bool(true)))
    }

    /// Reads a required string into `into`.
    pub(crate) fn text(&mut self, name: &'static str, into: &mut String) -> Result<(), Error> {
        match self.take(name) {
            None => return Err(wrong(self.place, &format!("without {name}"))),
            Some(Value::String(text)) => *into = text,
            Some(_) => return Err(wrong(name, "not a string")),
        }
        Ok(())
    }

    /// Reads a string into `into`, if the member exists.
    pub(crate) fn optional(
        &mut self,
        name: &'static str,
        into: &mut Option<String>,
    ) -> Result<(), Error> {
        match self.take(name) {
            None => {}
            Some(Value::String(text)) => *into = Some(text),
            Some(_) => return Err(wrong(name, "not a string")),
        }
        Ok(())
    }

    /// The members that were not read yet.
    pub(crate) fn into_members(self) -> Extra {
        self.members
    }

    /// The members that were not read yet as JSON, without the braces.
    pub(crate) fn into_members_text(self) -> String {
        let mut writer = json::Writer::default();
        writer.members(&self.members);
        let text = writer.into_text();
        text[1..text.len() - 1].to_owned()
    }

    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<Value>, Error> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(wrong(name, "not an array")),
        }
    }

    pub(crate) fn extra(&mut self, into: &mut Extra) -> Result<(), Error> {
        match self.take("extra") {
            None => {}
            Some(Value::Object(members)) => *into = members,
            Some(_) => return Err(wrong("extra", "not an object")),
        }
        Ok(())
    }
}

/// Reads each item of an array of objects.
pub(crate) fn each<T>(
    place: &'static str,
    list: Vec<Value>,
    read: fn(&mut Object) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::with_capacity(list.len());
    for value in list {
        items.push(read(&mut Object::new(place, value)?)?);
    }
    Ok(items)
}

/// A JSON number as an integer, if it is whole.
pub(crate) fn count(value: &Value) -> Option<u64> {
    // All numbers of JavaScript are floats, and it may write one as 1e3.
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..1.9e19).contains(number);
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

pub(crate) fn small_count(value: &Value) -> Option<u32> {
    count(value)?.try_into().ok()
}

pub(crate) fn wrong(place: &str, why: &str) -> Error {
    undocumented(format_args!("{place} is {why}"))
}

/// The error for invalid JSON from the TypeScript layer.
pub(crate) fn not_json(error: JsonError) -> Error {
    undocumented(error)
}

/// The error for a value that does not follow the package's documentation.
pub(crate) fn undocumented(why: impl Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("not as documented: {why}"))
}

/// A temperature and a token limit, as JavaScript passes them: NaN means not set.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) temperature: f64,
    pub(crate) max_tokens: f64,
}

impl Numbers {
    fn temperature(self) -> Option<f64> {
        Some(self.temperature).filter(|number| !number.is_nan())
    }

    fn max_tokens(self) -> Result<Option<u32>, Error> {
        if self.max_tokens.is_nan() {
            return Ok(None);
        }
        match small_count(&self.max_tokens.into()) {
            Some(count) => Ok(Some(count)),
            None => Err(wrong("maxTokens", "not a valid number for this field")),
        }
    }

    /// The defaults of a call. A limit of 0 tokens means no defaults, so that the provider's apply.
    pub(crate) fn defaults(self) -> Result<Defaults, Error> {
        if self.max_tokens == 0.0 {
            return Ok(Defaults::NONE);
        }
        let mut defaults = Defaults::PROMPT;
        defaults.temperature = self.temperature();
        defaults.max_tokens = self.max_tokens()?;
        Ok(defaults)
    }
}

/// Builds a request from messages in JSON and the caller's options.
pub(crate) fn request(
    messages: &str,
    own: Numbers,
    from: &mut Object,
) -> Result<ChatRequest, Error> {
    let mut request = ChatRequest::default();
    request.messages = messages::read(messages)?;
    request.temperature = own.temperature();
    request.max_tokens = own.max_tokens()?;
    read_request(&mut request, from)?;
    Ok(request)
}

fn read_request(request: &mut ChatRequest, from: &mut Object) -> Result<(), Error> {
    from.optional("model", &mut request.model)?;
    from.number("topP", &mut request.top_p, Value::as_f64)?;
    request.stop = match from.take("stop") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(list)) => texts("stop", list)?,
        Some(_) => return Err(wrong("stop", "not an array")),
        None => Vec::new(),
    };
    from.number("seed", &mut request.seed, Value::as_i64)?;
    request.tools = tools(from)?;
    request.tool_choice = from.take("toolChoice").map(tool_choice).transpose()?;
    let mut effort = None;
    from.optional("reasoningEffort", &mut effort)?;
    request.reasoning_effort = effort.map(ReasoningEffort::from);
    request.response_format = from
        .take("responseFormat")
        .map(response_format)
        .transpose()?;
    from.extra(&mut request.extra)
}

/// The strings of an array.
pub(crate) fn texts(place: &str, list: Vec<Value>) -> Result<Vec<String>, Error> {
    let mut texts = Vec::with_capacity(list.len());
    for value in list {
        match value {
            Value::String(text) => texts.push(text),
            _ => return Err(wrong(place, "not made of strings")),
        }
    }
    Ok(texts)
}

pub(crate) fn tools(from: &mut Object) -> Result<Vec<Tool>, Error> {
    each("a tool", from.list("tools")?, tool)
}

fn tool(from: &mut Object) -> Result<Tool, Error> {
    let mut tool = Tool::new("", Value::Null);
    from.text("name", &mut tool.name)?;
    let Some(parameters) = from.take("parameters") else {
        return Err(wrong("a tool", "without parameters"));
    };
    tool.parameters = parameters;
    from.optional("description", &mut tool.description)?;
    tool.strict = from
        .take("strict")
        .map(|strict| matches!(strict, Value::Bool(true)));
    match from.take("extra") {
        None => {}
        Some(Value::Object(extra)) => tool.extra = extra,
        Some(_) => return Err(wrong("a tool's extra", "not an object")),
    }
    Ok(tool)
}

fn tool_choice(value: Value) -> Result<ToolChoice, Error> {
    match value.as_str() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some("required") => Ok(ToolChoice::Required),
        Some(_) => Err(wrong("toolChoice", "not one of its allowed values")),
        None => {
            let mut tool = String::new();
            Object::new("toolChoice", value)?.text("tool", &mut tool)?;
            Ok(ToolChoice::Tool(tool))
        }
    }
}

fn response_format(value: Value) -> Result<ResponseFormat, Error> {
    let mut from = Object::new("responseFormat", value)?;
    let (mut kind, mut name) = (String::new(), String::new());
    from.text("type", &mut kind)?;
    Ok(match &*kind {
        "text" => ResponseFormat::Text,
        "json_object" => ResponseFormat::JsonObject,
        "json_schema" => {
            from.text("name", &mut name)?;
            ResponseFormat::JsonSchema {
                name,
                schema: from.take("schema").unwrap_or_default(),
                strict: from.is("strict"),
            }
        }
        _ => return Err(wrong("responseFormat", "of an unknown type")),
    })
}

//! Reads what `/api/…` and the WebSocket accept: one message or a conversation, and a few options.

use chatcore::{ChatCall, ChatRequest, Defaults, LlmClient, Message};
use serde_json::Value;

use crate::errors::ApiError;
use crate::fields::{Fields, missing};
use crate::openai::message;
use crate::settings::Settings;

/// A request, and the defaults that chatcore may add to it. A default that the model refuses is
/// dropped; a value that the caller set is not.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) request: ChatRequest,
    pub(crate) defaults: Defaults,
}

impl Ask {
    pub(crate) fn call(self, client: &LlmClient) -> ChatCall {
        client.ask(self.request).defaults(self.defaults)
    }
}

/// The limits of a request, whichever path it arrives on.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    /// The models that clients may use; the first is the default.
    pub(crate) models: Vec<String>,
    pub(crate) max_messages: usize,
    pub(crate) max_tokens: u32,
}

impl Allowed {
    /// The limits from the settings. Without models in the settings, clients may use only `model`,
    /// the provider's own.
    pub(crate) fn new(settings: &Settings, model: &str) -> Self {
        Self {
            models: match settings.models.as_slice() {
                [] => vec![model.to_owned()],
                models => models.to_vec(),
            },
            max_messages: settings.max_messages,
            max_tokens: settings.max_tokens,
        }
    }

    /// The model to use: the named one if it is allowed, or the default.
    pub(crate) fn model(&self, named: Option<String>) -> Result<String, ApiError> {
        let default = self.models.first().cloned().unwrap_or_default();
        let named = named.unwrap_or(default);
        match self.models.contains(&named) {
            true => Ok(named),
            false => Err(ApiError {
                param: Some("model".to_owned()),
                ..ApiError::new(
                    404,
                    "model_not_found",
                    format!(
                        "the model {named:?} is not served here; use one of: {}",
                        self.models.join(", ")
                    ),
                )
            }),
        }
    }

    /// Refuses more tokens than an answer may have.
    pub(crate) fn tokens(&self, name: &str, asked: u32) -> Result<u32, ApiError> {
        match asked <= self.max_tokens {
            true => Ok(asked),
            false => Err(ApiError {
                code: "too_many_tokens".to_owned(),
                ..ApiError::invalid(
                    name,
                    format!(
                        "{name} is {asked}; this server allows at most {}",
                        self.max_tokens
                    ),
                )
            }),
        }
    }

    /// Lowers `defaults` to the limit of tokens, reasoning included.
    pub(crate) fn limit(&self, mut defaults: Defaults) -> Defaults {
        let answer = defaults.max_tokens.unwrap_or(u32::MAX).min(self.max_tokens);
        defaults.max_tokens = Some(answer);
        defaults.reasoning_tokens = self.max_tokens - answer;
        defaults
    }

    /// Reads a conversation in OpenAI's form.
    pub(crate) fn messages(&self, list: Vec<Value>) -> Result<Vec<Message>, ApiError> {
        self.conversation(list, message::read)
    }

    /// Reads a conversation. `read` reads the message at a path.
    pub(crate) fn conversation(
        &self,
        list: Vec<Value>,
        read: impl Fn(Value, &str) -> Result<Message, ApiError>,
    ) -> Result<Vec<Message>, ApiError> {
        self.check_length("messages", list.len())?;
        let read = |(n, value)| read(value, &format!("messages[{n}]"));
        list.into_iter().enumerate().map(read).collect()
    }

    /// Refuses a conversation with no messages or too many. `name` is its field.
    pub(crate) fn check_length(&self, name: &str, length: usize) -> Result<(), ApiError> {
        if length == 0 {
            return Err(ApiError::invalid(name, format!("{name} is empty")));
        }
        if length > self.max_messages {
            let why = format!(
                "{name} has {length} items; this server allows at most {}",
                self.max_messages
            );
            return Err(ApiError {
                code: "too_many_messages".to_owned(),
                ..ApiError::invalid(name, why)
            });
        }
        Ok(())
    }
}

/// What a body must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `message`
    Message,
    /// `messages`
    Messages,
    /// Either.
    Any,
}

/// Reads `{message, …}` or `{messages, …}`. The defaults are those of the Python client:
/// temperature 0 for a message and 0.7 for a conversation, at most 256 tokens.
pub(crate) fn read(mut fields: Fields, form: Form, allowed: &Allowed) -> Result<Ask, ApiError> {
    let message = match form {
        Form::Messages => None,
        _ => fields.text("message")?,
    };
    let messages = match form {
        Form::Message => None,
        _ => fields.list("messages")?,
    };
    let (request, defaults) = match (message, messages) {
        (Some(message), None) => (ChatRequest::new([Message::user(message)]), Defaults::PROMPT),
        (None, Some(list)) => (
            ChatRequest::new(allowed.messages(list)?),
            Defaults::CONVERSATION,
        ),
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                fields.place("messages"),
                "give either message or messages, not both",
            ));
        }
        (None, None) => {
            return Err(missing(fields.place(match form {
                Form::Messages => "messages",
                _ => "message",
            })));
        }
    };
    let request = options(&mut fields, request, allowed)?;
    fields.end()?;
    let defaults = allowed.limit(defaults);
    Ok(Ask { request, defaults })
}

/// Reads the options that these paths share.
pub(crate) fn options(
    fields: &mut Fields,
    mut request: ChatRequest,
    allowed: &Allowed,
) -> Result<ChatRequest, ApiError> {
    request.temperature = fields.number("temperature")?;
    if let Some(asked) = fields.count("max_tokens")? {
        request.max_tokens = Some(allowed.tokens("max_tokens", asked)?);
    }
    if let Some(prompt) = fields
        .text("system_prompt")?
        .filter(|prompt| !prompt.is_empty())
    {
        request = request.system_prompt(prompt);
    }
    request.top_p = fields.number("top_p")?;
    request.seed = fields.integer("seed")?;
    if let Some(stop) = fields.texts("stop")? {
        request.stop = stop;
    }
    Ok(request.model(allowed.model(fields.text("model")?)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allowed() -> Allowed {
        Allowed {
            models: vec!["a".into(), "b".into()],
            max_messages: 2,
            max_tokens: 100,
        }
    }

    fn ask(body: Value, form: Form) -> Result<Ask, ApiError> {
        read(Fields::of(body, "").unwrap(), form, &allowed())
    }

    #[test]
    fn the_defaults_are_the_clients() {
        let Ask { request, defaults } = ask(json!({"message": "hi"}), Form::Message).unwrap();
        assert_eq!((request.temperature, request.max_tokens), (None, None));
        assert_eq!(
            (defaults.temperature, defaults.max_tokens),
            (Some(0.0), Some(100))
        );
        assert_eq!(
            (defaults.reasoning_tokens, defaults.no_reasoning),
            (0, true)
        );
        assert_eq!(request.model.as_deref(), Some("a"));
        let messages = json!([{"role": "user", "content": "hi"}]);
        let body = json!({"messages": messages, "model": "b", "max_tokens": 7});
        let Ask { request, defaults } = ask(body, Form::Any).unwrap();
        assert_eq!(defaults.temperature, Some(0.7));
        assert_eq!(request.model.as_deref(), Some("b"));
        assert_eq!(request.max_tokens, Some(7));
        let wide = Allowed {
            max_tokens: 4_000,
            ..allowed()
        };
        let limited = wide.limit(Defaults::PROMPT);
        assert_eq!(
            (limited.max_tokens, limited.reasoning_tokens),
            (Some(256), 3_744)
        );
        let limited = wide.limit(Defaults::NONE);
        assert_eq!(
            (limited.max_tokens, limited.reasoning_tokens),
            (Some(4_000), 0)
        );
    }

    #[test]
    fn each_limit_has_its_code() {
        let messages = |n| vec![json!({"role": "user", "content": "x"}); n];
        for (body, code) in [
            (json!({}), "missing_field"),
            (json!({"message": 1}), "invalid_type"),
            (json!({"message": "x", "model": "c"}), "model_not_found"),
            (
                json!({"message": "x", "max_tokens": 101}),
                "too_many_tokens",
            ),
            (json!({"message": "x", "max_tokens": 0}), "invalid_type"),
            (json!({"message": "x", "temprature": 1}), "unknown_field"),
            (json!({"messages": messages(3)}), "too_many_messages"),
            (json!({"messages": []}), "invalid_value"),
            (
                json!({"messages": messages(1), "message": "x"}),
                "invalid_value",
            ),
        ] {
            let error = ask(body.clone(), Form::Any).unwrap_err();
            assert_eq!(error.code, code, "{body}");
        }
        let error = ask(json!({"messages": messages(1)}), Form::Message).unwrap_err();
        assert_eq!(error.code, "missing_field");
    }
}

//! A typed answer as a stream.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::JsonAnswer;
use super::partial::PartialJson;
use super::read;
use super::wanted::Wanted;
use crate::chat::{ChatEvent, ChatResponse};
use crate::client::ChatStream;
use crate::error::Error;
use crate::pipeline::SchemaNote;
use crate::schema::WRAPPER;

/// A typed answer as a stream: a value that grows with the answer.
///
/// Cancel-safe: dropping the stream ends the call. A dropped [`next`](Self::next) loses nothing.
///
/// ```
/// use chatcore::serde_json::{Value, json};
///
/// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
/// let schema = json!({
///     "type": "object",
///     "properties": {"title": {"type": "string"}, "steps": {"type": "array", "items": {"type": "string"}}},
///     "required": ["title", "steps"],
/// });
/// let mut stream = client
///     .ask("How do I make tea?")
///     .json_schema::<Value>("recipe", schema)
///     .stream();
/// while let Some(value) = stream.next().await {
///     println!("{}", value?["title"]);
/// }
/// let recipe = stream.into_answer().await?.value;
/// # let _ = recipe;
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct JsonStream<T> {
    stream: ChatStream,
    wanted: Arc<Wanted>,
    note: SchemaNote,
    json: PartialJson,
    value: PhantomData<fn() -> T>,
}

impl<T> JsonStream<T> {
    pub(super) fn new(stream: ChatStream, wanted: Arc<Wanted>, note: SchemaNote) -> Self {
        Self {
            stream,
            wanted,
            note,
            json: PartialJson::of_object(),
            value: PhantomData,
        }
    }

    /// Waits until the value has grown and returns it. `None` at the end, and after an error.
    ///
    /// Strings grow piece by piece. A number, `true`, `false` or `null` appears once it is
    /// complete. Each byte of the answer is parsed only once, no matter how often this is called.
    pub async fn next(&mut self) -> Option<Result<&Value, Error>> {
        loop {
            match self.stream.next().await? {
                Ok(ChatEvent::Text(text)) if self.json.feed(&text) => {
                    return Some(Ok(self.value()));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The value so far. Null before it begins.
    pub fn value(&self) -> &Value {
        let json = self.json.value();
        match self.wanted.prepared.is_wrapped {
            true => json.get(WRAPPER).unwrap_or(&Value::Null),
            false => json,
        }
    }

    /// The value so far as `P`, a type whose fields may all be missing: `Option` fields, or
    /// `#[serde(default)]`. Each call deserializes the whole value again.
    ///
    /// # Errors
    /// [`InvalidOutput`](crate::ErrorKind::InvalidOutput) if the value does not fit `P` yet.
    pub fn partial<P: DeserializeOwned>(&self) -> Result<P, Error> {
        let text = self.response().map(ChatResponse::text).unwrap_or_default();
        read::typed(self.value(), &text)
            .map_err(|mismatch| mismatch.into_error("the answer's JSON so far"))
    }

    /// The response so far, with its reasoning, without its end.
    pub fn response(&self) -> Option<&ChatResponse> {
        self.stream.partial()
    }
}

impl<T: DeserializeOwned> JsonStream<T> {
    /// Reads to the end and returns the typed answer.
    ///
    /// # Errors
    /// The stream's error, or [`InvalidOutput`](crate::ErrorKind::InvalidOutput) if the answer does
    /// not fit.
    pub async fn into_answer(self) -> Result<JsonAnswer<T>, Error> {
        let response = self.stream.into_response().await?;
        let value = read::answer(&response, &self.wanted, self.note.form())?;
        Ok(JsonAnswer::new(value, response))
    }
}

impl<T> fmt::Debug for JsonStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStream")
            .field("stream", &self.stream)
            .field("schema", &self.wanted.name)
            .finish_non_exhaustive()
    }
}

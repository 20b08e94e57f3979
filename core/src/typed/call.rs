//! One call for a typed answer.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{JsonAnswer, Spent};
use super::mismatch::Mismatch;
use super::read;
use super::stream::JsonStream;
use super::wanted::Wanted;
use crate::chat::{ChatResponse, Message};
use crate::client::ChatCall;
use crate::error::Error;
use crate::executor::BoxFuture;
use crate::pipeline::{SchemaNote, SchemaUse};
use crate::policy::retry::RetryPolicy;

impl ChatCall {
    /// Asks for an answer of the type `T`: JSON that matches the schema of `T`. Awaiting the call
    /// returns a [`JsonAnswer`]; [`JsonCall::stream`] returns a value that grows as the answer
    /// arrives.
    ///
    /// The provider enforces the schema if it can. The schema is rewritten to the rules of its
    /// dialect ([`JsonOutput`](crate::dialect::JsonOutput)): keywords that the provider refuses are
    /// moved to the descriptions, and a `T` that is not an object is wrapped in one. If the
    /// provider has only JSON mode, or not even that, the schema is put into the prompt. In all
    /// cases the answer must fit `T`, or the call fails.
    ///
    /// Descriptions help the model: they are the documentation comments of `T` and its fields.
    /// Bounds (`#[schemars(range(…))]`) are sent, but only the type is checked when the answer is
    /// read; [`json_schema`](Self::json_schema) checks them.
    ///
    /// ```
    /// use chatcore::schemars::{self, JsonSchema};
    /// use serde::Deserialize;
    ///
    /// /// A person in a text.
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct Person {
    ///     name: String,
    ///     /// In years, if the text says it.
    ///     age: Option<u32>,
    /// }
    ///
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let answer = client
    ///     .ask("Who is in this text? Ada met Charles, who is 42.")
    ///     .json::<Vec<Person>>()
    ///     .await?;
    /// for person in &answer.value {
    ///     println!("{} {:?}", person.name, person.age);
    /// }
    /// println!("{:?}", answer.response.usage);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The errors of a chat; [`InvalidInput`](crate::ErrorKind::InvalidInput) before anything is
    /// sent if the provider cannot express the schema (use [`JsonCall::in_prompt`] then); and
    /// [`InvalidOutput`](crate::ErrorKind::InvalidOutput) if the answer does not fit; see
    /// [`Mismatch`] and [`JsonCall::repairs`].
    #[cfg(feature = "schema")]
    pub fn json<T: schemars::JsonSchema + DeserializeOwned>(self) -> JsonCall<T> {
        JsonCall::new(self, Wanted::of::<T>())
    }

    /// Asks for JSON that matches `schema`, read into `T`. `name` names the schema for the
    /// provider. With [`Value`] as `T`, the answer stays JSON.
    ///
    /// The answer is checked against the schema: types, constants, properties, items, unions and
    /// bounds, but not `pattern` and `format`. Everything else is as for `json`, the method for
    /// types with a schema (feature `schema`).
    ///
    /// ```
    /// use chatcore::serde_json::{Value, json};
    ///
    /// # async fn example(client: chatcore::LlmClient) -> Result<(), chatcore::Error> {
    /// let schema = json!({
    ///     "type": "object",
    ///     "properties": {"city": {"type": "string"}, "celsius": {"type": "number"}},
    ///     "required": ["city", "celsius"],
    /// });
    /// let answer = client
    ///     .ask("It is 72 °F in Rome.")
    ///     .json_schema::<Value>("weather", schema)
    ///     .await?;
    /// println!("{}", answer.value["celsius"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn json_schema<T: DeserializeOwned>(self, name: &str, schema: Value) -> JsonCall<T> {
        JsonCall::new(self, Wanted::new(name, schema, true))
    }
}

/// One call for a typed answer: await it, or take its [`stream`](Self::stream). Created by
/// `ChatCall::json` and [`ChatCall::json_schema`].
///
/// Cancel-safe, like a [`ChatCall`].
///
/// No example here: [`ChatCall::json_schema`] has one.
#[must_use = "a call does nothing until it is awaited or streamed"]
pub struct JsonCall<T> {
    call: ChatCall,
    wanted: Arc<Wanted>,
    repairs: u32,
    value: PhantomData<fn() -> T>,
}

impl<T> JsonCall<T> {
    fn new(call: ChatCall, wanted: Wanted) -> Self {
        Self {
            call: with_schema(call, &wanted),
            wanted: Arc::new(wanted),
            repairs: 0,
            value: PhantomData,
        }
    }

    /// Sets how often the model is asked to correct an answer that does not fit. The model gets its
    /// answer back with the path of the fault and the reason. Default: 0.
    ///
    /// Every correction counts towards the call's attempts
    /// ([`max_attempts`](ChatCall::max_attempts)), its time limit and its usage. An answer that was
    /// cut at `max_tokens`, or that declines, is not corrected. A [`stream`](Self::stream) is never
    /// corrected, because the caller has already received its beginning.
    pub fn repairs(mut self, repairs: u32) -> Self {
        self.repairs = repairs;
        self
    }

    /// Puts the schema into the prompt, for a schema that the provider cannot enforce. JSON mode is
    /// used if the provider has one.
    pub fn in_prompt(mut self) -> Self {
        self.call.parts_mut().schema_use = Some(SchemaUse::InPrompt);
        self
    }

    /// Returns the answer as a stream whose value grows as the answer arrives.
    pub fn stream(mut self) -> JsonStream<T> {
        let note = note(&mut self.call);
        JsonStream::new(self.call.stream(), self.wanted, note)
    }
}

impl<T: DeserializeOwned> JsonCall<T> {
    async fn run(self) -> Result<JsonAnswer<T>, Error> {
        let Self {
            mut call,
            wanted,
            mut repairs,
            ..
        } = self;
        let note = note(&mut call);
        if repairs == 0 {
            let response = call.await?;
            let value = read::answer(&response, &wanted, note.form())?;
            return Ok(JsonAnswer::new(value, response));
        }
        let now = call.now();
        let rules = &mut call.parts_mut().rules;
        rules.called.get_or_insert(now);
        let most = rules.retry.max_attempts;
        let mut spent = Spent::default();
        loop {
            let mut response = match call.clone().await {
                Ok(response) => response,
                Err(error) => return Err(counted(error, spent.attempts)),
            };
            spent.add(&mut response);
            let error = match read::answer(&response, &wanted, note.form()) {
                Ok(value) => return Ok(JsonAnswer::new(value, response)),
                Err(error) => error,
            };
            let left = most.saturating_sub(spent.attempts);
            match Mismatch::of(&error) {
                Some(mismatch) if repairs > 0 && left > 0 => {
                    correct(&mut call, response, mismatch, left);
                    repairs -= 1;
                }
                _ => return Err(error),
            }
        }
    }
}

/// Adds the attempts of earlier answers to an error.
fn counted(mut error: Error, before: u32) -> Error {
    let attempts = error.attempts().saturating_add(before);
    error.set_attempts(attempts);
    error
}

/// Changes the call to a request for a correction, with at most `attempts` attempts.
fn correct(call: &mut ChatCall, answer: ChatResponse, mismatch: &Mismatch, attempts: u32) {
    let parts = call.parts_mut();
    let messages = &mut parts.request.messages;
    if !answer.message.parts.is_empty() {
        messages.push(answer.message);
    }
    messages.push(correction(mismatch));
    let retry = RetryPolicy::clone(&parts.rules.retry).max_attempts(attempts);
    parts.rules.retry = Arc::new(retry);
}

/// Asks for an answer that matches the schema.
pub(crate) fn with_schema(call: ChatCall, wanted: &Wanted) -> ChatCall {
    let mut call = call.response_format(wanted.response_format());
    call.parts_mut().schema_use.get_or_insert(SchemaUse::Fitted);
    call
}

/// A note of how the schema of this call is sent. A clone of the call may be running with another
/// one.
pub(crate) fn note(call: &mut ChatCall) -> SchemaNote {
    let note = SchemaNote::default();
    call.parts_mut().schema_note = Some(note.clone());
    note
}

/// The message that asks the model to correct its answer.
pub(crate) fn correction(mismatch: &Mismatch) -> Message {
    Message::user(format!(
        "That answer does not match the JSON schema: at {}, {}. Answer again with the whole \
         corrected JSON, and with nothing else.",
        mismatch.path(),
        mismatch.reason()
    ))
}

impl<T: DeserializeOwned + 'static> IntoFuture for JsonCall<T> {
    type Output = Result<JsonAnswer<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

// Not derived, because `T` need not be `Clone` or `Debug`.
impl<T> Clone for JsonCall<T> {
    fn clone(&self) -> Self {
        Self {
            call: self.call.clone(),
            wanted: Arc::clone(&self.wanted),
            repairs: self.repairs,
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for JsonCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonCall")
            .field("call", &self.call)
            .field("schema", &self.wanted.name)
            .field("repairs", &self.repairs)
            .finish()
    }
}

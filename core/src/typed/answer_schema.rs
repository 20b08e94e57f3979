//! The schema of an answer, for a program that sends the request itself.

use serde_json::Value;

use super::read;
use super::wanted::Wanted;
use crate::chat::{ChatRequest, ChatResponse};
use crate::dialect::JsonOutput;
use crate::error::Error;
use crate::pipeline::{SchemaUse, fit_request};
use crate::schema::WRAPPER;

/// The schema of an answer, for a program that sends the request and validates the value itself.
///
/// Public for the wasm crate only. Not part of the API: it may change in any version. No example
/// here.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct AnswerSchema(Wanted);

impl AnswerSchema {
    /// Prepares a JSON schema. `name` names it for the provider.
    pub fn new(name: &str, schema: Value) -> Self {
        Self(Wanted::new(name, schema, true))
    }

    /// Whether the value is a property of an object, because the schema's root is not an object.
    pub fn is_wrapped(&self) -> bool {
        self.0.prepared.is_wrapped
    }

    /// Puts the schema into a request, in the form that `output` demands or into the prompt.
    ///
    /// Returns the end of the message about an answer that does not fit; empty if the provider
    /// enforces the schema.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if the provider cannot express it.
    pub fn fit(
        &self,
        request: &mut ChatRequest,
        output: JsonOutput,
        in_prompt: bool,
    ) -> Result<&'static str, Error> {
        request.response_format = Some(self.0.response_format());
        let schema_use = match in_prompt {
            true => SchemaUse::InPrompt,
            false => SchemaUse::Fitted,
        };
        Ok(fit_request(request, output, schema_use)?.advice())
    }

    /// Reads the value of an answer.
    pub fn read(&self, answer: &ChatResponse) -> AnswerJson {
        let why = read::why_not(answer);
        let text = answer.text();
        let (value, fault, is_json) = match read::stripped(&text, &self.0) {
            Ok(json) => {
                let fault = read::fault(&text, &json, &self.0);
                (json, fault, true)
            }
            Err(mismatch) => (mismatch.value().clone(), Some(mismatch), false),
        };
        let fault = fault.map(|fault| (fault.path().to_owned(), fault.reason().to_owned()));
        let value = match (self.is_wrapped(), value) {
            (true, Value::Object(mut members)) => members.remove(WRAPPER).unwrap_or_default(),
            (_, value) => value,
        };
        AnswerJson {
            value,
            fault,
            is_json,
            why,
        }
    }
}

/// What [`AnswerSchema::read`] found.
///
/// No example here: it is not part of the API.
#[doc(hidden)]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AnswerJson {
    /// The value, without nulls for missing properties; what could be read of it if the text is not
    /// JSON.
    pub value: Value,
    /// The path and the reason of the first fault.
    pub fault: Option<(String, String)>,
    /// Whether the text is JSON.
    pub is_json: bool,
    /// Why the model cannot correct the answer.
    pub why: Option<&'static str>,
}

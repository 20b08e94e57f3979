//! The schemas of typed answers. The TypeScript layer sends the requests and validates the values;
//! this file writes the schema as each provider demands, and reads JSON from an answer.

#![allow(unreachable_pub, reason = "what wasm-bindgen exports has to be public")]

use chatcore::chat::ResponseFormat;
use chatcore::json::Writer;
use chatcore::{AnswerSchema, ChatRequest, ChatResponse, Error, FinishReason};
use serde_json::Value;
use wasm_bindgen::prelude::*;

use crate::config::Settings;
use crate::error;
use crate::messages;
use crate::object::Faults;
use crate::request::tools;
use crate::wire;

/// Writes a request for a typed answer. The arguments are JSON: the settings of a client; the schema
/// with its `name` and whether it goes into the prompt; the messages, the
/// model and the tools of the call.
#[wasm_bindgen(js_name = fitSchema)]
pub fn fit_schema(settings: &str, wanted: &str, call: &str) -> Result<String, String> {
    fit(settings, wanted, call).map_err(|error| error::json(&error))
}

/// Reads the JSON of a typed answer. The arguments are JSON: the schema as for `fitSchema`; the
/// message of the answer, and its finish reason.
#[wasm_bindgen(js_name = readAnswer)]
pub fn read_answer(wanted: &str, answer: &str) -> Result<String, String> {
    value(wanted, answer).map_err(|error| error::json(&error))
}

fn fit(settings: &str, wanted: &str, call: &str) -> Result<String, Error> {
    // The endpoint is only looked at, so that it needs no key.
    let provider = Settings::read(settings)?.provider.without_api_key();
    let (schema, in_prompt) = schema(wanted)?;
    let faults = Faults::default();
    let mut from = faults.object(call);
    let mut request = ChatRequest::default();
    request.messages = messages::read(&from.take("messages").unwrap_or_default().to_string())?;
    request.model = from.optional("model");
    request.tools = tools(&mut from);
    faults.check()?;
    let output = provider
        .dialect()
        .json_output(&provider.endpoint()?, &request);
    let advice = schema.fit(&mut request, output, in_prompt)?;
    let mut w = Writer::default();
    w.open('{');
    w.key("isWrapped");
    w.boolean(schema.is_wrapped());
    w.member("advice", advice);
    w.key("messages");
    w.open('[');
    for message in &request.messages {
        wire::whole_message(&mut w, message);
    }
    w.close(']');
    w.key("responseFormat");
    format(&mut w, request.response_format.as_ref());
    w.close('}');
    Ok(w.into_text())
}

/// The schema that the TypeScript layer describes, and whether it goes into the prompt.
fn schema(wanted: &str) -> Result<(AnswerSchema, bool), Error> {
    let faults = Faults::default();
    let mut from = faults.object(wanted);
    let schema = from.take("schema").unwrap_or_default();
    let schema = AnswerSchema::new(&from.text("name"), schema);
    let in_prompt = from.is("inPrompt");
    faults.check().map(|()| (schema, in_prompt))
}

/// In the form in which a call takes it.
fn format(w: &mut Writer, format: Option<&ResponseFormat>) {
    match format {
        Some(ResponseFormat::JsonSchema {
            name,
            schema,
            strict,
        }) => {
            w.open('{');
            w.member("type", "json_schema");
            w.member("name", name);
            w.key("schema");
            w.value(schema);
            w.key("strict");
            w.boolean(*strict);
            w.close('}');
        }
        Some(_) => {
            w.open('{');
            w.member("type", "json_object");
            w.close('}');
        }
        None => w.null(),
    }
}

fn value(wanted: &str, answer: &str) -> Result<String, Error> {
    let (schema, _) = schema(wanted)?;
    let answer = response(answer)?;
    let found = schema.read(&answer);
    let mut w = Writer::default();
    w.open('{');
    w.key("value");
    w.value(&found.value);
    if let Some((path, reason)) = &found.fault {
        w.key("fault");
        w.open('[');
        w.string(path);
        w.string(reason);
        w.close(']');
    }
    w.key("isJson");
    w.boolean(found.is_json);
    if let Some(why) = found.why {
        w.member("why", why);
    }
    w.close('}');
    Ok(w.into_text())
}

fn response(text: &str) -> Result<ChatResponse, Error> {
    let faults = Faults::default();
    let mut from = faults.object(text);
    let message = Value::Array(from.take("message").into_iter().collect());
    let mut response = ChatResponse::default();
    if let Some(message) = messages::read(&message.to_string())?.pop() {
        response.message = message;
    }
    response.finish_reason = from.optional("finishReason").map(FinishReason::from);
    faults.check().map(|()| response)
}

//! The step that gives the schema of a typed answer the form that the provider accepts.

use serde_json::Value;

use super::Shared;
use super::call::{CallParts, SchemaUse};
use super::schema_form::SchemaForm;
use crate::chat::{ChatRequest, Message, Part, ResponseFormat, Role};
use crate::dialect::JsonOutput;
use crate::error::Error;
use crate::schema::{self, ANTHROPIC_FIT, GEMINI, GRAMMAR, OPENAI, Rules};

/// Rewrites the schema of a typed answer in the request.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a schema that the provider cannot express.
pub(super) fn fit(shared: &Shared, call: &mut CallParts) -> Result<(), Error> {
    let Some(schema_use) = call.schema_use else {
        return Ok(());
    };
    let output = shared.dialect.json_output(&shared.endpoint, &call.request);
    let form = fit_request(&mut call.request, output, schema_use)?;
    if let Some(note) = &call.schema_note {
        note.tell(form);
    }
    Ok(())
}

/// Rewrites the schema of a typed answer to the form that `output` demands, and returns which form
/// that is.
///
/// # Errors
/// As [`fit`].
pub(crate) fn fit_request(
    request: &mut ChatRequest,
    output: JsonOutput,
    schema_use: SchemaUse,
) -> Result<SchemaForm, Error> {
    let alone = output;
    let output = beside_tools(output, request);
    let Some(ResponseFormat::JsonSchema { schema, .. }) = &mut request.response_format else {
        return Ok(SchemaForm::Enforced);
    };
    match (schema_use, rules(output)) {
        (SchemaUse::Fitted, Some(rules)) => {
            *schema = schema::fit(schema, rules).map_err(|fault| {
                Error::invalid(format!(
                    "the schema of the answer cannot be enforced: at {}, {}; change the type, or \
                     put the schema into the prompt with .in_prompt()",
                    fault.path, fault.why
                ))
            })?;
            Ok(SchemaForm::Enforced)
        }
        _ => {
            let schema = std::mem::take(schema);
            request.response_format = has_json_mode(output).then_some(ResponseFormat::JsonObject);
            instruct(request, &schema);
            Ok(match request.response_format {
                Some(_) => SchemaForm::JsonMode,
                None if alone != output => SchemaForm::PromptBesideTools,
                None => SchemaForm::Prompt,
            })
        }
    }
}

/// How JSON is asked for in a request that may have tools. Gemini before 3 refuses a JSON form beside
/// tools, as llama.cpp does, and a grammar or JSON mode would keep other models from calling them.
fn beside_tools(output: JsonOutput, request: &ChatRequest) -> JsonOutput {
    match output {
        JsonOutput::Gemini | JsonOutput::Grammar | JsonOutput::JsonObject
            if !request.tools.is_empty() =>
        {
            JsonOutput::Prompt
        }
        output => output,
    }
}

/// The rules of a provider that enforces schemas.
fn rules(output: JsonOutput) -> Option<&'static Rules> {
    match output {
        JsonOutput::Strict => Some(&OPENAI),
        JsonOutput::Anthropic => Some(&ANTHROPIC_FIT),
        JsonOutput::Gemini => Some(&GEMINI),
        JsonOutput::Grammar => Some(&GRAMMAR),
        JsonOutput::JsonObject | JsonOutput::Prompt => None,
    }
}

/// Whether the provider has a JSON mode without a schema.
fn has_json_mode(output: JsonOutput) -> bool {
    !matches!(output, JsonOutput::Anthropic | JsonOutput::Prompt)
}

/// Puts a schema into the system prompt. JSON mode demands the word JSON in a message.
fn instruct(request: &mut ChatRequest, schema: &Value) {
    let text = format!(
        "Answer with one JSON object that matches this JSON schema, and with nothing else: no \
         explanation, no code fence.\n\n{schema}"
    );
    match request.messages.first_mut() {
        Some(first) if first.role == Role::System => match first.parts.last_mut() {
            Some(Part::Text(last)) => {
                last.text.push_str("\n\n");
                last.text.push_str(&text);
            }
            _ => first.parts.push(Part::text(text)),
        },
        _ => request.messages.insert(0, Message::system(text)),
    }
}

//! How far providers hold an answer to a JSON schema.

/// How far a provider holds an answer to a JSON schema. Typed answers (the feature `typed`) use it
/// to choose the form in which the schema is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonOutput {
    /// OpenAI's strict mode, or a provider with the same rules.
    Strict,
    /// Anthropic's rules.
    Anthropic,
    /// Gemini's rules.
    Gemini,
    /// The server compiles the schema to a grammar, as llama.cpp and vLLM do.
    Grammar,
    /// The answer is a JSON object, but of any form. The schema is put into the prompt.
    JsonObject,
    /// Nothing. The schema is put into the prompt.
    #[default]
    Prompt,
}

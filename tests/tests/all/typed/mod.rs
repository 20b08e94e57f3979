//! Typed answers: what is asked in each dialect, and what becomes of the answer.

mod answers;
mod kinds;
mod prompts;
mod repairs;
pub(crate) mod replies;
mod streams;
mod tools;

use chatcore::Provider;
use chatcore::dialect::{JsonOutput, OpenAiChat, OpenAiResponses, Quirks};
use chatcore::schemars::{self, JsonSchema};
use serde::Deserialize;

/// How to prepare something.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
struct Recipe {
    title: String,
    /// In minutes, all steps together.
    #[schemars(range(min = 1))]
    minutes: Option<u32>,
    steps: Vec<Step>,
    #[serde(default)]
    notes: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Step {
    Wait { seconds: f64 },
    Say { text: String },
}

/// OpenAI's chat completions.
fn chat() -> Provider {
    let quirks = Quirks::default().json_output(JsonOutput::Strict);
    Provider::openai()
        .with_dialect(OpenAiChat::new(quirks))
        .with_api_key("sk-test")
}

/// A provider of each dialect.
fn providers() -> [Provider; 5] {
    [
        chat(),
        Provider::openai().with_dialect(OpenAiResponses::default()),
        Provider::anthropic(),
        Provider::gemini(),
        Provider::ollama("m"),
    ]
    .map(|provider| provider.with_api_key("sk-test").with_model("m"))
}

const TEA: &str = r#"{"title":"Tea \"é\"","minutes":null,"steps":[{"kind":"wait","seconds":180},{"kind":"say","text":"Done."}],"notes":null}"#;

fn tea() -> Recipe {
    Recipe {
        title: "Tea \"é\"".to_owned(),
        minutes: None,
        steps: vec![
            Step::Wait { seconds: 180.0 },
            Step::Say {
                text: "Done.".to_owned(),
            },
        ],
        notes: String::new(),
    }
}

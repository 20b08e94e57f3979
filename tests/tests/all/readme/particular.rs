//! Compares the lists of providers in docs/providers.md with what is sent to each provider.

use chatcore::chat::Reasoning;
use chatcore::{ChatRequest, KNOWN_PROVIDERS, Message, Mode, Part, Provider, Role};
use serde_json::Value;

use super::says;

/// The body sent to a provider for an answer with reasoning and a token limit.
fn sent(name: &str) -> Value {
    let mut provider = Provider::by_name(name).unwrap();
    if provider.base_url().is_empty() {
        provider = provider.with_base_url("https://own.test/v1");
    }
    // No rule is known for this model, so the request shows the provider's own behaviour.
    let provider = provider.with_model("some-model").with_api_key("k");
    let answer = Message::new(
        Role::Assistant,
        [Reasoning::new("hm").into(), Part::text("hi")],
    );
    let conversation = [Message::user("hi"), answer, Message::user("so?")];
    let request = ChatRequest::new(conversation).max_tokens(9);
    let endpoint = provider.endpoint().unwrap();
    let encoded = provider.dialect().encode(&endpoint, &request, Mode::Whole);
    serde_json::from_slice(encoded.unwrap().body()).unwrap()
}

/// The providers, in the table's order, whose request satisfies `holds`: `**a, b**`.
fn those(holds: impl Fn(&Value) -> bool) -> String {
    let names = KNOWN_PROVIDERS.iter().map(|known| known.name);
    let names: Vec<_> = names.filter(|name| holds(&sent(name))).collect();
    format!("**{}**", names.join(", "))
}

#[test]
fn the_lists_of_providers_are_what_is_sent() {
    let has = |field: &'static str| move |body: &Value| body.get(field).is_some();
    let returns =
        |field: &'static str| move |body: &Value| body["messages"][1].get(field).is_some();
    for (names, words) in [
        (
            those(has("max_completion_tokens")),
            ": the limit of tokens is sent as `max_completion_tokens`.",
        ),
        (
            those(returns("reasoning_content")),
            ": a model's reasoning goes back in `reasoning_content`;",
        ),
        (
            those(returns("reasoning")),
            ": in `reasoning` and `reasoning_details`.",
        ),
        (those(has("reasoning_split")), ": `reasoning_split` is sent"),
    ] {
        let words = names + words;
        assert!(
            says("docs/providers.md", &words),
            "docs/providers.md lacks: {words}"
        );
    }
}

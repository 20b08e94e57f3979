//! Writes the core's tables as TypeScript, so that their values are defined only in the core.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use chatcore::chat::ReasoningEffort;
use chatcore::dialect::{
    Anthropic, CLIENT_HEADERS, COMMON_RESPONSE_HEADERS, CONNECTION_HEADERS, Dialect,
};
use chatcore::http::HeaderName;
use chatcore::models::{Reasons, Takes};
use chatcore::{
    Adaptive, BatchProcessor, DEFAULT_GATHER_LIMIT, Defaults, ErrorKind, FinishReason, Hedging,
    KEY_FORMS, KNOWN_PROVIDERS, KeyForm, LlmClientBuilder, Phase, Provider, SETTINGS, Secrets,
    SettingKind, Timeouts,
};
use serde_json::{Map, Value, json};

/// The module `wasm/ts/base/tables.ts`.
pub(crate) fn typescript() -> Result<String, Box<dyn Error>> {
    let mut out = String::from(
        "// Made by the build (wasm/build/src/tables.rs) from the tables of the core, and not kept in \
         git.\n",
    );
    types(&mut out);
    constant(&mut out, "PROVIDERS", "Who may answer.", providers()?);
    constant(&mut out, "SETTINGS", "Variables that are read.", settings());
    let doc = "What models take and refuse.";
    constant(&mut out, "MODEL_RULES", doc, crate::rules::all()?);
    constant(&mut out, "KEY_FORMS", "Whose key it is.", key_forms());
    let doc = "A shorter key is a placeholder.";
    constant(&mut out, "KEY_MIN_LENGTH", doc, KeyForm::MIN_LEN.into());
    let doc = "Parts of names that stand for a credential.";
    constant(
        &mut out,
        "CREDENTIAL_WORDS",
        doc,
        json!(Secrets::CREDENTIAL_WORDS),
    );
    let doc = "Names of headers and parameters whose values may be shown.";
    constant(&mut out, "PUBLIC_NAMES", doc, json!(Secrets::PUBLIC_NAMES));
    let doc = "Headers that nobody may set.";
    constant(
        &mut out,
        "CONNECTION_HEADERS",
        doc,
        json!(CONNECTION_HEADERS),
    );
    let doc = "Headers that one call may not set, beside its dialect's.";
    constant(&mut out, "CLIENT_HEADERS", doc, json!(CLIENT_HEADERS));
    let doc = "Headers of answers that are read.";
    constant(&mut out, "RESPONSE_HEADERS", doc, json!(response_headers()));
    defaults(&mut out);
    Ok(out)
}

fn types(out: &mut String) {
    words(
        out,
        "ErrorCode",
        "The kinds of error, in one word each.",
        ErrorKind::ALL.iter().map(|kind| kind.as_str()),
    );
    words(
        out,
        "TimeoutPhase",
        "Which time limit of a call ran out.",
        Phase::ALL.iter().map(|phase| phase.as_str()),
    );
    words(
        out,
        "ProviderName",
        "The providers that chatcore knows by name.",
        KNOWN_PROVIDERS.iter().map(|known| known.name),
    );
    words(
        out,
        "Effort",
        "The words for how much a model should reason that chatcore has a name for.",
        ReasoningEffort::WORDS.iter().copied(),
    );
    words(
        out,
        "Finish",
        "The words for why a model stopped that chatcore has a name for.",
        FinishReason::WORDS.iter().copied(),
    );
    words(
        out,
        "Takes",
        "When a model takes an option.",
        Takes::ALL.iter().map(|takes| takes.as_str()),
    );
    words(
        out,
        "Reasons",
        "When a model reasons.",
        Reasons::ALL.iter().map(|reasons| reasons.as_str()),
    );
    let keys = KNOWN_PROVIDERS.iter().flat_map(|known| known.key_vars);
    let mut variables: Vec<&str> = keys.copied().collect();
    variables.extend(SETTINGS.iter().map(|setting| setting.var));
    variables.sort_unstable();
    variables.dedup();
    let doc = "The environment variables that chatcore reads.";
    words(out, "Variable", doc, variables.into_iter());
}

fn providers() -> Result<Value, Box<dyn Error>> {
    let mut providers = Map::new();
    for known in KNOWN_PROVIDERS {
        let provider = Provider::by_name(known.name).ok_or(known.name)?;
        let mut headers = header_names(&**provider.dialect())?;
        if known.name == "anthropic" {
            // In a page it sets one more header.
            headers = header_names(&Anthropic::default().browser_access(true))?;
        }
        let row = json!({
            "variables": known.key_vars,
            "baseURL": known.base_url,
            "form": known.base_url_form,
            "model": known.model,
            "headers": headers,
            "dialect": provider.dialect().facts().name(),
        });
        providers.insert(known.name.to_owned(), row);
    }
    Ok(providers.into())
}

/// The headers that a dialect sets, including the key's header.
fn header_names(dialect: &dyn Dialect) -> Result<Vec<String>, Box<dyn Error>> {
    let headers = dialect.headers()?;
    let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
    names.push(dialect.facts().key_header().name().to_string());
    Ok(names)
}

fn settings() -> Value {
    let rows = SETTINGS.iter().map(|setting| {
        let (kind, least) = match setting.kind {
            SettingKind::Count { least } => ("count", Some(least)),
            SettingKind::Seconds => ("seconds", None),
            SettingKind::Boolean => ("boolean", None),
            _ => ("text", None),
        };
        let row = json!({ "kind": kind, "least": least, "default": setting.default });
        (setting.var.to_owned(), row)
    });
    rows.collect::<Map<_, _>>().into()
}

fn key_forms() -> Value {
    let rows = KEY_FORMS.iter().map(
        |form| json!({ "prefix": form.prefix, "owner": form.owner, "set": form.what_to_set() }),
    );
    rows.collect()
}

/// The response headers that every dialect reads, and those that only some dialects read.
fn response_headers() -> Vec<&'static str> {
    let mut names: Vec<_> = COMMON_RESPONSE_HEADERS.iter().collect();
    for known in KNOWN_PROVIDERS {
        let provider = Provider::by_name(known.name);
        let own = provider.map(|provider| provider.dialect().facts().response_headers());
        names.extend(own.into_iter().flatten());
    }
    let mut names: Vec<_> = names.into_iter().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn defaults(out: &mut String) {
    let of = |defaults: Defaults| json!({ "temperature": defaults.temperature, "maxTokens": defaults.max_tokens });
    let doc = "Of a prompt.";
    constant(out, "PROMPT", doc, of(Defaults::PROMPT));
    let doc = "Of a conversation.";
    constant(out, "CONVERSATION", doc, of(Defaults::CONVERSATION));
    let limits = Timeouts::default();
    let limits = json!({
        "queue": limits.queue.map(milliseconds),
        "connect": limits.connect.map(milliseconds),
        "headers": limits.headers.map(milliseconds),
        "firstContent": limits.first_content.map(milliseconds),
        "byteIdle": limits.byte_idle.map(milliseconds),
        "contentIdle": limits.content_idle.map(milliseconds),
        "attempt": limits.attempt.map(milliseconds),
        "overall": limits.overall.map(milliseconds),
        "total": limits.total.map(milliseconds),
    });
    let doc = "Time limits in milliseconds; null is none.";
    constant(out, "TIMEOUTS", doc, limits);
    let adaptive = Adaptive::default();
    let adaptive = json!({ "start": adaptive.start, "min": adaptive.min, "max": adaptive.max });
    constant(out, "ADAPTIVE", "Of the option `adaptive`.", adaptive);
    let quantiles = Hedging::QUANTILES;
    let quantiles = json!({ "least": quantiles.start(), "most": quantiles.end() });
    let doc = "What the option `hedging` may have as its quantile.";
    constant(out, "QUANTILES", doc, quantiles);
    type Batch = BatchProcessor<(), ()>;
    let batch = json!({
        "batchSize": Batch::DEFAULT_BATCH_SIZE,
        "maxWorkers": Batch::DEFAULT_MAX_WORKERS,
        "timeoutMs": milliseconds(Batch::DEFAULT_TIMEOUT),
        "maxConcurrentBatches": Batch::DEFAULT_CONCURRENT_BATCHES,
    });
    constant(out, "BATCH", "Of a BatchProcessor.", batch);
    let doc = "How large a request may be, in bytes of JSON.";
    let most = LlmClientBuilder::DEFAULT_MAX_REQUEST_BYTES;
    constant(out, "MAX_REQUEST_BYTES", doc, most.into());
    let doc = "Of `gatherWithLimit`.";
    constant(out, "GATHER_LIMIT", doc, DEFAULT_GATHER_LIMIT.into());
}

/// A constant that the package's declarations do not show.
fn constant(out: &mut String, name: &str, doc: &str, value: Value) {
    let _ = write!(
        out,
        "\n/** @internal {doc} */\nexport const {name} = {value:#} as const;\n"
    );
}

/// A union type of string literals.
fn words<'a>(out: &mut String, name: &str, doc: &str, words: impl Iterator<Item = &'a str>) {
    let _ = write!(out, "\n/** {doc} */\nexport type {name} =");
    for word in words {
        let _ = write!(out, "\n  | '{word}'");
    }
    out.push_str(";\n");
}

fn milliseconds(duration: Duration) -> Value {
    u64::try_from(duration.as_millis()).map_or(Value::Null, Value::from)
}

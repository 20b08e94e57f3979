//! Reads the settings of a client and of a call from JSON.

use std::time::Duration;

#[cfg(feature = "anthropic")]
use chatcore::dialect::Anthropic;
use chatcore::models::{ModelRule, Reasons, Takes};
use chatcore::{AsyncConfig, ChatRequest, Defaults, Error, ErrorKind, Provider, Timeouts};

#[cfg(feature = "limits")]
use crate::limits::ClientLimits;
use crate::object::{Faults, Object};
#[cfg(feature = "anthropic")]
use crate::request::texts;
use crate::request::{Numbers, request};

/// The settings of a client.
pub(crate) struct Settings {
    /// The provider, without the caller's headers, which the TypeScript layer adds.
    pub(crate) provider: Provider,
    /// How many requests run at once, and how many may wait.
    pub(crate) scheduling: AsyncConfig,
    /// The total number of attempts.
    pub(crate) max_attempts: u32,
    /// Time limits.
    pub(crate) timeouts: Limits,
    /// What holds requests back, or sends one twice.
    #[cfg(feature = "limits")]
    pub(crate) limits: ClientLimits,
    /// Whether whole answers are fetched as streams, if the option is set.
    pub(crate) fetch_as_stream: Option<bool>,
    /// The largest request, in bytes of JSON.
    pub(crate) max_request_bytes: Option<u32>,
    /// Whether calls wait if the queue is full.
    pub(crate) wait_for_queue: bool,
}

impl Settings {
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let faults = Faults::default();
        let mut from = faults.object(text);
        let settings = Self {
            provider: provider(&mut from),
            scheduling: AsyncConfig::default()
                .with_workers(from.small_count("workers").unwrap_or_default() as usize)
                .with_queue_size(from.small_count("queueSize").unwrap_or_default() as usize)
                .with_async_enabled(!from.is("alone")),
            max_attempts: from.small_count("maxAttempts").unwrap_or(1),
            timeouts: Limits::read(from.object("timeouts")),
            #[cfg(feature = "limits")]
            limits: ClientLimits::read(&mut from),
            fetch_as_stream: from.switch("fetchAsStream"),
            max_request_bytes: from.small_count("maxRequestBytes"),
            wait_for_queue: from.switch("waitForQueue").unwrap_or(true),
        };
        faults.check().map(|()| settings)
    }
}

/// The TypeScript layer has already checked these settings and filled in defaults.
fn provider(from: &mut Object<'_>) -> Provider {
    let name = from.text("provider");
    let mut provider = Provider::by_name(&name).unwrap_or_else(Provider::demo);
    if let Some(base_url) = from.optional("baseURL") {
        provider = provider.with_base_url(base_url);
    }
    if let Some(model) = from.optional("model") {
        provider = provider.with_model(model);
    }
    provider = match from.optional("key") {
        Some(key) => provider.with_api_key(key),
        // The caller's own server adds the key.
        None => provider.without_api_key(),
    };
    if from.is("allowHttp") {
        provider = provider.allow_http();
    }
    provider = provider.with_model_rules(from.each("modelRules", "a model rule", model_rule));
    #[cfg(feature = "anthropic")]
    if name == "anthropic" {
        let page = from.is("browserAccess");
        let mut dialect = Anthropic::default().browser_access(page);
        for beta in texts("betas", from.list("betas"), from.faults()) {
            dialect = dialect.beta(beta);
        }
        provider = provider.with_dialect(dialect);
    }
    provider
}

fn model_rule(mut from: Object<'_>) -> ModelRule {
    let mut rule = ModelRule::new(from.text("models"));
    let takes = one_of(&mut from, "sampling", Takes::ALL, Takes::as_str);
    rule.sampling = takes.unwrap_or(rule.sampling);
    let takes = one_of(&mut from, "tools", Takes::ALL, Takes::as_str);
    rule.tools = takes.unwrap_or(rule.tools);
    let reasons = one_of(&mut from, "reasoning", Reasons::ALL, Reasons::as_str);
    rule.reasoning = reasons.unwrap_or(rule.reasoning);
    let both = from.switch("bothSampling");
    rule.both_sampling = both.unwrap_or(rule.both_sampling);
    rule.thinking_budget = from.is("thinkingBudget");
    rule.max_completion_tokens = from.is("maxCompletionTokens");
    rule.reasoning_off = from.object("reasoningOff").into_members_text().into();
    let mut efforts = String::new();
    for (name, word) in from.object("efforts").into_members() {
        match word.as_str() {
            Some(word) => efforts.extend([&name, "=", word, " "]),
            None => from.faults().wrong("efforts", "not made of strings"),
        }
    }
    rule.efforts = efforts.into();
    rule
}

/// Reads a word, and returns the value that it names, if the member exists.
fn one_of<T: Copy>(
    from: &mut Object<'_>,
    name: &str,
    all: &[T],
    word_of: fn(T) -> &'static str,
) -> Option<T> {
    let word = from.optional(name)?;
    let found = all.iter().copied().find(|one| word_of(*one) == word);
    if found.is_none() {
        from.faults().wrong(name, "not one of its allowed values");
    }
    found
}

/// The settings of a call.
pub(crate) struct CallSpec {
    /// The request in the core's form.
    pub(crate) request: ChatRequest,
    /// The defaults for what the request does not set.
    pub(crate) defaults: Defaults,
    /// Whether a whole answer is fetched as a stream, if the caller set the option.
    pub(crate) fetch_as_stream: Option<bool>,
    /// Time limits.
    pub(crate) timeouts: Limits,
    /// The total number of attempts.
    pub(crate) max_attempts: Option<u32>,
    /// Whether the call waits if the queue is full, if the caller set the option.
    pub(crate) wait_for_queue: Option<bool>,
    /// Whether the call waits as long as necessary, because it is one of a batch.
    pub(crate) patient: bool,
    /// How long ago the whole call began, if this is not its first request.
    pub(crate) elapsed: Option<Duration>,
}

impl CallSpec {
    /// `own` are the caller's numbers, `defaults` apply to those not set; `rest` may be empty.
    pub(crate) fn read(
        messages: &str,
        own: Numbers,
        defaults: Numbers,
        rest: &str,
    ) -> Result<Self, Error> {
        let faults = Faults::default();
        let mut from = faults.object(rest);
        let spec = Self {
            max_attempts: from.small_count("maxAttempts"),
            elapsed: from
                .number("elapsedMs")
                .map(|elapsed| duration("elapsedMs", elapsed, &faults)),
            request: request(messages, own, &mut from),
            defaults: defaults.defaults(&faults),
            fetch_as_stream: from.switch("fetchAsStream"),
            timeouts: Limits::read(from.object("timeouts")),
            wait_for_queue: from.switch("waitForQueue"),
            patient: from.is("patient"),
        };
        faults.check().map(|()| spec)
    }
}

/// Time limits. A missing one is left unchanged, and `Some(None)` means no limit.
pub(crate) struct Limits([Option<Option<Duration>>; LIMITS.len()]);

/// The names of the limits, in the order of [`Limits`]. In milliseconds; a negative one means no
/// limit.
const LIMITS: [&str; 8] = [
    "queue",
    "headers",
    "firstContent",
    "byteIdle",
    "contentIdle",
    "attempt",
    "total",
    "overall",
];

impl Limits {
    pub(crate) fn read(mut from: Object<'_>) -> Self {
        Self(LIMITS.map(|name| {
            let given = from.number(name)?;
            Some((given >= 0.0).then(|| duration(name, given, from.faults())))
        }))
    }

    /// Sets the limits that are given.
    pub(crate) fn apply(self, to: &mut Timeouts) {
        let [.., overall] = self.0;
        for (given, limit) in self.0.into_iter().zip([
            &mut to.queue,
            &mut to.headers,
            &mut to.first_content,
            &mut to.byte_idle,
            &mut to.content_idle,
            &mut to.attempt,
            &mut to.total,
        ]) {
            *limit = given.unwrap_or(*limit);
        }
        if let Some(overall) = overall {
            // Set explicitly, it applies to every call, even if it equals the default.
            *to = std::mem::take(to).overall(overall);
        }
    }
}

/// A time in milliseconds.
pub(crate) fn duration(name: &str, milliseconds: f64, faults: &Faults) -> Duration {
    if !milliseconds.is_finite() || milliseconds < 0.0 {
        let why = format!("the time limit {name} is not a number of milliseconds");
        faults.add(Error::new(ErrorKind::Config, why));
    }
    Duration::from_micros((milliseconds * 1000.0) as u64)
}

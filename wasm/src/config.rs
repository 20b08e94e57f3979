//! Reads the settings of a client and of a call from JSON.

use std::time::Duration;

#[cfg(feature = "anthropic")]
use chatcore::dialect::Anthropic;
use chatcore::models::{ModelRule, Reasons, Takes};
use chatcore::{
    Adaptive, AsyncConfig, ChatRequest, Defaults, Error, ErrorKind, Hedging, Provider, RateLimits,
    Timeouts, json,
};
use serde_json::Value;

#[cfg(feature = "anthropic")]
use crate::request::texts;
use crate::request::{Numbers, Object, count, each, not_json, request, small_count, wrong};

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
    /// The provider's limits per minute.
    pub(crate) rate: RateLimits,
    /// An adaptive limit on the requests in flight.
    pub(crate) adaptive: Option<Adaptive>,
    /// When a second request is sent in parallel.
    pub(crate) hedging: Option<Hedging>,
    /// Whether whole answers are fetched as streams, if the option is set.
    pub(crate) fetch_as_stream: Option<bool>,
    /// The largest request, in bytes of JSON.
    pub(crate) max_request_bytes: Option<u32>,
    /// Whether calls wait if the queue is full.
    pub(crate) wait_for_queue: bool,
}

impl Settings {
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let mut from = read(text)?;
        let mut granted = from.object("rate")?;
        let mut rate = RateLimits::default();
        granted.number(
            "requestsPerMinute",
            &mut rate.requests_per_minute,
            small_count,
        )?;
        granted.number("tokensPerMinute", &mut rate.tokens_per_minute, count)?;
        granted.number("requestBurst", &mut rate.request_burst, small_count)?;
        granted.number("tokenBurst", &mut rate.token_burst, count)?;
        let [mut workers, mut queue_size, mut max_attempts, mut max_bytes] = [None; 4];
        from.number("maxRequestBytes", &mut max_bytes, small_count)?;
        from.number("workers", &mut workers, small_count)?;
        from.number("queueSize", &mut queue_size, small_count)?;
        from.number("maxAttempts", &mut max_attempts, small_count)?;
        Ok(Self {
            provider: provider(&mut from)?,
            scheduling: AsyncConfig::default()
                .with_workers(workers.unwrap_or_default() as usize)
                .with_queue_size(queue_size.unwrap_or_default() as usize)
                .with_async_enabled(!from.is("alone")),
            max_attempts: max_attempts.unwrap_or(1),
            timeouts: Limits(from.object("timeouts")?),
            rate,
            adaptive: adaptive(&mut from)?,
            hedging: hedging(from.object("hedging")?)?,
            fetch_as_stream: from.switch("fetchAsStream"),
            max_request_bytes: max_bytes,
            wait_for_queue: from.switch("waitForQueue").unwrap_or(true),
        })
    }
}

/// The TypeScript layer has already checked these settings and filled in defaults.
fn provider(from: &mut Object) -> Result<Provider, Error> {
    let mut name = String::new();
    from.text("provider", &mut name)?;
    let [mut base_url, mut model, mut key] = [None, None, None];
    from.optional("baseURL", &mut base_url)?;
    from.optional("model", &mut model)?;
    from.optional("key", &mut key)?;
    let mut provider = Provider::by_name(&name).unwrap_or_else(Provider::demo);
    if let Some(base_url) = base_url {
        provider = provider.with_base_url(base_url);
    }
    if let Some(model) = model {
        provider = provider.with_model(model);
    }
    provider = match key {
        Some(key) => provider.with_api_key(key),
        // The caller's own server adds the key.
        None => provider.without_api_key(),
    };
    if from.is("allowHttp") {
        provider = provider.allow_http();
    }
    provider =
        provider.with_model_rules(each("a model rule", from.list("modelRules")?, model_rule)?);
    #[cfg(feature = "anthropic")]
    if name == "anthropic" {
        let page = from.is("browserAccess");
        let mut dialect = Anthropic::default().browser_access(page);
        for beta in texts("betas", from.list("betas")?)? {
            dialect = dialect.beta(beta);
        }
        provider = provider.with_dialect(dialect);
    }
    Ok(provider)
}

fn model_rule(from: &mut Object) -> Result<ModelRule, Error> {
    let mut models = String::new();
    from.text("models", &mut models)?;
    let mut rule = ModelRule::new(models);
    let takes = one_of(from, "sampling", Takes::ALL, Takes::as_str)?;
    rule.sampling = takes.unwrap_or(rule.sampling);
    let takes = one_of(from, "tools", Takes::ALL, Takes::as_str)?;
    rule.tools = takes.unwrap_or(rule.tools);
    let reasons = one_of(from, "reasoning", Reasons::ALL, Reasons::as_str)?;
    rule.reasoning = reasons.unwrap_or(rule.reasoning);
    let both = from.switch("bothSampling");
    rule.both_sampling = both.unwrap_or(rule.both_sampling);
    rule.thinking_budget = from.is("thinkingBudget");
    rule.max_completion_tokens = from.is("maxCompletionTokens");
    rule.reasoning_off = from.object("reasoningOff")?.into_members_text().into();
    let mut efforts = String::new();
    for (name, word) in from.object("efforts")?.into_members() {
        let Some(word) = word.as_str() else {
            return Err(wrong("efforts", "not made of strings"));
        };
        efforts.extend([&name, "=", word, " "]);
    }
    rule.efforts = efforts.into();
    Ok(rule)
}

/// Reads a word, and returns the value that it names, if the member exists.
fn one_of<T: Copy>(
    from: &mut Object,
    name: &'static str,
    all: &[T],
    word_of: fn(T) -> &'static str,
) -> Result<Option<T>, Error> {
    let mut word = None;
    from.optional(name, &mut word)?;
    let Some(word) = word else { return Ok(None) };
    let found = all.iter().copied().find(|one| word_of(*one) == word);
    found
        .map(Some)
        .ok_or_else(|| wrong(name, "not one of its allowed values"))
}

fn adaptive(from: &mut Object) -> Result<Option<Adaptive>, Error> {
    let Some(given) = from.take("adaptive") else {
        return Ok(None);
    };
    let mut given = Object::new("adaptive", given)?;
    let mut adaptive = Adaptive::default();
    for (name, number) in [
        ("start", &mut adaptive.start),
        ("min", &mut adaptive.min),
        ("max", &mut adaptive.max),
    ] {
        let mut count = None;
        given.number(name, &mut count, small_count)?;
        *number = count.map_or(*number, |count| count as usize);
    }
    Ok(Some(adaptive))
}

fn hedging(mut given: Object) -> Result<Option<Hedging>, Error> {
    let (mut delay, mut quantile) = (None, None);
    given.number("afterMs", &mut delay, Value::as_f64)?;
    given.number("quantile", &mut quantile, Value::as_f64)?;
    if let Some(delay) = delay {
        return Ok(Some(Hedging::after(duration("afterMs", delay)?)));
    }
    Ok(quantile.map(Hedging::at_quantile))
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
        let mut from = match rest {
            "" => Object::empty("it"),
            rest => read(rest)?,
        };
        let mut max_attempts = None;
        from.number("maxAttempts", &mut max_attempts, small_count)?;
        let mut elapsed = None;
        from.number("elapsedMs", &mut elapsed, Value::as_f64)?;
        Ok(Self {
            elapsed: elapsed
                .map(|elapsed| duration("elapsedMs", elapsed))
                .transpose()?,
            request: request(messages, own, &mut from)?,
            defaults: defaults.defaults()?,
            fetch_as_stream: from.switch("fetchAsStream"),
            timeouts: Limits(from.object("timeouts")?),
            max_attempts,
            wait_for_queue: from.switch("waitForQueue"),
            patient: from.is("patient"),
        })
    }
}

/// Time limits in milliseconds. A missing one is left unchanged, and a negative one means no limit.
pub(crate) struct Limits(pub(crate) Object);

impl Limits {
    /// Sets the limits that are given.
    pub(crate) fn apply(mut self, to: &mut Timeouts) -> Result<(), Error> {
        for (name, limit) in [
            ("queue", &mut to.queue),
            ("headers", &mut to.headers),
            ("firstContent", &mut to.first_content),
            ("byteIdle", &mut to.byte_idle),
            ("contentIdle", &mut to.content_idle),
            ("attempt", &mut to.attempt),
            ("total", &mut to.total),
        ] {
            if let Some(given) = limit_of(&mut self.0, name)? {
                *limit = given;
            }
        }
        if let Some(overall) = limit_of(&mut self.0, "overall")? {
            // Set explicitly, it applies to every call, even if it equals the default.
            *to = std::mem::take(to).overall(overall);
        }
        Ok(())
    }
}

/// Reads a limit, if it is given; a negative one means no limit.
fn limit_of(from: &mut Object, name: &'static str) -> Result<Option<Option<Duration>>, Error> {
    let mut given = None;
    from.number(name, &mut given, Value::as_f64)?;
    match given {
        None => Ok(None),
        Some(milliseconds) if milliseconds < 0.0 => Ok(Some(None)),
        Some(milliseconds) => Ok(Some(Some(duration(name, milliseconds)?))),
    }
}

fn duration(name: &str, milliseconds: f64) -> Result<Duration, Error> {
    if !milliseconds.is_finite() || milliseconds < 0.0 {
        return Err(Error::new(
            ErrorKind::Config,
            format!("the time limit {name} is not a number of milliseconds"),
        ));
    }
    Ok(Duration::from_micros((milliseconds * 1000.0) as u64))
}

/// Reads a JSON object from the TypeScript layer.
pub(crate) fn read(text: &str) -> Result<Object, Error> {
    Object::new("it", json::parse(text).map_err(not_json)?)
}

//! The table of settings.

/// One setting. Its documentation and its parsing are derived from this row.
///
/// ```
/// let setting = chatcore::SETTINGS.iter().find(|setting| setting.var == "LLM_ASYNC_WORKERS");
/// assert_eq!(setting.unwrap().default, "5");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The environment variable.
    pub var: &'static str,
    /// The kind of its value.
    pub kind: SettingKind,
    /// Its default, as text. Empty if it has none.
    pub default: &'static str,
    /// Its documentation.
    pub doc: &'static str,
}

/// The kind of a setting's value.
///
/// ```
/// use chatcore::{SETTINGS, SettingKind};
///
/// let counts = SETTINGS.iter().filter(|row| matches!(row.kind, SettingKind::Count { .. }));
/// assert!(counts.count() >= 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingKind {
    /// A whole number.
    Count {
        /// The smallest allowed value.
        least: usize,
    },
    /// Seconds, more than 0.
    Seconds,
    /// `true` or `false`; `1` and `0`, `yes` and `no`, `on` and `off` as well.
    Boolean,
    /// Text.
    Text,
}
use SettingKind::{Boolean, Count, Seconds, Text};

/// The part of a setting that parsing needs. Its documentation is separate, so that it is not
/// linked into programs that do not read it.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) var: &'static str,
    pub(super) kind: SettingKind,
    pub(super) default: &'static str,
}

macro_rules! settings {
    ($($var:ident: $kind:expr, $default:literal, $doc:literal;)*) => {
        $(pub(super) const $var: Named = Named {
            var: stringify!($var),
            kind: $kind,
            default: $default,
        };)*

        /// Every environment variable that chatcore reads, in the order of the documentation.
        ///
        /// ```
        /// for setting in chatcore::SETTINGS {
        ///     println!("{} (default {}): {}", setting.var, setting.default, setting.doc);
        /// }
        /// ```
        pub const SETTINGS: &[Setting] = &[$(Setting {
            var: $var.var,
            kind: $var.kind,
            default: $var.default,
            doc: $doc,
        }),*];
    };
}

#[rustfmt::skip]
settings! {
    LLM_ASYNC_WORKERS: Count { least: 1 }, "5", "Requests in flight at once; on the thread pool, also its threads.";
    LLM_ASYNC_QUEUE_SIZE: Count { least: 0 }, "100", "Requests that may wait; further requests fail with `QueueFull`, or wait if the caller chose backpressure.";
    LLM_ASYNC_TIMEOUT: Seconds, "30.0", "Seconds for one call over all its attempts, including its wait in the queue. If it is not set: 30 for a default call, and more for a call that asks for more tokens or for reasoning.";
    LLM_ASYNC_ENABLED: Boolean, "true", "`false`: calls still work, one at a time, with no background tasks.";
    LLM_MAX_RETRIES: Count { least: 1 }, "3", "Total number of attempts, including the first.";
    XWE_MAX_LLM_RETRIES: Count { least: 1 }, "3", "The old client's name for `LLM_MAX_RETRIES`, which takes precedence.";
    LLM_PROVIDER: Text, "deepseek", "`deepseek`, `openai`, `openai_chat`, `openai_responses`, `anthropic`, `gemini`, `vertex`, `azure`, `azure_classic`, `bedrock`, `openrouter`, `mistral`, `groq`, `xai`, `cohere`, `together`, `fireworks`, `cerebras`, `perplexity`, `nvidia`, `huggingface`, `github`, `moonshot`, `moonshot_cn`, `zhipu`, `zhipu_cn`, `qwen`, `qwen_cn`, `minimax`, `minimax_cn`, `siliconflow`, `siliconflow_cn`, `volcengine`, `hunyuan`, `stepfun`, `qianfan`, `ollama`, `lmstudio`, `vllm`, `llamacpp`, `sglang`, `litellm`, or `openai_compatible` for any other server with OpenAI's chat completions.";
    LLM_BASE_URL: Text, "", "The base URL; the provider's default if it is not set. Without `LLM_PROVIDER` it means `openai_compatible`, except at DeepSeek's own host. Over `http` a key is sent only to loopback, or with `LLM_ALLOW_HTTP`.";
    LLM_ALLOW_HTTP: Boolean, "false", "`true`: the key may be sent unencrypted, to an `http` address that is not on this machine.";
    LLM_MODEL: Text, "", "The model. If it is not set, the provider's default model is used, if it has one.";
    LLM_API_KEY: Text, "", "The key. If it is not set, the provider's own variable is read, such as `DEEPSEEK_API_KEY`.";
    USE_MOCK_LLM: Boolean, "false", "`true`: the offline demo model answers (feature `demo` of the adapters); no key is needed and nothing is sent.";
}

//! The one table of settings.

/// One setting: everything else about it is derived from this row.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The environment variable.
    pub var: &'static str,
    /// Its value where it is not set, as text; empty where there is none.
    pub default: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// What reading a setting needs; its documentation is not linked with it.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) var: &'static str,
    pub(super) default: &'static str,
}

macro_rules! settings {
    ($($var:ident = $default:literal, $doc:literal;)*) => {
        $(pub(super) const $var: Named = Named {
            var: stringify!($var),
            default: $default,
        };)*

        /// Every environment variable that chatcore reads, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            var: $var.var,
            default: $var.default,
            doc: $doc,
        }),*];
    };
}

#[rustfmt::skip]
settings! {
    LLM_ASYNC_WORKERS = "5", "Requests in flight at once; on the thread pool, also its threads.";
    LLM_ASYNC_QUEUE_SIZE = "100", "Requests that may wait; beyond it `QueueFull` at once, or waiting where the caller chose backpressure.";
    LLM_ASYNC_TIMEOUT = "30.0", "Seconds for one call over all its attempts, its wait in the queue included. Not set: 30 for a default call, and more for one that asks for more tokens or for reasoning.";
    LLM_ASYNC_ENABLED = "true", "`false`: calls still work, one at a time, with no background tasks.";
    LLM_MAX_RETRIES = "3", "Attempts in all, the first one included.";
    XWE_MAX_LLM_RETRIES = "3", "The old client's name for `LLM_MAX_RETRIES`, which stands above it.";
    LLM_PROVIDER = "deepseek", "`deepseek`, `openai`, `anthropic`, or `openai_compatible` for any other server that speaks OpenAI's chat completions.";
    LLM_BASE_URL = "", "The provider's address; its own by default. `http` takes a key only on loopback, or with `LLM_ALLOW_HTTP`.";
    LLM_ALLOW_HTTP = "false", "`true`: the key may be sent unencrypted, to an `http` address that is not on this machine.";
    LLM_MODEL = "", "The model; by default the provider's: `deepseek-flash`, `gpt-6-luna`, `claude-haiku-5-5`.";
    LLM_API_KEY = "", "The key; else the provider's own variable is read.";
    DEEPSEEK_API_KEY = "", "The key for `deepseek`.";
    OPENAI_API_KEY = "", "The key for `openai`.";
    ANTHROPIC_API_KEY = "", "The key for `anthropic`.";
    USE_MOCK_LLM = "false", "`true`: the offline demo model answers; no key is needed and nothing is sent.";
}

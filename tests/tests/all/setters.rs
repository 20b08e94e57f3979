//! Each setter of a settings type sets the field with its name, and no other.

use std::time::Duration;

use chatcore::dialect::{MaxTokensField, Quirks, ReasoningField};
use chatcore::models::{ModelRule, Reasons, Takes};
use chatcore::{
    Adaptive, AsyncConfig, Caps, Config, Defaults, Provider, RateLimits, RetryPolicy, Timeouts,
};

/// Calls each setter alone, with a value other than the default.
macro_rules! each_sets_its_own {
    ($type:ty, $default:expr; $($field:ident: $value:expr),+ $(,)?) => {{
        let default: $type = $default;
        let changed = |set: &$type| {
            let mut names = Vec::new();
            $(if set.$field != default.$field { names.push(stringify!($field)); })+
            names
        };
        $(
            let set = default.clone().$field($value);
            assert_eq!(changed(&set), [stringify!($field)], "{set:?}");
        )+
    }};
}

#[test]
fn each_setter_sets_the_field_of_its_name() {
    let long = Duration::from_secs(77);
    each_sets_its_own!(Timeouts, Timeouts::default();
        queue: long, connect: None, headers: long, first_content: long, byte_idle: long,
        content_idle: long, attempt: long, overall: None, total: long,
    );
    each_sets_its_own!(RetryPolicy, RetryPolicy::default();
        max_attempts: 9, base: long, cap: long, max_retry_after: long,
    );
    each_sets_its_own!(Caps, Caps::default(); event: 1, body: 2, error_body: 3);
    each_sets_its_own!(Adaptive, Adaptive::default(); start: 2, min: 3, max: 4);
    each_sets_its_own!(RateLimits, RateLimits::default();
        requests_per_minute: 1, tokens_per_minute: 2, request_burst: 3, token_burst: 4,
    );
    each_sets_its_own!(Defaults, Defaults::PROMPT;
        temperature: None, max_tokens: 9, reasoning_tokens: 9, no_reasoning: false,
    );
    each_sets_its_own!(Quirks, Quirks::default();
        max_tokens_field: MaxTokensField::MaxCompletionTokens, stream_usage: false,
        stream_usage_unasked: true, reasoning_field: ReasoningField::Reasoning,
        strict_messages: true, seed_field: "random_seed", api_key_header: true,
        members: r#""a":1"#,
    );
    each_sets_its_own!(ModelRule, ModelRule::new("m");
        sampling: Takes::Never, both_sampling: false, tools: Takes::Never,
        reasoning: Reasons::Always, reasoning_off: r#""a":1"#, efforts: "minimal=low",
        thinking_budget: true, max_completion_tokens: true, source: "s", date: "2026-11-28",
    );
}

#[test]
fn settings_made_in_code_are_those_of_an_empty_environment() {
    let made = Config::new(Provider::deepseek());
    let read = Config::from_vars(|_| None).unwrap();
    assert_eq!(format!("{made:?}"), format!("{read:?}"));
    let scheduling = AsyncConfig::default().with_workers(9);
    let made = made.scheduling(scheduling.clone()).max_attempts(2);
    assert_eq!((made.scheduling, made.max_attempts), (scheduling, 2));
    let made = Config::new(Provider::deepseek()).mock(true);
    assert_eq!((made.mock, made.provider.name()), (true, "demo"));
    assert_eq!(made.provider(Provider::openai()).provider.name(), "openai");
}

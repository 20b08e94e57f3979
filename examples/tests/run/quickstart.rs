//! `quickstart`: without a key, and with each provider.

use std::process::Stdio;

use super::{KEY, QUICKSTART, assert_in_order, command, printed, text};

/// Nobody reads the output, as with `| head`.
#[test]
fn quickstart_ends_quietly_when_its_output_is_closed() {
    let mut quickstart = command(QUICKSTART, &[("USE_MOCK_LLM", "true")]);
    let quickstart = quickstart.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut quickstart = quickstart.spawn().unwrap();
    drop(quickstart.stdout.take());
    let output = quickstart.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success(), "{:?}", output.status);
}

#[test]
fn quickstart_without_a_key_says_so_and_does_the_main_job() {
    let printed = printed(QUICKSTART, &[]);
    assert_in_order(
        &printed,
        &[
            "No API key is set for deepseek, so the offline demo model answers.",
            "DEEPSEEK_API_KEY",
            "One chat",
            "17 * 23 = 391.",
            " tok]",
            "One stream",
            "only sea and a rule or three;",
            "first word after ",
            "One conversation",
            "Your name is Ada",
            "Ten prompts at once, 4 of them in flight",
            "17 * 23 = 391.",
            "bonjour",
            "1 2 3 4 5 6 7 8 9 10 11 12",
            "你好！",
            "42。",
            "hello, world",
            "all ten took ",
            "Status",
            "5 workers, 0 active, 0 of 100 queued; 14 calls: 14 succeeded, 0 failed, 0 cancelled",
        ],
    );
}

#[test]
fn quickstart_with_the_demo_asked_for_says_so_and_needs_no_key() {
    let vars = [
        ("USE_MOCK_LLM", "true"),
        ("LLM_API_KEY", KEY),
        ("LLM_ASYNC_WORKERS", "2"),
    ];
    let printed = printed(QUICKSTART, &vars);
    assert!(printed.starts_with("USE_MOCK_LLM is set"), "{printed}");
    assert!(printed.contains("2 workers, 0 active"), "{printed}");
    assert!(!printed.contains(KEY), "{printed}");
}

/// The providers. Each has the variables, in addition to key and address, that select it and a
/// model that it offers today. Without `LLM_MODEL`, that is its default model.
const PROVIDERS: &[(&str, &[(&str, &str)])] = &[
    ("deepseek", &[("LLM_PROVIDER", "deepseek")]),
    ("openai", &[("LLM_PROVIDER", "openai")]),
    ("anthropic", &[("LLM_PROVIDER", "anthropic")]),
    (
        "mistral",
        &[
            ("LLM_PROVIDER", "openai_compatible"),
            ("LLM_MODEL", "mistral-small-latest"),
        ],
    ),
];

#[test]
fn quickstart_works_with_each_provider_as_it_is_today() {
    let server = chatcore_conformance::server::Server::start().unwrap();
    for (provider, vars) in PROVIDERS {
        let version = if *provider == "anthropic" { "" } else { "/v1" };
        let base_url = server.url(&format!("/as/{provider}{version}"));
        let mut all = vec![
            ("LLM_API_KEY", KEY),
            ("LLM_BASE_URL", base_url.as_str()),
            ("NO_PROXY", "127.0.0.1"),
        ];
        all.extend(*vars);
        let printed = printed(QUICKSTART, &all);
        assert_in_order(
            &printed,
            &[
                "One chat",
                "echo: What is 17 * 23?",
                "One stream",
                "echo: Write a short poem about the sea.",
                "One conversation",
                "echo: What is my name?",
                "→ echo: What is your name?",
                "14 calls: 14 succeeded, 0 failed, 0 cancelled",
            ],
        );
    }
}

use std::collections::HashMap;
use std::time::Duration;

use super::*;

fn read(vars: &[(&str, &str)]) -> Result<Config, Error> {
    let vars: HashMap<_, _> = vars.iter().copied().collect();
    Config::from_vars(|name| vars.get(name).map(|&value| value.to_owned()))
}

#[test]
fn the_defaults_are_the_tables() {
    let config = read(&[]).unwrap();
    assert_eq!(config.provider.name(), "deepseek");
    assert_eq!(config.provider.model(), "deepseek-flash");
    assert_eq!(config.scheduling.worker_count(), 5);
    assert_eq!(config.scheduling.queue_size(), 100);
    assert_eq!(config.scheduling.timeout(), Duration::from_secs(30));
    assert!(config.scheduling.is_async_enabled());
    assert_eq!(config.max_attempts, 3);
    assert!(!config.mock);
}

#[test]
fn no_attempts_count_as_one() {
    let config = Config::new(Provider::demo()).max_attempts(0);
    assert_eq!(config.max_attempts, 1);
}

#[test]
fn llm_api_key_stands_above_the_providers_own() {
    let config = read(&[("LLM_API_KEY", "general"), ("DEEPSEEK_API_KEY", "own")]).unwrap();
    let header = config.provider.api_key().unwrap().header("").unwrap();
    assert_eq!(header, "general");
    // The key of another provider is not used.
    let config = read(&[("OPENAI_API_KEY", "other")]).unwrap();
    assert!(config.provider.api_key().is_none());
}

#[test]
fn an_address_without_a_provider_is_that_of_any_compatible_server() {
    let named = |base_url, model| {
        let vars = [("LLM_BASE_URL", base_url), ("LLM_MODEL", model)];
        read(&vars).map(|config| config.provider.name().to_owned())
    };
    for (base_url, expected) in [
        ("http://127.0.0.1:8080/v1", "openai_compatible"),
        ("https://deepseek.gateway.example/v1", "openai_compatible"),
        ("https://API.DeepSeek.com/v1", "deepseek"),
        ("nonsense", "deepseek"),
    ] {
        assert_eq!(named(base_url, "m").unwrap(), expected, "{base_url}");
    }
    assert_eq!(named("https://api.deepseek.com", "").unwrap(), "deepseek");
    let error = named("http://127.0.0.1:8080/v1", "")
        .unwrap_err()
        .to_string();
    for part in ["LLM_BASE_URL", "LLM_MODEL", "LLM_PROVIDER"] {
        assert!(error.contains(part), "{error}");
    }
}

#[cfg(feature = "openai-responses")]
#[test]
fn quotes_around_a_value_are_none_of_it() {
    let config = read(&[
        ("LLM_PROVIDER", "\"openai\""),
        ("LLM_API_KEY", "\"\""),
        ("OPENAI_API_KEY", "'sk-1'\n"),
        ("LLM_BASE_URL", " 'http://ollama:11434/v1' "),
        ("LLM_ALLOW_HTTP", "\"true\""),
        ("LLM_ASYNC_WORKERS", "\"7\""),
    ])
    .unwrap();
    assert_eq!(config.provider.name(), "openai");
    assert_eq!(config.provider.base_url(), "http://ollama:11434/v1");
    assert!(config.provider.allows_http());
    assert_eq!(config.scheduling.worker_count(), 7);
    let header = config.provider.api_key().unwrap().header("").unwrap();
    assert_eq!(header, "sk-1");
}

#[test]
fn mock_needs_no_key() {
    let config = read(&[("USE_MOCK_LLM", "true")]).unwrap();
    assert!(config.mock);
    assert_eq!(config.provider.name(), "demo");
}

#[test]
fn blank_is_not_set() {
    let config = read(&[("LLM_ASYNC_WORKERS", " "), ("LLM_API_KEY", "")]).unwrap();
    assert_eq!(config.scheduling.worker_count(), 5);
    assert!(config.provider.api_key().is_none());
}

#[cfg(feature = "openai-responses")]
#[test]
fn bad_values_name_variable_value_and_what_is_allowed() {
    for (name, value, allowed) in [
        ("LLM_ASYNC_WORKERS", "many", "a whole number of at least 1"),
        ("LLM_ASYNC_WORKERS", "0", "a whole number of at least 1"),
        ("LLM_ASYNC_WORKERS", "-3", "a whole number of at least 1"),
        (
            "LLM_ASYNC_QUEUE_SIZE",
            "1.5",
            "a whole number of at least 0",
        ),
        ("LLM_ASYNC_TIMEOUT", "soon", "seconds"),
        ("LLM_ASYNC_TIMEOUT", "0", "seconds"),
        ("LLM_ASYNC_TIMEOUT", "NaN", "seconds"),
        ("LLM_ASYNC_TIMEOUT", "inf", "seconds"),
        ("LLM_ASYNC_ENABLED", "maybe", "true or false"),
        ("LLM_MAX_RETRIES", "0", "a whole number of at least 1"),
        ("XWE_MAX_LLM_RETRIES", "x", "a whole number of at least 1"),
        ("USE_MOCK_LLM", "2", "true or false"),
        ("LLM_ALLOW_HTTP", "perhaps", "true or false"),
        (
            "LLM_PROVIDER",
            "skynet",
            ": it must be one of deepseek, openai",
        ),
        (
            "LLM_PROVIDER",
            "opnai",
            ": did you mean openai? It must be one of",
        ),
    ] {
        let error = read(&[(name, value)]).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Config);
        let error = error.to_string();
        for part in [name, value, allowed] {
            assert!(error.contains(part), "{name}={value}: {error}");
        }
    }
    let error = read(&[("LLM_PROVIDER", "openai_compatible")]).unwrap_err();
    assert!(error.to_string().contains("set LLM_BASE_URL"), "{error}");
}

#[test]
fn every_variable_of_the_table_is_read() {
    let asked = std::cell::RefCell::new(Vec::new());
    Config::from_vars(|name| {
        asked.borrow_mut().push(name.to_owned());
        None
    })
    .unwrap();
    for setting in SETTINGS {
        assert!(
            asked.borrow().iter().any(|name| name == setting.var),
            "{} is in the table and never read",
            setting.var
        );
    }
}

#[cfg(all(
    feature = "anthropic",
    feature = "gemini",
    feature = "ollama",
    feature = "openai-responses"
))]
mod with_every_dialect {
    use super::*;

    #[test]
    fn each_variable_counts() {
        let config = read(&[
            ("LLM_PROVIDER", "Anthropic"),
            ("LLM_MODEL", "claude-x"),
            ("LLM_BASE_URL", "https://proxy.example/anthropic"),
            ("ANTHROPIC_API_KEY", "own"),
            ("LLM_ASYNC_WORKERS", "7"),
            ("LLM_ASYNC_QUEUE_SIZE", "0"),
            ("LLM_ASYNC_TIMEOUT", "1.5"),
            ("LLM_ASYNC_ENABLED", "no"),
            ("XWE_MAX_LLM_RETRIES", "9"),
        ])
        .unwrap();
        assert_eq!(config.provider.name(), "anthropic");
        assert_eq!(config.provider.model(), "claude-x");
        assert_eq!(
            config.provider.base_url(),
            "https://proxy.example/anthropic"
        );
        let header = config.provider.api_key().unwrap().header("").unwrap();
        assert_eq!(header, "own");
        assert_eq!(config.scheduling.worker_count(), 7);
        assert_eq!(config.scheduling.queue_size(), 0);
        assert_eq!(config.scheduling.timeout(), Duration::from_millis(1500));
        assert!(!config.scheduling.is_async_enabled());
        assert_eq!(config.max_attempts, 9);
        let both = read(&[("LLM_MAX_RETRIES", "2"), ("XWE_MAX_LLM_RETRIES", "9")]);
        assert_eq!(both.unwrap().max_attempts, 2);
    }

    #[test]
    fn a_key_of_another_provider_needs_a_provider_that_was_chosen() {
        let key = "sk-ant-api03-0123456789abcdef";
        for var in ["LLM_API_KEY", "DEEPSEEK_API_KEY"] {
            let error = read(&[(var, key)]).unwrap_err();
            assert_eq!(error.code(), Some("key_of_another_provider"));
            let error = error.to_string();
            assert!(error.contains(var), "{error}");
            assert!(error.contains("LLM_PROVIDER=anthropic"), "{error}");
            assert!(!error.contains("sk-ant"), "{error}");
        }
        for chosen in [
            ("LLM_PROVIDER", "anthropic"),
            ("LLM_PROVIDER", "deepseek"),
            ("LLM_BASE_URL", "https://gateway.example/v1"),
        ] {
            let model = ("LLM_MODEL", "m");
            assert!(
                read(&[("LLM_API_KEY", key), chosen, model]).is_ok(),
                "{chosen:?}"
            );
        }
        assert!(read(&[("LLM_API_KEY", "sk-0123456789abcdef0123456789abcdef")]).is_ok());
    }

    #[test]
    fn every_provider_is_taken_by_its_name_and_its_keys() {
        for known in crate::KNOWN_PROVIDERS {
            let base_url = match known.base_url {
                "" => "https://own.example/v1",
                base_url => base_url,
            };
            for var in known.key_vars {
                let own = [
                    ("LLM_PROVIDER", known.name),
                    ("LLM_BASE_URL", base_url),
                    ("LLM_MODEL", "m"),
                    (var, "k-0123456789"),
                ];
                let provider = read(&own).unwrap().provider;
                assert_eq!(provider.name(), known.name);
                assert!(provider.api_key().is_some(), "{} {var}", known.name);
            }
            let doc = SETTINGS.iter().find(|row| row.var == "LLM_PROVIDER");
            let name = format!("`{}`", known.name);
            assert!(
                doc.unwrap().doc.contains(&name),
                "LLM_PROVIDER lacks {name}"
            );
        }
        // The first variable that is set counts.
        let keys = [("GOOGLE_API_KEY", "second"), ("GEMINI_API_KEY", "first")];
        let provider = read(&[("LLM_PROVIDER", "gemini"), keys[0], keys[1]]);
        let provider = provider.unwrap().provider;
        assert_eq!(provider.api_key().unwrap().header("").unwrap(), "first");
        let error = read(&[("LLM_PROVIDER", "azure")]).unwrap_err().to_string();
        assert!(
            error.contains("https://RESOURCE.openai.azure.com"),
            "{error}"
        );
        let error = read(&[("LLM_PROVIDER", "openrouter")])
            .unwrap_err()
            .to_string();
        assert!(error.contains("set LLM_MODEL"), "{error}");
    }
}

use chatcore::ErrorKind;

use super::*;

fn config(vars: &[(&str, &str)]) -> Config {
    let get = |name: &str| {
        let found = vars.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Config::from_vars(get).unwrap()
}

fn each(config: &Config) -> Vec<Result<LlmClient, Error>> {
    vec![
        #[cfg(all(feature = "smol", feature = "http1"))]
        smol_client(config.clone()),
        #[cfg(all(feature = "threads", feature = "ureq"))]
        threads_client(config.clone()),
    ]
}

#[test]
fn a_missing_key_says_which_variables_to_set() {
    for client in each(&config(&[])) {
        let error = client.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.code(), Some("missing_api_key"));
        let error = error.to_string();
        for variable in ["DEEPSEEK_API_KEY", "LLM_API_KEY", "USE_MOCK_LLM"] {
            assert!(error.contains(variable), "{error}");
        }
    }
}

#[cfg(feature = "demo")]
#[test]
fn the_demo_answers_where_it_is_asked_for() {
    use crate::BlockingChat;

    for client in each(&config(&[("USE_MOCK_LLM", "true")])) {
        let client = client.unwrap();
        assert_eq!(client.chat("What is 2+2?").unwrap().text(), "2+2 = 4.");
        let conversation = [
            ("user", "My name is Ada."),
            ("assistant", "Hello!"),
            ("user", "What is my name?"),
        ];
        let answer = client.chat_with_context(conversation).unwrap();
        assert!(answer.text().contains("Ada"), "{answer}");
        assert_eq!(client.status().succeeded, 2);
    }
}

#[cfg(not(feature = "demo"))]
#[test]
fn without_the_demo_it_says_so() {
    for client in each(&config(&[("USE_MOCK_LLM", "true")])) {
        let error = client.unwrap_err();
        assert!(error.to_string().contains("feature `demo`"), "{error}");
    }
}

#[test]
fn where_async_is_not_enabled_one_runs_at_a_time() {
    let vars = [("LLM_ASYNC_ENABLED", "false"), ("LLM_API_KEY", "sk-test")];
    for client in each(&config(&vars)) {
        assert_eq!(client.unwrap().status().max_workers, 1);
    }
}

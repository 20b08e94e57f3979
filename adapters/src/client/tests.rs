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
        #[cfg(all(feature = "smol", feature = "http1"))]
        smol_builder(config.clone()).and_then(LlmClientBuilder::build),
        #[cfg(all(feature = "threads", feature = "ureq"))]
        threads_client(config.clone()),
        #[cfg(all(feature = "threads", feature = "ureq"))]
        threads_builder(config.clone()).and_then(LlmClientBuilder::build),
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

#[cfg(feature = "demo")]
#[test]
fn a_stream_is_an_iterator_without_async() {
    use crate::BlockingCall;

    for client in each(&config(&[("USE_MOCK_LLM", "true")])) {
        let client = client.unwrap();
        let texts: Result<Vec<_>, _> = client.ask("What is 2+2?").events().texts().collect();
        let texts = texts.unwrap();
        assert!(texts.len() > 1, "{texts:?}");
        assert_eq!(texts.concat(), "2+2 = 4.");
        let mut events = client.ask("What is 2+2?").events();
        let first = events
            .by_ref()
            .find_map(|event| event.unwrap().as_text().map(str::to_owned));
        assert_eq!(first.unwrap(), texts[0]);
        assert_eq!(events.partial().unwrap().text(), texts[0]);
        assert_eq!(events.into_response().unwrap().text(), "2+2 = 4.");
        assert_eq!(
            client
                .ask("What is 2+2?")
                .events()
                .filter(Result::is_err)
                .count(),
            0
        );
        assert_eq!(client.status().succeeded, 3);
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

/// A call frees its permit at its last event, while its worker still waits for the end of the body.
#[cfg(all(feature = "threads", feature = "ureq"))]
#[test]
fn a_worker_that_ends_a_call_turns_the_next_one_away_from_no_place() {
    use chatcore::ChatEvent;
    use futures_lite::future::{block_on, zip};

    use crate::transport::test_server::Server;

    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n\
        data: [DONE]\n\n";
    const WHOLE: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
        content-length: 69\r\n\r\n\
        {\"choices\":[{\"message\":{\"content\":\"second\"},\"finish_reason\":\"stop\"}]}";
    let server = Server::start(|number, peer| {
        peer.request();
        peer.send(if number == 0 { STREAM } else { WHOLE });
        peer.wait_for_close();
    });
    let url = format!("http://{}/v1", server.addr);
    let client = threads_client(config(&[
        ("LLM_PROVIDER", "openai_compatible"),
        ("LLM_BASE_URL", &url),
        ("LLM_MODEL", "m"),
        ("LLM_ASYNC_WORKERS", "1"),
        ("LLM_ASYNC_QUEUE_SIZE", "0"),
        ("LLM_MAX_RETRIES", "1"),
    ]))
    .unwrap();
    let mut stream = client.chat_async("first").stream();
    block_on(async {
        while !matches!(stream.next().await, Some(Ok(ChatEvent::Finish { .. }))) {}
        let (end, answer) = zip(stream.next(), client.chat_async("second").into_future()).await;
        assert!(end.is_none());
        assert_eq!(answer.unwrap().text(), "second");
    });
}

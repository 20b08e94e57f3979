//! Credentials act once per attempt, under its time limits.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Uri};

use super::*;
use crate::credentials::Credentials;

/// What the credentials do when the pipeline calls them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    /// They insert another token for each attempt.
    Token,
    /// They insert a token after this many seconds.
    Late(f64),
    /// They change the request's URI to another origin.
    Elsewhere,
    /// They fail with this kind.
    Fail(ErrorKind),
}

#[derive(Debug)]
struct Tokens {
    executor: Mutex<Option<Arc<dyn Executor>>>,
    doing: Doing,
    asked: Mutex<Vec<u32>>,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Tokens>);

#[async_trait]
impl Credentials for Shared {
    async fn authorize(&self, request: &mut Request<Bytes>, attempt: u32) -> Result<(), Error> {
        self.0.asked.lock().unwrap().push(attempt);
        match self.0.doing {
            Doing::Token => {}
            Doing::Late(seconds) => {
                let executor = self.0.executor.lock().unwrap().clone().unwrap();
                executor.sleep(Duration::from_secs_f64(seconds)).await;
            }
            Doing::Elsewhere => *request.uri_mut() = Uri::from_static("http://127.0.0.2/x"),
            Doing::Fail(kind) => return Err(Error::new(kind, "no token: secret-token-0")),
        }
        let value = format!("Bearer secret-token-{attempt}");
        let value = HeaderValue::try_from(value).unwrap();
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn redact(&self, text: &mut String) {
        *text = text.replace("secret-token", "[redacted]");
    }
}

fn with(
    doing: Doing,
    answers: impl IntoIterator<Item = Answering>,
    change: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> (Setup, Arc<Tokens>) {
    let tokens = Arc::new(Tokens {
        executor: Mutex::default(),
        doing,
        asked: Mutex::default(),
    });
    let shared = Shared(Arc::clone(&tokens));
    let setup = setup(answers, |builder| {
        let provider = Provider::openai_compatible("http://127.0.0.1", "m");
        change(builder.provider(provider.with_credentials(shared)))
    });
    let executor = Arc::clone(setup.client.executor());
    *tokens.executor.lock().unwrap() = Some(executor);
    (setup, tokens)
}

#[test]
fn each_attempt_has_its_own_token() {
    let answers = [Answering::Status(503, None), Answering::Lost];
    let (setup, tokens) = with(Doing::Token, answers, |builder| builder);
    assert_eq!(setup.chat().unwrap().attempts, 3);
    assert_eq!(*tokens.asked.lock().unwrap(), [1, 2, 3]);
    let sent = setup.script.authorized.lock().unwrap().clone();
    let expected = [1, 2, 3].map(|n| Some(format!("Bearer secret-token-{n}")));
    assert_eq!(sent, expected);
}

#[test]
fn waiting_for_a_token_counts_towards_the_call() {
    let (setup, _) = with(Doing::Late(40.0), [], |builder| builder);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert_eq!(setup.clock.seconds(), 30.0);
    assert!(setup.sent().is_empty());
    assert_eq!(setup.client.status().active, 0);
}

#[test]
fn a_request_to_another_origin_is_not_sent() {
    let (setup, _) = with(Doing::Elsewhere, [], |builder| builder);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("another origin"), "{error}");
    assert!(setup.sent().is_empty());
}

#[cfg(feature = "limits")]
#[test]
fn without_a_token_nothing_is_sent_and_nothing_is_charged() {
    let limits = RateLimits::default().tokens_per_minute(1_000);
    let doing = Doing::Fail(ErrorKind::Auth);
    let (setup, tokens) = with(doing, [], |builder| builder.rate_limits(limits));
    // Each call reserves more than half of the limit, so the second would wait if the first had
    // been charged.
    for _ in 0..2 {
        let error = setup
            .clock
            .run(setup.client.chat_async("hi").max_tokens(700).into_future());
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(!error.to_string().contains("secret-token"), "{error}");
    }
    assert_eq!(setup.clock.seconds(), 0.0);
    assert_eq!(*tokens.asked.lock().unwrap(), [1, 1]);
    assert!(setup.sent().is_empty());
}

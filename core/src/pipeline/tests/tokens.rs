//! Tokens from an async function.

use std::sync::atomic::{AtomicBool, AtomicU32};

use http::HeaderName;

use super::*;
use crate::credentials::{Token, TokenSource};

/// The answer to one request for a token: the seconds it takes, or its error.
type Asked = Result<f64, ErrorKind>;

struct Tokens {
    executor: Mutex<Option<Arc<dyn Executor>>>,
    answers: Mutex<VecDeque<Asked>>,
    asked: AtomicU32,
    dropped: AtomicU32,
    is_valid: AtomicBool,
}

/// Counts the futures that are dropped before they complete.
struct Unfinished(Arc<Tokens>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Relaxed);
    }
}

impl Tokens {
    async fn ask(self: Arc<Self>) -> Result<Token, Error> {
        let number = self.asked.fetch_add(1, Relaxed) + 1;
        let unfinished = Unfinished(Arc::clone(&self));
        let answer = self.answers.lock().unwrap().pop_front();
        match answer.unwrap_or(Ok(0.0)) {
            Ok(seconds) => {
                let executor = self.executor.lock().unwrap().clone().unwrap();
                executor.sleep(Duration::from_secs_f64(seconds)).await;
            }
            Err(kind) => return Err(Error::new(kind, "no token")),
        }
        std::mem::forget(unfinished);
        let token = Token::new(format!("secret-token-{number}"));
        Ok(token.valid_while(move || self.is_valid.load(Relaxed)))
    }
}

fn with(
    asked: impl IntoIterator<Item = Asked>,
    answers: impl IntoIterator<Item = Answering>,
    change: impl FnOnce(TokenSource) -> TokenSource,
) -> (Setup, Arc<Tokens>) {
    let tokens = Arc::new(Tokens {
        executor: Mutex::default(),
        answers: Mutex::new(asked.into_iter().collect()),
        asked: AtomicU32::default(),
        dropped: AtomicU32::default(),
        is_valid: AtomicBool::new(true),
    });
    let shared = Arc::clone(&tokens);
    let source = change(TokenSource::new(move || Arc::clone(&shared).ask()));
    let setup = setup(answers, |builder| {
        let provider = Provider::openai_compatible("http://127.0.0.1", "m");
        let builder = builder.provider(provider.with_credentials(source));
        builder.max_attempts(1)
    });
    *tokens.executor.lock().unwrap() = Some(Arc::clone(setup.client.executor()));
    (setup, tokens)
}

impl Setup {
    /// The numbers of the tokens that were sent.
    fn tokens_sent(&self) -> Vec<u32> {
        let sent = self.script.authorized.lock().unwrap();
        let number = |sent: &Option<String>| {
            let sent = sent.as_ref().unwrap();
            sent.strip_prefix("Bearer secret-token-").unwrap().parse()
        };
        sent.iter().map(|sent| number(sent).unwrap()).collect()
    }
}

#[test]
fn a_token_is_used_until_it_is_not_valid_any_more() {
    let (setup, tokens) = with([], [], |source| source);
    setup.chat().unwrap();
    setup.chat().unwrap();
    tokens.is_valid.store(false, Relaxed);
    setup.chat().unwrap();
    // A token that is never valid is requested for each call, and used.
    setup.chat().unwrap();
    assert_eq!(setup.tokens_sent(), [1, 1, 2, 3]);
    assert_eq!(tokens.asked.load(Relaxed), 3);
}

#[test]
fn a_refused_token_is_renewed_and_the_call_tried_once_more() {
    let refused = || Answering::Status(401, None);
    let (setup, tokens) = with([], [refused()], |source| source);
    // The call is retried at once, although `max_attempts` is 1.
    assert_eq!(setup.chat().unwrap().attempts, 2);
    assert_eq!(setup.sent(), [0.0, 0.0]);
    assert_eq!(setup.tokens_sent(), [1, 2]);

    let answers = [refused(), refused(), refused()];
    setup.script.answers.lock().unwrap().extend(answers);
    let error = setup.chat().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 2));
    assert_eq!(setup.tokens_sent(), [1, 2, 2, 3]);
    assert_eq!(tokens.asked.load(Relaxed), 3);
}

#[test]
fn no_other_refusal_renews_it() {
    for status in [400, 403] {
        let (setup, tokens) = with([], [Answering::Status(status, None)], |source| source);
        assert_eq!(setup.chat().unwrap_err().attempts(), 1);
        assert_eq!(tokens.asked.load(Relaxed), 1);
    }
}

#[test]
fn calls_that_need_a_token_at_once_share_it() {
    let (setup, tokens) = with([Ok(2.0)], [], |source| source);
    let calls = (0..5).map(|_| setup.client.chat_async("hi").into_future());
    let answers = setup.clock.run(join_all(calls));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(setup.tokens_sent(), [1; 5]);
    assert_eq!(setup.clock.seconds(), 2.0);
    assert_eq!(tokens.asked.load(Relaxed), 1);
}

#[test]
fn a_question_for_a_token_ends_with_the_calls_that_wait_for_it() {
    let (setup, tokens) = with([Ok(1e6)], [], |source| source);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert_eq!(tokens.dropped.load(Relaxed), 1);
    setup.chat().unwrap();
    assert_eq!(setup.tokens_sent(), [2]);
}

#[test]
fn an_error_is_the_calls_and_is_not_kept() {
    let (setup, tokens) = with([Err(ErrorKind::Auth)], [], |source| source);
    let error = setup.chat().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Auth, 1));
    assert_eq!(error.message(), "there is no token to send: no token");
    assert!(setup.sent().is_empty());
    setup.chat().unwrap();
    assert_eq!(tokens.asked.load(Relaxed), 2);
}

#[test]
fn a_token_that_was_given_is_found_in_an_error() {
    let body = r#"{"error":{"message":"secret-token-1 is not for this"}}"#;
    let (setup, _) = with([], [Answering::Broken(403, vec![(0.0, body)])], |it| it);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.status().unwrap(), 403);
    assert!(error.message().contains("[redacted] is not"), "{error}");
    assert!(!format!("{error:?}").contains("secret-token"), "{error:?}");
}

#[test]
fn the_header_can_be_another() {
    let name = HeaderName::from_static("x-api-key");
    let source = TokenSource::new(|| async { Ok(Token::new("secret-token")) });
    let source = source.header(name.clone(), "");
    let mut request = Request::new(Bytes::new());
    let (clock, _) = Clockwork::new();
    let authorizing = crate::Credentials::authorize(&source, &mut request, 1);
    clock.run(authorizing).unwrap();
    assert_eq!(request.headers()[&name], "secret-token");
    assert!(request.headers()[&name].is_sensitive());
    assert_eq!(request.headers().len(), 1);
    assert!(!format!("{source:?}").contains("secret-token"));
}

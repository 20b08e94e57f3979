//! Attempts: when the next one is made, and what is sent with each.

use super::*;

#[test]
fn retry_after_is_waited_to_the_letter() {
    let setup = setup(
        [
            Answering::Status(429, Some("7")),
            Answering::Status(503, Some("0.25")),
        ],
        |builder| builder,
    );
    let answer = setup.chat().unwrap();
    assert_eq!((answer.text().as_ref(), answer.attempts), ("hi", 3));
    assert_eq!(setup.sent(), [0.0, 7.0, 7.25]);
}

#[test]
fn backoff_doubles_less_a_quarter_and_holds_no_permit() {
    let setup = setup([Answering::Lost, Answering::Lost], |builder| {
        builder.workers(1)
    });
    let (first, second) = setup.clock.run(async {
        let first = setup.client.chat_async("hi").into_future();
        let second = setup.client.chat_async("hi").into_future();
        futures_util::future::join(first, second).await
    });
    assert_eq!((first.unwrap().attempts, second.unwrap().attempts), (2, 2));
    let sent = setup.sent();
    // The second call was sent while the first one backed off.
    assert_eq!(sent[..2], [0.0, 0.0]);
    for at in &sent[2..] {
        assert!((0.375..=0.5).contains(at), "{sent:?}");
    }
}

#[test]
fn what_was_let_in_waits_in_a_full_queue_to_try_again() {
    let answers = [
        Answering::Lost,
        Answering::Good(5.0),
        Answering::Good(5.0),
        Answering::Good(0.0),
    ];
    let setup = setup(answers, |builder| builder.workers(1).queue_size(1));
    let (first, _, _) = setup.clock.run(async {
        let first = setup.client.chat_async("hi").into_future();
        // The second call runs while the first one backs off, and the third one fills the queue.
        let second = setup.client.chat_async("hi").into_future();
        let clock = setup.client.executor().sleep(Duration::from_millis(1));
        let third = setup.client.chat_async("hi").into_future();
        let third = async {
            clock.await;
            third.await
        };
        future::join3(first, second, third).await
    });
    assert_eq!(first.unwrap().attempts, 2);
}

#[test]
fn who_is_turned_away_from_another_attempt_knows_why_it_was_one() {
    let setup = setup([Answering::Lost], |builder| builder);
    let (error, ()) = setup.clock.run(async {
        let call = setup.client.chat_async("hi").into_future();
        future::join(call, setup.client.close()).await
    });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let causes: Vec<_> = error.causes().iter().map(Error::kind).collect();
    assert_eq!(causes, [ErrorKind::Connection]);
}

#[test]
fn a_wait_that_outlasts_the_call_is_no_wait() {
    let setup = setup([Answering::Status(429, Some("40"))], |builder| builder);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(40)));
    assert_eq!(setup.clock.seconds(), 0.0);
}

#[test]
fn one_deadline_spans_all_attempts() {
    let setup = setup([Answering::Lost, Answering::Good(60.0)], |builder| builder);
    let error = setup.chat().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert_eq!((error.attempts(), error.causes().len()), (2, 1));
    assert_eq!(error.causes()[0].kind(), ErrorKind::Connection);
    assert_eq!(setup.clock.seconds(), 30.0);
}

#[test]
fn what_a_call_tells_the_transport_goes_with_each_of_its_attempts() {
    let setup = setup([Answering::Status(503, None)], |builder| builder);
    let call = setup.client.chat_async("hi").extension(Told("this"));
    setup.clock.run(call.into_future()).unwrap();
    setup.chat().unwrap();
    let told = setup.script.told.lock().unwrap().clone();
    assert_eq!(told, [Some("this"), Some("this"), None]);
}

#[test]
fn no_limit_for_connecting_is_none() {
    let setup = setup([], |builder| builder);
    let mut timeouts = crate::Timeouts::default();
    setup.chat().unwrap();
    timeouts.connect = None;
    let call = setup.client.chat_async("hi").timeouts(timeouts);
    setup.clock.run(call.into_future()).unwrap();
    // The call's `Timeouts` decide, even if the caller sets a `ConnectTimeout` extension.
    let told = ConnectTimeout(Duration::from_secs(60));
    let call = setup.client.chat_async("hi").extension(told);
    setup.clock.run(call.into_future()).unwrap();
    let connect = setup.script.connect.lock().unwrap().clone();
    let default = ConnectTimeout::DEFAULT.0;
    assert_eq!(connect, [default, ConnectTimeout::NONE.0, default]);
}

#[test]
fn a_refused_key_of_another_provider_is_named() {
    let setup = setup([Answering::Status(401, None)], |builder| {
        let provider = Provider::deepseek().with_api_key("sk-ant-api03-0123456789abcdef");
        builder.provider(provider)
    });
    let error = setup.chat().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    let error = error.to_string();
    for part in ["Anthropic", "api.deepseek.com", "LLM_PROVIDER=anthropic"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("sk-ant"), "{error}");
}

//! The queue and the rate limits before an attempt.

use super::*;

#[test]
fn a_batch_wider_than_its_client_loses_nothing_to_the_clock() {
    for limits in [None, Some(RateLimits::default().requests_per_minute(10))] {
        let answers = (0..40).map(|_| Answering::Good(8.0));
        let setup = setup(answers, |builder| match limits {
            Some(limits) => builder.rate_limits(limits),
            None => builder,
        });
        let batch = crate::BatchProcessor::chats(&setup.client).max_workers(20);
        let prompts = (0..40).map(|i: u32| i.to_string());
        let results = setup.clock.run(batch.process_batch(prompts));
        let failed = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(
            (results.len(), failed),
            (40, 0),
            "{:?}",
            setup.clock.seconds()
        );
    }
}

#[test]
fn the_number_of_workers_can_be_changed_while_calls_run() {
    let answers = (0..3).map(|_| Answering::Good(5.0));
    let setup = setup(answers, |builder| builder.workers(3));
    setup.client.set_workers(0);
    let calls = async {
        let client = &setup.client;
        let all = join_all(["a", "b", "c"].map(|prompt| client.chat_async(prompt).into_future()));
        let more = async {
            client.executor().sleep(Duration::from_secs(7)).await;
            assert_eq!((client.status().active, client.status().limit), (0, 0));
            client.set_workers(1);
        };
        future::join(all, more).await.0
    };
    let results = setup.clock.run(calls);
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(setup.clock.seconds(), 22.0);
}

#[test]
fn the_queue_has_its_own_limit_and_is_first_in_first_out() {
    let answers = || (0..4).map(|_| Answering::Good(5.0));
    let setup = setup(answers(), |builder| builder.workers(1));
    let call = |name: &'static str| {
        let call = setup.client.chat_async(name).into_future();
        let clock = Arc::clone(&setup.clock);
        async move {
            (
                name,
                call.await.unwrap().text().into_owned(),
                clock.seconds(),
            )
        }
    };
    let ended = setup.clock.run(join_all([call("a"), call("b"), call("c")]));
    let ended: Vec<_> = ended.iter().map(|(name, _, at)| (*name, *at)).collect();
    assert_eq!(ended, [("a", 5.0), ("b", 10.0), ("c", 15.0)]);

    let limits = Timeouts {
        queue: Some(Duration::from_secs(2)),
        ..Timeouts::default()
    };
    let setup = self::setup(answers(), |builder| builder.workers(1).timeouts(limits));
    let results = setup.clock.run(join_all([
        setup.client.chat_async("a").into_future(),
        setup.client.chat_async("b").into_future(),
    ]));
    assert!(results[0].is_ok());
    let late = results[1].as_ref().unwrap_err();
    assert_eq!((late.phase(), late.attempts()), (Some(Phase::Queue), 0));
}

#[test]
fn rate_limits_hold_in_any_minute_and_are_used() {
    let limits = RateLimits::default().requests_per_minute(10);
    let setup = setup([], |builder| builder.rate_limits(limits).workers(100));
    let calls = (0..60).map(|_| {
        let call = setup
            .client
            .chat_async("hi")
            .timeout(Duration::from_secs(600));
        call.into_future()
    });
    for answer in setup.clock.run(join_all(calls)) {
        answer.unwrap();
    }
    let sent = setup.sent();
    for window in sent.windows(11) {
        assert!(window[10] - window[0] >= 60.0, "{window:?}");
    }
    // Sixty requests at ten a minute, the first ten at once.
    assert!(sent[59] <= 5.0 * 60.0 * 1.02, "the last at {}", sent[59]);
    assert_eq!(setup.client.status().queued, 0);
}

#[test]
fn tokens_are_estimated_settled_and_refunded() {
    let limits = || RateLimits::default().tokens_per_minute(600);
    let setup = setup([], |builder| builder.rate_limits(limits()));
    // Each is estimated at more than 256 tokens. Only 3 are used, so the calls hardly wait.
    for _ in 0..20 {
        setup.chat().unwrap();
    }
    assert_eq!(setup.clock.seconds(), 0.0);
    let large = setup.client.chat_async("hi").max_tokens(1000).into_future();
    let error = setup.clock.run(large).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("600"), "{error}");

    // A request without a connection uses no tokens.
    let refused = (0..5).map(|_| Answering::Refused);
    let setup = self::setup(refused, |builder| {
        builder.rate_limits(limits()).max_attempts(1)
    });
    for _ in 0..5 {
        setup.chat().unwrap_err();
    }
    setup.chat().unwrap();
    assert_eq!(setup.clock.seconds(), 0.0);
}

#[test]
fn what_a_stream_used_is_known_at_its_end() {
    const EARLY: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\
                         \"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n";
    let pieces = || Answering::Pieces(vec![(0.0, EARLY), (10.0, FINISH)]);
    let limits = RateLimits::default().tokens_per_minute(600);
    let setup = setup([pieces(), pieces()], |builder| builder.rate_limits(limits));
    // Two calls reserve nearly 600 tokens together. The third is sent when they have returned
    // theirs.
    let asking = (0..3).map(|_| setup.client.chat_async("hi").stream().into_response());
    for answer in setup.clock.run(join_all(asking)) {
        answer.unwrap();
    }
    assert_eq!(setup.sent(), [0.0, 0.0, 10.0]);
}

#[test]
fn closing_turns_those_away_that_wait_for_a_limit() {
    let limits = RateLimits::default().requests_per_minute(1);
    let setup = setup([Answering::Good(2.0)], |builder| {
        builder.rate_limits(limits)
    });
    let calls = (0..3).map(|_| {
        setup
            .client
            .chat_async("hi")
            .timeout(Duration::from_secs(300))
    });
    let mut all = Box::pin(join_all(calls.map(IntoFuture::into_future)));
    let answers = setup.clock.run(async {
        assert!((&mut all).now_or_never().is_none());
        futures_util::future::join(setup.client.close(), all)
            .await
            .1
    });
    let kinds = answers
        .iter()
        .map(|answer| answer.as_ref().err().map(Error::kind));
    let closed = Some(ErrorKind::Closed);
    assert_eq!(kinds.collect::<Vec<_>>(), [None, closed, closed]);
    assert_eq!(setup.clock.seconds(), 2.0);
}

#[test]
fn a_full_queue_says_what_to_set() {
    let answers = (0..2).map(|_| Answering::Good(5.0));
    let setup = setup(answers, |builder| builder.workers(1).queue_size(1));
    let calls = (0..3).map(|_| setup.client.chat_async("hi").into_future());
    let mut results = setup.clock.run(join_all(calls));
    let error = results.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    assert_eq!(
        error.to_string(),
        "demo: the queue is full: 1 requests are in flight and 1 wait (limit 1); let the call wait \
         (`.when_full(WhenFull::Wait)`; `.patient()` for one call of many, or a BatchProcessor), \
         or raise LLM_ASYNC_QUEUE_SIZE or LLM_ASYNC_WORKERS"
    );
}

#[test]
fn what_a_server_claims_in_tokens_does_not_stop_the_client() {
    const CLAIM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\
        \"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1000000000000,\
        \"completion_tokens\":1}}\n\ndata: [DONE]\n\n";
    let limits = RateLimits::default()
        .tokens_per_minute(6_000)
        .token_burst(2_000);
    let answers = (0..3).map(|_| Answering::Pieces(vec![(0.0, CLAIM)]));
    let setup = setup(answers, |builder| builder.rate_limits(limits));
    for _ in 0..3 {
        setup.chat().unwrap();
    }
    // Each call is charged at most its reservation and a token for each byte of its answer: about
    // 400.
    assert!(setup.sent()[2] < 1.0, "{:?}", setup.sent());
}

//! Time: limits that fit the work, what silence means, and how long an error is awaited.

use super::*;
use crate::chat::ReasoningEffort;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_raised_limit_lets_a_slow_answer_pass_with_one_request() {
    for by_call in [true, false] {
        let setup = setup([Answering::Good(70.0)], |builder| match by_call {
            true => builder,
            false => builder.timeout(seconds(180)),
        });
        let call = setup.client.chat_async("hi");
        let call = match by_call {
            true => call.timeout(seconds(180)),
            false => call,
        };
        let answer = setup.clock.run(call.into_future()).unwrap();
        assert_eq!((answer.attempts, setup.clock.seconds()), (1, 70.0));
        assert_eq!(setup.sent().len(), 1);
    }
    // The silence may be in the body: early headers do not count as progress.
    let setup = setup(
        [Answering::Pieces(vec![(0.0, " "), (70.0, GOOD)])],
        |builder| builder,
    );
    let call = setup.client.chat_async("hi").timeout(seconds(180));
    let error = setup.clock.run(call.into_future()).unwrap_err();
    // The answer came and the end of its body did not, because the connection stayed open.
    assert_eq!((error.phase(), error.attempts()), (Some(Phase::Overall), 1));
    assert_eq!(setup.clock.seconds(), 180.0);
}

#[test]
fn a_limit_that_is_set_counts_for_every_call() {
    for shape in [
        |builder: LlmClientBuilder| builder.timeout(seconds(30)),
        |builder: LlmClientBuilder| builder.timeout(seconds(9)),
        |builder: LlmClientBuilder| {
            builder.scheduling(crate::AsyncConfig::default().with_timeout(seconds(30)))
        },
    ] {
        let setup = setup([Answering::Good(500.0)], shape);
        let call = setup.client.chat_async("hi").max_tokens(9_000);
        let error = setup.clock.run(call.into_future()).unwrap_err();
        assert_eq!(error.phase(), Some(Phase::Overall));
        assert!([9.0, 30.0].contains(&setup.clock.seconds()));
    }
}

#[test]
fn who_asks_for_more_has_more_time() {
    for (max_tokens, reasons, limit) in [
        (Some(256), false, 30.0),
        (Some(4_096), false, 138.0),
        (None, false, 138.0),
        (None, true, 600.0),
    ] {
        let setup = setup([Answering::Good(9_999.0)], |builder| builder);
        let mut call = setup.client.chat_async("hi").max_tokens(max_tokens);
        if reasons {
            call = call.reasoning_effort(ReasoningEffort::High);
        }
        let error = setup.clock.run(call.into_future()).unwrap_err();
        assert_eq!((error.phase(), error.attempts()), (Some(Phase::Overall), 1));
        assert_eq!(setup.clock.seconds(), limit);
    }
}

#[test]
fn a_default_limit_may_begin_when_a_call_has_its_place() {
    let six = |set: Option<u64>| {
        let setup = setup((0..6).map(|_| Answering::Good(10.0)), |builder| {
            builder.workers(1).queue_size(0)
        });
        let calls = (0..6).map(|_| {
            let call = setup.client.chat_async("hi").wait_for_place();
            match set {
                Some(seconds) => call.timeout(Duration::from_secs(seconds)).into_future(),
                None => call.into_future(),
            }
        });
        let answers = setup.clock.run(join_all(calls));
        answers.iter().filter(|answer| answer.is_ok()).count()
    };
    assert_eq!(six(None), 6);
    // A limit that the caller sets covers the wait for a permit.
    assert_eq!(six(Some(35)), 3);
    assert_eq!(six(Some(30)), 3);

    let silent = [Answering::Good(10.0), Answering::Good(9_999.0)];
    let setup = setup(silent, |builder| builder.workers(1));
    let calls = (0..2).map(|_| {
        let call = setup.client.chat_async("hi").wait_for_place();
        call.into_future()
    });
    let answers = setup.clock.run(join_all(calls));
    let error = answers[1].as_ref().unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
    assert_eq!(setup.clock.seconds(), 40.0);
}

#[test]
fn silence_is_not_answered_by_sending_again() {
    // A patient call, as in a batch: its overall limit applies to the attempt.
    let setup = setup([Answering::Good(99.0)], |builder| builder);
    let error = setup
        .clock
        .run(setup.client.chat_async("hi").patient().into_future());
    let error = error.unwrap_err();
    assert_eq!((error.phase(), error.attempts()), (Some(Phase::Attempt), 1));
    assert_eq!((setup.sent().len(), setup.clock.seconds()), (1, 30.0));
    // Bytes had come, so the connection has stalled and the provider is not at work any more.
    let stalled = Answering::Pieces(vec![(1.0, TEXT)]);
    let setup = self::setup([stalled], |builder| builder);
    let answer = setup
        .clock
        .run(setup.client.chat_async("hi").patient().into_future());
    assert_eq!(answer.unwrap().attempts, 2);
}

#[test]
fn an_error_whose_body_hangs_is_told_with_its_status() {
    let whole = r#"{"error":{"message":"no such key","code":"invalid_api_key"}}"#;
    for (answering, message, at) in [
        (
            Answering::Broken(401, vec![]),
            "the server answered 401",
            2.0,
        ),
        (
            Answering::Broken(401, vec![(1.0, whole)]),
            "no such key",
            2.0,
        ),
        (
            Answering::Broken(401, vec![(1.0, "plain"), (5.0, "text")]),
            "plain",
            2.0,
        ),
        (Answering::Cut(401, whole), "no such key", 0.0),
    ] {
        let setup = setup([answering], |builder| builder);
        let error = setup.chat().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert_eq!(error.message(), message);
        assert_eq!((error.attempts(), setup.clock.seconds()), (1, at));
    }
    // A shorter limit of the call itself reports the status, too.
    let setup = setup([Answering::Broken(503, vec![])], |builder| {
        builder.max_attempts(1)
    });
    let call = setup.client.chat_async("hi").timeout(seconds(1));
    let error = setup.clock.run(call.into_future()).unwrap_err();
    assert_eq!(
        (error.kind(), setup.clock.seconds()),
        (ErrorKind::Overloaded, 1.0)
    );
}

#[test]
fn a_long_answer_is_judged_by_its_progress() {
    // Fetched as a stream: each piece comes within the limit between two bytes, though the whole
    // answer takes longer than that.
    let mut pieces = vec![(50.0, TEXT), (50.0, TEXT)];
    pieces.push((0.0, FINISH));
    let setup = setup([Answering::Pieces(pieces)], |builder| builder);
    let call = setup.client.chat_async("hi").max_tokens(4_096);
    let answer = setup.clock.run(call.into_future()).unwrap();
    assert_eq!((answer.text().as_ref(), answer.attempts), ("hihi", 1));
    let pieces = vec![(50.0, TEXT), (61.0, TEXT)];
    let setup = self::setup([Answering::Pieces(pieces)], |builder| {
        builder.max_attempts(1)
    });
    let call = setup.client.chat_async("hi").max_tokens(4_096);
    let error = setup.clock.run(call.into_future()).unwrap_err();
    assert_eq!(
        (error.phase(), setup.clock.seconds()),
        (Some(Phase::ByteIdle), 110.0)
    );
    assert_eq!(error.partial().unwrap().text(), "hi");
}

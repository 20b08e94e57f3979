//! Adapting to the provider: permits that move, and hedges.

use super::*;

#[test]
fn permits_follow_what_the_provider_bears() {
    let answers = (0..40).map(|_| Answering::Status(429, Some("0")));
    let adaptive = Adaptive::default().start(50).max(100);
    let setup = setup(answers, |builder| {
        builder.adaptive(adaptive).queue_size(1000).max_attempts(50)
    });
    let calls = (0..200).map(|_| setup.client.chat_async("hi").into_future());
    let answers = setup.clock.run(join_all(calls));
    assert!(answers.iter().filter(|answer| answer.is_ok()).count() > 150);
    let status = setup.client.status();
    assert_eq!(
        (status.active, status.queued, status.max_workers),
        (0, 0, 100)
    );
}

#[test]
fn the_bounds_of_the_permits_are_told_as_they_are() {
    let most = |adaptive: Adaptive, enabled| {
        let config = crate::AsyncConfig::default().with_async_enabled(enabled);
        let setup = setup([], |builder| builder.scheduling(config).adaptive(adaptive));
        setup.client.status().max_workers
    };
    assert_eq!(most(Adaptive::default().min(10).max(5), true), 10);
    assert_eq!(most(Adaptive::default(), false), 1);
}

/// A waker that polls its task inside `wake`, as some executors do.
struct Inline(Mutex<Option<BoxFuture<'static, Result<ChatResponse, Error>>>>);

impl std::task::Wake for Inline {
    fn wake(self: Arc<Self>) {
        let call = self.0.lock().unwrap().take();
        call.unwrap().now_or_never().unwrap().unwrap();
    }
}

#[test]
fn a_permit_more_may_run_its_call_at_once() {
    let answers = [Answering::Pieces(vec![(1.0, TEXT)]), Answering::Good(0.0)];
    let setup = setup(answers, |builder| {
        builder.adaptive(Adaptive::default().start(1))
    });
    setup.clock.run(async {
        let mut first = setup.client.chat_async("hi").stream();
        assert!(first.next().now_or_never().is_none());
        let inline = Arc::new(Inline(Mutex::new(None)));
        let mut second: BoxFuture<'static, _> =
            Box::pin(setup.client.chat_async("hi").into_future());
        let waker = Waker::from(Arc::clone(&inline));
        let polled = second.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        *inline.0.lock().unwrap() = Some(second);
        // The first content frees the permit for the second call, which completes within its
        // wake-up.
        assert!(first.next().await.unwrap().is_ok());
        assert_eq!(setup.client.status().succeeded, 1);
    });
}

#[test]
fn a_late_answer_is_asked_for_twice_and_the_sooner_wins() {
    let hedging = Hedging::after(Duration::from_secs(2));
    let answers = [Answering::Good(20.0), Answering::Good(1.0)];
    let setup = setup(answers, |builder| builder.hedging(hedging));
    let answer = setup.chat().unwrap();
    assert_eq!((answer.attempts, setup.clock.seconds()), (2, 3.0));
    assert_eq!(setup.sent(), [0.0, 2.0]);
    assert_eq!(setup.client.status().active, 0);

    // An answer within the delay is not hedged, and without a free permit there is no hedge.
    let setup = self::setup([Answering::Good(1.0)], |builder| builder.hedging(hedging));
    assert_eq!(setup.chat().unwrap().attempts, 1);
    let late = [Answering::Good(20.0)];
    let setup = self::setup(late, |builder| builder.hedging(hedging).workers(1));
    assert_eq!(setup.chat().unwrap().attempts, 1);
    assert_eq!(setup.clock.seconds(), 20.0);
}

#[test]
fn a_call_fails_with_the_first_error_if_both_attempts_fail() {
    // The second attempt fails first, and the call waits for the first one.
    let hedging = Hedging::after(Duration::from_secs(2));
    let answers = [Answering::Late(20.0, 400), Answering::Late(1.0, 404)];
    let setup = setup(answers, |builder| builder.hedging(hedging));
    let error = setup.chat().unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::BadRequest, 2));
    assert_eq!(
        (setup.sent(), setup.clock.seconds()),
        (vec![0.0, 2.0], 20.0)
    );
    assert_eq!(setup.client.status().active, 0);

    // One lost attempt leaves the other one to answer.
    let answers = [Answering::Late(5.0, 400), Answering::Good(10.0)];
    let setup = self::setup(answers, |builder| builder.hedging(hedging));
    assert_eq!(setup.chat().unwrap().attempts, 2);
    assert_eq!(
        (setup.clock.seconds(), setup.client.status().active),
        (12.0, 0)
    );
}

#[test]
fn hedges_have_a_budget() {
    let answers = (0..4_000).map(|_| Answering::Good(3.0));
    let hedging = Hedging::after(Duration::from_secs(2));
    let setup = setup(answers, |builder| builder.hedging(hedging));
    for _ in 0..2_000 {
        setup.chat().unwrap();
    }
    let extra = setup.sent().len() - 2_000;
    assert!(
        (90..=105).contains(&extra),
        "{extra} hedges for 2,000 calls"
    );
}

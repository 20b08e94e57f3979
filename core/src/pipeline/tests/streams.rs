//! Streams: their limits of time, and their ends.

use super::*;

#[test]
fn a_stream_lives_beyond_the_overall_limit_and_not_beyond_silence() {
    let pieces = vec![
        (29.0, TEXT),
        (50.0, ": keep-alive\n\n"),
        (50.0, TEXT),
        (0.0, FINISH),
    ];
    let setup = setup([Answering::Pieces(pieces)], |builder| builder);
    let mut stream = setup.client.chat_async("hi").stream();
    let (answer, status) = setup.clock.run(async {
        while let Some(event) = stream.next().await {
            if let ChatEvent::Finish { .. } = event.unwrap() {
                break;
            }
        }
        // The place is free as soon as the answer is complete.
        let status = setup.client.status();
        (stream.into_response().await.unwrap(), status)
    });
    assert_eq!(answer.text(), "hihi");
    assert_eq!((status.active, status.succeeded), (0, 1));
    // The server did not hang up: it was given a moment.
    assert_eq!(setup.clock.seconds(), 129.05);

    let pieces = vec![(1.0, TEXT), (61.0, TEXT)];
    let setup = self::setup([Answering::Pieces(pieces)], |builder| builder);
    let whole = setup.client.chat_async("hi").stream().into_response();
    let error = setup.clock.run(whole).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::ByteIdle));
    assert_eq!(error.partial().unwrap().text(), "hi");
    assert_eq!(setup.clock.seconds(), 61.0);
    assert_eq!(setup.client.status().active, 0);
}

#[test]
fn a_stream_dropped_after_its_finish_was_not_cancelled() {
    let setup = setup([Answering::Pieces(vec![(0.0, TEXT), (0.0, FINISH)])], |b| b);
    setup.clock.run(async {
        let mut stream = setup.client.chat_async("hi").stream();
        while !matches!(stream.next().await, Some(Ok(ChatEvent::Finish { .. }))) {}
    });
    let status = setup.client.status();
    assert_eq!(
        (status.succeeded, status.cancelled, status.active),
        (1, 0, 0)
    );
}

#[test]
fn what_has_come_so_far_knows_its_request_and_its_attempts() {
    let pieces = vec![(0.0, TEXT), (0.0, FINISH)];
    let answers = [Answering::Status(503, None), Answering::Pieces(pieces)];
    let setup = setup(answers, |builder| builder);
    let mut stream = setup.client.chat_async("hi").stream();
    setup.clock.run(async {
        while !matches!(stream.next().await, Some(Ok(ChatEvent::Text(_)))) {}
        let partial = stream.partial().unwrap();
        assert_eq!(partial.text(), "hi");
        assert_eq!(partial.request_id.as_deref(), Some("req-1"));
        assert_eq!(partial.attempts, 2);
        let whole = stream.into_response().await.unwrap();
        assert_eq!(whole.request_id.as_deref(), Some("req-1"));
        assert_eq!(whole.attempts, 2);
    });
}

#[test]
fn a_server_that_has_always_more_to_say_starves_nobody_and_has_its_time() {
    let setup = setup([Answering::Flood, Answering::Flood], |builder| builder);
    let mut call = setup.client.chat_async("hi").into_future();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending() && woken.0.load(Relaxed));
    let late = setup.client.chat_async("hi").timeout(Duration::ZERO);
    let error = setup.clock.run(late.into_future()).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
}

#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

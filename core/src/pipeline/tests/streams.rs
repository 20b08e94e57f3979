//! Streams: their time limits, and their ends.

use std::task::Poll;

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
        // The permit is free as soon as the answer is complete.
        let status = setup.client.status();
        (stream.into_response().await.unwrap(), status)
    });
    assert_eq!(answer.text(), "hihi");
    assert_eq!((status.active, status.succeeded), (0, 1));
    // The server did not close the connection, so the client waited 50 ms for the end of the body.
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
    let mut call = Box::pin(setup.client.chat_async("hi").into_future());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let polled = call.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending() && woken.0.load(Relaxed));
    let late = setup.client.chat_async("hi").timeout(Duration::ZERO);
    let error = setup.clock.run(late.into_future()).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
}

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"completion_tokens\":7}}\n\n";
const TEXT_AND_STOP: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n";
const PING: &str = ": ping\n\n";

/// The answer, and the second at which it was complete.
fn answered(answering: Answering) -> (ChatResponse, f64) {
    let setup = setup([answering], |builder| builder);
    let whole = setup.client.chat_async("hi").stream().into_response();
    let answer = setup.clock.run(whole).unwrap();
    assert_eq!(setup.client.status().active, 0);
    (answer, setup.clock.seconds())
}

#[test]
fn an_answer_with_its_finish_reason_needs_no_end() {
    // The server neither sends a terminal event nor closes the connection.
    let (answer, seconds) = answered(Answering::Pieces(vec![(1.0, TEXT), (1.0, STOP)]));
    assert_eq!((&*answer.text(), seconds), ("hi", 4.0));
    assert_eq!(answer.finish_reason_raw, "stop");
    // The server sends keep-alives for ever.
    let pings = vec![(0.3, PING); 1000];
    let (_, seconds) = answered(Answering::Pieces(
        [vec![(0.0, TEXT), (0.0, STOP)], pings].concat(),
    ));
    assert_eq!(seconds, 2.0);
    // The usage may come a little later, and so may more text.
    let (answer, seconds) = answered(Answering::Pieces(vec![(0.0, STOP), (1.5, USAGE)]));
    assert_eq!(answer.usage.unwrap().output_tokens, 7);
    assert_eq!(seconds, 1.55);
    let pieces = vec![(0.0, STOP), (1.5, TEXT), (1.5, USAGE)];
    let (answer, seconds) = answered(Answering::Pieces(pieces));
    assert_eq!((&*answer.text(), seconds), ("hi", 3.05));
    // The connection is lost.
    let (answer, seconds) = answered(Answering::Cut(200, TEXT_AND_STOP));
    assert_eq!((&*answer.text(), seconds), ("hi", 0.0));
}

#[cfg(feature = "gemini")]
#[test]
fn an_answer_that_goes_on_after_its_finish_reason_is_awaited() {
    // Gemini sends a finish reason before it runs code, and goes on with the code's result.
    const CODE: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"executableCode\":\
        {\"code\":\"1\"}}]},\"finishReason\":\"STOP\"}]}\r\n\r\n";
    const RESULT: &str = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"one\"}]},\
        \"finishReason\":\"STOP\"}]}\r\n\r\n";
    let answered = |pieces| {
        let gemini = Provider::gemini().with_api_key("k-0123456789");
        let setup = setup([Answering::Pieces(pieces)], |builder| {
            builder.provider(gemini)
        });
        let whole = setup.client.chat_async("hi").stream().into_response();
        (setup.clock.run(whole).unwrap(), setup.clock.seconds())
    };
    let (answer, seconds) = answered(vec![(0.0, CODE), (9.0, RESULT)]);
    assert_eq!((&*answer.text(), seconds), ("one", 11.0));
    // After a finish reason without such a part, Gemini is awaited like any other provider.
    let (answer, seconds) = answered(vec![(0.0, RESULT), (1.5, RESULT), (1.5, RESULT)]);
    assert_eq!(
        (&*answer.text(), answer.finish_reason_raw.as_str()),
        ("oneoneone", "STOP")
    );
    assert!(seconds >= 3.0, "{seconds}");
}

#[test]
fn a_time_limit_after_the_finish_reason_ends_no_answer() {
    let pieces = vec![(0.0, TEXT), (29.0, STOP)];
    let setup = setup([Answering::Pieces(pieces)], |builder| builder);
    let answer = setup.chat().unwrap();
    assert_eq!((&*answer.text(), answer.attempts), ("hi", 1));
    assert_eq!(setup.clock.seconds(), 30.0);
}

#[test]
fn an_answer_that_is_cut_before_its_first_event_is_asked_for_again() {
    for cut in ["", "\n\n", PING, "data: {\"choi", "event: ping\ndata:\n\n"] {
        let setup = setup([Answering::Body(cut.to_owned())], |builder| builder);
        let answer = setup.chat().unwrap();
        assert_eq!((&*answer.text(), answer.attempts), ("hi", 2), "{cut:?}");
        let setup = self::setup([Answering::Body(cut.to_owned())], |builder| builder);
        let stream = setup.client.chat_async("hi").stream().into_response();
        assert_eq!(setup.clock.run(stream).unwrap().attempts, 2, "{cut:?}");
    }
}

#[test]
fn an_error_in_a_choice_is_retried_until_content_came() {
    let error = "data: {\"choices\":[{\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\",\
                 \"error\":{\"code\":504,\"message\":\"late\"}}]}\n\n";
    let setup = setup([Answering::Pieces(vec![(0.0, error)])], |builder| builder);
    let stream = setup.client.chat_async("hi").stream().into_response();
    assert_eq!(setup.clock.run(stream).unwrap().attempts, 2);
    let pieces = Answering::Pieces(vec![(0.0, TEXT), (0.0, error)]);
    let setup = self::setup([pieces], |builder| builder);
    let stream = setup.client.chat_async("hi").stream().into_response();
    let error = setup.clock.run(stream).unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Server, 1));
    assert_eq!(error.partial().unwrap().text(), "hi");
}

#[test]
fn a_large_chunk_is_read_in_pieces_with_turns_of_others_between() {
    let body = format!("{}{FINISH}", TEXT.repeat(20_000));
    let size = body.len();
    let setup = setup(
        [Answering::Body(body.clone()), Answering::Body(body)],
        |builder| builder,
    );
    let mut call = Box::pin(setup.client.chat_async("hi").into_future());
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut turns = 0;
    let answer = loop {
        turns += 1;
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => break answer.unwrap(),
            Poll::Pending => assert!(woken.0.swap(false, Relaxed)),
        }
    };
    assert_eq!(answer.text().len(), 40_000);
    assert!(turns >= size / (64 << 10), "{turns} turns for {size} bytes");
    // The time limits are checked between the pieces.
    let late = setup.client.chat_async("hi").timeout(Duration::ZERO);
    let error = setup.clock.run(late.into_future()).unwrap_err();
    assert_eq!(error.phase(), Some(Phase::Overall));
    let read = error.partial().unwrap().text().len();
    assert!(read < 5_000, "{read} of 40,000 were read");
}

#[derive(Default)]
struct Woken(std::sync::atomic::AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

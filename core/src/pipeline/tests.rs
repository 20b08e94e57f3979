use std::collections::VecDeque;
use std::sync::Mutex;
use std::task::{Context, Waker};

use async_trait::async_trait;
use futures_util::future::{self, join_all};
use futures_util::{FutureExt, StreamExt, stream};

use super::*;
use crate::chat::ChatEvent;
use crate::client::{LlmClient, LlmClientBuilder};
use crate::error::{ErrorKind, Phase};
use crate::executor::{BoxFuture, Executor};
use crate::observe::{CallEvent, CallInfo, Observer};
use crate::policy::adaptive::Adaptive;
use crate::policy::hedge::Hedging;
use crate::policy::rate::RateLimits;
use crate::provider::Provider;
use crate::testing::Clockwork;
use crate::transport::{ByteStream, Transport, TransportError, TransportErrorKind};

/// What the server does with one request.
#[derive(Debug)]
enum Answering {
    /// A good answer after so many seconds.
    Good(f64),
    /// This status, with this `Retry-After`.
    Status(u16, Option<&'static str>),
    Lost,
    Refused,
    /// Content without an end, as fast as it is read.
    Flood,
    /// Pieces of a stream, each so many seconds after the one before.
    Pieces(Vec<(f64, &'static str)>),
}

const GOOD: &str = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
const TEXT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n";
const FINISH: &str =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

#[derive(Debug)]
struct Script {
    executor: Arc<dyn Executor>,
    /// The connect limits that came with the requests.
    connect: Mutex<Vec<Duration>>,
    /// What the callers told the transport.
    told: Mutex<Vec<Option<&'static str>>>,
    answers: Mutex<VecDeque<Answering>>,
    sent: Mutex<Vec<f64>>,
}

#[async_trait]
impl Transport for Script {
    async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<http::Response<ByteStream>, TransportError> {
        let at = self.executor.now().since_epoch().as_secs_f64();
        self.sent.lock().unwrap().push(at);
        let ConnectTimeout(connect) = *request.extensions().get().unwrap();
        self.connect.lock().unwrap().push(connect);
        let told = request.extensions().get::<Told>().map(|told| told.0);
        self.told.lock().unwrap().push(told);
        let next = self.answers.lock().unwrap().pop_front();
        let response = http::Response::builder();
        match next.unwrap_or(Answering::Good(0.0)) {
            Answering::Good(seconds) => {
                self.executor.sleep(Duration::from_secs_f64(seconds)).await;
                Ok(response.body(ByteStream::from_bytes(GOOD)).unwrap())
            }
            Answering::Status(status, retry_after) => {
                let response = response.status(status);
                let response = match retry_after {
                    Some(value) => response.header("retry-after", value),
                    None => response,
                };
                Ok(response.body(ByteStream::from_bytes("{}")).unwrap())
            }
            Answering::Lost => Err(TransportError::new(TransportErrorKind::Reset, "lost")),
            Answering::Refused => Err(TransportError::new(TransportErrorKind::Connect, "refused")),
            Answering::Flood => {
                let pieces = stream::repeat(()).map(|()| Ok(Bytes::from_static(TEXT.as_bytes())));
                Ok(response.body(ByteStream::new(pieces)).unwrap())
            }
            Answering::Pieces(pieces) => {
                let executor = Arc::clone(&self.executor);
                let body = stream::iter(pieces).then(move |(seconds, piece)| {
                    let wait = executor.sleep(Duration::from_secs_f64(seconds));
                    async move {
                        wait.await;
                        Ok(Bytes::from(piece))
                    }
                });
                // The server never hangs up.
                let body = body.chain(stream::pending());
                Ok(response.body(ByteStream::new(body)).unwrap())
            }
        }
    }
}

struct Setup {
    clock: Arc<Clockwork>,
    client: LlmClient,
    script: Arc<Script>,
}

fn setup(
    answers: impl IntoIterator<Item = Answering>,
    change: impl FnOnce(LlmClientBuilder) -> LlmClientBuilder,
) -> Setup {
    let (clock, executor) = Clockwork::new();
    let script = Arc::new(Script {
        executor: Arc::clone(&executor),
        connect: Mutex::default(),
        told: Mutex::default(),
        answers: Mutex::new(answers.into_iter().collect()),
        sent: Mutex::default(),
    });
    let transport: Arc<dyn Transport> = script.clone();
    let builder = LlmClient::builder(executor, transport).provider(Provider::demo());
    Setup {
        clock,
        client: change(builder).build().unwrap(),
        script,
    }
}

impl Setup {
    fn chat(&self) -> Result<ChatResponse, Error> {
        self.clock.run(self.client.chat_async("hi").into_future())
    }

    fn sent(&self) -> Vec<f64> {
        self.script.sent.lock().unwrap().clone()
    }
}

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
    // The second was sent while the first one backed off.
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
        // One runs while the first waits to try again, and one fills the queue.
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

/// What a caller tells the transport.
#[derive(Clone)]
struct Told(&'static str);

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
    let connect = setup.script.connect.lock().unwrap().clone();
    assert_eq!(connect, [Duration::from_secs(5), ConnectTimeout::NONE.0]);
}

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
    // Sixty at ten a minute, the first ten at once.
    assert!(sent[59] <= 5.0 * 60.0 * 1.02, "the last at {}", sent[59]);
    assert_eq!(setup.client.status().queued, 0);
}

#[test]
fn tokens_are_estimated_settled_and_refunded() {
    let limits = || RateLimits::default().tokens_per_minute(600);
    let setup = setup([], |builder| builder.rate_limits(limits()));
    // Estimated at 256 and more each; 3 were used, so they hardly wait.
    for _ in 0..20 {
        setup.chat().unwrap();
    }
    assert_eq!(setup.clock.seconds(), 0.0);
    let large = setup.client.chat_async("hi").max_tokens(1000).into_future();
    let error = setup.clock.run(large).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("600"), "{error}");

    // No connection, no tokens.
    let refused = (0..5).map(|_| Answering::Refused);
    let setup = self::setup(refused, |builder| {
        builder.rate_limits(limits()).max_retries(1)
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
    // Two are estimated at nearly 600 together; the third goes when they have given back.
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
fn permits_follow_what_the_provider_bears() {
    let answers = (0..40).map(|_| Answering::Status(429, Some("0")));
    let adaptive = Adaptive::default().start(50).max(100);
    let setup = setup(answers, |builder| {
        builder.adaptive(adaptive).queue_size(1000).max_retries(50)
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

/// A task that runs inside of its own wake-up, as it does on some executors.
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
        let mut second = setup.client.chat_async("hi").into_future();
        let waker = Waker::from(Arc::clone(&inline));
        let polled = second.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        *inline.0.lock().unwrap() = Some(second);
        // The first content lets another request in, which is answered within its wake-up.
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

    // In time: once is enough. No place: once must do. Both lost: the first one's error.
    let setup = self::setup([Answering::Good(1.0)], |builder| builder.hedging(hedging));
    assert_eq!(setup.chat().unwrap().attempts, 1);
    let late = [Answering::Good(20.0)];
    let setup = self::setup(late, |builder| builder.hedging(hedging).workers(1));
    assert_eq!(setup.chat().unwrap().attempts, 1);
    assert_eq!(setup.clock.seconds(), 20.0);
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

#[derive(Debug, Default)]
struct Journal(Mutex<Vec<String>>);

impl Observer for Journal {
    fn observe(&self, call: &CallInfo, event: &CallEvent<'_>) {
        let line = match event {
            CallEvent::Queued { elapsed } => format!("queued at {elapsed:?}"),
            CallEvent::Started { attempt, elapsed } => format!("{attempt} started at {elapsed:?}"),
            CallEvent::Retrying { error, wait, .. } => format!("{:?}, {wait:?}", error.kind()),
            CallEvent::FirstContent { elapsed } => format!("content at {elapsed:?}"),
            CallEvent::Succeeded {
                attempts, usage, ..
            } => {
                format!(
                    "{attempts} for {}",
                    usage.map_or(0, |usage| usage.total_tokens())
                )
            }
            CallEvent::Failed { error, .. } => format!("failed: {:?}", error.kind()),
            CallEvent::Cancelled { elapsed } => format!("cancelled at {elapsed:?}"),
        };
        self.0.lock().unwrap().push(format!("{} {line}", call.id));
    }
}

#[test]
fn an_observer_hears_of_all() {
    let journal = Arc::new(Journal::default());
    let observer: Arc<dyn Observer> = journal.clone();
    let answers = [
        Answering::Status(503, Some("2")),
        Answering::Good(1.0),
        Answering::Status(401, None),
    ];
    let setup = setup(answers, |builder| builder.observer(observer));
    setup.chat().unwrap();
    setup.chat().unwrap_err();
    let mut dropped = setup.client.chat_async("hi").into_future();
    assert!((&mut dropped).now_or_never().is_some());
    drop(setup.client.chat_async("hi").into_future());
    let heard = journal.0.lock().unwrap();
    assert_eq!(
        *heard,
        [
            "0 queued at 0ns",
            "0 1 started at 0ns",
            "0 Overloaded, 2s",
            "0 queued at 2s",
            "0 2 started at 2s",
            "0 2 for 3",
            "1 queued at 0ns",
            "1 1 started at 0ns",
            "1 failed: Auth",
            "2 queued at 0ns",
            "2 1 started at 0ns",
            "2 1 for 3",
        ]
    );
}

#[test]
fn when_all_fails_the_load_grows_by_a_tenth() {
    let answers = (0..20_000).map(|_| Answering::Lost);
    let setup = setup(answers, |builder| builder.max_retries(5));
    for _ in 0..5_000 {
        setup.chat().unwrap_err();
    }
    let sent = setup.sent().len();
    assert_eq!(sent, 5_500, "for 5,000 calls");
    let status = setup.client.status();
    assert_eq!(
        (status.started, status.failed, status.active),
        (5_000, 5_000, 0)
    );
}

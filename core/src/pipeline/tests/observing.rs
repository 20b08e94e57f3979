//! What an observer hears, and the budget of retries.

use super::*;

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
    let setup = setup(answers, |builder| builder.max_attempts(5));
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

#[test]
fn an_observer_hears_when_content_came_in_a_whole_answer_that_is_streamed() {
    let journal = Arc::new(Journal::default());
    let observer: Arc<dyn Observer> = journal.clone();
    let pieces = || vec![(3.0, TEXT), (4.0, TEXT), (0.0, FINISH)];
    let answers = [Answering::Pieces(pieces()), Answering::Good(1.0)];
    let setup = setup(answers, |builder| builder.observer(observer));
    let call = setup.client.chat_async("hi").fetch_as_stream(true);
    setup.clock.run(call.into_future()).unwrap();
    setup.chat().unwrap();
    let heard = journal.0.lock().unwrap();
    let content = heard.iter().filter(|line| line.contains("content"));
    assert_eq!(content.collect::<Vec<_>>(), ["0 content at 3s"]);
}

//! Backends other than a provider: a cache, a router.

use std::sync::Arc;

use chatcore::chat::{Role, Text};
use chatcore::{
    Answer, Backend, BoxFuture, Call, ChatEvent, ChatResponse, Error, ErrorKind, FinishReason,
    Fold, LlmClient, Message, Mode, Part, Status, ToolCall, Usage,
};
use chatcore_adapters::executor::SmolExecutor;

/// An answer with text, a tool call and usage.
fn answer() -> ChatResponse {
    let mut answer = ChatResponse::default();
    answer.id = "a1".into();
    answer.model = "m".into();
    answer.message = Message::new(
        Role::Assistant,
        [
            Part::Text(Text::new("Hello")),
            ToolCall::new("c1", "f", "{}").into(),
        ],
    );
    answer.usage = Some(Usage::new(3, 2));
    answer.finish_reason = Some(FinishReason::ToolCalls);
    answer.finish_reason_raw = "tool_calls".into();
    answer
}

/// How the test's backend answers each call.
#[derive(Clone, Copy, Debug)]
enum Doing {
    Cached,
    Events,
    Cut,
    Fail,
}

#[derive(Debug)]
struct Fixed(Doing);

impl Backend for Fixed {
    fn open(&self, call: Call, _: Mode) -> BoxFuture<'static, Result<Answer, Error>> {
        let doing = self.0;
        Box::pin(async move {
            assert_eq!(call.request().messages[0].text(), "hi");
            let mut events = answer().to_events();
            match doing {
                Doing::Cached => return Ok(Answer::from_response(answer())),
                Doing::Fail => return Err(Error::new(ErrorKind::Overloaded, "busy")),
                Doing::Cut => drop(events.pop()),
                Doing::Events => {}
            }
            let events = futures_lite::stream::iter(events.into_iter().map(Ok));
            Ok(Answer::from_events(events))
        })
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

fn client(doing: Doing) -> LlmClient {
    LlmClient::with_backend(Arc::new(SmolExecutor::new()), Arc::new(Fixed(doing)))
}

#[test]
fn the_events_of_an_answer_add_up_to_it() {
    let mut fold = Fold::new();
    answer()
        .to_events()
        .into_iter()
        .for_each(|event| fold.push(event));
    assert_eq!(fold.finish(), answer());
}

#[test]
fn a_cache_and_a_stream_of_events_answer_whole_and_streamed() {
    for doing in [Doing::Cached, Doing::Events] {
        smol::block_on(async {
            let client = client(doing);
            assert_eq!(
                client.chat_async("hi").await.unwrap(),
                answer(),
                "{doing:?}"
            );
            let mut stream = client.chat_async("hi").stream();
            let mut last = None;
            while let Some(event) = stream.next().await {
                last = Some(event.unwrap());
            }
            assert!(matches!(last, Some(ChatEvent::Finish { .. })), "{doing:?}");
            assert_eq!(stream.into_response().await.unwrap(), answer(), "{doing:?}");
            client.close().await;
        });
    }
}

#[test]
fn an_end_without_a_finish_and_an_error_are_told() {
    for (doing, kind) in [
        (Doing::Cut, ErrorKind::Truncated),
        (Doing::Fail, ErrorKind::Overloaded),
    ] {
        let error = smol::block_on(client(doing).chat_async("hi").into_future());
        assert_eq!(error.unwrap_err().kind(), kind, "{doing:?}");
    }
}

#[test]
fn a_backend_for_chats_says_that_it_has_no_embeddings() {
    let error = smol::block_on(client(Doing::Cached).embed(["a"]).into_future()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("embeddings"), "{error}");
}

//! Loops over tools with a real engine, which has to call one in each turn.
//!
//! Each loop has one turn: the tiny model's vocabulary has a token that keeps the engine from
//! compiling its grammar for calls that are optional.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chatcore::chat::ToolResult;
use chatcore::schemars::{self, JsonSchema};
use chatcore::{
    Error, FunctionTool, LlmClient, Message, Part, Role, ToolCall, ToolChoice, ToolLoop,
    ToolLoopEvent, ToolLoopLimit, Toolbox, UnfinishedLoop,
};
use chatcore_adapters::BlockingCall;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Flag {
    on: bool,
}

/// A tool, and how often it ran.
fn toolbox() -> (Toolbox, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let ran = Arc::clone(&count);
    let mut tools = Toolbox::new();
    tools
        .add(FunctionTool::of(
            "flag",
            "Sets the flag.",
            move |flag: Flag| {
                ran.fetch_add(1, Relaxed);
                async move { format!("the flag is {}", flag.on) }
            },
        ))
        .unwrap();
    (tools, count)
}

/// Runs a loop to its end, and checks that its events match.
async fn read(work: ToolLoop) -> Result<(), Error> {
    let mut stream = work.stream();
    let mut open = Vec::new();
    while let Some(event) = stream.next().await {
        match event? {
            ToolLoopEvent::CallAsked { index, .. } => open.push(index),
            ToolLoopEvent::CallResult { index, .. } => {
                let place = open.iter().position(|asked| *asked == index).unwrap();
                open.remove(place);
            }
            _ => {}
        }
    }
    unreachable!("the limit of turns is an error")
}

/// One turn after `messages`: the conversation after it, its calls with their results, and how
/// many ran.
fn turn(
    client: &LlmClient,
    messages: &[Message],
    most: u32,
    streams: bool,
) -> (Vec<Message>, Vec<(ToolCall, ToolResult)>, usize) {
    let (tools, ran) = toolbox();
    let work = client
        .ask(messages)
        .temperature(0.0)
        .max_tokens(most)
        .tool_choice(ToolChoice::Required)
        .toolbox(&tools)
        .max_turns(1);
    let ended = smol::block_on(async move {
        match streams {
            true => read(work).await,
            false => work.await.map(|_| ()),
        }
    });
    let error = ended.unwrap_err();
    let state = UnfinishedLoop::of(&error).unwrap_or_else(|| panic!("{error}"));
    assert_eq!(state.limit, Some(ToolLoopLimit::Turns), "{error}");
    let (before, added) = state.messages.split_at(messages.len());
    assert_eq!(before, messages);
    let [answer, results] = added else {
        panic!("{added:?}")
    };
    assert_eq!(
        (&answer.role, &results.role),
        (&Role::Assistant, &Role::Tool)
    );
    let calls: Vec<ToolCall> = answer.tool_calls().cloned().collect();
    let results = results.parts.iter().map(|part| match part {
        Part::ToolResult(result) => result.clone(),
        part => panic!("{part:?}"),
    });
    let results: Vec<ToolResult> = results.collect();
    assert_eq!(calls.len(), results.len());
    let pairs = calls.into_iter().zip(results).collect();
    (state.messages.clone(), pairs, ran.load(Relaxed))
}

#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn every_call_has_its_result_and_the_conversation_goes_on() {
    for client in super::clients() {
        for streams in [false, true] {
            let mut messages = vec![Message::user("hi")];
            for _ in 0..2 {
                let (next, calls, ran) = turn(&client, &messages, 150, streams);
                // The last call may be cut off at the limit.
                assert!(calls.len() > 1, "{calls:?}");
                let done: Vec<_> = calls
                    .iter()
                    .filter(|(_, result)| !result.is_error)
                    .collect();
                assert_eq!(done.len(), ran);
                assert!(ran + 1 >= calls.len(), "{calls:?}");
                for (call, result) in &calls {
                    assert_eq!(call.id, result.call_id);
                }
                for (call, result) in done {
                    let flag: Flag = call.arguments().unwrap();
                    let text = format!("the flag is {}", flag.on);
                    assert_eq!(result.content, [Part::text(text)]);
                }
                messages = next;
            }
            let answer = client.ask(&messages).max_tokens(8);
            assert!(!answer.wait().unwrap().text().is_empty());
        }
    }
}

/// A call that is cut off gets an error, and the engine, which reads the arguments of earlier calls,
/// accepts the conversation.
#[test]
#[cfg_attr(not(has_engine), ignore = "no engine: set CHATCORE_LLAMACPP")]
fn a_call_that_is_cut_off_can_be_sent_again() {
    let mut broken = 0;
    for client in super::clients() {
        for streams in [false, true] {
            let mut messages = vec![Message::user("hi")];
            // Random weights write spaces as they like, so that each limit may cut a call or not.
            for most in [46, 48, 50, 150] {
                let (next, calls, ran) = turn(&client, &messages, most, streams);
                assert!(ran <= calls.len() && !calls.is_empty());
                let is_broken = |(call, result): &&(ToolCall, ToolResult)| {
                    assert!(result.is_error || call.arguments_json().is_ok());
                    call.arguments_json().is_err()
                };
                broken += calls.iter().filter(is_broken).count();
                messages = next;
            }
        }
    }
    assert!(broken > 0, "no call was cut off");
}

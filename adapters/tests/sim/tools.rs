//! Tool loops with random faults, drops, limits and refusals: every call is answered exactly once or
//! reported, and no call begins after its loop was dropped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use chatcore::{
    Approval, Error, ErrorKind, FunctionTool, LlmClient, Message, Part, Tool, ToolCall, ToolError,
    ToolLoop, ToolLoopEvent, Toolbox, UnfinishedLoop, WhenFull,
};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimExecutor, SimRequest, SimTransport};
use futures_lite::future::or;
use serde_json::{Value, json};

use crate::support::{assert_balanced, client, ms, secs};

/// Loops in one run.
const LOOPS: u64 = 4;

/// What became of each call that began, by its id.
#[derive(Clone, Debug, Default)]
struct Ledger(Arc<Mutex<BTreeMap<String, Fate>>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Running,
    Ended,
    Failed,
    Dropped,
}

impl Ledger {
    fn begin(&self, id: &str) {
        let before = self.0.lock().unwrap().insert(id.to_owned(), Fate::Running);
        assert_eq!(before, None, "{id} begins twice");
    }

    fn end(&self, id: &str, fate: Fate) {
        let before = self.0.lock().unwrap().insert(id.to_owned(), fate);
        assert_eq!(before, Some(Fate::Running), "{id} ends twice");
    }

    fn fate(&self, id: &str) -> Option<Fate> {
        self.0.lock().unwrap().get(id).copied()
    }
}

/// A call that runs. It is noted as dropped unless it ends.
struct Running(Ledger, String, Fate);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end(&self.1, self.2);
    }
}

/// The tool of one loop. Its calls take a random time, and some of them fail, panic or hang.
fn toolbox(sim: &Arc<SimExecutor>, ledger: &Ledger, is_dropped: &Arc<AtomicBool>) -> Toolbox {
    let (sim, ledger, is_dropped) = (sim.clone(), ledger.clone(), is_dropped.clone());
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    let work = move |arguments: Value| {
        let (sim, ledger) = (sim.clone(), ledger.clone());
        let id = arguments["id"].as_str().unwrap().to_owned();
        assert!(!is_dropped.load(Relaxed), "{id} begins after the drop");
        let takes = match sim.random_below(10) {
            0 => secs(100),
            1 => ms(0),
            _ => ms(sim.random_below(3_000)),
        };
        let end = sim.random_below(10);
        async move {
            ledger.begin(&id);
            let mut running = Running(ledger, id.clone(), Fate::Dropped);
            sim.sleep(takes).await;
            match end {
                0 => {
                    running.2 = Fate::Failed;
                    Err(ToolError::new(format!("{id} failed")))
                }
                1 => {
                    running.2 = Fate::Failed;
                    drop(running);
                    std::panic::resume_unwind(Box::new("on purpose"))
                }
                _ => {
                    running.2 = Fate::Ended;
                    Ok(format!("{id} is done"))
                }
            }
        }
    };
    let mut tools = Toolbox::new();
    tools
        .add(FunctionTool::new(Tool::new("work", schema), work))
        .unwrap();
    tools
}

/// The calls that the model asks for: a few in each of the first turns, some of them wrong. They
/// follow from the request alone.
fn asked(ask: &SimRequest) -> Vec<ToolCall> {
    let messages = ask.body["messages"].as_array().unwrap();
    assert_answered(messages);
    let turn = messages
        .iter()
        .filter(|message| message["role"] == "assistant")
        .count();
    let number: usize = ask.prompt.trim_start_matches("loop ").parse().unwrap();
    if turn >= number % 5 {
        return Vec::new();
    }
    let call = |index: usize| {
        let id = format!("{number}-{turn}-{index}");
        let arguments = json!({ "id": id }).to_string();
        match (number + turn + index) % 7 {
            0 => ToolCall::new(id, "unknown", "{}"),
            1 => ToolCall::new(id, "work", "{\"id\": "),
            _ => ToolCall::new(id, "work", arguments),
        }
    };
    (0..(number + turn) % 4 + 1).map(call).collect()
}

/// Checks a conversation as the provider gets it: each call is answered once, in the messages that
/// follow it.
fn assert_answered(messages: &[Value]) {
    let mut open: Vec<&Value> = Vec::new();
    for message in messages {
        match message["role"].as_str() {
            Some("tool") => assert_eq!(open.remove(0), &message["tool_call_id"]),
            _ => assert!(open.is_empty(), "calls without an answer: {open:?}"),
        }
        let calls = message["tool_calls"].as_array().into_iter().flatten();
        open.extend(calls.map(|call| &call["id"]));
    }
    assert!(open.is_empty(), "calls without an answer: {open:?}");
}

/// Checks a conversation as the caller gets it: each call has one result, which is what the tool
/// did.
fn assert_true(messages: &[Message], ledger: &Ledger) {
    let mut open: Vec<&ToolCall> = Vec::new();
    for part in messages.iter().flat_map(|message| &message.parts) {
        match part {
            Part::ToolCall(call) => open.push(call),
            Part::ToolResult(result) => {
                let call = open.remove(0);
                assert_eq!(call.id, result.call_id);
                let text = format!("{} is done", call.id);
                let is_done = ledger.fate(&call.id) == Some(Fate::Ended);
                assert_eq!(!result.is_error, is_done, "{result:?}");
                assert_eq!(result.content == [Part::text(text)], is_done);
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "calls without a result: {open:?}");
}

/// Runs a loop to its end, and checks that its events match.
async fn read(work: ToolLoop) -> Result<Vec<Message>, Error> {
    let mut stream = work.stream();
    let mut open = Vec::new();
    while let Some(event) = stream.next().await {
        match event? {
            ToolLoopEvent::TurnStart { .. } | ToolLoopEvent::TurnEnd { .. } => {
                assert!(
                    open.is_empty(),
                    "a turn has calls without a result: {open:?}"
                );
            }
            ToolLoopEvent::CallAsked { index, .. } => open.push(index),
            ToolLoopEvent::CallResult { index, .. } => {
                let place = open.iter().position(|known| *known == index);
                open.remove(place.unwrap());
            }
            _ => {}
        }
    }
    Ok(stream.into_answer().await?.messages)
}

fn one_loop(sim: &Arc<SimExecutor>, client: &LlmClient, number: u64, ledger: &Ledger) {
    let is_dropped = Arc::new(AtomicBool::new(false));
    let mut work = client
        .ask(format!("loop {number}"))
        .when_full(WhenFull::Wait)
        .toolbox(&toolbox(sim, ledger, &is_dropped))
        .concurrency(1 + sim.random_below(4) as usize)
        .tool_timeout(secs(5));
    if sim.random_chance(0.2) {
        work = work.timeout(ms(sim.random_below(20_000)));
    }
    if sim.random_chance(0.2) {
        work = work.max_turns(1 + sim.random_below(3) as u32);
    }
    if sim.random_chance(0.4) {
        let clock = sim.clone();
        work = work.approval(move |_| {
            let clock = clock.clone();
            async move {
                clock.sleep(ms(clock.random_below(1_000))).await;
                match clock.random_chance(0.7) {
                    true => Approval::Approve,
                    false => Approval::refuse("no"),
                }
            }
        });
    }
    let streams = sim.random_chance(0.5);
    let patience = match sim.random_chance(0.3) {
        true => sim.sleep(ms(sim.random_below(10_000))),
        false => sim.sleep(secs(10_000)),
    };
    let ledger = ledger.clone();
    sim.spawn(async move {
        let running = async {
            Some(match streams {
                true => read(work).await,
                false => work.await.map(|answer| answer.messages),
            })
        };
        let gives_up = async {
            patience.await;
            None
        };
        let ended = or(running, gives_up).await;
        is_dropped.store(true, Relaxed);
        match ended {
            Some(Ok(messages)) => assert_true(&messages, &ledger),
            Some(Err(error)) => {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                let state = UnfinishedLoop::of(&error).unwrap();
                assert_eq!(
                    state.limit.is_some(),
                    error.kind() == ErrorKind::LimitReached
                );
                assert_true(&state.messages, &ledger);
            }
            None => {}
        }
    });
}

async fn scenario(sim: Arc<SimExecutor>) {
    let after_tokens = sim.random_below(4) as usize;
    let faults = [
        Fault::ConnectRefused,
        Fault::ResetBeforeHeaders,
        Fault::Reset { after_tokens },
        Fault::Truncated { after_tokens },
        Fault::Stalls { after_tokens },
        Fault::ErrorEvent { after_tokens },
        Fault::NoUsage,
        Fault::Status(500),
        Fault::Status(529),
    ];
    let script = Script::new();
    let script = faults
        .into_iter()
        .fold(script, |script, fault| script.chance(0.02, fault));
    let transport = SimTransport::builder(&sim)
        .headers(Latency::Exponential { mean: ms(300) })
        .token(Latency::Exponential { mean: ms(20) })
        .script(script)
        .answer(|ask| format!("answer to {}", ask.prompt))
        .calls(asked)
        .build();
    let client = client(&sim, &transport)
        .workers(3)
        .max_attempts(3)
        .timeout(secs(30))
        .build()
        .unwrap();
    let ledger = Ledger::default();
    for number in 0..LOOPS {
        one_loop(
            &sim,
            &client,
            number + sim.random_below(100) * LOOPS,
            &ledger,
        );
    }
    sim.sleep(secs(20_000)).await;
    client.close().await;

    assert_balanced(&client);
    transport.assert_idle();
    assert!(sim.pending_tasks().is_empty(), "{:?}", sim.pending_tasks());
    assert_eq!(sim.pending_timers(), 0);
    let fates = ledger.0.lock().unwrap();
    assert!(
        fates.values().all(|fate| *fate != Fate::Running),
        "{fates:?}"
    );
    for fate in fates.values() {
        sim.record(*fate as u64);
    }
}

#[test]
fn every_call_is_answered_once_or_reported() {
    Sim::run_seeds(0..1_000, scenario);
}

#[test]
fn a_loop_repeats_to_the_byte() {
    let first = Sim::run_seeds(0..100, scenario);
    assert_eq!(first, Sim::run_seeds(0..100, scenario));
}

/// `cargo test --release -p chatcore-adapters --no-default-features --features sim --test sim --
/// --ignored --nocapture ten_thousand_seeds_of_tools`
#[test]
#[ignore = "long, for a release build"]
fn ten_thousand_seeds_of_tools() {
    let runs = Sim::run_seeds(0..10_000, scenario).len();
    println!("tool loops: {runs} runs of {LOOPS}, every call answered once or reported");
}

//! Every step of a loop is an event.

use chatcore::{Approval, ErrorKind, ToolLoopEvent};
use chatcore_adapters::sim::Sim;

use super::replies::chat;
use super::{Log, asking, tools, waits};
use crate::jobs::{Reply, client};

/// An event in short.
fn short(event: &ToolLoopEvent) -> String {
    match event {
        ToolLoopEvent::TurnStart { turn } => format!("turn {turn}"),
        ToolLoopEvent::Content(event) => event.kind().to_owned(),
        ToolLoopEvent::CallAsked { index, call } => format!("asked {index} {}", call.id),
        ToolLoopEvent::CallApproved { index, .. } => format!("approved {index}"),
        ToolLoopEvent::CallRefused { index, reason } => format!("refused {index}: {reason}"),
        ToolLoopEvent::CallResult { index, result } => {
            format!("result {index} {}", result.is_error)
        }
        ToolLoopEvent::TurnEnd {
            turn,
            usage,
            total_usage,
            cost,
        } => {
            let [usage, total] = [usage, total_usage].map(|u| u.as_ref().unwrap().total_tokens());
            format!("end {turn}: {usage} of {total}, {}", cost.unwrap())
        }
        ToolLoopEvent::Finish { turns } => format!("finish {turns}"),
        event => panic!("{event:?}"),
    }
}

#[test]
fn every_step_is_an_event_in_its_order() {
    let sim = Sim::new(1);
    let turn = vec![waits("a", 3), waits("b", 1), waits("c", 1)];
    let (client, _) = asking(&sim, vec![turn]);
    let mut stream = client
        .ask("Hi")
        .toolbox(&tools(&sim, &Log::default()))
        .price(|_| 0.5)
        .approval(|call| async move {
            match call.call_id.as_str() {
                "c2" => Approval::refuse("no"),
                _ => Approval::Approve,
            }
        })
        .stream();
    let (steps, answer) = sim.run(async move {
        let mut steps: Vec<String> = Vec::new();
        while let Some(event) = stream.next().await {
            let step = short(&event.unwrap());
            // Pieces of one kind count once.
            if steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        (steps, stream.into_answer().await.unwrap())
    });
    let expected = [
        "turn 1",
        "start",
        "reasoning",
        "message_extra",
        "tool_call_start",
        "tool_call_arguments",
        "tool_call_start",
        "tool_call_arguments",
        "tool_call_start",
        "tool_call_arguments",
        "usage",
        "finish",
        "asked 0 c0",
        "asked 1 c1",
        "asked 2 c2",
        "approved 0",
        "approved 1",
        "refused 2: no",
        "result 2 true",
        "result 1 false",
        "result 0 false",
        "end 1: 8 of 8, 0.5",
        "turn 2",
        "start",
        "text",
        "usage",
        "finish",
        "end 2: 8 of 16, 1",
        "finish 2",
    ];
    let ignored = ["message_extra", "part_end"];
    let told = |steps: Vec<String>| -> Vec<String> {
        let keep = |step: &String| !ignored.contains(&step.as_str());
        steps.into_iter().filter(keep).collect()
    };
    assert_eq!(told(steps), told(expected.map(str::to_owned).to_vec()));
    assert_eq!((answer.text().as_ref(), answer.cost), ("Done.", Some(1.0)));
}

#[test]
fn a_stream_ends_with_one_error() {
    let sim = Sim::new(1);
    let refuse = |_: usize, _: &crate::jobs::Sent| Reply::ok("{}").status(401);
    let (client, _) = client(&sim, chat(), |b| b, refuse);
    let mut stream = client
        .ask("Hi")
        .toolbox(&tools(&sim, &Log::default()))
        .stream();
    sim.run(async move {
        let start = stream.next().await.unwrap().unwrap();
        assert_eq!(start, ToolLoopEvent::TurnStart { turn: 1 });
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(stream.next().await.is_none());
        let error = stream.into_answer().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Truncated);
    });
}

#[test]
fn an_answer_can_be_taken_without_reading_the_events() {
    let sim = Sim::new(1);
    let (client, _) = asking(&sim, vec![vec![waits("a", 3)]]);
    let stream = client
        .ask("Hi")
        .toolbox(&tools(&sim, &Log::default()))
        .stream();
    let answer = sim.run(stream.into_answer()).unwrap();
    assert_eq!(answer.text(), "Done.");
}

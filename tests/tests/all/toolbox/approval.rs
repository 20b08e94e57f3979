//! The hook that decides about calls before they run.

use std::time::Duration;

use chatcore::Approval;
use chatcore_adapters::sim::Sim;
use serde_json::json;

use super::{Log, asking, results, tools, waits};

#[test]
fn a_call_is_approved_refused_or_changed() {
    let sim = Sim::new(1);
    let log = Log::default();
    let turn = vec![waits("a", 1), waits("b", 1), waits("c", 1)];
    let (client, server) = asking(&sim, vec![turn]);
    let work = client
        .ask("Hi")
        .toolbox(&tools(&sim, &log))
        .approval(|call| async move {
            assert_eq!((call.name.as_str(), call.turn), ("wait", 1));
            match call.arguments["name"].as_str() {
                Some("a") => Approval::Approve,
                Some("b") => Approval::refuse("b is not allowed"),
                _ => Approval::Change(json!({"name": "changed", "seconds": 2})),
            }
        });
    let answer = sim.run(async move { work.await }).unwrap();
    let expected = [
        "a begins at 0",
        "changed begins at 0",
        "a ends at 1",
        "changed ends at 2",
    ];
    assert_eq!(log.all(), expected);
    let told = results(&answer.messages);
    assert_eq!(told[1], ("c1".into(), "b is not allowed".into(), true));
    assert_eq!(told[2].1, "changed is done");
    // The conversation keeps what the model wrote.
    let sent = server.sent()[1].body.to_string();
    assert!(sent.contains(r#"\"name\":\"c\""#), "{sent}");
}

#[test]
fn one_call_is_asked_about_at_a_time_and_approved_calls_run_meanwhile() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = asking(&sim, vec![vec![waits("a", 1), waits("b", 1)]]);
    let (executor, asked) = (sim.executor(), log.clone());
    let work = client
        .ask("Hi")
        .toolbox(&tools(&sim, &log))
        // The time of the hook is not that of the tool.
        .tool_timeout(Duration::from_secs(2))
        .approval(move |call| {
            let (executor, asked) = (executor.clone(), asked.clone());
            async move {
                asked.add(format!("asked about {}", call.call_id));
                executor.sleep(Duration::from_secs(5)).await;
                Approval::Approve
            }
        });
    sim.run(async move { work.await }).unwrap();
    let expected = [
        "asked about c0",
        "asked about c1",
        "a begins at 5",
        "a ends at 6",
        "b begins at 10",
        "b ends at 11",
    ];
    assert_eq!(log.all(), expected);
}

#[test]
fn a_hook_that_panics_refuses_the_call() {
    let sim = Sim::new(1);
    let log = Log::default();
    let (client, _) = asking(&sim, vec![vec![waits("a", 1)]]);
    let work = client
        .ask("Hi")
        .toolbox(&tools(&sim, &log))
        .approval(|_| async { std::panic::resume_unwind(Box::new("on purpose")) });
    let answer = sim.run(async move { work.await }).unwrap();
    assert!(log.all().is_empty());
    let told = results(&answer.messages);
    assert_eq!(told[0].1, "the approval of the call failed");
}

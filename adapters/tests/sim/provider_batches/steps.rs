//! Runs in which nothing fails: splitting, resuming, stopping, cancelling, caps.

use std::sync::Arc;
use std::time::Duration;

use chatcore::provider_batch::{BatchEvent, RunEnd};
use chatcore::{Executor, LlmClient};
use chatcore_adapters::sim::Sim;

use super::{PROVIDERS, World, events};

#[test]
fn a_run_is_split_into_batches_and_complete() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..2, |sim| async move {
            let world = World::new(&sim, provider, 10);
            world.api.set_shuffled(sim.seed() == 1);
            let (events, end) = world.run().await;
            assert_eq!((end, world.api.created()), (RunEnd::Complete, 4));
            world.assert_all_once(10);
            let finished = events
                .iter()
                .filter(|event| matches!(event, BatchEvent::Finished(_)));
            assert_eq!(finished.count(), 10, "{provider}");
            // Nothing is left, so nothing is sent.
            let requests = world.api.requests();
            assert!(world.run().await.0.is_empty());
            assert_eq!(world.api.requests(), requests);
        });
    }
}

#[test]
fn the_answer_of_a_batch_is_that_of_a_chat() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 1);
            let (events, _) = world.run().await;
            let outcome = events.into_iter().find_map(|event| match event {
                BatchEvent::Finished(finished) => Some(finished.outcome),
                _ => None,
            });
            let answer = outcome.unwrap().result.unwrap();
            assert_eq!(answer.text(), "echo: p0");
            assert_eq!(answer.attempts, 1);
            assert_eq!(answer.usage.unwrap().input_tokens, 1);
            let has_id = answer.request_id.as_deref() == Some("req_sim");
            assert_eq!(has_id, provider == "openai");
        });
    }
}

#[test]
fn requests_to_two_endpoints_or_models_are_in_two_batches() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 0);
        let mut input = String::new();
        for (n, more) in [
            "\"model\":\"gpt-6-luna\"",
            "\"model\":\"gpt-6-nova\"",
            // Only Responses have `instructions`.
            "\"model\":\"gpt-6-luna\",\"instructions\":\"be brief\"",
            "\"model\":\"gpt-6-luna\"",
        ]
        .iter()
        .enumerate()
        {
            input += &format!("{{\"custom_id\":\"n{n}\",\"prompt\":\"p{n}\",{more}}}\n");
        }
        world.disk.put("in.jsonl", input);
        let (_, end) = world.run().await;
        assert_eq!((end, world.api.created()), (RunEnd::Complete, 3));
        world.assert_all_once(4);
    });
}

#[test]
fn a_run_that_is_stopped_goes_on_with_its_batches() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 10);
            let executor: Arc<dyn Executor> = sim.clone();
            let mut run = world.open(Arc::clone(&executor)).await.unwrap();
            while world.api.created() < 2 {
                run.next().await.unwrap().unwrap();
            }
            run.stop();
            events(&mut run).await.unwrap();
            assert_eq!((run.end(), run.waiting()), (RunEnd::Stopped, 2));
            drop(run);
            world.disk.kill();
            assert_eq!(world.api.created(), 2);
            let (_, end) = world.run().await;
            assert_eq!((end, world.api.created()), (RunEnd::Complete, 4));
            world.assert_all_once(10);
        });
    }
}

#[test]
fn a_run_that_is_cancelled_keeps_what_is_done() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 10);
            world.api.set_polls(1_000);
            let executor: Arc<dyn Executor> = sim.clone();
            let mut run = world.open(executor).await.unwrap();
            while world.api.created() < 2 {
                run.next().await.unwrap().unwrap();
            }
            run.cancel();
            events(&mut run).await.unwrap();
            assert_eq!((run.end(), run.waiting()), (RunEnd::Cancelled, 0));
            assert_eq!((world.api.created(), world.api.running()), (2, 0));
            // Of three, one ran.
            assert_eq!((world.answers().len(), world.errors().len()), (2, 0));
            drop(run);
            world.disk.kill();
            world.api.set_polls(1);
            let (_, end) = world.run().await;
            assert_eq!(end, RunEnd::Complete);
            assert_eq!(world.answers().len(), 10);
        });
    }
}

#[test]
fn a_cap_counts_what_is_at_the_provider() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 10);
        let executor: Arc<dyn Executor> = sim.clone();
        // An answer counts 256 tokens before it has come, and two then.
        let run = world.open(executor).await.unwrap();
        let mut run = run.cap(|_, output| output > 600);
        events(&mut run).await.unwrap();
        assert_eq!(run.end(), RunEnd::Complete);
        assert_eq!(world.api.created(), 5, "two in each");
        drop(run);
        world.disk.kill();
        world.assert_all_once(10);

        let world = World::new(&sim, "openai", 10);
        let executor: Arc<dyn Executor> = sim.clone();
        let run = world.open(executor).await.unwrap();
        let mut run = run.cap(|_, output| output > 260);
        events(&mut run).await.unwrap();
        assert_eq!(run.end(), RunEnd::Capped);
        let done = world.answers().len();
        assert!((1..=3).contains(&done), "{done}");
    });
}

#[test]
fn polls_come_at_longer_and_longer_intervals() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "anthropic", 1);
        world.api.set_polls(100);
        let began = sim.now();
        world.run().await;
        let took = sim.now() - began;
        // 5 s, 7.5 s, 11.25 s, …, and 60 s from the eighth on.
        let range = Duration::from_secs(92 * 60)..Duration::from_secs(99 * 60);
        assert!(range.contains(&took), "{took:?}");
    });
}

#[test]
fn a_dialect_without_batches_says_so() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 1);
        let transport = chatcore_adapters::sim::BatchTransport::new(
            &sim,
            Arc::clone(&world.api),
            chatcore_adapters::sim::Latency::ZERO,
            0.0,
        );
        let client = LlmClient::builder(sim.clone(), Arc::new(transport))
            .provider(chatcore::Provider::ollama("tiny"))
            .build()
            .unwrap();
        let error = client.provider_batches().unwrap_err();
        assert!(error.message().contains("no Batch API"), "{error}");
    });
}

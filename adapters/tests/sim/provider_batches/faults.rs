//! Faults of the provider and of the network.

use std::sync::Arc;

use chatcore::ErrorKind;
use chatcore::Executor;
use chatcore::provider_batch::{BatchEvent, RunEnd};
use chatcore_adapters::sim::{BatchFault, ItemFate, Sim};

use super::{PROVIDERS, World, events};

#[test]
fn lines_that_fail_expire_or_are_missing_go_back_up_to_the_attempts() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 9);
            world.api.set_fate(|prompt, before| match (prompt, before) {
                ("p0", 0) | ("p1", 0 | 1) => ItemFate::Expire,
                ("p2", 0) => ItemFate::Missing,
                ("p3", 0) => ItemFate::Status(500),
                ("p4", _) => ItemFate::Status(400),
                ("p5", _) => ItemFate::Status(429),
                ("p6", _) => ItemFate::Expire,
                ("p7", _) => ItemFate::AnswerTwice,
                ("p8", 0) => ItemFate::Garbage,
                _ => ItemFate::Answer,
            });
            let (_, end) = world.run().await;
            assert_eq!(end, RunEnd::Complete, "{provider}");
            let answers = world.answers();
            let answered: Vec<_> = answers.keys().map(String::as_str).collect();
            // Inline results are one JSON value, so the sim cannot put garbage in between.
            assert_eq!(answered, ["n0", "n1", "n2", "n3", "n7", "n8"], "{provider}");
            let errors = world.errors();
            let failed: Vec<_> = errors.keys().map(String::as_str).collect();
            assert_eq!(failed, ["n4", "n5", "n6"], "{provider}");
            assert_eq!(errors["n6"], "batch_expired");
            let sent = world.api.sent();
            let times = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"];
            let times = times.map(|prompt| sent[prompt]);
            assert_eq!(times, [2, 3, 2, 2, 1, 3, 3, 1, 2], "{provider}");
            assert!(world.disk.get("out.jsonl.batches").is_empty());
        });
    }
}

#[test]
fn a_creation_that_failed_after_it_was_done_is_not_repeated() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 10);
            let lost = [BatchFault::CreatedThen500, BatchFault::CreatedThen500];
            world.api.add_faults(lost);
            let (events, end) = world.run().await;
            assert_eq!((end, world.api.created()), (RunEnd::Complete, 4));
            world.assert_all_once(10);
            let found = events
                .iter()
                .filter(|event| matches!(event, BatchEvent::Found { .. }));
            assert_eq!(found.count(), 2, "{provider}");
        });
    }
}

#[test]
fn a_cancelled_run_names_the_batches_that_may_be_its_own() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "anthropic", 3);
        world.api.set_polls(1_000);
        world.api.add_faults([BatchFault::CreatedThen500]);
        let executor: Arc<dyn Executor> = sim.clone();
        let mut run = world.open(executor).await.unwrap();
        loop {
            if let BatchEvent::Found { .. } = run.next().await.unwrap().unwrap() {
                break;
            }
        }
        run.cancel();
        let events = events(&mut run).await.unwrap();
        assert_eq!((run.end(), run.waiting()), (RunEnd::Cancelled, 1));
        let last = events.last().unwrap();
        let named =
            matches!(last, BatchEvent::NotCancelled { id, items: 3 } if id == "msgbatch_000001");
        assert!(named, "{last:?}");
    });
}

#[test]
fn a_creation_that_was_refused_is_repeated() {
    for provider in PROVIDERS {
        for (status, is_refused) in [(429, false), (500, false), (400, true), (401, true)] {
            Sim::run_seeds(0..1, |sim| async move {
                let world = World::new(&sim, provider, 10);
                let refused = std::iter::repeat_n(BatchFault::Refused(status), 4);
                world.api.add_faults(refused);
                let executor: Arc<dyn Executor> = sim.clone();
                let mut run = world.open(executor).await.unwrap();
                let ended = events(&mut run).await;
                assert_eq!(ended.is_err(), is_refused, "{provider} {status}");
                drop(run);
                world.disk.kill();
                assert!(world.disk.get("out.jsonl.batches").is_empty());
                if is_refused {
                    assert_eq!((world.api.created(), world.answers().len()), (0, 0));
                    return;
                }
                world.assert_all_once(10);
            });
        }
    }
}

#[test]
fn batches_that_expire_fail_or_are_in_unknown_states() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 10);
            world.api.add_faults([
                BatchFault::Expired,
                BatchFault::UnknownState,
                BatchFault::Failed {
                    code: "token_limit_exceeded".into(),
                    line: None,
                },
            ]);
            let (_, end) = world.run().await;
            assert_eq!(end, RunEnd::Complete);
            let answers = world.answers();
            // Only OpenAI's API and Google's refuse a batch that they have taken. Google's error
            // is about all items.
            let lost = match provider {
                "gemini" => 3,
                // Without results and without an error, the items are sent again.
                _ => 0,
            };
            assert_eq!(answers.len() + lost, 10, "{provider}");
        });
    }
}

#[test]
fn a_line_that_refuses_its_batch_is_an_error_and_the_others_go_back() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 3);
        world.api.add_faults([BatchFault::Failed {
            code: "invalid_request".into(),
            line: Some(2),
        }]);
        let (_, end) = world.run().await;
        assert_eq!(end, RunEnd::Complete);
        let answers: Vec<_> = world.answers().into_keys().collect();
        assert_eq!(answers, ["n0", "n2"]);
        assert_eq!(world.errors()["n1"], "invalid_request");
    });
}

#[test]
fn an_account_without_room_gets_smaller_batches() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "openai", 3);
        let full = BatchFault::Failed {
            code: "token_limit_exceeded".into(),
            line: None,
        };
        world.api.add_faults([full]);
        let (_, end) = world.run().await;
        assert_eq!((end, world.api.created()), (RunEnd::Complete, 4));
        assert_eq!(world.answers().len(), 3);
    });
}

#[test]
fn results_at_another_origin_are_not_fetched() {
    Sim::run_seeds(0..1, |sim| async move {
        let world = World::new(&sim, "anthropic", 3);
        world.api.add_faults([BatchFault::ResultsElsewhere]);
        let executor: Arc<dyn Executor> = sim.clone();
        let mut run = world.open(executor).await.unwrap();
        let error = events(&mut run).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.message().contains("another origin"), "{error}");
        // The batch is not forgotten.
        assert!(!world.disk.get("out.jsonl.batches").is_empty());
    });
}

#[test]
fn a_huge_line_is_skipped_and_its_item_sent_again() {
    for provider in ["openai", "anthropic"] {
        Sim::run_seeds(0..1, |sim| async move {
            let world = World::new(&sim, provider, 3);
            world.api.set_fate(|prompt, before| match (prompt, before) {
                ("p1", 0) => ItemFate::Huge(17 << 20),
                _ => ItemFate::Answer,
            });
            world.run().await;
            assert_eq!(world.answers().len(), 3, "{provider}");
            assert_eq!(world.api.sent()["p1"], 2);
        });
    }
}

#[test]
fn a_network_that_loses_a_third_of_its_connections_costs_nothing_twice() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..60, |sim| async move {
            let mut world = World::new(&sim, provider, 10);
            world.lost = 0.3;
            let (_, end) = world.run().await;
            assert_eq!(end, RunEnd::Complete);
            world.assert_all_once(10);
        });
    }
}

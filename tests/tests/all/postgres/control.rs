//! Control from outside: pause, resume, cancel, errors that run again, removal, caps and limits.

use std::time::Duration;

use chatcore::journal::{Claim, Recorded, Renewal};
use chatcore::{Error, ErrorKind, Journal, LimitAmount, LimitBlock, SharedLimits};
use chatcore_adapters::journal::postgres::{
    Identity, PostgresJournal, RunLimits, RunState, Submission,
};

use super::{Setup, answer, outcome, prompts};

async fn open(setup: &Setup) -> PostgresJournal {
    let journal = PostgresJournal::builder(setup.database.clone(), &setup.run, Identity::new());
    journal.open().await.unwrap()
}

#[test]
fn a_run_is_paused_resumed_and_cancelled() {
    Setup::run(async |setup| {
        let (database, run) = (&setup.database, &setup.run);
        setup.submit(&prompts(40)).await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        database.pause(run).await.unwrap();
        database.pause(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Later(_)));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let first = outcome(&items[0], answer());
        assert_eq!(
            journal.record(&lease, &first).await.unwrap(),
            Recorded::First
        );
        database.resume(run).await.unwrap();
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Held);
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Items(..)));
        database.cancel(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let error = database.pause(run).await.unwrap_err();
        assert_eq!(error.code(), Some("run_state"));
        assert_eq!(
            database.status(run).await.unwrap().state,
            RunState::Cancelled
        );
        database.resume(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Items(..)));
    });
}

#[test]
fn errors_run_again_if_asked() {
    Setup::run(async |setup| {
        setup.submit(&prompts(20)).await;
        let journal = open(setup).await;
        let failed = || Err(Error::new(ErrorKind::Server, "no"));
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                let result = if item.place % 2 == 0 {
                    failed()
                } else {
                    answer()
                };
                journal
                    .record(&lease, &outcome(&item, result))
                    .await
                    .unwrap();
            }
        }
        let counts = journal.progress().await.unwrap();
        assert_eq!((counts.done, counts.failed), (10, 10));
        assert_eq!(setup.database.retry_errors(&setup.run).await.unwrap(), 10);
        assert_eq!(setup.database.retry_errors(&setup.run).await.unwrap(), 0);
        let counts = journal.progress().await.unwrap();
        assert_eq!(
            (counts.done, counts.failed, counts.output_tokens),
            (10, 0, 20)
        );
        let mut again = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items {
                again.push(item.place);
                journal
                    .record(&lease, &outcome(&item, answer()))
                    .await
                    .unwrap();
            }
        }
        assert_eq!(again, (2..=20).step_by(2).collect::<Vec<_>>());
        let counts = journal.progress().await.unwrap();
        assert_eq!(
            (counts.done, counts.failed, counts.output_tokens),
            (20, 0, 40)
        );
    });
}

#[test]
fn a_run_that_is_removed_ends_and_its_name_is_free() {
    Setup::run(async |setup| {
        let (database, run) = (&setup.database, &setup.run);
        setup.submit(&prompts(20)).await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        let again = database.submit(run, &b"x"[..], Submission::default()).await;
        assert_eq!(again.unwrap_err().code(), Some("run_exists"));
        database.remove(run).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        let late = outcome(&items[0], answer());
        assert_eq!(
            journal.record(&lease, &late).await.unwrap(),
            Recorded::Already
        );
        for gone in [database.remove(run).await, database.pause(run).await] {
            assert_eq!(gone.unwrap_err().code(), Some("unknown_run"));
        }
        setup.submit(&prompts(3)).await;
        assert_eq!(database.status(run).await.unwrap().counts.total, Some(3));
    });
}

#[test]
fn results_come_in_order_and_as_they_come() {
    Setup::run(async |setup| {
        setup.submit(&prompts(60)).await;
        let journal = open(setup).await;
        let mut follow = setup.database.follow(&setup.run).await.unwrap();
        let mut followed = Vec::new();
        while let Claim::Items(lease, items) = journal.claim(1).await.unwrap() {
            for item in items.iter().rev() {
                journal
                    .record(&lease, &outcome(item, answer()))
                    .await
                    .unwrap();
                if item.place % 5 == 0 {
                    loop {
                        let new = follow.next().await.unwrap();
                        if new.is_empty() {
                            break;
                        }
                        followed.extend(new.iter().map(|line| line.place));
                    }
                }
            }
        }
        while let new @ [_, ..] = follow.next().await.unwrap().as_slice() {
            followed.extend(new.iter().map(|line| line.place));
        }
        assert_ne!(
            followed,
            (1..=60).collect::<Vec<_>>(),
            "they came in another order"
        );
        followed.sort_unstable();
        assert_eq!(followed, (1..=60).collect::<Vec<_>>());
        let mut results = setup.database.results(&setup.run).await.unwrap();
        for place in 1..=60 {
            let line = results.next().await.unwrap().unwrap();
            assert_eq!((line.place, line.is_answer), (place, true));
            let json: serde_json::Value = serde_json::from_slice(&line.line).unwrap();
            assert_eq!(json["custom_id"], format!("n{}", place - 1));
        }
        assert!(results.next().await.unwrap().is_none());
    });
}

#[test]
fn a_run_at_its_cap_hands_out_nothing_more() {
    Setup::run(async |setup| {
        let mut limits = RunLimits::default();
        limits.max_cost = Some(10.0);
        limits.input_price = 1e6;
        limits.output_price = 1e6;
        setup
            .submit_as(&prompts(40), Submission::default().limits(limits))
            .await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        // Each answer has five tokens, so it costs five dollars.
        journal
            .record(&lease, &outcome(&items[0], answer()))
            .await
            .unwrap();
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Held);
        journal
            .record(&lease, &outcome(&items[1], answer()))
            .await
            .unwrap();
        assert_eq!(journal.renew(&lease).await.unwrap(), Renewal::Lost);
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        let status = setup.database.status(&setup.run).await.unwrap();
        assert_eq!(status.cost(), Some(10.0));
        assert!(status.is_over_its_cost() && !status.is_complete());
    });
}

#[test]
fn limits_are_drawn_by_all_workers() {
    Setup::run(async |setup| {
        let mut limits = RunLimits::default();
        limits.requests_per_minute = Some(60);
        limits.tokens_per_minute = Some(61_500);
        setup
            .submit_as(&prompts(3), Submission::default().limits(limits))
            .await;
        let (one, other) = (
            setup
                .database
                .shared_limits(&setup.run)
                .await
                .unwrap()
                .unwrap(),
            setup
                .database
                .shared_limits(&setup.run)
                .await
                .unwrap()
                .unwrap(),
        );
        let need = LimitAmount {
            requests: 1,
            tokens: 100,
        };
        let want = LimitAmount {
            requests: 50,
            tokens: 400,
        };
        // One request is there at the beginning, and one comes each second.
        let LimitBlock::Granted(granted, _) = one.draw(need, want).await else {
            unreachable!();
        };
        assert_eq!(
            granted,
            LimitAmount {
                requests: 1,
                tokens: 400
            }
        );
        let mut drawn = 0;
        let began = setup.executor.now();
        while setup.executor.now() - began < Duration::from_secs(3) {
            for limits in [&one, &other] {
                match limits.draw(need, need).await {
                    LimitBlock::Granted(granted, _) => drawn += granted.requests,
                    LimitBlock::Later(wait) => {
                        assert!(wait <= Duration::from_millis(1_100), "{wait:?}");
                        setup.executor.sleep(Duration::from_millis(20)).await;
                    }
                }
            }
        }
        let passed = (setup.executor.now() - began).as_secs_f64();
        assert!(drawn as f64 <= passed + 1.0, "{drawn} in {passed} s");
        // A run without limits has none to share.
        let other = format!("{} without", setup.run);
        let submitted = setup
            .database
            .submit(&other, &b"x"[..], Submission::default());
        submitted.await.unwrap();
        assert!(
            setup
                .database
                .shared_limits(&other)
                .await
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn another_model_is_refused_unless_forced() {
    Setup::run(async |setup| {
        setup.submit(&prompts(3)).await;
        let builder = |model: &str| {
            let identity = Identity::new().with("model", model);
            PostgresJournal::builder(setup.database.clone(), &setup.run, identity)
        };
        builder("a").open().await.unwrap();
        let error = builder("b").open().await.unwrap_err();
        assert_eq!(error.code(), Some("another_run"));
        assert!(
            error.message().contains("model was a and is now b"),
            "{error}"
        );
        builder("b").force(true).open().await.unwrap();
        builder("b").open().await.unwrap();
        let unknown = PostgresJournal::builder(setup.database.clone(), "none", Identity::new());
        assert_eq!(
            unknown.open().await.unwrap_err().code(),
            Some("unknown_run")
        );
    });
}

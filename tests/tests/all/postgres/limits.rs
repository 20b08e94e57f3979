//! Limits of the whole run: its cap, and requests and tokens per minute.

use std::time::Duration;

use chatcore::journal::{Claim, Renewal};
use chatcore::{Journal, LimitAmount, LimitBlock, SharedLimits};
use chatcore_adapters::journal::postgres::{DatabaseEvent, RunLimits, Submission};

use super::{Setup, answer, open, outcome, prompts};

/// Each answer has five tokens, so it costs five dollars.
fn cap(dollars: f64) -> RunLimits {
    let mut limits = RunLimits::default();
    limits.max_cost = Some(dollars);
    limits.input_price = 1e6;
    limits.output_price = 1e6;
    limits
}

#[test]
fn limits_that_cannot_be_kept_are_refused() {
    Setup::run(async |setup| {
        let mut without_prices = RunLimits::default();
        without_prices.max_cost = Some(1.0);
        let mut no_price = cap(1.0);
        no_price.input_price = f64::NAN;
        for limits in [without_prices, cap(f64::NAN), cap(-1.0), no_price] {
            let submission = Submission::default().limits(limits);
            let submitted = setup.database.submit(&setup.run, &b"x"[..], submission);
            let error = submitted.await.unwrap_err();
            assert_eq!(error.code(), Some("run_limits"), "{limits:?}");
        }
        setup.submit(&prompts(1)).await;
        let set = setup.database.set_limits(&setup.run, without_prices).await;
        assert_eq!(set.unwrap_err().code(), Some("run_limits"));
    });
}

#[test]
fn a_run_at_its_cap_goes_on_when_the_cap_is_raised() {
    Setup::run(async |setup| {
        setup
            .submit_as(&prompts(40), Submission::default().limits(cap(5.0)))
            .await;
        let journal = open(setup).await;
        let Claim::Items(lease, items) = journal.claim(1).await.unwrap() else {
            unreachable!();
        };
        let first = outcome(&items[0], answer());
        journal.record(&lease, &first).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::End));
        let mut more = cap(20.0);
        more.requests_per_minute = Some(600);
        setup.database.set_limits(&setup.run, more).await.unwrap();
        assert!(matches!(journal.claim(1).await.unwrap(), Claim::Items(..)));
        let status = setup.database.status(&setup.run).await.unwrap();
        assert_eq!(status.limits, more);
        let shared = setup.database.shared_limits(&setup.run).await.unwrap();
        assert!(shared.is_some());
        let set = setup.database.set_limits(&setup.run, cap(20.0)).await;
        set.unwrap();
        let shared = setup.database.shared_limits(&setup.run).await.unwrap();
        assert!(shared.is_none());
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
fn draws_that_fail_grant_nothing_and_tell_why() {
    Setup::run(async |setup| {
        let (tell, told) = std::sync::mpsc::channel();
        let database = setup.database.clone().with_schema("draws").unwrap();
        let database = database.watch(move |event| tell.send(event).unwrap());
        let code = || match told.try_recv() {
            Ok(DatabaseEvent::LimitsFailed(error)) => error.code().map(str::to_owned),
            Ok(DatabaseEvent::LimitsRegained) => Some("regained".to_owned()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        let mut limits = RunLimits::default();
        limits.requests_per_minute = Some(6_000);
        let submission = Submission::default().limits(limits);
        let submitted = database.submit(&setup.run, &b"x"[..], submission);
        submitted.await.unwrap();
        let shared = database.shared_limits(&setup.run).await.unwrap().unwrap();
        let need = LimitAmount {
            requests: 1,
            tokens: 1,
        };
        let rename = |from: &str, to: &str| {
            let rename = format!("ALTER TABLE draws.{from} RENAME TO {to}");
            setup.server.psql(&rename);
        };
        rename("bucket", "hidden");
        let block = shared.draw(need, need).await;
        assert!(matches!(block, LimitBlock::Later(_)), "{block:?}");
        assert_eq!(code().as_deref(), Some("postgres"));
        // Told once.
        shared.draw(need, need).await;
        assert_eq!(code(), None);
        rename("hidden", "bucket");
        let block = shared.draw(need, need).await;
        assert!(matches!(block, LimitBlock::Granted(..)), "{block:?}");
        assert_eq!(code().as_deref(), Some("regained"));
        shared.draw(need, need).await;
        assert_eq!(code(), None);
        database.remove(&setup.run).await.unwrap();
        let block = shared.draw(need, need).await;
        assert!(matches!(block, LimitBlock::Later(_)), "{block:?}");
        assert_eq!(code().as_deref(), Some("unknown_run"));
    });
}

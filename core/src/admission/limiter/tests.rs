//! The limits as a provider sees them: it refuses nothing, whatever happens, and no task starves.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::FuturesUnordered;
use proptest::prelude::*;

use super::*;
use crate::admission::limiter::Limiter;
use crate::admission::queue::WhenFull;
use crate::executor::BoxFuture;
use crate::policy::rate::RateLimits;
use crate::testing::Clockwork;

const MINUTE: u64 = 60_000;

/// How a provider counts a limit per minute. The three ways differ in where a minute begins.
#[derive(Clone, Copy, Debug)]
enum Counting {
    /// In fixed minutes that begin at this offset.
    Fixed(u64),
    /// In the last 60 seconds.
    Sliding,
    /// By a token bucket as large as the limit, which refills in 60 seconds.
    Bucket,
}

/// How many of `arrivals` (milliseconds and amounts, in any order) the provider refuses.
fn refused(counting: Counting, limit: u64, arrivals: &[(u64, u64)]) -> usize {
    let mut arrivals = arrivals.to_vec();
    arrivals.sort_unstable();
    let mut taken: Vec<(u64, u64)> = Vec::new();
    let mut level = i128::from(limit * MINUTE);
    let mut before = 0;
    let mut refusals = 0;
    let mut oldest = 0;
    for (at, amount) in arrivals {
        let fits = match counting {
            Counting::Fixed(offset) => {
                let minute = |at: u64| (at + offset) / MINUTE;
                let used = taken
                    .iter()
                    .rev()
                    .take_while(|(t, _)| minute(*t) == minute(at));
                used.map(|(_, amount)| amount).sum::<u64>() + amount <= limit
            }
            Counting::Sliding => {
                while taken.get(oldest).is_some_and(|(t, _)| t + MINUTE <= at) {
                    oldest += 1;
                }
                let used = taken[oldest..]
                    .iter()
                    .map(|(_, amount)| amount)
                    .sum::<u64>();
                used + amount <= limit
            }
            Counting::Bucket => {
                let full = i128::from(limit * MINUTE);
                level = (level + i128::from((at - before) * limit)).min(full);
                before = at;
                let price = i128::from(amount * MINUTE);
                let fits = price <= level;
                level -= if fits { price } else { 0 };
                fits
            }
        };
        match fits {
            true => taken.push((at, amount)),
            false => refusals += 1,
        }
    }
    refusals
}

fn kept_everywhere(limit: u64, arrivals: &[(u64, u64)]) {
    let fixed = [0, 1, 17_000, 30_000, 59_999].map(Counting::Fixed);
    for counting in fixed
        .into_iter()
        .chain([Counting::Sliding, Counting::Bucket])
    {
        assert_eq!(refused(counting, limit, arrivals), 0, "{counting:?}");
    }
}

/// What happens to one request.
#[derive(Clone, Debug)]
struct Fate {
    /// When the request comes, in milliseconds.
    comes: u64,
    tokens: u64,
    /// How long the request waits for the limit before it gives up; `None`: for ever.
    patience: Option<u64>,
    /// How long the request waits for a permit.
    permit: u64,
    /// Whether the request is dropped and never sent.
    dropped: bool,
    /// How long the answer takes, and how much of the estimate it uses, in percent.
    answer: Option<(u64, u64)>,
}

fn fate(limit: u64) -> impl Strategy<Value = Fate> {
    (
        0..180_000_u64,
        0..=limit,
        proptest::option::weighted(0.2, 0..90_000_u64),
        prop_oneof![Just(0), 0..20_000_u64],
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.8, (0..30_000_u64, 0..=100_u64)),
    )
        .prop_map(|(comes, tokens, patience, permit, dropped, answer)| Fate {
            comes,
            tokens,
            patience,
            permit,
            dropped,
            answer,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any interleaving of arrivals, patience, permits, answers and drops.
    #[test]
    fn no_refusal_no_starvation_no_loss(
        fates in proptest::collection::vec(fate(1_000), 1..60),
        requests in 1..30_u32,
        bursts in (proptest::option::of(1..30_u32), proptest::option::of(1_000..2_000_u64)),
    ) {
        let (clock, executor) = Clockwork::new();
        let mut limits = RateLimits::default().requests_per_minute(requests).tokens_per_minute(1_000);
        limits.request_burst = bursts.0;
        limits.token_burst = bursts.1;
        let limiter = Limiter::new(Arc::clone(&executor), Rate::per_minute(&limits), usize::MAX);
        let millis = || executor.now().since_epoch().as_millis() as u64;
        let sleep = |ms| executor.sleep(Duration::from_millis(ms));
        let sent = RefCell::new(Vec::new());
        let joined = RefCell::new(Vec::new());
        let served = RefCell::new(Vec::new());

        let one = async |place: usize, fate: &Fate| {
            sleep(fate.comes).await;
            joined.borrow_mut().push(place);
            let acquire = limiter.acquire(fate.tokens, WhenFull::Wait);
            // A request without patience has no timer that could hide a lost wake-up.
            let reservation = match fate.patience {
                None => acquire.await,
                Some(patience) => match select(acquire, sleep(patience)).await {
                    Either::Left((reservation, _)) => reservation,
                    Either::Right(_) => return,
                },
            };
            let mut reservation = reservation.unwrap();
            served.borrow_mut().push(place);
            sleep(fate.permit).await;
            if fate.dropped {
                return;
            }
            reservation.sent();
            let at = millis();
            let Some((latency, percent)) = fate.answer else {
                sent.borrow_mut().push((at, fate.tokens));
                return;
            };
            let actual = fate.tokens * percent / 100;
            sent.borrow_mut().push((at, actual));
            sleep(latency).await;
            reservation.settle(actual, actual);
        };
        // The clock panics on a deadlock, so this proves that every request ends. Each has a waker
        // of its own, so that a lost wake-up is not hidden by another task's.
        let all: FuturesUnordered<_> =
            fates.iter().enumerate().map(|(place, fate)| one(place, fate)).collect();
        clock.run(all.collect::<Vec<_>>());

        let arrivals = sent.into_inner();
        kept_everywhere(1_000, &arrivals);
        let requests_only: Vec<_> = arrivals.iter().map(|(at, _)| (*at, 1)).collect();
        kept_everywhere(requests.into(), &requests_only);
        // The requests that were served keep the order in which they came.
        let served = served.into_inner();
        let mut order = joined.into_inner();
        order.retain(|place| served.contains(place));
        prop_assert_eq!(&served, &order);
        // All of the limit is available again once the last request has expired.
        prop_assert_eq!(limiter.waiting(), 0);
        clock.run(sleep(61_000));
        prop_assert_eq!(limiter.balance(), [Some(requests.into()), Some(1_000)]);
    }
}

/// A number from 0 to `below`, from a seed.
fn draw(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

/// Sends `count` requests as fast as the limits allow. They arrive up to half a second late.
/// Returns when each arrived, and how many tokens it used.
fn backlog(limits: &RateLimits, count: usize, tokens: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
    let (clock, executor) = Clockwork::new();
    let limiter = Limiter::new(Arc::clone(&executor), Rate::per_minute(limits), usize::MAX);
    let mut seed = 7;
    let requests: Vec<_> = (0..count)
        .map(|_| (tokens(draw(&mut seed, 1 << 20)), draw(&mut seed, 500)))
        .collect();
    clock.run(join_all(requests.iter().map(|&(tokens, late)| {
        let (limiter, executor) = (&limiter, &executor);
        async move {
            let mut reservation = limiter.acquire(tokens, WhenFull::Wait).await.unwrap();
            reservation.sent();
            let at = executor.now().since_epoch().as_millis() as u64;
            executor.sleep(Duration::from_millis(late + 1_000)).await;
            reservation.settle(tokens, tokens);
            (at + late, tokens)
        }
    })))
}

/// The share of the limit that was used in the whole minutes of a run, in percent.
fn used(limit: u64, arrivals: &[(u64, u64)]) -> f64 {
    let end = arrivals.iter().map(|(at, _)| *at).max().unwrap();
    let minutes = end / MINUTE;
    assert!(minutes >= 5, "too short a run");
    let amount: u64 = arrivals
        .iter()
        .filter(|(at, _)| *at < minutes * MINUTE)
        .map(|(_, amount)| amount)
        .sum();
    100.0 * amount as f64 / (limit * minutes) as f64
}

#[test]
fn nearly_all_of_the_requests_and_none_refused() {
    for (limit, burst) in [
        (7, None),
        (60, None),
        (60, Some(1)),
        (500, None),
        (500, Some(10)),
    ] {
        let mut limits = RateLimits::default().requests_per_minute(limit);
        limits.request_burst = burst;
        let arrivals = backlog(&limits, limit as usize * 11, |_| 0);
        let arrivals: Vec<_> = arrivals.iter().map(|(at, _)| (*at, 1)).collect();
        kept_everywhere(limit.into(), &arrivals);
        let used = used(limit.into(), &arrivals);
        println!("{limit} requests per minute, burst {burst:?}: {used:.2} % used");
        assert!(used >= 98.0, "{limit}, {burst:?}: {used}");
    }
}

#[test]
fn nearly_all_of_the_tokens_and_none_refused() {
    for burst in [None, Some(10_000)] {
        let mut limits = RateLimits::default().tokens_per_minute(200_000);
        limits.token_burst = burst;
        let arrivals = backlog(&limits, 1_200, |drawn| 100 + drawn % 3_000);
        kept_everywhere(200_000, &arrivals);
        let used = used(200_000, &arrivals);
        println!("200,000 tokens per minute, burst {burst:?}: {used:.2} % used");
        assert!(used >= 98.0, "{burst:?}: {used}");
    }
}

#[test]
fn the_provider_of_the_tests_does_refuse() {
    // Two bursts within a minute: each way of counting notices.
    let arrivals = [(0, 10), (59_900, 10)];
    for counting in [Counting::Fixed(0), Counting::Sliding, Counting::Bucket] {
        let seen = refused(counting, 10, &arrivals);
        assert_eq!(seen, 1, "{counting:?}");
    }
}

#[test]
fn too_large_is_an_error_at_once() {
    let (clock, executor) = Clockwork::new();
    let limits = RateLimits::default().tokens_per_minute(100);
    let limiter = Limiter::new(executor, Rate::per_minute(&limits), 0);
    let first = clock.run(limiter.acquire(100, WhenFull::Fail)).unwrap();
    let error = clock.run(limiter.acquire(101, WhenFull::Fail)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("101 tokens"), "{error}");
    // A full queue refuses.
    let error = clock.run(limiter.acquire(1, WhenFull::Fail)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QueueFull);
    drop(first);
    assert!(clock.run(limiter.acquire(1, WhenFull::Fail)).is_ok());
}

#[test]
fn one_who_gives_up_at_the_head_wakes_the_next() {
    let (clock, executor) = Clockwork::new();
    let limits = RateLimits::default().requests_per_minute(1);
    let limiter = Limiter::new(Arc::clone(&executor), Rate::per_minute(&limits), usize::MAX);
    limiter.try_acquire(0).unwrap().sent();
    let (limiter, executor) = (&limiter, &executor);
    // Only the first task has a timer, and drops it. Nothing else happens after that.
    let first = async move {
        let acquire = limiter.acquire(0, WhenFull::Wait);
        select(acquire, executor.sleep(Duration::from_secs(1))).await;
    };
    let second = async move { limiter.acquire(0, WhenFull::Wait).await.unwrap().sent() };
    let both: FuturesUnordered<BoxFuture<'_, ()>> = FuturesUnordered::new();
    both.push(Box::pin(first));
    both.push(Box::pin(second));
    clock.run(both.collect::<Vec<_>>());
    assert_eq!(clock.seconds(), 60.6);
}

#[test]
fn closing_lets_nobody_wait() {
    let (clock, executor) = Clockwork::new();
    let limits = RateLimits::default().requests_per_minute(1);
    let limiter = Limiter::new(Arc::clone(&executor), Rate::per_minute(&limits), usize::MAX);
    limiter.try_acquire(0).unwrap().sent();
    let (limiter, executor) = (&limiter, &executor);
    let wait = || async move { limiter.acquire(0, WhenFull::Wait).await.unwrap_err().kind() };
    let all: FuturesUnordered<BoxFuture<'_, ErrorKind>> = FuturesUnordered::new();
    all.push(Box::pin(wait()));
    all.push(Box::pin(wait()));
    all.push(Box::pin(async move {
        executor.sleep(Duration::from_secs(1)).await;
        limiter.close();
        wait().await
    }));
    let kinds = clock.run(all.collect::<Vec<_>>());
    assert_eq!(kinds, [ErrorKind::Closed; 3]);
    assert_eq!((clock.seconds(), limiter.waiting()), (1.0, 0));
}

#[test]
fn what_never_left_is_given_back() {
    let (clock, executor) = Clockwork::new();
    let limits = RateLimits::default()
        .requests_per_minute(1)
        .tokens_per_minute(100);
    let limiter = Limiter::new(executor, Rate::per_minute(&limits), 0);
    let mut reservation = clock.run(limiter.acquire(100, WhenFull::Fail)).unwrap();
    reservation.sent();
    assert_eq!(limiter.balance(), [Some(0), Some(0)]);
    reservation.refund();
    assert_eq!(limiter.balance(), [Some(1), Some(100)]);
}

#[test]
fn hints_of_a_bucket_that_others_drain_too() {
    // Another client has used half of the limit. The headers say so, and nothing is refused.
    let (clock, executor) = Clockwork::new();
    let limits = RateLimits::default().requests_per_minute(60);
    let limiter = Limiter::new(Arc::clone(&executor), Rate::per_minute(&limits), usize::MAX);
    let mut refusals = 0;
    let mut level = 30.0_f64;
    let mut before = 0.0;
    clock.run(async {
        for _ in 0..200 {
            let mut reservation = limiter.acquire(0, WhenFull::Wait).await.unwrap();
            reservation.sent();
            level = (level + clock.seconds() - before).min(60.0);
            before = clock.seconds();
            if level < 0.999 {
                refusals += 1;
            } else {
                level -= 1.0;
            }
            let hints = LimitHints {
                requests: crate::dialect::Quota {
                    limit: Some(60),
                    remaining: Some(level as u64),
                    reset: Some(Duration::from_secs_f64(60.0 - level)),
                },
                ..LimitHints::default()
            };
            reservation.hint(&hints);
        }
    });
    assert_eq!(refusals, 0);
    // As fast as the client's own limit allows: three spans for 200 requests at 60 in each.
    assert!(clock.seconds() < 182.0, "too slow: {}", clock.seconds());
}

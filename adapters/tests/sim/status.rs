//! `status()` at every moment of a random interleaving, against a model of the client.

use std::sync::Arc;

use chatcore::{
    BoxFuture, ChatResponse, Error, LlmClient, Provider, RateLimits, Status, Timeouts, WhenFull,
};
use chatcore_adapters::sim::{Sim, SimExecutor};
use futures_lite::future::poll_once;

use crate::gates::{Gate, Gates, Open};
use crate::model::{Model, Place, Settings};
use crate::support::ms;

/// A running call.
struct Running {
    future: Option<BoxFuture<'static, Result<ChatResponse, Error>>>,
    gate: Option<Gate>,
}

/// Failures in a run: few enough for the retry budget.
const REFUSALS: usize = 8;

fn client(sim: &Arc<SimExecutor>, gates: &Arc<Gates>, settings: &Settings) -> LlmClient {
    let mut limits = Timeouts::default();
    (limits.overall, limits.byte_idle) = (None, None);
    let mut builder = LlmClient::builder(sim.clone(), gates.clone())
        .provider(Provider::deepseek().with_api_key("sk-simulated"))
        .workers(settings.workers)
        .queue_size(settings.queue_size)
        .max_attempts(settings.attempts)
        .timeouts(limits);
    if let Some(limit) = settings.per_minute {
        builder = builder.rate_limits(RateLimits::default().requests_per_minute(limit as u32));
    }
    builder.build().unwrap()
}

#[track_caller]
fn assert_same(status: &Status, model: &Model, step: usize) {
    assert_eq!(
        (status.active, status.queued, status.closed),
        (model.active(), model.queued(), model.closed),
        "active, queued, closed at step {step}: {status:?}\n{model:?}"
    );
    let counted = [
        status.started,
        status.succeeded,
        status.failed,
        status.cancelled,
        status.retried,
    ];
    let expected = [
        model.started,
        model.succeeded,
        model.failed,
        model.cancelled,
        model.retried,
    ];
    assert_eq!(counted, expected, "counters at step {step}: {model:?}");
}

/// Polls one call and updates the model.
async fn poll(sim: &SimExecutor, gates: &Gates, call: &mut Running, model: &mut Model, at: usize) {
    let Some(future) = &mut call.future else {
        return;
    };
    let open = call.gate.as_ref().and_then(|gate| *gate.lock().unwrap());
    let sent = gates.sent();
    let polled = poll_once(future).await;
    model.poll(at, open, sim.now().since_epoch());
    assert_eq!(gates.sent(), model.requests, "requests sent");
    call.gate = match model.place(at) {
        Place::Sent if gates.sent() > sent => Some(gates.last()),
        Place::Sent => call.gate.take(),
        _ => None,
    };
    match (model.place(at), polled) {
        (Place::Ended(None), Some(Ok(answer))) => assert_eq!(answer.text(), "hi"),
        (Place::Ended(Some(kind)), Some(Err(error))) => assert_eq!(error.kind(), kind),
        (Place::Ended(_), other) => panic!("ended, and yet {other:?}"),
        (_, None) => return,
        (place, other) => panic!("{place:?}, and yet {other:?}"),
    }
    call.future = None;
}

async fn scenario(sim: Arc<SimExecutor>) {
    let settings = Settings {
        workers: 1 + sim.random_below(4) as usize,
        queue_size: sim.random_below(5) as usize,
        per_minute: match sim.random_chance(0.5) {
            true => Some(1 + sim.random_below(12) as usize),
            false => None,
        },
        attempts: 1 + sim.random_below(3) as u32,
    };
    let gates = Arc::new(Gates::default());
    let client = client(&sim, &gates, &settings);
    let queue_size = settings.queue_size;
    let mut model = Model::new(settings);
    let mut calls: Vec<Running> = Vec::new();
    let (mut refusals, mut waits) = (0, false);
    for step in 0..150 {
        match sim.random_below(100) {
            0..20 => {
                let when_full = match sim.random_chance(0.4) {
                    true => WhenFull::Wait,
                    false => WhenFull::Fail,
                };
                waits |= when_full == WhenFull::Wait;
                let call = client.chat_async("hi").when_full(when_full);
                calls.push(Running {
                    future: Some(Box::pin(call.into_future())),
                    gate: None,
                });
                model.add(when_full);
            }
            20..40 if !calls.is_empty() => {
                let at = sim.random_below(calls.len() as u64) as usize;
                if let Some(gate) = &calls[at].gate {
                    let refused = refusals < REFUSALS && sim.random_chance(0.4);
                    refusals += usize::from(refused);
                    *gate.lock().unwrap() = Some(match refused {
                        true => Open::Refusal(100 * sim.random_below(50)),
                        false => Open::Answer,
                    });
                }
            }
            40..48 if !calls.is_empty() => {
                let at = sim.random_below(calls.len() as u64) as usize;
                if calls[at].future.take().is_some() {
                    model.drop(at);
                }
            }
            48..56 => sim.sleep(ms(100 * (1 + sim.random_below(300)))).await,
            // A close that is not awaited still takes effect.
            56 if sim.random_chance(0.2) => {
                let drained = poll_once(Box::pin(client.close())).await.is_some();
                model.closed = true;
                assert_eq!(drained, model.is_drained());
            }
            _ if !calls.is_empty() => {
                let at = sim.random_below(calls.len() as u64) as usize;
                poll(&sim, &gates, &mut calls[at], &mut model, at).await;
            }
            _ => {}
        }
        assert_same(&client.status(), &model, step);
        assert!(
            waits || model.retried > 0 || model.queued() <= queue_size,
            "{} wait where {queue_size} may",
            model.queued()
        );
    }
    for (at, call) in calls.iter_mut().enumerate() {
        if call.future.take().is_some() {
            model.drop(at);
        }
        assert_same(&client.status(), &model, 150 + at);
    }
    assert_eq!((model.active(), model.queued()), (0, 0));
    assert_eq!(sim.pending_timers(), 0, "a timer outlived its call");
}

#[test]
fn it_is_exact_at_every_moment() {
    let runs = Sim::run_seeds(0..1_000, scenario);
    println!(
        "status: exact after each of 150 steps in {} runs",
        runs.len()
    );
}

#[test]
#[ignore = "long, for a release build"]
fn it_is_exact_at_every_moment_of_ten_thousand_runs() {
    let runs = Sim::run_seeds(0..10_000, scenario);
    println!(
        "status: exact after each of 150 steps in {} runs",
        runs.len()
    );
}

//! The queue and the permits.

use std::sync::{Arc, Mutex};

use chatcore::{ErrorKind, Phase, Timeouts, WhenFull};
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimTransport};
use futures_lite::future::{or, poll_once, yield_now};

use crate::support::{assert_balanced, client, ms, read, secs, timed_out};

#[test]
fn the_queue_is_first_in_first_out_under_any_order_of_tasks() {
    Sim::run_seeds(0..200, |sim| async move {
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(10))
            .build();
        let client = client(&sim, &transport).workers(1).build().unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        for number in 0..10 {
            let (sim, client, order) = (sim.clone(), client.clone(), Arc::clone(&order));
            let called = sim.sleep(ms(number));
            sim.spawn(async move {
                called.await;
                let answer = client.chat_async(number.to_string()).await.unwrap();
                assert_eq!(answer.text(), format!("echo: {number}"));
                order.lock().unwrap().push(number);
            });
        }
        sim.sleep(ms(9)).await;
        yield_now().await;
        sim.sleep(secs(1)).await;
        let order = order.lock().unwrap().clone();
        assert_eq!(order, (0..10).collect::<Vec<_>>());
        assert_eq!(transport.stats().max_in_flight, 1);
        assert_balanced(&client);
        transport.assert_idle();
    });
}

#[test]
fn a_full_queue_refuses_at_once_or_waits_and_status_counts() {
    Sim::run_seeds(0..200, |sim| async move {
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(100))
            .build();
        let client = client(&sim, &transport)
            .workers(2)
            .queue_size(3)
            .build()
            .unwrap();
        for number in 0..5 {
            let client = client.clone();
            sim.spawn(async move {
                client.chat_async(number.to_string()).await.unwrap();
            });
        }
        sim.sleep(ms(1)).await;
        let status = client.status();
        assert_eq!((status.started, status.active, status.queued), (5, 2, 3));

        let error = client.chat_async("too many").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QueueFull);
        assert_eq!(sim.now().since_epoch(), ms(1), "at once");

        let patient = client.chat_async("patient").when_full(WhenFull::Wait);
        patient.await.unwrap();
        // Two calls run at once, 100 ms each, so the sixth call is in the third pair.
        assert_eq!(sim.now().since_epoch(), ms(300));
        client.close().await;
        let status = client.status();
        assert_eq!((status.started, status.succeeded, status.failed), (7, 6, 1));
        assert_eq!(transport.stats().max_in_flight, 2);
        assert_balanced(&client);
    });
}

#[test]
fn waiting_in_the_queue_has_its_limit() {
    let sim = Sim::new(1);
    let script = Script::new().always(Fault::HeadersHang);
    let transport = SimTransport::builder(&sim).script(script).build();
    let mut limits = Timeouts::default();
    limits.queue = Some(secs(2));
    let client = client(&sim.executor(), &transport)
        .workers(1)
        .timeouts(limits)
        .build()
        .unwrap();
    let first = client.clone();
    sim.spawn(async move {
        let _ = first.chat_async("first").await;
    });
    let handle = sim.executor();
    let error = sim.run(async {
        handle.sleep(ms(500)).await;
        client.chat_async("second").await.unwrap_err()
    });
    assert_eq!(timed_out(&sim, &error), (Phase::Queue, ms(2_500)));
    assert_eq!((error.attempts(), transport.stats().sent), (0, 1));
}

#[test]
fn dropping_one_that_waits_or_runs_frees_its_place() {
    Sim::run_seeds(0..200, |sim| async move {
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(100))
            .first_token(Latency::millis(100))
            .build();
        let client = client(&sim, &transport)
            .workers(1)
            .queue_size(1)
            .build()
            .unwrap();
        let mut runs = Box::pin(read(client.chat_async("runs")));
        assert!(poll_once(&mut runs).await.is_none());
        let mut waits = Box::pin(read(client.chat_async("waits")));
        assert!(poll_once(&mut waits).await.is_none());
        assert_eq!((client.status().active, client.status().queued), (1, 1));

        drop(waits);
        assert_eq!((client.status().active, client.status().queued), (1, 0));
        let mut next = Box::pin(read(client.chat_async("next")));
        assert!(poll_once(&mut next).await.is_none());

        // At a random time.
        let patience = sim.sleep(ms(sim.random_below(200)));
        let dropped = or(
            async {
                let _ = runs.await;
                false
            },
            async {
                patience.await;
                true
            },
        );
        assert!(dropped.await);
        assert_eq!(next.await.unwrap(), "echo: next");
        client.close().await;
        let status = client.status();
        assert_eq!((status.succeeded, status.cancelled), (1, 2));
        assert_balanced(&client);
        transport.assert_idle();
    });
}

#[test]
fn close_lets_finish_what_runs_and_waits_and_refuses_the_rest() {
    Sim::run_seeds(0..200, |sim| async move {
        let transport = SimTransport::builder(&sim)
            .headers(Latency::millis(100))
            .build();
        let client = client(&sim, &transport).workers(2).build().unwrap();
        for number in 0..6 {
            let client = client.clone();
            sim.spawn(async move {
                client.chat_async(number.to_string()).await.unwrap();
            });
        }
        sim.sleep(ms(1)).await;
        let mut closing = Box::pin(client.close());
        assert!(poll_once(&mut closing).await.is_none());
        let error = client.chat_async("late").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        closing.await;
        assert_eq!(sim.now().since_epoch(), ms(300));
        assert!(client.status().closed);
        assert_eq!((client.status().active, client.status().queued), (0, 0));
        sim.sleep(ms(1)).await;
        assert_eq!(client.status().succeeded, 6);
        assert_balanced(&client);
        transport.assert_idle();
    });
}

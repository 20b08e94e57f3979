//! Retries against a provider that fails.

use chatcore::ErrorKind;
use chatcore_adapters::sim::{Fault, Limits, RetryAfter, Script, Sim, SimTransport, Window};

use crate::support::{assert_balanced, client, ms, read, secs};

#[test]
fn what_fails_before_content_is_tried_again() {
    let faults = [
        Fault::ConnectRefused,
        Fault::ResetBeforeHeaders,
        Fault::Reset { after_tokens: 0 },
        Fault::Truncated { after_tokens: 0 },
        Fault::EndsEarly { after_tokens: 0 },
        Fault::ErrorEvent { after_tokens: 0 },
        Fault::Status(500),
        Fault::Status(503),
        Fault::Status(529),
    ];
    for fault in faults {
        for streams in [false, true] {
            // A whole answer that HTTP ends cleanly before its first byte is not a truncated
            // stream: the answer is empty, and a retry would be empty too.
            if !streams && matches!(fault, Fault::EndsEarly { .. }) {
                continue;
            }
            let sim = Sim::new(1);
            let script = Script::new().nth(1, fault);
            let transport = SimTransport::builder(&sim).script(script).build();
            let client = client(&sim.executor(), &transport)
                .max_attempts(3)
                .build()
                .unwrap();
            let call = client.chat_async("hi");
            let text = sim.run(async {
                match streams {
                    true => read(call).await.unwrap(),
                    false => call.await.unwrap().text().into_owned(),
                }
            });
            assert_eq!(
                (&*text, transport.stats().sent),
                ("echo: hi", 2),
                "{fault:?}"
            );
            transport.assert_idle();
        }
    }
}

#[test]
fn what_fails_after_content_is_not_and_keeps_what_came() {
    let after_tokens = 1;
    let faults = [
        (Fault::Reset { after_tokens }, ErrorKind::Truncated),
        (Fault::Truncated { after_tokens }, ErrorKind::Truncated),
        (Fault::EndsEarly { after_tokens }, ErrorKind::Truncated),
        (Fault::ErrorEvent { after_tokens }, ErrorKind::Server),
    ];
    for (fault, kind) in faults {
        let sim = Sim::new(1);
        let script = Script::new().nth(1, fault);
        let transport = SimTransport::builder(&sim).script(script).build();
        let client = client(&sim.executor(), &transport)
            .max_attempts(3)
            .build()
            .unwrap();
        let error = sim.run(read(client.chat_async("hi"))).unwrap_err();
        assert_eq!(
            (error.kind(), transport.stats().sent),
            (kind, 1),
            "{fault:?}"
        );
        assert_eq!(error.partial().unwrap().text(), "echo: ");
        transport.assert_idle();
    }
}

#[test]
fn no_retry_comes_before_retry_after_has_passed() {
    for style in [RetryAfter::Seconds, RetryAfter::Millis] {
        Sim::run_seeds(0..100, |sim| async move {
            let limits = Limits::new()
                .requests_per_minute(10)
                .window(Window::Fixed)
                .retry_after(style);
            let transport = SimTransport::builder(&sim).limits(limits).build();
            let client = client(&sim, &transport)
                .workers(20)
                .max_attempts(4)
                .build()
                .unwrap();
            for number in 0..20 {
                let client = client.clone();
                let called = sim.sleep(ms(sim.random_below(30_000)));
                sim.spawn(async move {
                    called.await;
                    client.chat_async(number.to_string()).await.unwrap();
                });
            }
            sim.sleep(secs(200)).await;
            let stats = transport.stats();
            assert_eq!((stats.completed, stats.early_retries), (20, 0));
            assert!(stats.refused_by_rate >= 10);
            assert_balanced(&client);
            transport.assert_idle();
        });
    }
}

//! The provider's limits.

use super::*;

#[test]
fn a_rate_limit_is_exact_and_its_retry_after_keeps_its_word() {
    for (window, style) in [
        (Window::TokenBucket, RetryAfter::Millis),
        (Window::Fixed, RetryAfter::Seconds),
        (Window::Sliding, RetryAfter::Seconds),
    ] {
        let sim = Sim::new(1);
        let limits = Limits::new()
            .requests_per_minute(7)
            .window(window)
            .retry_after(style);
        let transport = SimTransport::builder(&sim).limits(limits).build();
        let status = async |prompt: &str| {
            let response = transport.send(chat(prompt, false)).await.unwrap();
            let wait = ["retry-after", "retry-after-ms"].map(|name| {
                let value = response.headers().get(name)?.to_str().unwrap();
                value.parse::<u64>().ok()
            });
            let status = response.status().as_u16();
            read(response.into_body()).await;
            (status, wait)
        };
        sim.run(async {
            for number in 0..7 {
                assert_eq!(status(&number.to_string()).await.0, 200, "{window:?}");
            }
            let (refused, wait) = status("late").await;
            let expected = match style {
                // A seventh of a minute, rounded up.
                RetryAfter::Millis => [None, Some(8_572)],
                _ => [Some(60), None],
            };
            assert_eq!((refused, wait), (429, expected), "{window:?}");
            let wait = ms(wait[1].unwrap_or(60_000));
            sim.sleep(wait - ms(1)).await;
            assert_eq!(status("late").await.0, 429, "a moment too early");
            assert_eq!(transport.stats().early_retries, 1);
            sim.sleep(ms(1_000)).await;
            assert_eq!(status("late").await.0, 200);
        });
        let stats = transport.stats();
        assert_eq!(
            (stats.refused_by_rate, stats.completed, stats.early_retries),
            (2, 8, 1)
        );
    }
}

#[test]
fn tokens_count_and_the_headers_tell_what_is_left() {
    let sim = Sim::new(1);
    let limits = Limits::new().tokens_per_minute(12).requests_per_minute(100);
    let transport = SimTransport::builder(&sim).limits(limits).build();
    sim.run(async {
        // Two words in the prompt and three in the answer.
        for left in ["7", "2"] {
            let response = transport.send(chat("a b", false)).await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["x-ratelimit-limit-tokens"], "12");
            assert_eq!(response.headers()["x-ratelimit-remaining-tokens"], left);
        }
        let refused = transport.send(chat("a b", false)).await.unwrap();
        assert_eq!(refused.status(), 429);
        // Three tokens are missing, and one is added every five seconds.
        assert_eq!(refused.headers()["retry-after"], "15");
        assert_eq!(refused.headers()["x-ratelimit-reset-tokens"], "50000ms");
        assert_eq!(refused.headers()["x-ratelimit-remaining-requests"], "98");
    });
}

#[test]
fn beyond_the_concurrency_limit_is_refused_and_nobody_else() {
    let sim = Sim::new(5);
    let limits = Limits::new().concurrency(10, 429);
    let transport = timed(&sim).limits(limits).build();
    for number in 0..25 {
        let transport = Arc::clone(&transport);
        sim.spawn(async move {
            let response = transport
                .send(chat(&number.to_string(), true))
                .await
                .unwrap();
            read(response.into_body()).await;
        });
    }
    sim.run(sim.sleep(Duration::from_secs(10)));
    let stats = transport.stats();
    assert_eq!((stats.completed, stats.refused_by_concurrency), (10, 15));
    assert_eq!((stats.max_working, stats.max_in_flight), (10, 25));
    transport.assert_idle();
}

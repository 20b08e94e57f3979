//! `LLM_ASYNC_ENABLED=false`: calls work, one at a time in their callers, with no background task.

use std::sync::Arc;
use std::time::Duration;

use chatcore::{
    Adaptive, AsyncConfig, BatchProcessor, BoxFuture, Executor, Hedging, Instant, LlmClient,
    Provider, WhenFull,
};
use chatcore_adapters::sim::{Latency, Sim, SimExecutor, SimTransport};

use crate::support::{assert_balanced, ms, read};

/// An executor that fails the test if a task is spawned.
#[derive(Debug)]
struct InTheCaller(Arc<SimExecutor>);

impl Executor for InTheCaller {
    fn spawn(&self, _: BoxFuture<'static, ()>) {
        panic!("a background task");
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sleep(duration))
    }

    fn now(&self) -> Instant {
        self.0.now()
    }
}

#[test]
fn calls_run_one_at_a_time_in_their_order_and_in_their_caller() {
    let off = AsyncConfig::from_vars(|name| match name {
        "LLM_ASYNC_ENABLED" => Some("false".to_owned()),
        "LLM_ASYNC_WORKERS" => Some("8".to_owned()),
        _ => None,
    })
    .unwrap();
    // Neither adaptive limits nor hedging sends a second request at the same time.
    for eager in [false, true] {
        Sim::run_seeds(0..20, |sim| {
            let off = off.clone();
            async move {
                let transport = SimTransport::builder(&sim)
                    .headers(Latency::Uniform {
                        from: ms(50),
                        to: ms(150),
                    })
                    .build();
                let executor = Arc::new(InTheCaller(sim.clone()));
                let mut builder = LlmClient::builder(executor, transport.clone())
                    .provider(Provider::deepseek().with_api_key("sk-simulated"))
                    .scheduling(off);
                if eager {
                    builder = builder
                        .adaptive(Adaptive::default())
                        .hedging(Hedging::after(ms(60)));
                }
                let client = builder.build().unwrap();
                assert_eq!(client.status().max_workers, 1);

                let calls = (0..10).map(|number| client.chat_async(number.to_string()));
                let answers = chatcore::gather_with_limit(calls, 10).await;
                for (number, answer) in answers.into_iter().enumerate() {
                    assert_eq!(answer.unwrap().text(), format!("echo: {number}"));
                }
                assert_eq!(
                    read(client.chat_async("stream")).await.unwrap(),
                    "echo: stream"
                );
                let prompts = (0..10).map(|number| number.to_string());
                let batch = BatchProcessor::chats(&client).max_workers(10);
                let results = batch.process_batch(prompts).await;
                assert!(results.iter().all(Result::is_ok));
                // More calls than may wait are refused or wait, as usual.
                let crowd = (0..150).map(|_| client.chat_async("hi"));
                let answers = chatcore::gather_with_limit(crowd, 150).await;
                assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 49);
                let crowd = (0..150).map(|_| client.chat_async("hi").when_full(WhenFull::Wait));
                let answers = chatcore::gather_with_limit(crowd, 150).await;
                assert!(answers.iter().all(Result::is_ok));

                let stats = transport.stats();
                assert_eq!((stats.max_in_flight, stats.sent), (1, 272));
                assert!(sim.pending_tasks().is_empty());
                client.close().await;
                assert_balanced(&client);
                transport.assert_idle();
            }
        });
    }
}

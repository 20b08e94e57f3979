//! Providers that cannot be reached: the run ends instead of recording an error for each item, and an
//! item that alone gets no answer ends as an error.

use std::sync::Arc;
use std::time::Duration;

use chatcore::journal::Outcome;
use chatcore::{
    BatchProcessor, ChatRequest, ChatResponse, Error, ErrorKind, Journal, LlmClient, Message,
    TransportError, TransportErrorKind,
};
use chatcore_adapters::journal::MemoryJournal;
use chatcore_adapters::sim::{Fault, Latency, Script, Sim, SimExecutor, SimTransport};

use super::processor;
use crate::support::{client, ms, secs};

const ITEMS: usize = 200;
const WORKERS: usize = 4;

fn memory(sim: &Arc<SimExecutor>, texts: impl Iterator<Item = String>) -> Arc<MemoryJournal> {
    let items = texts.map(|text| (text.clone(), ChatRequest::new([Message::user(text)])));
    Arc::new(MemoryJournal::new(sim.clone(), items))
}

fn numbered(sim: &Arc<SimExecutor>) -> Arc<MemoryJournal> {
    memory(sim, (0..ITEMS).map(|number| format!("p{number}")))
}

fn network(sim: &Arc<SimExecutor>) -> (Arc<SimTransport>, LlmClient) {
    let network = SimTransport::builder(sim)
        .first_token(Latency::Exponential { mean: ms(50) })
        .build();
    let client = client(sim, &network).workers(WORKERS).build().unwrap();
    (network, client)
}

/// Runs the items that have no result.
async fn run(
    batch: &BatchProcessor<ChatRequest, ChatResponse>,
    journal: &Arc<MemoryJournal>,
) -> Result<(), Error> {
    let mut run = batch.process_journal(Arc::clone(journal) as Arc<dyn Journal>);
    while let Some(finished) = run.next().await {
        finished?;
    }
    Ok(())
}

fn failed(journal: &MemoryJournal) -> Vec<Outcome> {
    let mut failed = journal.outcomes();
    failed.retain(|outcome| outcome.result.is_err());
    failed
}

/// Begins an outage after a second of the run, and ends it after `lasts`.
fn outage(sim: &Arc<SimExecutor>, network: &Arc<SimTransport>, fault: Fault, lasts: Duration) {
    let (clock, network) = (sim.clone(), network.clone());
    sim.spawn(Box::pin(async move {
        clock.sleep(secs(1)).await;
        network.set_script(Script::new().always(fault));
        clock.sleep(lasts).await;
        network.set_script(Script::new());
    }));
}

/// A provider that refuses connections, or accepts them and drops them at once.
const FAULTS: [Fault; 3] = [
    Fault::ConnectRefused,
    Fault::ResetBeforeHeaders,
    Fault::Truncated { after_tokens: 0 },
];

#[test]
fn an_outage_ends_the_run_and_no_item_gets_an_error() {
    for fault in FAULTS {
        Sim::run_seeds(0..20, |sim| async move {
            let (network, client) = network(&sim);
            let journal = numbered(&sim);
            outage(&sim, &network, fault, secs(3_600));
            let batch = processor(sim.clone(), &client, WORKERS);
            let error = run(&batch, &journal).await.unwrap_err();
            assert_eq!(error.code(), Some("unreachable"), "{error}");
            assert!(error.to_string().contains("so the batch was stopped"));
            assert!(failed(&journal).is_empty());
            let done = journal.outcomes().len();
            assert!((1..ITEMS).contains(&done), "{done}");
            // Three rounds, and a few items more where each of them may be at fault.
            let wasted = network.stats().sent - done as u64;
            assert!(wasted <= 5 * WORKERS as u64, "{wasted} requests");
            network.set_script(Script::new());
            run(&batch, &journal).await.unwrap();
            assert_eq!(journal.outcomes().len(), ITEMS);
            assert!(failed(&journal).is_empty());
        });
    }
}

#[test]
fn a_provider_that_never_answers_ends_a_run_of_any_size() {
    for fault in FAULTS {
        for items in [1, 3, 40] {
            Sim::run_seeds(0..5, |sim| async move {
                let (network, client) = network(&sim);
                network.set_script(Script::new().always(fault));
                let journal = memory(&sim, (0..items).map(|number| format!("p{number}")));
                let batch = processor(sim.clone(), &client, WORKERS);
                let error = run(&batch, &journal).await.unwrap_err();
                assert_eq!(error.code(), Some("unreachable"), "{error}");
                assert!(journal.outcomes().is_empty());
            });
        }
    }
}

#[test]
fn a_short_outage_only_costs_time() {
    for fault in FAULTS {
        Sim::run_seeds(0..20, |sim| async move {
            let (network, client) = network(&sim);
            let journal = numbered(&sim);
            outage(&sim, &network, fault, ms(900));
            let batch = processor(sim.clone(), &client, WORKERS);
            run(&batch, &journal).await.unwrap();
            assert_eq!(journal.outcomes().len(), ITEMS);
            assert!(failed(&journal).is_empty());
            network.assert_idle();
        });
    }
}

/// A processor whose server fails at each item that is named `poison`.
fn poisoned(
    sim: &Arc<SimExecutor>,
    client: &LlmClient,
) -> BatchProcessor<ChatRequest, ChatResponse> {
    let client = client.clone();
    BatchProcessor::new(sim.clone(), move |request: ChatRequest| {
        let is_poison = request.messages[0].text().starts_with("poison");
        let answer = client.ask(request).patient();
        async move {
            match is_poison {
                true => Err(TransportError::new(TransportErrorKind::Reset, "dropped").into()),
                false => answer.await,
            }
        }
    })
    .max_workers(WORKERS)
}

#[test]
fn an_item_at_which_the_server_fails_ends_as_an_error() {
    // In the midst, and as the last one, when no other item is left that could be answered.
    for place in [20, ITEMS - 1] {
        Sim::run_seeds(0..20, |sim| async move {
            let (_, client) = network(&sim);
            let name = |number| match number == place {
                true => "poison".to_owned(),
                false => format!("p{number}"),
            };
            let journal = memory(&sim, (0..ITEMS).map(name));
            run(&poisoned(&sim, &client), &journal).await.unwrap();
            let failed = failed(&journal);
            assert_eq!(journal.outcomes().len(), ITEMS);
            assert_eq!(failed.len(), 1);
            assert_eq!(failed[0].id, "poison");
            let error = failed[0].result.as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Connection);
            // Others run meanwhile, so the pauses of one item do not delay them.
            if place == 20 {
                assert!(sim.now().since_epoch() < secs(10), "{:?}", sim.now());
            }
        });
    }
}

#[test]
fn a_stopped_run_does_not_wait_for_what_gets_no_answer() {
    Sim::run_seeds(0..20, |sim| async move {
        let (network, client) = network(&sim);
        let journal = numbered(&sim);
        outage(&sim, &network, Fault::ConnectRefused, secs(3_600));
        let batch = processor(sim.clone(), &client, WORKERS);
        let mut run = batch.process_journal(Arc::clone(&journal) as Arc<dyn Journal>);
        let reading = async {
            while let Some(finished) = run.next().await {
                finished.unwrap();
            }
            unreachable!("the outage has not ended the run yet");
        };
        // In the first pause: the outage begins after a second.
        futures_lite::future::or(reading, sim.sleep(ms(1_900))).await;
        run.stop();
        assert_eq!(run.in_flight(), 0, "pausing items are given up");
        assert!(run.next().await.is_none());
        assert!(failed(&journal).is_empty());
    });
}

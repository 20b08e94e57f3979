//! Runs through the Batch APIs of three providers: whatever fails or dies, no item is lost, none
//! has two results, and none is paid twice.

mod faults;
mod kills;
mod missing;
mod resumed;
mod sizes;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chatcore::provider_batch::{BatchEvent, ProviderRun, RunEnd};
use chatcore::{Error, Executor, Journal, LlmClient, Provider, Transport};
use chatcore_adapters::journal::files::{BatchFile, FilesJournal, Identity};
use chatcore_adapters::sim::{BatchApi, BatchTransport, Latency, SimDisk, SimExecutor};

/// The three APIs, and OpenAI's with requests to two endpoints.
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "gemini"];

fn provider(name: &str) -> Provider {
    let provider = match name {
        "openai" => Provider::openai().with_base_url("http://127.0.0.1:9/v1"),
        "anthropic" => Provider::anthropic().with_base_url("http://127.0.0.1:9"),
        _ => Provider::gemini().with_base_url("http://127.0.0.1:9/v1beta"),
    };
    provider.with_api_key("sk-0123456789abcdef")
}

/// One run's surroundings: what outlives its processes.
struct World {
    sim: Arc<SimExecutor>,
    disk: SimDisk,
    api: Arc<BatchApi>,
    provider: &'static str,
    /// How often a connection is lost.
    lost: f64,
    /// The status that some requests are answered with instead of reaching the API.
    instead: Option<Arc<missing::Status>>,
    /// Whether the first creation is lost, and carried out late.
    is_late: bool,
    /// The batches of a provider with little room in a batch.
    small: Option<sizes::Submitted>,
}

impl World {
    fn new(sim: &Arc<SimExecutor>, provider: &'static str, items: usize) -> Self {
        let disk = SimDisk::new();
        let line = |n: usize| format!("{{\"custom_id\":\"n{n}\",\"prompt\":\"p{n}\"}}\n");
        disk.put("in.jsonl", (0..items).map(line).collect::<String>());
        Self {
            sim: Arc::clone(sim),
            disk,
            api: Arc::new(BatchApi::new()),
            provider,
            lost: 0.0,
            instead: None,
            is_late: false,
            small: None,
        }
    }

    fn client(&self, executor: Arc<dyn Executor>) -> LlmClient {
        let latency = Latency::millis(20);
        let transport = BatchTransport::new(&self.sim, Arc::clone(&self.api), latency, self.lost);
        let transport: Arc<dyn Transport> = match &self.instead {
            Some(instead) => Arc::new(missing::Instead(transport, Arc::clone(instead))),
            None if self.is_late => Arc::new(missing::Late::new(transport, &self.sim)),
            None => Arc::new(transport),
        };
        let mut provider = provider(self.provider);
        if let Some(submitted) = &self.small {
            let small = sizes::Small::new(provider.dialect(), submitted);
            provider = provider.with_dialect(small);
        }
        LlmClient::builder(executor, transport)
            .provider(provider)
            .build()
            .unwrap()
    }

    /// A run of batches of three, two at once.
    async fn open(&self, executor: Arc<dyn Executor>) -> Result<ProviderRun, Error> {
        self.open_with(executor, |_, journal| journal).await
    }

    /// The same with a journal around that of the files.
    async fn open_with(
        &self,
        executor: Arc<dyn Executor>,
        wrap: impl FnOnce(&Arc<SimExecutor>, Arc<dyn Journal>) -> Arc<dyn Journal>,
    ) -> Result<ProviderRun, Error> {
        let disk: Arc<SimDisk> = Arc::new(self.disk.clone());
        let client = self.client(Arc::clone(&executor));
        let journal = FilesJournal::builder(executor, Identity::new(), "in.jsonl", "out.jsonl")
            .disk(disk.clone())
            .via_provider(true)
            .write_in_place(self.sim.seed() % 2 == 1)
            .open()
            .await?;
        let store = BatchFile::beside("out.jsonl", Identity::new()).disk(disk);
        let batches = client.provider_batches()?;
        let run = ProviderRun::new(batches, wrap(&self.sim, Arc::new(journal)), Arc::new(store));
        Ok(run
            .max_requests(3)
            .max_batches(2)
            .poll_every(Duration::from_secs(5), Duration::from_secs(60)))
    }

    /// Runs to the end. Returns the events and how the run ended.
    async fn run(&self) -> (Vec<BatchEvent>, RunEnd) {
        let executor: Arc<dyn Executor> = self.sim.clone();
        let mut run = self.open(executor).await.unwrap();
        let events = events(&mut run).await.unwrap();
        (events, run.end())
    }

    /// The answers by the name of their item.
    fn answers(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let text = String::from_utf8(self.disk.get("out.jsonl")).unwrap();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let id = line["custom_id"].as_str().unwrap().to_owned();
            let answer = &line["response"]["body"]["choices"][0]["message"]["content"];
            let answer = answer.as_str().unwrap().to_owned();
            assert!(
                found.insert(id, answer).is_none(),
                "an item has two results"
            );
        }
        found
    }

    /// The code of each error by the name of its item.
    fn errors(&self) -> BTreeMap<String, String> {
        let text = String::from_utf8(self.disk.get("out.errors.jsonl")).unwrap();
        let error = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (text(&line["custom_id"]), text(&line["error"]["code"]))
        };
        text.lines().map(error).collect()
    }

    /// Every item has its answer, and none was in two batches.
    fn assert_all_once(&self, items: usize) {
        let answers = self.answers();
        assert_eq!(answers.len(), items, "an item is lost");
        for n in 0..items {
            assert_eq!(answers[&format!("n{n}")], format!("echo: p{n}"));
        }
        let twice: Vec<_> = self
            .api
            .sent()
            .into_iter()
            .filter(|(_, n)| *n > 1)
            .collect();
        assert!(twice.is_empty(), "paid twice: {twice:?}");
        assert!(self.disk.get("out.jsonl.batches").is_empty());
    }
}

async fn events(run: &mut ProviderRun) -> Result<Vec<BatchEvent>, Error> {
    let mut events = Vec::new();
    while let Some(event) = run.next().await {
        events.push(event?);
    }
    Ok(events)
}

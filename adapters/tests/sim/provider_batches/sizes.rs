//! Requests that together are larger than one batch may be.

use std::sync::{Arc, Mutex};

use chatcore::bytes::Bytes;
use chatcore::dialect::batches::{
    BatchDialect, BatchLimits, BatchPage, LineResult, NewBatch, ProviderBatch, Submission,
};
use chatcore::dialect::{Caps, Decoder, Dialect, Endpoint, Facts, JsonOutput, Mode};
use chatcore::http::{HeaderMap, Request, response};
use chatcore::provider_batch::RunEnd;
use chatcore::{ChatRequest, Error};
use chatcore_adapters::sim::Sim;

use super::{PROVIDERS, World};

/// The most bytes of a batch here. Gemini takes no file for batches of up to 1 MiB.
const MOST: usize = 3_000_000;

/// The bytes of each batch, and whether it is uploaded as a file.
pub(super) type Submitted = Arc<Mutex<Vec<(usize, bool)>>>;

/// The dialect of a provider with less room in a batch, because its own room is 200 MB or more.
#[derive(Clone, Debug)]
pub(super) struct Small {
    inner: Arc<dyn Dialect>,
    submitted: Submitted,
}

impl Small {
    pub(super) fn new(inner: &Arc<dyn Dialect>, submitted: &Submitted) -> Self {
        Self {
            inner: Arc::clone(inner),
            submitted: Arc::clone(submitted),
        }
    }

    fn batches(&self) -> &dyn BatchDialect {
        self.inner.batches().unwrap()
    }
}

impl Dialect for Small {
    fn facts(&self) -> &'static Facts {
        self.inner.facts()
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        self.inner.headers()
    }

    fn variant(&self, endpoint: &Endpoint, request: &ChatRequest) -> Option<Arc<dyn Dialect>> {
        self.inner.variant(endpoint, request)
    }

    fn encode(
        &self,
        endpoint: &Endpoint,
        request: &ChatRequest,
        mode: Mode,
    ) -> Result<Request<Bytes>, Error> {
        self.inner.encode(endpoint, request, mode)
    }

    fn decoder(&self, head: &response::Parts, mode: Mode, caps: Caps) -> Box<dyn Decoder> {
        self.inner.decoder(head, mode, caps)
    }

    fn batches(&self) -> Option<&dyn BatchDialect> {
        Some(self)
    }

    fn json_output(&self, endpoint: &Endpoint, request: &ChatRequest) -> JsonOutput {
        self.inner.json_output(endpoint, request)
    }
}

impl BatchDialect for Small {
    fn limits(&self) -> BatchLimits {
        BatchLimits::new(self.batches().limits().requests, MOST)
    }

    fn shows_names(&self) -> bool {
        self.batches().shows_names()
    }

    fn begin(&self, to: &mut Vec<u8>) {
        self.batches().begin(to);
    }

    fn add(&self, to: &mut Vec<u8>, is_first: bool, id: &str, path: &str, body: &str) {
        self.batches().add(to, is_first, id, path, body);
    }

    fn submit(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        body: Vec<u8>,
    ) -> Result<Submission, Error> {
        let bytes = body.len();
        let submission = self.batches().submit(endpoint, batch, body)?;
        let is_file = matches!(submission, Submission::Upload(_));
        self.submitted.lock().unwrap().push((bytes, is_file));
        Ok(submission)
    }

    fn read_upload(&self, body: &str) -> Result<String, Error> {
        self.batches().read_upload(body)
    }

    fn create(
        &self,
        endpoint: &Endpoint,
        batch: &NewBatch,
        file: &str,
    ) -> Result<Request<Bytes>, Error> {
        self.batches().create(endpoint, batch, file)
    }

    fn get(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        self.batches().get(endpoint, id)
    }

    fn cancel(&self, endpoint: &Endpoint, id: &str) -> Result<Request<Bytes>, Error> {
        self.batches().cancel(endpoint, id)
    }

    fn list(&self, endpoint: &Endpoint, next: Option<&str>) -> Result<Request<Bytes>, Error> {
        self.batches().list(endpoint, next)
    }

    fn read(&self, body: &str) -> Result<ProviderBatch, Error> {
        self.batches().read(body)
    }

    fn read_page(&self, body: &str) -> Result<BatchPage, Error> {
        self.batches().read_page(body)
    }

    fn results(&self, endpoint: &Endpoint, place: &str) -> Result<Request<Bytes>, Error> {
        self.batches().results(endpoint, place)
    }

    fn read_result<'a>(&self, line: &'a str) -> Result<(String, LineResult<'a>), Error> {
        self.batches().read_result(line)
    }

    fn decoder(&self, path: &str, head: &response::Parts, caps: Caps) -> Option<Box<dyn Decoder>> {
        self.batches().decoder(path, head, caps)
    }
}

#[test]
fn what_is_larger_than_a_batch_is_split_into_several_uploads() {
    for provider in PROVIDERS {
        Sim::run_seeds(0..1, |sim| async move {
            let mut world = World::new(&sim, provider, 0);
            let submitted = Submitted::default();
            world.small = Some(Arc::clone(&submitted));
            // Two of the first five have room in a batch, and the last one has none.
            let line = |n: usize| {
                let prompt = "p".repeat(if n < 5 { 1_200_000 } else { MOST });
                format!("{{\"custom_id\":\"n{n}\",\"prompt\":\"{prompt}{n}\"}}\n")
            };
            world
                .disk
                .put("in.jsonl", (0..6).map(line).collect::<String>());
            let (_, end) = world.run().await;
            assert_eq!((end, world.api.created()), (RunEnd::Complete, 3));
            let submitted = submitted.lock().unwrap();
            assert_eq!(submitted.len(), 3, "{provider}");
            for (bytes, is_file) in &*submitted {
                assert!((1_200_000..=MOST).contains(bytes), "{provider}: {bytes}");
                assert_eq!(*is_file, provider != "anthropic", "{provider}");
            }
            let errors: Vec<_> = world.errors().into_keys().collect();
            assert_eq!(
                (world.answers().len(), &errors[..]),
                (5, &["n5".to_owned()][..])
            );
            let sent = world.api.sent();
            assert!(sent.len() == 5 && sent.values().all(|times| *times == 1));
        });
    }
}

//! The client that the TypeScript layer holds.

use std::sync::Arc;

use chatcore::dialect::Anthropic;
use chatcore::{Config, Error, LlmClient, RateLimits, Timeouts, WhenFull};
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::call::Call;
use crate::config::{CallSpec, Settings, read};
use crate::error::rejection;
use crate::executor::HostExecutor;
use crate::fetch::Fetch;
use crate::wire;

/// A client. All methods take `&self`, so that calls may run beside each other.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    client: LlmClient,
    timeouts: Timeouts,
}

#[wasm_bindgen]
impl Client {
    /// A client from settings in JSON, and a function like `fetch`.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, fetch: Function) -> Result<Client, JsValue> {
        build(settings, fetch).map_err(|error| rejection(&error))
    }

    /// A call from a request in JSON. Nothing happens until it is run or read.
    pub fn call(&self, spec: &str) -> Result<Call, JsValue> {
        self.shape(spec).map_err(|error| rejection(&error))
    }

    /// The status as JSON.
    pub fn status(&self) -> JsValue {
        let status = self.client.status();
        wire::to_js(&StatusView {
            maxWorkers: status.max_workers,
            active: status.active,
            queued: status.queued,
            queueSize: status.queue_size,
            closed: status.closed,
            started: status.started,
            succeeded: status.succeeded,
            failed: status.failed,
            cancelled: status.cancelled,
            retried: status.retried,
        })
    }

    /// Takes no more calls, and resolves when those that run are done.
    pub fn close(&self) -> Promise {
        let client = self.client.clone();
        future_to_promise(async move {
            client.close().await;
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl Client {
    fn shape(&self, spec: &str) -> Result<Call, Error> {
        let spec: CallSpec = read(spec)?;
        let mut timeouts = self.timeouts.clone();
        spec.timeouts.apply(&mut timeouts)?;
        let mut call = self.client.request(spec.request).timeouts(timeouts);
        if let Some(attempts) = spec.max_retries {
            call = call.max_retries(attempts);
        }
        for (name, value) in &spec.headers {
            call = call.header(name, value);
        }
        if spec.wait_for_queue {
            call = call.when_full(WhenFull::Wait);
        }
        if spec.patient {
            call = call.patient();
        }
        Ok(Call::new(call))
    }
}

fn build(settings: &str, fetch: Function) -> Result<Client, Error> {
    let settings: Settings = read(settings)?;
    let mut config = Config::from_vars(|name| settings.vars.get(name).cloned())?;
    if settings.browser_access && config.provider.name() == "anthropic" {
        let dialect = Anthropic::default().with_browser_access(true);
        config.provider = config.provider.with_dialect(dialect);
    }
    if settings.keyless {
        config.provider = config.provider.without_api_key();
    }
    for (name, value) in &settings.headers {
        config.provider = config.provider.with_header(name, value)?;
    }
    let mut timeouts = Timeouts::default();
    timeouts.overall = Some(config.scheduling.timeout());
    settings.timeouts.apply(&mut timeouts)?;
    let mut rate = RateLimits::default();
    rate.requests_per_minute = settings.rate.requests_per_minute;
    rate.tokens_per_minute = settings.rate.tokens_per_minute;
    rate.request_burst = settings.rate.request_burst;
    rate.token_burst = settings.rate.token_burst;
    let client = LlmClient::builder(Arc::new(HostExecutor), Arc::new(Fetch::new(fetch)))
        .config(config)
        .timeouts(timeouts.clone())
        .rate_limits(rate)
        .build()?;
    Ok(Client { client, timeouts })
}

/// In the names of JavaScript, since it goes to the user as it is.
#[derive(Serialize)]
#[allow(non_snake_case)]
struct StatusView {
    maxWorkers: usize,
    active: usize,
    queued: usize,
    queueSize: usize,
    closed: bool,
    started: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    retried: u64,
}

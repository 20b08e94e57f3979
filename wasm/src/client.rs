//! The client that the TypeScript layer holds.

use std::sync::Arc;

use chatcore::{Error, LlmClient, Timeouts, WhenFull};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::bridge;
use crate::call::Call;
use crate::config::{CallSpec, Settings};
use crate::error::rejection;
use crate::executor::HostExecutor;
use crate::fetch::{Fetch, More};
use crate::promise::promise;
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

    /// A call from a request in JSON, and what the function like `fetch` is to get for it. Nothing
    /// happens until it is run or read.
    pub fn call(&self, spec: &str, more: JsValue) -> Result<Call, JsValue> {
        self.shape(spec, more).map_err(|error| rejection(&error))
    }

    /// The status as JSON.
    pub fn status(&self) -> JsValue {
        wire::status(&self.client.status())
    }

    /// Takes no more calls, and resolves when those that run are done.
    pub fn close(&self) -> Promise {
        let client = self.client.clone();
        let (promise, _) = promise(async move {
            client.close().await;
            Ok(JsValue::UNDEFINED)
        });
        promise
    }
}

impl Client {
    fn shape(&self, spec: &str, more: JsValue) -> Result<Call, Error> {
        let spec = CallSpec::read(spec)?;
        let mut timeouts = self.timeouts.clone();
        spec.timeouts.apply(&mut timeouts)?;
        let mut call = self.client.request(spec.request).timeouts(timeouts);
        if let Some(attempts) = spec.max_retries {
            call = call.max_retries(attempts);
        }
        if !more.is_undefined() {
            call = call.extension(More(bridge::local(more)));
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
    let settings = Settings::read(settings)?;
    let mut timeouts = Timeouts::default();
    settings.timeouts.apply(&mut timeouts)?;
    let mut builder = LlmClient::builder(Arc::new(HostExecutor), Arc::new(Fetch::new(fetch)))
        .provider(settings.provider)
        .scheduling(settings.scheduling)
        .max_retries(settings.max_retries)
        .timeouts(timeouts.clone())
        .rate_limits(settings.rate);
    if let Some(adaptive) = settings.adaptive {
        builder = builder.adaptive(adaptive);
    }
    if let Some(hedging) = settings.hedging {
        builder = builder.hedging(hedging);
    }
    let client = builder.build()?;
    Ok(Client { client, timeouts })
}

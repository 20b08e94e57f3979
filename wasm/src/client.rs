//! The client that the TypeScript layer holds.

use std::sync::Arc;

use chatcore::{ChatCall, Error, ErrorKind, Executor, Instant, LlmClient, Timeouts, WhenFull};
use wasm_bindgen::prelude::*;

use crate::bridge;
use crate::call::{self, Call};
use crate::config::{CallSpec, Settings};
use crate::credentials::KeyFunction;
use crate::error;
use crate::executor::HostExecutor;
use crate::fetch::{Fetch, More};
#[cfg(chatcore_floats = "host")]
use crate::imports;
use crate::request::Numbers;
use crate::task::{Outcome, promise};
use crate::wire;

/// A client. All methods take `&self`, so that calls may run concurrently.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    pub(crate) client: LlmClient,
    pub(crate) timeouts: Timeouts,
    /// Whether a call waits if the queue is full and its options do not say.
    pub(crate) waits: bool,
}

#[wasm_bindgen]
impl Client {
    /// Makes a client from settings in JSON, a function like `fetch`, and a function that returns a
    /// key or `undefined`.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, fetch: JsValue, ask_key: JsValue) -> Result<Client, String> {
        build(settings, fetch, ask_key).map_err(|error| error::json(&error))
    }

    /// Returns the id of a promise of the whole answer. The arguments are the call's home, its
    /// messages in JSON, the caller's numbers, the defaults for numbers that the caller did not set
    /// (NaN means not set), other options in JSON or an empty text, and the third argument for
    /// `fetch`.
    #[expect(
        clippy::too_many_arguments,
        reason = "numbers cross the border at less cost than JSON"
    )]
    pub fn run(
        &self,
        home: f64,
        messages: &str,
        temperature: f64,
        max_tokens: f64,
        default_temperature: f64,
        default_max_tokens: f64,
        rest: &str,
        more: JsValue,
    ) -> Result<f64, String> {
        let own = Numbers {
            temperature,
            max_tokens,
        };
        let defaults = Numbers {
            temperature: default_temperature,
            max_tokens: default_max_tokens,
        };
        let spec = CallSpec::read(messages, own, defaults, rest);
        self.shape(spec, more).map(|call| call::run(home, call))
    }

    /// As `run`, but to be read as a stream. Nothing is sent until it is read.
    #[expect(
        clippy::too_many_arguments,
        reason = "numbers cross the border at less cost than JSON"
    )]
    pub fn call(
        &self,
        home: f64,
        messages: &str,
        temperature: f64,
        max_tokens: f64,
        default_temperature: f64,
        default_max_tokens: f64,
        rest: &str,
        more: JsValue,
    ) -> Result<Call, String> {
        let own = Numbers {
            temperature,
            max_tokens,
        };
        let defaults = Numbers {
            temperature: default_temperature,
            max_tokens: default_max_tokens,
        };
        let spec = CallSpec::read(messages, own, defaults, rest);
        self.shape(spec, more).map(|call| Call::new(home, call))
    }

    /// The status as JSON.
    pub fn status(&self) -> String {
        wire::status(&self.client.status())
    }

    /// Accepts no more calls, and returns the id of a promise that resolves when the running calls
    /// have ended.
    pub fn close(&self, home: f64) -> f64 {
        let client = self.client.clone();
        let close = async move {
            client.close().await;
            Outcome::ok(String::new())
        };
        promise(home, Box::pin(close))
    }
}

impl Client {
    fn shape(&self, spec: Result<CallSpec, Error>, more: JsValue) -> Result<ChatCall, String> {
        spec.and_then(|spec| self.ask(spec, more))
            .map_err(|error| error::json(&error))
    }

    fn ask(&self, spec: CallSpec, more: JsValue) -> Result<ChatCall, Error> {
        let mut timeouts = self.timeouts.clone();
        spec.timeouts.apply(&mut timeouts);
        let call = self.client.ask(spec.request).defaults(spec.defaults);
        let mut call = call.timeouts(timeouts);
        if let Some(attempts) = spec.max_attempts {
            call = call.max_attempts(attempts);
        }
        if !more.is_undefined() {
            call = call.extension(More(bridge::local(more)));
        }
        call = match spec.wait_for_queue.unwrap_or(self.waits) {
            true => call.wait_for_place(),
            false => call.when_full(WhenFull::Fail),
        };
        if spec.patient {
            call = call.patient();
        }
        if let Some(elapsed) = spec.elapsed {
            let now = HostExecutor.now().since_epoch();
            call = call.called_at(Instant::from_epoch(now.saturating_sub(elapsed)));
        }
        if let Some(fetch_as_stream) = spec.fetch_as_stream {
            call = call.fetch_as_stream(fetch_as_stream);
        }
        Ok(call)
    }
}

fn build(settings: &str, fetch: JsValue, ask_key: JsValue) -> Result<Client, Error> {
    #[cfg(chatcore_floats = "host")]
    chatcore::json::set_floats(
        |text| Some(imports::read_float(text)).filter(|number| !number.is_nan()),
        imports::write_float,
    );
    let mut settings =
        Settings::read(settings).map_err(|error| Error::new(ErrorKind::Config, error.message()))?;
    let facts = settings.provider.dialect().facts();
    if !ask_key.is_undefined() {
        let credentials = KeyFunction::new(ask_key, *facts.key_header());
        settings.provider = settings.provider.with_credentials(credentials);
    }
    let mut timeouts = Timeouts::default();
    settings.timeouts.apply(&mut timeouts);
    let fetch = Fetch::new(fetch, facts.response_headers());
    let mut builder = LlmClient::builder(Arc::new(HostExecutor), Arc::new(fetch))
        .provider(settings.provider)
        .scheduling(settings.scheduling)
        .max_attempts(settings.max_attempts)
        .timeouts(timeouts.clone());
    #[cfg(feature = "limits")]
    {
        builder = settings.limits.apply(builder);
    }
    if let Some(bytes) = settings.max_request_bytes {
        builder = builder.max_request_bytes(bytes as usize);
    }
    if let Some(fetch_as_stream) = settings.fetch_as_stream {
        builder = builder.fetch_as_stream(fetch_as_stream);
    }
    let client = builder.build()?;
    Ok(Client {
        client,
        timeouts,
        waits: settings.wait_for_queue,
    })
}

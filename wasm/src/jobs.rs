//! Calls other than chats: embeddings, and the list of models.

use chatcore::json::{Reader, Writer};
use chatcore::{EmbedCall, EmbedRequest, Embeddings, Error, ErrorKind, ModelInfo, WhenFull};
use wasm_bindgen::prelude::*;

use crate::bridge;
use crate::client::Client;
use crate::config::Limits;
use crate::error;
use crate::fetch::More;
use crate::imports;
use crate::object::Faults;
use crate::task::{Outcome, promise};
use crate::wire;

#[wasm_bindgen]
impl Client {
    /// Returns the id of a promise of vectors. The arguments are the call's home, the texts as a
    /// JSON array, the options in JSON, and the third argument for `fetch`. The vectors are passed
    /// in the place of an error's cause, because they are no text.
    pub fn embed(
        &self,
        home: f64,
        texts: &str,
        options: &str,
        more: JsValue,
    ) -> Result<f64, String> {
        let call = self
            .shape_embed(texts, options, more)
            .map_err(|error| error::json(&error))?;
        let run = async move { outcome(call.await.map(embeddings)) };
        Ok(promise(home, Box::pin(run)))
    }

    /// Returns the id of a promise of the list of models as a JSON array. `more` is the third
    /// argument for `fetch`.
    pub fn models(&self, home: f64, more: JsValue) -> f64 {
        let client = self.client.clone();
        let run = async move {
            let models = client
                .models_with_extension(More(bridge::local(more)))
                .await;
            outcome(models.map(|models| Outcome::ok(list(&models))))
        };
        promise(home, Box::pin(run))
    }
}

#[wasm_bindgen]
impl Client {
    /// Changes how many requests run at once. 0: all calls wait.
    #[wasm_bindgen(js_name = setWorkers)]
    pub fn set_workers(&self, workers: u32) {
        self.client.set_workers(workers as usize);
    }
}

impl Client {
    fn shape_embed(&self, texts: &str, options: &str, more: JsValue) -> Result<EmbedCall, Error> {
        let faults = Faults::default();
        let mut from = faults.object(options);
        let mut request = EmbedRequest::new(strings(texts)?);
        request.model = from.optional("model");
        request.dimensions = from.small_count("dimensions");
        request.extra = from.extra("extra");
        let max_attempts = from.small_count("maxAttempts");
        let waits = from.switch("waitForQueue").unwrap_or(self.waits);
        let mut timeouts = self.timeouts.clone();
        Limits::read(from.object("timeouts")).apply(&mut timeouts);
        faults.check()?;
        let mut call = self.client.embed_request(request).timeouts(timeouts);
        if let Some(attempts) = max_attempts {
            call = call.max_attempts(attempts);
        }
        if !more.is_undefined() {
            call = call.extension(More(bridge::local(more)));
        }
        Ok(match waits {
            true => call.wait_for_place(),
            false => call.when_full(WhenFull::Fail),
        })
    }
}

/// The strings of a JSON array.
fn strings(json: &str) -> Result<Vec<String>, Error> {
    let read = || {
        let mut reader = Reader::new(json);
        let mut items = reader.array()?;
        let mut texts = Vec::new();
        while reader.item(&mut items)? {
            texts.push(reader.string()?.into_owned());
        }
        Ok::<_, chatcore::json::JsonError>(texts)
    };
    let why = "the texts to embed are not an array of strings";
    read().map_err(|_| Error::new(ErrorKind::InvalidInput, why))
}

fn outcome(result: Result<Outcome, Error>) -> Outcome {
    result.unwrap_or_else(|error| Outcome {
        is_ok: false,
        text: error::json(&error),
        cause: error::cause(&error),
    })
}

fn embeddings(answer: Embeddings) -> Outcome {
    let mut w = Writer::default();
    w.open('[');
    w.string(&answer.model);
    match &answer.usage {
        Some(usage) => wire::usage(&mut w, usage),
        None => w.null(),
    }
    match &answer.request_id {
        Some(id) => w.string(id),
        None => w.null(),
    }
    w.count(answer.attempts.into());
    w.close(']');
    // Each vector is freed once the host has its copy.
    let vectors = answer.vectors.into_iter();
    let list = vectors.fold(JsValue::UNDEFINED, |list, vector| {
        imports::vector(list, &vector)
    });
    Outcome {
        cause: Some(list),
        ..Outcome::ok(w.into_text())
    }
}

fn list(models: &[ModelInfo]) -> String {
    let mut w = Writer::default();
    w.open('[');
    for model in models {
        w.open('{');
        w.member("id", &model.id);
        for (name, text) in [
            ("owner", &model.owner),
            ("shutdownDate", &model.shutdown_date),
        ] {
            w.key(name);
            match text {
                Some(text) => w.string(text),
                None => w.null(),
            }
        }
        w.key("contextTokens");
        match model.context_tokens {
            Some(tokens) => w.count(tokens),
            None => w.null(),
        }
        w.key("extra");
        w.members(&model.extra);
        w.close('}');
    }
    w.close(']');
    w.into_text()
}

//! Embeddings as jobs. The provider's limits decide into how many requests the texts are split;
//! each request is one job.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryFutureExt};
use http::Request;
use http::response::Parts;

use super::begin::{begin, check_size, refuse};
use super::job::{Ask, Job, Reader};
use super::whole::WholeReader;
use super::{JobCall, Rules, Shared, open};
use crate::admission::queue::WhenFull;
use crate::chat::Usage;
use crate::dialect::kit::model_name;
use crate::dialect::{EmbedDialect, Mode};
use crate::embed::{EmbedRequest, Embeddings};
use crate::error::{Error, ErrorKind};
use crate::observe::{Asked, Operation};
use crate::policy::plan::Plan;
use crate::policy::timeouts::DEFAULT_TOKENS;
use crate::policy::{estimate, split::split};

/// How many tokens of text are assumed to take as long as one token of an answer: a small model on
/// a CPU embeds about a thousand a second.
const TOKENS_PER_ANSWERED: u64 = 32;

/// Runs a call for embeddings.
pub(crate) async fn embed(
    shared: Arc<Shared>,
    call: JobCall<EmbedRequest>,
) -> Result<Embeddings, Error> {
    let JobCall { mut request, rules } = call;
    let limits = match check(&shared, &request) {
        Ok(dialect) => dialect.limits(),
        Err(why) => {
            let asked = asked(&shared, request.model.as_deref());
            return Err(refuse(&shared, &asked, &rules, why));
        }
    };
    let inputs = std::mem::take(&mut request.inputs);
    let count = inputs.len();
    let mut runs = split(inputs, limits, shared.max_request_bytes);
    if runs.len() == 1 {
        request.inputs = runs.remove(0);
        return run(shared, request, rules, 0).await;
    }
    several(shared, request, runs, count, rules).await
}

/// Runs a call that is sent in several requests, with at most `max_workers` at once, and joins
/// their `count` vectors. The first error ends the call and drops the requests in flight.
async fn several(
    shared: Arc<Shared>,
    request: EmbedRequest,
    runs: Vec<Vec<String>>,
    count: usize,
    rules: Rules,
) -> Result<Embeddings, Error> {
    let mut rules = rules.for_several(shared.executor.now());
    let mut place = 0;
    let mut waiting = runs.into_iter().map(|inputs| {
        let first = place;
        place += inputs.len();
        (first, inputs)
    });
    let mut running = FuturesUnordered::new();
    let mut joined = Embeddings {
        vectors: vec![Vec::new(); count],
        ..Embeddings::default()
    };
    loop {
        while running.len() < shared.max_workers.max(1)
            && let Some((first, inputs)) = waiting.next()
        {
            let request = EmbedRequest {
                model: request.model.clone(),
                inputs,
                dimensions: request.dimensions,
                extra: request.extra.clone(),
            };
            let part = run(Arc::clone(&shared), request, rules.clone(), first);
            running.push(part.map_ok(move |answer| (first, answer)));
            // A call whose first request was admitted is not turned away at its second one.
            rules.when_full = WhenFull::Wait;
        }
        match running.next().await {
            Some(ended) => {
                let (first, answer) = ended?;
                join(&mut joined, first, answer);
            }
            None => return Ok(joined),
        }
    }
}

/// Adds the answer to the request whose first text is number `first` of the call.
fn join(joined: &mut Embeddings, first: usize, answer: Embeddings) {
    let places = joined.vectors.iter_mut().skip(first);
    for (place, vector) in places.zip(answer.vectors) {
        *place = vector;
    }
    if !answer.model.is_empty() {
        joined.model = answer.model;
    }
    if let Some(usage) = answer.usage {
        let sum = joined.usage.get_or_insert_with(Usage::default);
        sum.input_tokens = sum.input_tokens.saturating_add(usage.input_tokens);
        sum.output_tokens = sum.output_tokens.saturating_add(usage.output_tokens);
    }
    joined.request_id = answer.request_id.or(joined.request_id.take());
    joined.attempts = joined.attempts.saturating_add(answer.attempts);
}

/// Runs one request, whose first text is number `first` of the call.
async fn run(
    shared: Arc<Shared>,
    request: EmbedRequest,
    rules: Rules,
    first: usize,
) -> Result<Embeddings, Error> {
    let ask = EmbedAsk::new(request, first);
    let opened = open(move || begin(shared, ask, rules, Mode::Whole)).await?;
    let (answer, request_id, attempts) = opened.finish(WholeReader::<Embeddings>::take)?;
    Ok(Embeddings {
        request_id,
        attempts,
        ..answer
    })
}

/// Refuses what no provider can answer, and what this provider cannot.
fn check<'a>(shared: &'a Shared, request: &EmbedRequest) -> Result<&'a dyn EmbedDialect, Error> {
    let dialect = dialect(shared)?;
    if request.inputs.is_empty() {
        return Err(Error::invalid("`inputs` is empty: give at least one text"));
    }
    if let Some(place) = request.inputs.iter().position(String::is_empty) {
        return Err(Error::invalid(format!(
            "text {place} (counted from 0) is empty and cannot be embedded"
        )));
    }
    let model = request.model.as_deref().unwrap_or(shared.endpoint.model());
    model_name::check(model)?;
    if request.dimensions == Some(0) {
        return Err(Error::invalid("a vector cannot have 0 dimensions"));
    }
    if request.extra.contains_key("input") {
        return Err(Error::invalid(
            "do not set `input` in extra; the texts come from `inputs`",
        ));
    }
    Ok(dialect)
}

fn dialect(shared: &Shared) -> Result<&dyn EmbedDialect, Error> {
    shared.dialect.embeddings().ok_or_else(|| {
        Error::invalid(format!(
            "the dialect {} does not support embeddings; use a client for a provider that does",
            shared.dialect.facts().name()
        ))
    })
}

fn asked<'a>(shared: &'a Shared, named: Option<&'a str>) -> Asked<'a> {
    let model = named.unwrap_or(shared.endpoint.model());
    Asked::job(Operation::Embeddings, model)
}

/// One request for embeddings that is not encoded yet.
struct EmbedAsk {
    request: EmbedRequest,
    /// The number of its first text within the call, from 0.
    first: usize,
    tokens: u64,
}

impl EmbedAsk {
    fn new(request: EmbedRequest, first: usize) -> Self {
        let tokens = request.inputs.iter().map(|text| estimate::text(text));
        let tokens = tokens.fold(0, u64::saturating_add);
        Self {
            request,
            first,
            tokens,
        }
    }
}

impl Ask for EmbedAsk {
    fn asked<'a>(&'a self, shared: &'a Shared) -> Asked<'a> {
        asked(shared, self.request.model.as_deref())
    }

    fn tokens(&self) -> u64 {
        self.tokens
    }

    fn write(self, shared: &Shared) -> Result<(Request<Bytes>, Box<dyn Job>), Error> {
        let encoded = dialect(shared)?.encode(&shared.endpoint, &self.request)?;
        let inputs = &self.request.inputs;
        check_size(shared, &encoded, || largest_text(inputs, self.first))?;
        let more = u32::try_from(self.tokens / TOKENS_PER_ANSWERED).unwrap_or(u32::MAX);
        let job = EmbedJob {
            count: inputs.len(),
            first: self.first,
            plan: Plan::expecting(DEFAULT_TOKENS.saturating_add(more)),
        };
        Ok((encoded, Box::new(job)))
    }
}

/// One request for embeddings that is encoded.
#[derive(Debug)]
struct EmbedJob {
    /// The number of texts, and the number of the first text within the call, from 0.
    count: usize,
    first: usize,
    plan: Plan,
}

impl Job for EmbedJob {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn reader(&self, shared: &Shared, head: &Parts) -> Box<dyn Reader> {
        let dialect = Arc::clone(&shared.dialect);
        let (count, first) = (self.count, self.first);
        let decode = move |body: &str| {
            let Some(embeddings) = dialect.embeddings() else {
                let why = "the dialect no longer supports embeddings";
                return Err(Error::new(ErrorKind::Internal, why));
            };
            let answer = embeddings.decode(body, count)?;
            check_count(&answer, count, first)?;
            Ok(answer)
        };
        Box::new(WholeReader::new(head, shared, decode))
    }
}

/// Refuses an answer without a vector for each text.
fn check_count(answer: &Embeddings, count: usize, first: usize) -> Result<(), Error> {
    let vectors = &answer.vectors;
    let why = if vectors.len() != count {
        let sent = vectors.len();
        format!("the answer has {sent} vectors for {count} texts")
    } else if let Some(place) = vectors.iter().position(Vec::is_empty) {
        let place = first + place;
        format!("the answer has no vector for text {place} (counted from 0)")
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Protocol, why))
}

/// Names the text that makes a request too large.
fn largest_text(inputs: &[String], first: usize) -> String {
    let largest = inputs.iter().enumerate().max_by_key(|(_, text)| text.len());
    largest.map_or(String::new(), |(place, text)| {
        let (place, size) = (first + place, text.len());
        format!("; the largest text is number {place} (counted from 0), {size} bytes")
    })
}

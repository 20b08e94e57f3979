//! The Batch APIs of OpenAI, Anthropic and Gemini, as their clients see them, with faults.

mod anthropic;
mod fate;
mod gemini;
mod openai;
mod prompt;
mod transport;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

pub use fate::{BatchFault, ItemFate};
pub use transport::BatchTransport;

/// What happens to an item, by its prompt and how often it was sent before.
type Fate = dyn Fn(&str, u32) -> ItemFate + Send + Sync;

/// The Batch APIs of OpenAI, Anthropic and Gemini, in memory. It takes requests and returns
/// responses, without a network or a clock: a batch ends after a number of polls.
///
/// ```
/// use chatcore_adapters::sim::BatchApi;
///
/// let api = BatchApi::new();
/// let list = http::Request::get("http://sim/v1/batches").body(bytes::Bytes::new())?;
/// assert_eq!(api.respond(&list).status(), 200);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Default)]
pub struct BatchApi(Mutex<State>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, Bytes>,
    /// In the order of their creation.
    batches: Vec<Batch>,
    /// How often each prompt was in a batch that was created.
    sent: BTreeMap<String, u32>,
    faults: VecDeque<BatchFault>,
    fate: Option<Box<Fate>>,
    /// After how many polls a batch ends.
    polls: u32,
    is_shuffled: bool,
    requests: u64,
    next: u64,
}

/// A batch at the provider.
struct Batch {
    id: String,
    name: String,
    path: String,
    items: Vec<Item>,
    polls: u32,
    is_cancelled: bool,
    fault: Option<BatchFault>,
    /// The results, once it has ended.
    results: Option<Results>,
    is_inline: bool,
}

struct Item {
    id: String,
    prompt: String,
    fate: ItemFate,
}

/// The results of a batch: lines of answers, and lines of errors where the API keeps them apart.
#[derive(Clone, Default)]
struct Results {
    answers: Vec<String>,
    errors: Vec<String>,
    done: usize,
    failed: usize,
}

/// What an API answers.
type Reply = (u16, Value);

impl BatchApi {
    /// APIs without batches. A batch ends at the second poll.
    pub fn new() -> Self {
        let api = Self::default();
        api.lock().polls = 2;
        api
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets after how many polls a batch ends.
    pub fn set_polls(&self, polls: u32) {
        self.lock().polls = polls;
    }

    /// Sets whether results come in another order than the requests.
    pub fn set_shuffled(&self, is_shuffled: bool) {
        self.lock().is_shuffled = is_shuffled;
    }

    /// Sets what happens to each item, by its prompt and how often it was in a batch before.
    pub fn set_fate(&self, fate: impl Fn(&str, u32) -> ItemFate + Send + Sync + 'static) {
        self.lock().fate = Some(Box::new(fate));
    }

    /// Adds faults. Each batch that is created takes the next one.
    pub fn add_faults(&self, faults: impl IntoIterator<Item = BatchFault>) {
        self.lock().faults.extend(faults);
    }

    /// How often each prompt was in a batch that was created, and so was paid.
    pub fn sent(&self) -> BTreeMap<String, u32> {
        self.lock().sent.clone()
    }

    /// How many batches were created.
    pub fn created(&self) -> usize {
        self.lock().batches.len()
    }

    /// How many batches have not ended.
    pub fn running(&self) -> usize {
        let state = self.lock();
        let batches = state.batches.iter();
        batches.filter(|batch| batch.results.is_none()).count()
    }

    /// How many requests came.
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Answers a request.
    pub fn respond(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let mut state = self.lock();
        state.requests += 1;
        let path = request.uri().path().to_owned();
        let reply = if path.contains("/messages/batches") {
            anthropic::respond(&mut state, request, &path)
        } else if path.contains("/v1beta") {
            gemini::respond(&mut state, request, &path)
        } else {
            openai::respond(&mut state, request, &path)
        };
        let (status, body) = match reply {
            Ok((status, value)) => (status, value.to_string()),
            Err(lines) => (200, lines),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
    }
}

impl fmt::Debug for BatchApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchApi")
            .field("created", &self.created())
            .finish_non_exhaustive()
    }
}

impl State {
    fn new_id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{:06}", self.next)
    }

    /// Creates a batch from the ids and bodies of its requests. The index of the batch, or the
    /// reply that it was refused with.
    fn create(
        &mut self,
        prefix: &str,
        name: &str,
        path: &str,
        requests: Vec<(String, Value)>,
    ) -> Result<usize, Reply> {
        let fault = self.faults.pop_front();
        if let Some(BatchFault::Refused(status)) = fault {
            return Err(refusal(status, "refused"));
        }
        let id = self.new_id(prefix);
        let mut items = Vec::new();
        for (id, body) in requests {
            let prompt = prompt::of(&body);
            let before = self.sent.entry(prompt.clone()).or_default();
            let fate = self.fate.as_ref();
            let fate = fate.map_or(ItemFate::Answer, |fate| fate(&prompt, *before));
            *before += 1;
            items.push(Item { id, prompt, fate });
        }
        self.batches.push(Batch {
            id,
            name: name.to_owned(),
            path: path.to_owned(),
            items,
            polls: 0,
            is_cancelled: false,
            fault,
            results: None,
            is_inline: false,
        });
        Ok(self.batches.len() - 1)
    }

    fn find(&mut self, id: &str) -> Option<usize> {
        self.batches.iter().position(|batch| batch.id == id)
    }

    /// Counts a poll, after which the batch may have ended. `line` writes the line of an item.
    fn poll(&mut self, at: usize, line: impl Fn(&Batch, &Item, &str) -> Vec<(bool, String)>) {
        let (polls, is_shuffled) = (self.polls, self.is_shuffled);
        let batch = &mut self.batches[at];
        batch.polls += 1;
        let is_over = batch.polls >= polls || batch.is_cancelled;
        if batch.results.is_some() || !is_over {
            return;
        }
        let mut results = Results::default();
        if !matches!(batch.fault, Some(BatchFault::Failed { .. })) {
            for (number, item) in batch.items.iter().enumerate() {
                let word = fate::word(batch, item, number);
                for (is_answer, line) in line(batch, item, word) {
                    match is_answer {
                        true => results.answers.push(line),
                        false => results.errors.push(line),
                    }
                }
                match word {
                    "answer" | "twice" => results.done += 1,
                    _ => results.failed += 1,
                }
            }
        }
        if is_shuffled {
            results.answers.reverse();
            results.errors.reverse();
        }
        batch.results = Some(results);
    }
}

impl Batch {
    /// Whether the first polls show a state that no client knows.
    fn is_in_unknown_state(&self) -> bool {
        self.fault == Some(BatchFault::UnknownState) && self.results.is_none()
    }

    fn is_lost(&self) -> bool {
        self.fault == Some(BatchFault::CreatedThen500)
    }
}

/// The body of an error.
fn refusal(status: u16, message: &str) -> Reply {
    let kind = match status {
        429 => "rate_limit_error",
        404 => "not_found_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let error = json!({"type": kind, "message": message});
    (status, json!({"type": "error", "error": error}))
}

fn not_found() -> Reply {
    refusal(404, "no such thing")
}

fn is_post(request: &Request<Bytes>) -> bool {
    request.method() == Method::POST
}

/// The value of a parameter of the query.
fn parameter<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    let query = request.uri().query()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

//! `/api/batch`: many prompts, with one line of JSON for each as it finishes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chatcore::{
    BatchProcessor, ChatRequest, ChatResponse, Defaults, LlmClient, Message, Progress, WhenFull,
};
use futures_lite::{StreamExt, stream};
use serde_json::{Value, json};

use crate::ask::{self, Allowed, Ask};
use crate::errors::ApiError;
use crate::events::Whole;
use crate::fields::{Fields, missing};
use crate::stream::Pieces;

/// A batch request.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) requests: Vec<Ask>,
    concurrency: usize,
}

/// Reads `{prompts, concurrency?, …}`. The options apply to every prompt.
pub(crate) fn read(
    mut fields: Fields,
    allowed: &Allowed,
    max_prompts: usize,
    workers: usize,
) -> Result<Batch, ApiError> {
    let prompts = fields.texts("prompts")?.ok_or_else(|| missing("prompts"))?;
    if prompts.is_empty() {
        return Err(ApiError::invalid("prompts", "prompts is empty"));
    }
    if prompts.len() > max_prompts {
        return Err(ApiError {
            code: "too_many_prompts".to_owned(),
            ..ApiError::invalid(
                "prompts",
                format!(
                    "prompts has {} items; this server allows at most {max_prompts}",
                    prompts.len()
                ),
            )
        });
    }
    let concurrency = fields
        .count("concurrency")?
        .map_or(workers, |asked| asked as usize);
    let none: [Message; 0] = [];
    let options = Ask {
        request: ask::options(&mut fields, ChatRequest::new(none), allowed)?,
        defaults: allowed.limit(Defaults::PROMPT),
    };
    fields.end()?;
    let with_prompt = |prompt| {
        let mut ask = options.clone();
        ask.request.messages.push(Message::user(prompt));
        ask
    };
    Ok(Batch {
        requests: prompts.into_iter().map(with_prompt).collect(),
        concurrency: concurrency.clamp(1, workers),
    })
}

/// Runs the batch: one line of JSON for each prompt as it finishes, and one at the end. Dropping it
/// cancels the running chats. When the queue is full, prompts wait instead of failing.
pub(crate) fn run(batch: Batch, client: LlmClient) -> Pieces {
    let progress = Arc::new(Mutex::new(Progress::default()));
    let told = Arc::clone(&progress);
    let executor = Arc::clone(client.executor());
    let total = batch.requests.len();
    let processor = BatchProcessor::new(executor, move |ask: Ask| {
        ask.call(&client).when_full(WhenFull::Wait).into_future()
    })
    .max_workers(batch.concurrency)
    .count_tokens(|answer: &ChatResponse| answer.usage.as_ref().map_or(0, |u| u.total_tokens()))
    .on_progress(move |now| {
        *told.lock().unwrap_or_else(PoisonError::into_inner) = now.clone();
    });
    let last = Arc::clone(&progress);
    let lines =
        processor
            .process_stream(stream::iter(batch.requests))
            .map(move |(index, result)| {
                let mut line = match result {
                    Ok(answer) => json!(Whole::from(answer)),
                    Err(error) => ApiError::from(error).to_json(),
                };
                line["type"] = json!("result");
                line["index"] = json!(index);
                line["progress"] = tell(&progress, total);
                bytes(&line)
            });
    let end = stream::once(())
        .map(move |()| bytes(&json!({"type": "end", "progress": tell(&last, total)})));
    Box::pin(lines.chain(end))
}

fn tell(progress: &Mutex<Progress>, total: usize) -> Value {
    let now = progress.lock().unwrap_or_else(PoisonError::into_inner);
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    json!({
        "total": total,
        "done": now.done,
        "failed": now.failed,
        "in_flight": now.in_flight,
        "tokens": now.tokens,
        "elapsed_ms": millis(now.elapsed),
        "remaining_ms": now.remaining.map(millis),
    })
}

fn bytes(line: &Value) -> Vec<u8> {
    format!("{line}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(body: Value) -> Result<Batch, ApiError> {
        let allowed = Allowed {
            models: vec!["m".into()],
            max_messages: 1,
            max_tokens: 100,
        };
        read(Fields::of(body, "").unwrap(), &allowed, 3, 5)
    }

    #[test]
    fn options_hold_for_every_prompt() {
        let batch = read_body(json!({
            "prompts": ["a", "b"], "concurrency": 99, "max_tokens": 7, "system_prompt": "s",
        }))
        .unwrap();
        assert_eq!(batch.concurrency, 5);
        for (Ask { request, .. }, prompt) in batch.requests.iter().zip(["a", "b"]) {
            assert_eq!(request.max_tokens, Some(7));
            assert_eq!(request.messages[1], Message::user(prompt));
        }
    }

    #[test]
    fn each_limit_has_its_code() {
        for (body, code) in [
            (json!({}), "missing_field"),
            (json!({"prompts": []}), "invalid_value"),
            (json!({"prompts": "x"}), "invalid_type"),
            (json!({"prompts": ["x", 1]}), "invalid_type"),
            (json!({"prompts": ["x", "x", "x", "x"]}), "too_many_prompts"),
            (json!({"prompts": ["x"], "concurrency": 0}), "invalid_type"),
        ] {
            assert_eq!(read_body(body.clone()).unwrap_err().code, code, "{body}");
        }
    }
}

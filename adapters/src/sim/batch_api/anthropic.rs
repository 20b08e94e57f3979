//! Anthropic's: `/v1/messages/batches`.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{
    Batch, BatchFault, Item, ItemFate, Reply, State, is_post, not_found, parameter, prompt, refusal,
};

/// The reply, or the lines of results.
pub(super) fn respond(
    state: &mut State,
    request: &Request<Bytes>,
    path: &str,
) -> Result<Reply, String> {
    let path = path
        .split_once("/messages/batches")
        .map_or("", |(_, rest)| rest);
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    let origin = request.uri().clone().into_parts();
    let origin = match (origin.scheme, origin.authority) {
        (Some(scheme), Some(authority)) => format!("{scheme}://{authority}"),
        _ => request
            .headers()
            .get("host")
            .and_then(|host| host.to_str().ok())
            .map_or(String::new(), |host| format!("http://{host}")),
    };
    Ok(match (is_post(request), &*parts) {
        (true, [""]) => create(state, request.body(), &origin),
        (false, [""]) => list(state, parameter(request, "after_id"), &origin),
        (false, [id]) => match state.find(id) {
            Some(at) => {
                state.poll(at, line);
                (200, show(&state.batches[at], &origin))
            }
            None => not_found(),
        },
        (false, [id, "results"]) => match state.find(id).map(|at| &state.batches[at]) {
            Some(Batch {
                results: Some(results),
                ..
            }) => return Err(results.answers.concat()),
            _ => not_found(),
        },
        (true, [id, "cancel"]) => match state.find(id) {
            Some(at) if state.batches[at].results.is_none() => {
                state.batches[at].is_cancelled = true;
                (200, show(&state.batches[at], &origin))
            }
            Some(_) => refusal(400, "the batch has ended"),
            None => not_found(),
        },
        _ => not_found(),
    })
}

fn create(state: &mut State, body: &Bytes, origin: &str) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(requests) = body["requests"].as_array() else {
        return refusal(400, "no requests");
    };
    let mut items = Vec::new();
    for request in requests {
        let id = request["custom_id"].as_str().unwrap_or_default();
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > 64 || !id.bytes().all(is_safe) {
            return refusal(400, "a custom_id must match ^[a-zA-Z0-9_-]{1,64}$");
        }
        items.push((id.to_owned(), request["params"].clone()));
    }
    match state.create("msgbatch_", "", "/v1/messages", items) {
        Ok(at) if state.batches[at].is_lost() => refusal(500, "oops"),
        Ok(at) => (200, show(&state.batches[at], origin)),
        Err(refused) => refused,
    }
}

/// Pages of three.
fn list(state: &State, after: Option<&str>, origin: &str) -> Reply {
    let all = state.batches.iter().rev();
    let all = all.filter(|batch| batch.id.starts_with("msgbatch_"));
    let mut rest = all.skip_while(|batch| after.is_some_and(|after| batch.id != after));
    if after.is_some() {
        rest.next();
    }
    let rest: Vec<_> = rest.collect();
    let page: Vec<_> = rest
        .iter()
        .take(3)
        .map(|batch| show(batch, origin))
        .collect();
    let last = page.last().map(|batch| batch["id"].clone());
    (
        200,
        json!({"data": page, "has_more": rest.len() > 3, "first_id": null, "last_id": last}),
    )
}

fn show(batch: &Batch, origin: &str) -> Value {
    let is_ended = batch.results.is_some();
    let results = batch.results.clone().unwrap_or_default();
    let origin = match batch.fault {
        Some(BatchFault::ResultsElsewhere) => "https://results.example",
        _ => origin,
    };
    let url = format!("{origin}/v1/messages/batches/{}/results", batch.id);
    let status = match is_ended {
        true => "ended",
        false if batch.is_in_unknown_state() => "pondering",
        false if batch.is_cancelled => "canceling",
        false => "in_progress",
    };
    let running = batch.items.len() - results.done - results.failed;
    json!({
        "id": batch.id,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {
            "processing": if is_ended { 0 } else { running },
            "succeeded": results.done,
            "errored": results.failed,
            "canceled": 0,
            "expired": 0
        },
        "results_url": if is_ended { url.into() } else { Value::Null }
    })
}

fn line(batch: &Batch, item: &Item, word: &str) -> Vec<(bool, String)> {
    let of = |result: Value| {
        let line = json!({"custom_id": item.id, "result": result});
        (true, format!("{line}\n"))
    };
    let answer = || {
        let message = prompt::answer(&item.prompt, &batch.path);
        of(json!({"type": "succeeded", "message": message}))
    };
    match (word, &item.fate) {
        ("answer", _) => vec![answer()],
        ("twice", _) => vec![answer(), answer()],
        ("failed", ItemFate::Status(status)) => {
            let (_, error) = refusal(*status, "no");
            vec![of(json!({"type": "errored", "error": error}))]
        }
        ("huge", ItemFate::Huge(bytes)) => {
            let mut message = prompt::answer(&item.prompt, &batch.path);
            message["padding"] = "x".repeat(*bytes).into();
            vec![of(json!({"type": "succeeded", "message": message}))]
        }
        ("garbage", _) => vec![(true, "{\"custom_id\": oops\n".to_owned())],
        ("expired", _) => vec![of(json!({"type": "expired"}))],
        ("cancelled", _) => vec![of(json!({"type": "canceled"}))],
        _ => Vec::new(),
    }
}

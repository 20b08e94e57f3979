//! OpenAI's: `/files`, `/batches`.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::{
    Batch, BatchFault, Item, ItemFate, Reply, State, is_post, not_found, parameter, prompt, refusal,
};

/// The reply, or the content of a file.
pub(super) fn respond(
    state: &mut State,
    request: &Request<Bytes>,
    path: &str,
) -> Result<Reply, String> {
    let path = path.split_once("/v1").map_or(path, |(_, path)| path);
    let parts: Vec<_> = path.trim_matches('/').split('/').collect();
    Ok(match (is_post(request), &*parts) {
        (true, ["files"]) => upload(state, request.body()),
        (false, ["files", id, "content"]) => return content(state, id),
        (true, ["batches"]) => create(state, request.body()),
        (false, ["batches"]) => list(state, parameter(request, "after")),
        (false, ["batches", id]) => match state.find(id) {
            Some(at) => {
                state.poll(at, line);
                (200, show(&state.batches[at]))
            }
            None => not_found(),
        },
        (true, ["batches", id, "cancel"]) => match state.find(id) {
            Some(at) if state.batches[at].results.is_none() => {
                state.batches[at].is_cancelled = true;
                (200, show(&state.batches[at]))
            }
            Some(_) => refusal(409, "the batch has ended"),
            None => not_found(),
        },
        _ => not_found(),
    })
}

/// The lines of the file in a multipart form.
fn upload(state: &mut State, body: &Bytes) -> Reply {
    let text = String::from_utf8_lossy(body);
    let is_for_batches = text.contains("name=\"purpose\"\r\n\r\nbatch\r\n");
    let lines: String = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| format!("{line}\n"))
        .collect();
    if !is_for_batches || lines.is_empty() {
        return refusal(400, "no file with the purpose batch");
    }
    let id = state.new_id("file-");
    state.files.insert(id.clone(), lines.into());
    (200, json!({"id": id, "object": "file", "purpose": "batch"}))
}

fn content(state: &State, id: &str) -> Result<Reply, String> {
    let of_batch = |batch: &Batch| {
        let results = batch.results.as_ref()?;
        let files = [(&results.answers, "out-"), (&results.errors, "err-")];
        let found = files
            .iter()
            .find(|(_, prefix)| id.strip_prefix(prefix).is_some_and(|rest| rest == batch.id));
        found.map(|(lines, _)| lines.concat())
    };
    match state.batches.iter().find_map(of_batch) {
        Some(lines) => Err(lines),
        None => Ok(not_found()),
    }
}

fn create(state: &mut State, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let file = body["input_file_id"].as_str().unwrap_or_default();
    let Some(file) = state.files.get(file).cloned() else {
        return refusal(400, "no such file");
    };
    if body["completion_window"] != "24h" {
        return refusal(400, "no completion_window");
    }
    let endpoint = body["endpoint"].as_str().unwrap_or_default().to_owned();
    let name = body["metadata"]["chatcore_batch"].as_str();
    let name = name.unwrap_or_default().to_owned();
    let lines = String::from_utf8_lossy(&file);
    let mut requests = Vec::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if line["url"] != *endpoint || line["method"] != "POST" {
            return refusal(400, "a line with another url");
        }
        let id = line["custom_id"].as_str().unwrap_or_default().to_owned();
        requests.push((id, line["body"].clone()));
    }
    match state.create("batch_", &name, &endpoint, requests) {
        Ok(at) if state.batches[at].is_lost() => refusal(500, "oops"),
        Ok(at) => (200, show(&state.batches[at])),
        Err(refused) => refused,
    }
}

/// Pages of three.
fn list(state: &State, after: Option<&str>) -> Reply {
    let newest_first = state.batches.iter().rev();
    let mut rest = newest_first.skip_while(|batch| after.is_some_and(|after| batch.id != after));
    if after.is_some() {
        rest.next();
    }
    let rest: Vec<_> = rest.collect();
    let page: Vec<_> = rest.iter().take(3).map(|batch| show(batch)).collect();
    let last = page.last().map(|batch| batch["id"].clone());
    let more = rest.len() > 3;
    (
        200,
        json!({"object": "list", "data": page, "has_more": more, "last_id": last}),
    )
}

fn show(batch: &Batch) -> Value {
    let results = batch.results.clone().unwrap_or_default();
    let file = |prefix: &str, lines: &[String]| match lines {
        [] => Value::Null,
        _ => format!("{prefix}{}", batch.id).into(),
    };
    let mut errors = Value::Null;
    let status = match (&batch.results, &batch.fault) {
        (None, _) if batch.is_in_unknown_state() => "pondering",
        (None, _) if batch.is_cancelled => "cancelling",
        (None, _) => "in_progress",
        (Some(_), Some(BatchFault::Failed { code, line })) => {
            let message = format!("the batch was refused: {code}");
            let error = json!({"code": code, "message": message, "param": null, "line": line});
            errors = json!({"object": "list", "data": [error]});
            "failed"
        }
        (Some(_), Some(BatchFault::Expired)) => "expired",
        (Some(_), _) if batch.is_cancelled => "cancelled",
        (Some(_), _) => "completed",
    };
    json!({
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.path,
        "errors": errors,
        "completion_window": "24h",
        "status": status,
        "output_file_id": file("out-", &results.answers),
        "error_file_id": file("err-", &results.errors),
        "created_at": 1_711_471_533,
        "request_counts": {
            "total": batch.items.len(), "completed": results.done, "failed": results.failed
        },
        "metadata": {"chatcore_batch": batch.name}
    })
}

/// The lines of an item, each with whether it is an answer.
fn line(batch: &Batch, item: &Item, word: &str) -> Vec<(bool, String)> {
    let of = |response: Value, error: Value| {
        let line = json!({
            "id": format!("batch_req_{}", item.id),
            "custom_id": item.id,
            "response": response,
            "error": error
        });
        format!("{line}\n")
    };
    let response = |status: u16, body: Value| json!({"status_code": status, "request_id": "req_sim", "body": body});
    let answer = || {
        of(
            response(200, prompt::answer(&item.prompt, &batch.path)),
            Value::Null,
        )
    };
    let over = |code: &str| of(Value::Null, json!({"code": code, "message": "not run"}));
    match (word, &item.fate) {
        ("answer", _) => vec![(true, answer())],
        ("twice", _) => vec![(true, answer()), (true, answer())],
        ("failed", ItemFate::Status(status)) => {
            let error = json!({"error": {"message": "no", "type": "sim", "code": "sim_code"}});
            vec![(false, of(response(*status, error), Value::Null))]
        }
        ("huge", ItemFate::Huge(bytes)) => {
            let mut body = prompt::answer(&item.prompt, &batch.path);
            body["padding"] = "x".repeat(*bytes).into();
            vec![(true, of(response(200, body), Value::Null))]
        }
        ("garbage", _) => vec![(true, "{\"custom_id\": oops\n".to_owned())],
        ("expired", _) => vec![(false, over("batch_expired"))],
        // OpenAI has no lines for requests that were cancelled.
        _ => Vec::new(),
    }
}

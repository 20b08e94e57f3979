//! Google's: `:batchGenerateContent`, `/batches`, `/upload/…/files`, `/download/…`.

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
    let (before, path) = path.split_once("/v1beta/").unwrap_or(("", ""));
    Ok(match (is_post(request), before, path) {
        (true, "/upload", "files") => upload(state, request),
        (false, "/download", path) => return download(state, path),
        (true, "", path) if path.ends_with(":batchGenerateContent") => {
            create(state, request.body())
        }
        (false, "", "batches") => list(state, parameter(request, "pageToken")),
        (true, "", path) => match path.strip_suffix(":cancel").and_then(|id| state.find(id)) {
            Some(at) => {
                state.batches[at].is_cancelled = true;
                (200, json!({}))
            }
            None => not_found(),
        },
        (false, "", id) => match state.find(id) {
            Some(at) => {
                state.poll(at, line);
                (200, show(&state.batches[at]))
            }
            None => not_found(),
        },
        _ => not_found(),
    })
}

fn upload(state: &mut State, request: &Request<Bytes>) -> Reply {
    let protocol = request.headers().get("x-goog-upload-protocol");
    if protocol.is_none_or(|value| value != "multipart") {
        return refusal(400, "no upload in one request");
    }
    let text = String::from_utf8_lossy(request.body());
    let lines = text.lines().filter(|line| line.starts_with("{\"key\""));
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    let id = state.new_id("files/in");
    state.files.insert(id.clone(), lines.into());
    (
        200,
        json!({"file": {"name": id, "mimeType": "application/jsonl"}}),
    )
}

fn download(state: &State, path: &str) -> Result<Reply, String> {
    let id = path.strip_suffix(":download").unwrap_or_default();
    let of_batch = |batch: &Batch| {
        let results = batch.results.as_ref()?;
        (file(batch) == id).then(|| results.answers.concat())
    };
    match state.batches.iter().find_map(of_batch) {
        Some(lines) => Err(lines),
        None => Ok(not_found()),
    }
}

/// The name of the file with the results of a batch.
fn file(batch: &Batch) -> String {
    batch.id.replace("batches/", "files/batch-")
}

fn create(state: &mut State, body: &Bytes) -> Reply {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let batch = &body["batch"];
    let name = batch["displayName"].as_str().unwrap_or_default().to_owned();
    let input = &batch["inputConfig"];
    let inline = input["requests"]["requests"].as_array();
    let requests = match (inline, input["fileName"].as_str()) {
        (Some(requests), _) => requests
            .iter()
            .map(|request| {
                (
                    text(&request["metadata"]["key"]),
                    request["request"].clone(),
                )
            })
            .collect(),
        (None, Some(file)) => {
            let Some(file) = state.files.get(file) else {
                return refusal(400, "no such file");
            };
            let lines = String::from_utf8_lossy(file).into_owned();
            let line = |line: &str| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                (text(&line["key"]), line["request"].clone())
            };
            lines.lines().map(line).collect()
        }
        (None, None) => return refusal(400, "no requests"),
    };
    let is_inline = inline.is_some();
    match state.create("batches/", &name, "generateContent", requests) {
        Ok(at) => {
            state.batches[at].is_inline = is_inline;
            match state.batches[at].is_lost() {
                true => refusal(500, "oops"),
                false => (200, show(&state.batches[at])),
            }
        }
        Err(refused) => refused,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Pages of three.
fn list(state: &State, token: Option<&str>) -> Reply {
    let from: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let all = state.batches.iter().rev().skip(from);
    let page: Vec<_> = all.take(3).map(show).collect();
    if page.is_empty() {
        return (200, json!({}));
    }
    let mut reply = json!({"operations": page});
    if from + 3 < state.batches.len() {
        reply["nextPageToken"] = (from + 3).to_string().into();
    }
    (200, reply)
}

fn show(batch: &Batch) -> Value {
    let state = match (&batch.results, &batch.fault) {
        (None, _) if batch.is_in_unknown_state() => "BATCH_STATE_PONDERING",
        (None, _) => "BATCH_STATE_RUNNING",
        (Some(_), Some(BatchFault::Failed { .. })) => "BATCH_STATE_FAILED",
        (Some(_), _) if batch.is_cancelled => "BATCH_STATE_CANCELLED",
        // Google's whole batches expire without results.
        (Some(_), _) => "BATCH_STATE_SUCCEEDED",
    };
    let results = batch.results.clone().unwrap_or_default();
    let mut operation = json!({
        "name": batch.id,
        "metadata": {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "displayName": batch.name,
            "state": state,
            "batchStats": {
                "requestCount": batch.items.len().to_string(),
                "successfulRequestCount": results.done.to_string(),
                "failedRequestCount": results.failed.to_string()
            }
        }
    });
    if batch.results.is_none() {
        return operation;
    }
    operation["done"] = true.into();
    if let Some(BatchFault::Failed { code, .. }) = &batch.fault {
        operation["error"] = json!({"code": 3, "message": code, "status": "INVALID_ARGUMENT"});
        return operation;
    }
    let output = match batch.is_inline {
        true => {
            let lines = results.answers.iter();
            let lines: Vec<Value> = lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            json!({"inlinedResponses": {"inlinedResponses": lines}})
        }
        false => json!({"responsesFile": file(batch)}),
    };
    operation["response"] = output.clone();
    operation["metadata"]["output"] = output;
    operation
}

fn line(batch: &Batch, item: &Item, word: &str) -> Vec<(bool, String)> {
    let of = |name: &str, value: Value| {
        let mut line = match batch.is_inline {
            true => json!({"metadata": {"key": item.id}}),
            false => json!({"key": item.id}),
        };
        line[name] = value;
        (true, format!("{line}\n"))
    };
    let answer = || of("response", prompt::answer(&item.prompt, &batch.path));
    let status = |code: u32, status: &str| {
        of(
            "error",
            json!({"code": code, "message": "no", "status": status}),
        )
    };
    match (word, &item.fate) {
        ("answer", _) => vec![answer()],
        ("twice", _) => vec![answer(), answer()],
        ("failed", ItemFate::Status(429)) => vec![status(8, "RESOURCE_EXHAUSTED")],
        ("failed", ItemFate::Status(500..)) => vec![status(13, "INTERNAL")],
        ("failed", _) => vec![status(3, "INVALID_ARGUMENT")],
        ("huge", ItemFate::Huge(bytes)) => {
            let mut body = prompt::answer(&item.prompt, &batch.path);
            body["padding"] = "x".repeat(*bytes).into();
            vec![of("response", body)]
        }
        ("garbage", _) => vec![(true, "{\"key\": oops\n".to_owned())],
        ("expired", _) => vec![status(4, "DEADLINE_EXCEEDED")],
        ("cancelled", _) => vec![status(1, "CANCELLED")],
        _ => Vec::new(),
    }
}

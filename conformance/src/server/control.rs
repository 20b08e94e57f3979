//! Requests from tests in other processes, with paths that begin with `/_`, and preflight requests
//! of browsers. None of them is counted.

use std::sync::Arc;

use serde::Serialize;

use super::answer::Answer;
use super::log::{By, Log, Seen, WAIT_CAP, within};
use super::plan::Framing;
use super::request::Request;
use super::route::{path, percent_decoded};

/// The response, if the request is for this module.
pub(super) async fn answer(request: &Request, log: &Arc<Log>) -> Option<Answer> {
    if request.method == "OPTIONS" {
        return Some(preflight(request));
    }
    let path = path(&request.target).strip_prefix("/_")?;
    let mut words = path.split('/').map(percent_decoded);
    let what = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let count = words
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(1);
    Some(match what.as_str() {
        "stats" => json(&log.stats()),
        "requests" => json(&requests(log, &key).await),
        "release" => {
            log.release(&key, count);
            json(&true)
        }
        "wait_request" => match wait_request(log, &key, count).await {
            Ok(seen) => json(&Shown::of(&seen)),
            Err(late) => Answer::refusal(504, &late, 0),
        },
        "wait_closed" => match wait_closed(log, &key).await {
            Ok((by, _)) => json(&match by {
                By::Client => "client",
                By::Server => "server",
            }),
            Err(late) => Answer::refusal(504, &late, 0),
        },
        unknown => Answer::refusal(404, &format!("no control is called `_{unknown}`"), 0),
    })
}

/// Waits for the request number `count` of `key`, counted from 1.
pub(super) async fn wait_request(log: &Log, key: &str, count: u64) -> Result<Arc<Seen>, String> {
    let nth = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = log.until(|state| state.requests(key).nth(nth).cloned());
    within(WAIT_CAP, || format!("request {count} of `{key}`"), wait).await
}

/// Waits until the connection of the last request of `key` is closed.
pub(super) async fn wait_closed(log: &Log, key: &str) -> Result<(By, std::time::Instant), String> {
    let wait = log.until(|state| {
        let connection = state.requests(key).last()?.connection;
        state.closed(connection)
    });
    within(
        WAIT_CAP,
        || format!("the connection of `{key}` close"),
        wait,
    )
    .await
}

/// A request as JSON; a body that is not UTF-8 is shown with replacement characters.
#[derive(Serialize)]
struct Shown {
    number: u64,
    connection: u64,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Shown {
    fn of(seen: &Seen) -> Self {
        Self {
            number: seen.number,
            connection: seen.connection,
            method: seen.method.clone(),
            target: seen.target.clone(),
            headers: seen.headers.clone(),
            body: String::from_utf8_lossy(&seen.body).into_owned(),
        }
    }
}

async fn requests(log: &Log, key: &str) -> Vec<Shown> {
    let all =
        |state: &mut super::log::State| Some(state.requests(key).cloned().collect::<Vec<_>>());
    let seen = log.until(all).await;
    seen.iter().map(|seen| Shown::of(seen)).collect()
}

fn json(value: &impl Serialize) -> Answer {
    Answer {
        status: 200,
        content_type: Some("application/json".into()),
        headers: Vec::new(),
        pieces: vec![serde_json::to_vec(value).unwrap_or_default()],
        framing: Framing::Length,
    }
}

fn preflight(request: &Request) -> Answer {
    let wanted = request
        .headers
        .iter()
        .find(|(name, _)| name == "access-control-request-headers");
    let wanted = wanted.map_or("*", |(_, wanted)| wanted);
    Answer {
        status: 204,
        content_type: None,
        headers: vec![
            ("access-control-allow-headers".into(), wanted.to_owned()),
            (
                "access-control-allow-methods".into(),
                "GET, POST, OPTIONS".into(),
            ),
            ("access-control-max-age".into(), "600".into()),
        ],
        pieces: Vec::new(),
        framing: Framing::Length,
    }
}

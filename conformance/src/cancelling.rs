//! Dropping a future or a body.

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatcore::{ByteStream, ConnectTimeout};
use futures_lite::{FutureExt, StreamExt, future};
use http::{Request, Response};

use crate::pair::{Pair, expect_bytes, get};
use crate::server::{By, Unresponsive};
use crate::{Outcome, ensure};

/// The server must see a dropped connection close within this time. A transport that closes at once
/// needs less than a millisecond; only one that waits for something takes this long.
const LIMIT: Duration = Duration::from_secs(2);

/// Waits until the server sees that the client closed the connection of `key`. Returns the time
/// since `dropped`.
pub(crate) async fn closed_after(
    pair: &Pair,
    key: &str,
    dropped: Instant,
) -> Result<Duration, String> {
    let (by, at) = pair.server.closed(key).await?;
    ensure!(by == By::Client, "{key}: the server closed the connection");
    Ok(at.saturating_duration_since(dropped))
}

/// Checks that the fastest of several tries keeps the limit. A busy machine delays single tries,
/// but a transport that waits for something delays all of them.
pub(crate) fn in_time(what: &str, took: &[Duration]) -> Outcome {
    let fastest = took.iter().min();
    ensure!(
        fastest.is_some_and(|fastest| *fastest <= LIMIT),
        "{what}: the server saw the connection close after {took:?}"
    );
    Ok(())
}

/// Polls `send` until the server has seen the request.
async fn until_seen(
    pair: &Pair,
    key: &str,
    mut send: impl Future<Output = Result<Response<ByteStream>, chatcore::TransportError>> + Unpin,
) -> Outcome {
    let answered = async {
        match (&mut send).await {
            Ok(response) => Err(format!("answered {} before it was due", response.status())),
            Err(error) => Err(format!("failed before it was dropped: {error}")),
        }
    };
    let seen = async { pair.server.request(key).await.map(drop) };
    seen.or(answered).await
}

async fn head(pair: &Pair, request: Request<Bytes>) -> Result<ByteStream, String> {
    let response = pair.send(request).await;
    Ok(response.map_err(|error| error.to_string())?.into_body())
}

/// Before a head arrived.
pub(crate) async fn dropping_a_waiting_send_closes(pair: &Pair) -> Outcome {
    let mut took = Vec::new();
    for n in 0..3 {
        let key = format!("waiting-{n}");
        let mut send = Box::pin(pair.send(pair.post(&format!("/key/{key}/silent/echo"), "{}")?));
        until_seen(pair, &key, &mut send).await?;
        let dropped = Instant::now();
        drop(send);
        took.push(closed_after(pair, &key, dropped).await?);
    }
    in_time("a future of `send`", &took)
}

/// After the head arrived, before anything was read.
pub(crate) async fn dropping_an_unread_body_closes(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let mut took = Vec::new();
        for n in 0..3 {
            let key = format!("unread-{framing}-{n}");
            let path = format!("/key/{key}/{framing}/stall/0/text/hello");
            let body = head(pair, pair.get(&path)?).await?;
            let dropped = Instant::now();
            drop(body);
            took.push(closed_after(pair, &key, dropped).await?);
        }
        in_time(&format!("an unread body ({framing})"), &took)?;
    }
    Ok(())
}

/// After half of the body arrived, while the reader waits for more.
pub(crate) async fn dropping_a_half_read_body_closes(pair: &Pair) -> Outcome {
    let mut took = Vec::new();
    for n in 0..3 {
        let key = format!("half-{n}");
        let path = format!("/key/{key}/chunked/split/5/stall/1/text/hello%20world");
        let mut body = head(pair, pair.get(&path)?).await?;
        expect_bytes(&mut body, b"hello").await?;
        // Poll once, so that the body registers its waker.
        ensure!(
            future::poll_once(pin!(body.next())).await.is_none(),
            "more came than was sent"
        );
        let dropped = Instant::now();
        drop(body);
        took.push(closed_after(pair, &key, dropped).await?);
    }
    in_time("a half-read body", &took)
}

/// After all events arrived, while the server keeps the body open.
pub(crate) async fn dropping_a_held_body_closes(pair: &Pair) -> Outcome {
    let question = r#"{"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let mut took = Vec::new();
    for n in 0..3 {
        let key = format!("held-{n}");
        let path = format!("/key/{key}/hold/v1/chat/completions");
        let mut body = head(pair, pair.post(&path, question)?).await?;
        let mut came = Vec::new();
        while !came.ends_with(b"data: [DONE]\n\n") {
            match body.next().await {
                Some(Ok(piece)) => came.extend_from_slice(&piece),
                other => return Err(format!("the stream ends early: {other:?}")),
            }
        }
        let dropped = Instant::now();
        drop(body);
        took.push(closed_after(pair, &key, dropped).await?);
    }
    in_time("a body that was read but does not end", &took)
}

/// The connect timeout of the requests that are dropped.
const LONG: Duration = Duration::from_secs(60);

/// While the connection is being opened.
pub(crate) async fn dropping_while_connecting_is_clean(pair: &Pair) -> Outcome {
    let nobody = Unresponsive::new().map_err(|error| error.to_string())?;
    for _ in 0..8 {
        let mut request = get(&format!("http://{}/", nobody.address()))?;
        request.extensions_mut().insert(ConnectTimeout(LONG));
        let mut send = Box::pin(pair.send(request));
        let early = future::poll_once(&mut send).await;
        ensure!(early.is_none(), "connected to nobody: {early:?}");
        drop(send);
    }
    // The dropped requests hold nothing, so the next request is served at once.
    let began = Instant::now();
    let text = pair.text("/text/next").await?;
    ensure!(text == "next", "the next answer is {text:?}");
    let took = began.elapsed();
    ensure!(
        took < LONG,
        "the next request waited {took:?} for a connection that nobody wants"
    );
    Ok(())
}

/// The answer to a dropped request must not become the answer to the next request.
pub(crate) async fn a_cancelled_answer_goes_to_nobody(pair: &Pair) -> Outcome {
    for n in 0..5 {
        // Leaves an idle connection that could be reused wrongly.
        pair.text("/text/warm").await?;
        let key = format!("cancelled-{n}");
        let request = pair.post(&format!("/key/{key}/delay/20ms/echo"), "cancelled")?;
        let mut send = Box::pin(pair.send(request));
        until_seen(pair, &key, &mut send).await?;
        drop(send);
        let (_, body) = pair.answer(pair.post("/echo", "next")?).await?;
        ensure!(
            body == b"next",
            "answered {:?}",
            String::from_utf8_lossy(&body)
        );

        let gate = format!("half-{n}");
        let path = format!("/gate/{gate}/chunked/split/4/text/halfwhole");
        pair.server.release(&gate, 1);
        let mut body = head(pair, pair.get(&path)?).await?;
        expect_bytes(&mut body, b"half").await?;
        // The rest is on its way while the body is dropped.
        pair.server.release(&gate, 1);
        drop(body);
        let next = pair.text("/text/next").await?;
        ensure!(next == "next", "answered {next:?}");
    }
    Ok(())
}

//! Opening, keeping, reusing and replacing connections.

use std::time::{Duration, Instant};

use chatcore::ConnectTimeout;
use chatcore::TransportErrorKind::{
    Connect, ConnectTimeout as TimedOut, Dns, InvalidInput, Protocol, Reset,
};
use futures_lite::future;
use smol::channel::bounded;

use crate::pair::{Failed, Pair, expect_bytes, expect_end, get};
use crate::server::{Refusing, Unresponsive};
use crate::{Outcome, ensure};

/// The connections that carried the first `count` requests of `key`.
async fn used_by(pair: &Pair, key: &str, count: u64) -> Result<Vec<u64>, String> {
    let mut used = Vec::new();
    for n in 1..=count {
        used.push(pair.server.nth_request(key, n).await?.connection);
    }
    used.dedup();
    Ok(used)
}

/// Consecutive requests use one connection.
pub(crate) async fn connections_are_reused(pair: &Pair) -> Outcome {
    for n in 0..5 {
        let text = pair.text(&format!("/key/reused/text/{n}")).await?;
        ensure!(text == n.to_string(), "answer {n} is {text:?}");
    }
    let used = used_by(pair, "reused", 5).await?;
    ensure!(
        used.len() == 1,
        "five requests in a row took connections {used:?}"
    );
    Ok(())
}

/// A stream that was read to its end returns its connection.
pub(crate) async fn a_stream_hands_its_connection_back(pair: &Pair) -> Outcome {
    for _ in 0..3 {
        let path = "/key/streams/every/2ms/chunked/split/2,4/text/abcdef";
        let text = pair.text(path).await?;
        ensure!(text == "abcdef", "the stream is {text:?}");
    }
    let used = used_by(pair, "streams", 3).await?;
    ensure!(
        used.len() == 1,
        "three streams in a row took connections {used:?}"
    );
    Ok(())
}

/// A response with an error status returns its connection.
pub(crate) async fn an_error_status_hands_its_connection_back(pair: &Pair) -> Outcome {
    for status in [500, 429, 404] {
        pair.answer(pair.get(&format!("/key/errors/status/{status}/text/x"))?)
            .await?;
    }
    let used = used_by(pair, "errors", 3).await?;
    ensure!(
        used.len() == 1,
        "three error statuses took connections {used:?}"
    );
    Ok(())
}

/// After `connection: close`, the next request uses another connection at once.
pub(crate) async fn announced_closes_are_believed(pair: &Pair) -> Outcome {
    for n in 0..3 {
        let text = pair
            .text(&format!("/key/closing/close-said/text/{n}"))
            .await?;
        ensure!(text == n.to_string(), "answer {n} is {text:?}");
    }
    let requests = pair.server.counts("closing").requests;
    ensure!(
        requests == 3,
        "three requests reached the server {requests} times"
    );
    Ok(())
}

/// Thirty-two concurrent requests, answered in a different order, each get their own answer.
pub(crate) async fn answers_do_not_mix(pair: &Pair) -> Outcome {
    for round in 0..2 {
        let mut asked = Vec::new();
        for n in 0..32 {
            let wait = (n * 7) % 31;
            let request = pair.post(&format!("/delay/{wait}ms/echo"), &format!("{round}-{n}"))?;
            asked.push(async move {
                let (_, body) = pair.answer(request).await?;
                let body = String::from_utf8_lossy(&body).into_owned();
                ensure!(
                    body == format!("{round}-{n}"),
                    "request {round}-{n} is answered {body:?}"
                );
                Ok(())
            });
        }
        all(asked).await?;
    }
    Ok(())
}

/// While a body waits to be read, other requests are served.
pub(crate) async fn an_unread_body_blocks_nobody(pair: &Pair) -> Outcome {
    let mut unread = Vec::new();
    for _ in 0..3 {
        let response = pair.send(pair.get("/gate/later/chunked/text/late")?).await;
        unread.push(response.map_err(|error| error.to_string())?.into_body());
        let text = pair.text("/text/next").await?;
        ensure!(text == "next", "the next answer is {text:?}");
    }
    pair.server.release("later", 3);
    for mut body in unread {
        expect_bytes(&mut body, b"late").await?;
        expect_end(&mut body).await?;
    }
    Ok(())
}

/// Bytes after the end of an answer are not the answer to the next request: an attacker who can add
/// them could speak for the model. A transport may also refuse an answer that is followed by such
/// bytes.
pub(crate) async fn an_answer_nobody_asked_for_goes_to_nobody(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        for n in 0..3 {
            match pair
                .attempt(pair.get(&format!("/extra/{framing}/text/{n}"))?)
                .await
            {
                Ok((_, body)) => ensure!(
                    body == n.to_string().as_bytes(),
                    "{framing}: answer {n} is {:?}",
                    String::from_utf8_lossy(&body)
                ),
                Err(failed) => ensure!(
                    failed.kind == Protocol,
                    "{framing}: answer {n} fails as {:?}: \"{}\"",
                    failed.kind,
                    failed.message
                ),
            }
        }
    }
    Ok(())
}

/// Runs all `cases` concurrently. The outcome is the first failure.
async fn all(cases: Vec<impl Future<Output = Outcome>>) -> Outcome {
    let mut left: Vec<_> = cases.into_iter().map(Box::pin).collect();
    future::poll_fn(|cx| {
        use std::task::Poll;
        let mut failure = None;
        left.retain_mut(|case| match case.as_mut().poll(cx) {
            Poll::Pending => true,
            Poll::Ready(outcome) => {
                failure = failure.take().or(outcome.err());
                false
            }
        });
        match failure {
            Some(failure) => Poll::Ready(Err(failure)),
            None if left.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}

/// An idle connection that has died is replaced without an error.
async fn replaced(pair: &Pair, how: &str) -> Outcome {
    for n in 0..3 {
        // The connection dies only after the answer was read, because a reset would discard unread
        // bytes.
        let gate = format!("{how}-{n}");
        pair.server.release(&gate, 1);
        pair.text(&format!("/key/dies-{n}/gate/{gate}/{how}/text/first"))
            .await?;
        pair.server.release(&gate, 1);
        // Closed by the server, or earlier by a client that keeps no idle connections.
        pair.server.closed(&format!("dies-{n}")).await?;
        let (_, body) = pair
            .answer(pair.post(&format!("/key/after-{n}/echo"), "second")?)
            .await?;
        ensure!(
            body == b"second",
            "the answer is {:?}",
            String::from_utf8_lossy(&body)
        );
        let requests = pair.server.counts(&format!("after-{n}")).requests;
        ensure!(
            requests == 1,
            "the request reached the server {requests} times"
        );
    }
    Ok(())
}

/// The server closes the connection while it is idle.
pub(crate) async fn a_closed_idle_connection_is_replaced(pair: &Pair) -> Outcome {
    replaced(pair, "close-idle").await
}

/// The server resets the connection while it is idle.
pub(crate) async fn a_reset_idle_connection_is_replaced(pair: &Pair) -> Outcome {
    replaced(pair, "reset-idle").await
}

/// A reused connection breaks within the answer. The request must not be sent again, because the
/// chat may already be paid for.
pub(crate) async fn a_post_is_not_sent_again_after_a_byte(pair: &Pair) -> Outcome {
    pair.text("/then-partial/text/first").await?;
    let request = pair.post("/key/paid/cut/mid-head/echo", "second")?;
    let failed = pair.failure(request).await?;
    ensure!(!failed.in_body, "a head out of nine bytes");
    let requests = pair.server.counts("paid").requests;
    ensure!(
        requests == 1,
        "the POST reached the server {requests} times"
    );
    Ok(())
}

/// On a new connection no failure is retried, because retries belong to the core.
pub(crate) async fn a_failed_post_is_sent_once(pair: &Pair) -> Outcome {
    for at in ["start", "mid-head", "head", "2"] {
        for how in ["reset", "cut"] {
            let key = format!("{how}-{at}");
            let request = pair.post(&format!("/key/{key}/{how}/{at}/text/hello"), "{}")?;
            pair.failure(request).await?;
            let requests = pair.server.counts(&key).requests;
            ensure!(
                requests == 1,
                "{key}: the POST reached the server {requests} times"
            );
        }
    }
    Ok(())
}

/// No server listens at the address.
pub(crate) async fn a_refused_connection_is_a_connect_error(pair: &Pair) -> Outcome {
    let refusing = Refusing::new().map_err(|error| error.to_string())?;
    let url = format!("http://{}/", refusing.address());
    let failed = pair.failure(get(&url)?).await?;
    ensure!(
        failed.kind == Connect,
        "it fails as {:?}: \"{}\"",
        failed.kind,
        failed.message
    );
    Ok(())
}

/// The request's own connect timeout is used, not the default of five seconds.
pub(crate) async fn connecting_has_a_time_limit(pair: &Pair) -> Outcome {
    let nobody = Unresponsive::new().map_err(|error| error.to_string())?;
    let mut request = get(&format!("http://{}/", nobody.address()))?;
    request
        .extensions_mut()
        .insert(ConnectTimeout(Duration::from_millis(200)));
    let began = Instant::now();
    let failed = pair.failure(request).await?;
    let took = began.elapsed();
    ensure!(
        failed.kind == TimedOut,
        "it fails as {:?}: \"{}\"",
        failed.kind,
        failed.message
    );
    ensure!(
        // A blocking socket may round its timeout down.
        took >= Duration::from_millis(190) && took < ConnectTimeout::DEFAULT.0,
        "a limit of 200 ms ran out after {took:?}"
    );
    Ok(())
}

/// `.invalid` never resolves (RFC 2606).
async fn unknown_host(pair: &Pair) -> Result<Failed, String> {
    // A resolver that cannot be reached may take long.
    pair.failure(get("http://nonexistent.invalid/")?).await
}

/// A name that does not resolve has its own error kind.
pub(crate) async fn an_unknown_host_is_a_dns_error(pair: &Pair) -> Outcome {
    let failed = unknown_host(pair).await?;
    ensure!(
        failed.kind == Dns,
        "it fails as {:?}: \"{}\"",
        failed.kind,
        failed.message
    );
    Ok(())
}

/// The error names the host that does not resolve.
pub(crate) async fn an_unknown_host_is_named(pair: &Pair) -> Outcome {
    let failed = unknown_host(pair).await?;
    ensure!(
        failed.message.contains("nonexistent.invalid"),
        "the message does not name the host: \"{}\"",
        failed.message
    );
    Ok(())
}

/// An HTTP transport refuses other schemes.
pub(crate) async fn an_unknown_scheme_is_refused(pair: &Pair) -> Outcome {
    let failed = pair.failure(get("ftp://127.0.0.1/file")?).await?;
    ensure!(
        failed.kind == InvalidInput,
        "it fails as {:?}: \"{}\"",
        failed.kind,
        failed.message
    );
    Ok(())
}

/// The request runs in a background task of the executor under test.
pub(crate) async fn works_inside_a_task(pair: &Pair) -> Outcome {
    let (done, outcome) = bounded(1);
    let transport = pair.transport.clone();
    let request = pair.get("/chunked/split/2/every/5ms/text/inside")?;
    pair.executor.spawn(Box::pin(async move {
        use futures_lite::StreamExt;
        let mut came = Vec::new();
        let sent = transport.send(request).await;
        if let Ok(response) = sent {
            let mut body = response.into_body();
            while let Some(Ok(piece)) = body.next().await {
                came.extend_from_slice(&piece);
            }
        }
        // The receiver is gone only if the case has already failed.
        let _ = done.send(came).await;
    }));
    let came = outcome.recv().await.map_err(|_| "the task was dropped")?;
    ensure!(
        came == b"inside",
        "the task got {:?}",
        String::from_utf8_lossy(&came)
    );
    let failed = pair.fails("/reset/start/text/x", &[Reset]).await?;
    ensure!(!failed.in_body, "a head out of nothing");
    Ok(())
}

//! Requests and the heads of responses.

use bytes::Bytes;
use chatcore::TransportErrorKind::TooLarge;
use http::Request;

use crate::pair::{Pair, expect_bytes, expect_end};
use crate::{Outcome, ensure};

/// Status, headers and body of an ordinary response.
pub(crate) async fn status_and_headers_arrive(pair: &Pair) -> Outcome {
    let request = pair.get("/status/201/header/x-first/1%202/header/x-second/b/text/hello")?;
    let (head, body) = pair.answer(request).await?;
    ensure!(head.status == 201, "status {} in place of 201", head.status);
    for (name, value) in [
        ("x-first", "1 2"),
        ("x-second", "b"),
        ("content-type", "text/plain"),
    ] {
        let came = head.headers.get(name);
        ensure!(
            came.is_some_and(|came| came == value),
            "header {name} is {came:?} in place of {value:?}"
        );
    }
    ensure!(body == b"hello", "the body is {body:?}");
    Ok(())
}

/// A response with an error status is not a transport error, and has its body and headers.
pub(crate) async fn an_error_status_is_a_response(pair: &Pair) -> Outcome {
    for status in [400, 401, 403, 404, 408, 413, 429, 500, 502, 503] {
        let path = format!("/status/{status}/retry-after/7/v1/chat/completions");
        let (head, body) = pair.answer(pair.post(&path, "{}")?).await?;
        ensure!(
            head.status == status,
            "{} in place of {status}",
            head.status
        );
        let hint = head.headers.get("retry-after");
        ensure!(
            hint.is_some_and(|hint| hint == "7"),
            "{status}: retry-after is {hint:?}"
        );
        ensure!(
            body.len() > 40,
            "{status}: the body is lost, {} bytes came",
            body.len()
        );
    }
    Ok(())
}

/// Unregistered statuses that providers and gateways send.
pub(crate) async fn unregistered_statuses_are_responses(pair: &Pair) -> Outcome {
    for status in [520, 529] {
        let path = format!("/status/{status}/v1/messages");
        let (head, body) = pair.answer(pair.post(&path, "{}")?).await?;
        ensure!(
            head.status == status,
            "{} in place of {status}",
            head.status
        );
        ensure!(!body.is_empty(), "{status}: the body is lost");
    }
    Ok(())
}

/// Method, path, query, headers and body arrive as given, and nothing is doubled.
pub(crate) async fn the_request_arrives_whole(pair: &Pair) -> Outcome {
    let body = r#"{"prompt":"héllo 你好"}"#;
    let request = Request::post(pair.url("/key/whole/echo?a=b&c=%20d"))
        .header("authorization", "Bearer not-a-key")
        .header("content-type", "application/json")
        .header("x-several", "one")
        .header("x-several", "two")
        .body(Bytes::from_static(body.as_bytes()))
        .map_err(|error| error.to_string())?;
    let (_, echo) = pair.answer(request).await?;
    ensure!(
        echo == body.as_bytes(),
        "the echo is {:?}",
        String::from_utf8_lossy(&echo)
    );
    let seen = pair.server.request("whole").await?;
    ensure!(seen.method == "POST", "the method is {}", seen.method);
    ensure!(
        seen.target == "/key/whole/echo?a=b&c=%20d",
        "the target is {}",
        seen.target
    );
    let host = pair.server.address().to_string();
    let length = body.len().to_string();
    for (name, value) in [
        ("authorization", "Bearer not-a-key"),
        ("content-type", "application/json"),
        ("host", &host),
        ("content-length", &length),
    ] {
        let came: Vec<_> = seen
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .collect();
        ensure!(
            came.len() == 1 && came[0].1 == value,
            "header {name} must come once as {value:?}, and came as {came:?}"
        );
    }
    let several = seen.headers.iter().filter(|(name, _)| name == "x-several");
    let several: Vec<_> = several.map(|(_, value)| value.as_str()).collect();
    ensure!(
        several == ["one", "two"] || several == ["one, two"],
        "a header given twice comes as {several:?}"
    );
    Ok(())
}

/// A body larger than all buffers in between.
pub(crate) async fn a_large_request_arrives_whole(pair: &Pair) -> Outcome {
    let body: String = (0..400_000).map(|n| format!("{n:09} ")).collect();
    let (_, echo) = pair.answer(pair.post("/echo", &body)?).await?;
    ensure!(
        echo == body.as_bytes(),
        "{} bytes come back of {}",
        echo.len(),
        body.len()
    );
    Ok(())
}

/// `send` completes before any byte of the body has been sent.
pub(crate) async fn the_head_comes_before_the_body(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/gate/body-{framing}/{framing}/text/hello");
        let response = pair.send(pair.get(&path)?).await;
        let response = response.map_err(|error| format!("{framing}: {error}"))?;
        // The body is released only now: a transport that waits for it hangs here.
        pair.server.release(&format!("body-{framing}"), 1);
        let mut body = response.into_body();
        expect_bytes(&mut body, b"hello").await?;
        expect_end(&mut body).await?;
    }
    Ok(())
}

/// Interim responses are skipped.
async fn skipped(pair: &Pair, interims: &[&str]) -> Outcome {
    for interim in interims {
        let path = format!("/{interim}/text/final");
        let (head, body) = pair.answer(pair.get(&path)?).await?;
        ensure!(
            head.status == 200,
            "{interim}: the answer is {}",
            head.status
        );
        ensure!(body == b"final", "{interim}: the body is {body:?}");
        let leaked = head.headers.get("x-interim");
        ensure!(
            leaked.is_none(),
            "{interim}: its headers leak into the answer"
        );
    }
    Ok(())
}

/// 102 Processing and 103 Early Hints, with their own headers, and several in a row.
pub(crate) async fn interim_answers_are_skipped(pair: &Pair) -> Outcome {
    skipped(
        pair,
        &[
            "interim/102/1",
            "interim/103/1",
            "interim/103/3",
            "interim-bare/103/1",
        ],
    )
    .await
}

/// 100 Continue, although the client did not ask for it.
pub(crate) async fn a_continue_is_skipped(pair: &Pair) -> Outcome {
    skipped(pair, &["interim-bare/100/1", "interim-bare/100/2"]).await
}

/// 100 Continue with headers, which RFC 9110 allows.
pub(crate) async fn a_continue_with_headers_is_skipped(pair: &Pair) -> Outcome {
    skipped(pair, &["interim/100/1"]).await
}

/// A 204 ends with its head, and the connection can be reused.
pub(crate) async fn no_content_has_no_body(pair: &Pair) -> Outcome {
    let (head, body) = pair.answer(pair.get("/status/204/text/unsent")?).await?;
    ensure!(head.status == 204, "status {}", head.status);
    ensure!(
        body.is_empty(),
        "a body of {} bytes out of nothing",
        body.len()
    );
    let next = pair.text("/text/next").await?;
    ensure!(next == "next", "the next answer is {next:?}");
    Ok(())
}

/// Status 200 with an empty body.
pub(crate) async fn an_empty_body_is_empty(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/{framing}/empty/v1/chat/completions");
        let (head, body) = pair.answer(pair.post(&path, "{}")?).await?;
        ensure!(head.status == 200, "{framing}: status {}", head.status);
        ensure!(
            body.is_empty(),
            "{framing}: {} bytes out of nothing",
            body.len()
        );
    }
    Ok(())
}

/// A redirect is returned as a response, because following it could send the key to another host.
pub(crate) async fn redirects_are_not_followed(pair: &Pair) -> Outcome {
    for status in [301, 302, 303, 307, 308] {
        let path = format!("/redirect/{status}/elsewhere/v1/chat/completions");
        let (head, _) = pair.answer(pair.post(&path, "{}")?).await?;
        ensure!(
            head.status == status,
            "{} in place of {status}",
            head.status
        );
        ensure!(
            head.headers.contains_key("location"),
            "{status}: its location is lost"
        );
    }
    let followed = pair.server.counts("elsewhere").requests;
    ensure!(followed == 0, "{followed} requests followed a redirect");
    Ok(())
}

/// Heads as gateways send them: 60 headers, and a header of 6 KiB.
pub(crate) async fn ordinary_heads_are_not_too_large(pair: &Pair) -> Outcome {
    let many = pair.text("/many-headers/60/text/many").await?;
    ensure!(many == "many", "60 headers: {many:?}");
    let (head, _) = pair.answer(pair.get("/huge-header/6k/text/huge")?).await?;
    let length = head.headers.get("x-huge").map_or(0, |value| value.len());
    ensure!(
        length == 6 << 10,
        "{length} bytes of a header of 6 KiB came"
    );
    Ok(())
}

/// A header of 8 MiB is refused, not held in memory.
pub(crate) async fn a_huge_header_is_an_error(pair: &Pair) -> Outcome {
    pair.fails("/huge-header/8m/text/huge", &[TooLarge]).await?;
    Ok(())
}

/// An endless head is refused.
pub(crate) async fn endless_headers_are_an_error(pair: &Pair) -> Outcome {
    pair.fails("/key/endless/endless-headers/0ms/text/x", &[TooLarge])
        .await?;
    pair.server.closed("endless").await?;
    Ok(())
}

/// A head that arrives byte by byte.
pub(crate) async fn a_dribbled_head_is_reassembled(pair: &Pair) -> Outcome {
    let path = "/dribble/1/1ms/header/x-first/1/text/hello";
    let (head, body) = pair.answer(pair.get(path)?).await?;
    let first = head.headers.get("x-first");
    ensure!(
        first.is_some_and(|first| first == "1"),
        "header x-first is {first:?}"
    );
    ensure!(body == b"hello", "the body is {body:?}");
    Ok(())
}

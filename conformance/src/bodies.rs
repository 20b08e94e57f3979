//! Bodies arrive complete, in order, and piece by piece.

use std::time::Duration;

use futures_lite::StreamExt;

use crate::pair::{Pair, expect_bytes, expect_end};
use crate::{Outcome, ensure};

/// Each piece is passed on before the server sends the next.
async fn streams(pair: &Pair, framing: &str) -> Outcome {
    let path = format!("/gate/pieces/{framing}/split/3,4/text/onextwo");
    let response = pair.send(pair.get(&path)?).await;
    let mut body = response.map_err(|error| error.to_string())?.into_body();
    for piece in ["one", "x", "two"] {
        // The server holds the next piece back until this piece has been read.
        pair.server.release("pieces", 1);
        expect_bytes(&mut body, piece.as_bytes()).await?;
    }
    expect_end(&mut body).await
}

/// A chunked body streams, as event streams need.
pub(crate) async fn chunks_stream(pair: &Pair) -> Outcome {
    streams(pair, "chunked").await
}

/// A body with a length streams too.
pub(crate) async fn bodies_with_a_length_stream(pair: &Pair) -> Outcome {
    streams(pair, "length").await
}

/// A body that ends with its connection streams too.
pub(crate) async fn bodies_without_a_length_stream(pair: &Pair) -> Outcome {
    streams(pair, "close-delimited").await
}

/// If a response has neither a length nor chunks, its body ends when the connection ends.
pub(crate) async fn a_body_ends_with_its_connection(pair: &Pair) -> Outcome {
    for pace in ["ok", "dribble/1/0ms", "split/3,5"] {
        let text = pair
            .text(&format!("/{pace}/close-delimited/text/hello%20world"))
            .await?;
        ensure!(text == "hello world", "{pace}: the body is {text:?}");
    }
    let (_, body) = pair.answer(pair.get("/close-delimited/bytes/1m")?).await?;
    ensure!(body.len() == 1 << 20, "{} bytes of 1 MiB", body.len());
    let empty = pair.text("/close-delimited/empty/text/unsent").await?;
    ensure!(empty.is_empty(), "{empty:?} out of nothing");
    let next = pair.text("/text/next").await?;
    ensure!(next == "next", "the next answer is {next:?}");
    Ok(())
}

/// Bytes that arrive one by one, even within characters and chunk sizes.
pub(crate) async fn dribbled_bodies_are_reassembled(pair: &Pair) -> Outcome {
    let text = "h%C3%A9llo%20%E4%BD%A0%E5%A5%BD%20%F0%9F%A6%80";
    for framing in ["length", "chunked"] {
        for pace in [
            "dribble/1/0ms",
            "dribble/1/1ms",
            "dribble/3/0ms",
            "chunked/split/2,9,10,11",
        ] {
            let came = pair.text(&format!("/{pace}/{framing}/text/{text}")).await?;
            ensure!(came == "héllo 你好 🦀", "{pace}, {framing}: {came:?}");
        }
    }
    Ok(())
}

/// Eight MiB, exact to the byte.
pub(crate) async fn large_bodies_are_whole(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let (_, body) = pair
            .answer(pair.get(&format!("/{framing}/bytes/8m"))?)
            .await?;
        ensure!(
            body.len() == 8 << 20,
            "{framing}: {} bytes of 8 MiB",
            body.len()
        );
        let wrong = body
            .iter()
            .enumerate()
            .position(|(n, byte)| usize::from(*byte) != n % 251);
        ensure!(wrong.is_none(), "{framing}: byte {wrong:?} is wrong");
    }
    Ok(())
}

/// A reader that is slower than the server gets the same bytes.
pub(crate) async fn a_slow_reader_loses_nothing(pair: &Pair) -> Outcome {
    let response = pair.send(pair.get("/chunked/bytes/1m")?).await;
    let mut body = response.map_err(|error| error.to_string())?.into_body();
    let mut came = 0;
    let mut pieces = 0;
    while let Some(piece) = body.next().await {
        came += piece.map_err(|error| error.to_string())?.len();
        pieces += 1;
        if pieces <= 20 {
            pair.executor.sleep(Duration::from_millis(5)).await;
        }
    }
    ensure!(came == 1 << 20, "{came} bytes of 1 MiB");
    Ok(())
}

/// A streamed chat in each dialect, which is what the transport is for.
pub(crate) async fn a_chat_is_answered_in_both_dialects(pair: &Pair) -> Outcome {
    let question =
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"ping 你好"}]}"#;
    for (path, start, end) in [
        ("/v1/chat/completions", "data: {", "data: [DONE]\n\n"),
        (
            "/v1/messages",
            "event: message_start\ndata: {",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ] {
        let (head, body) = pair.answer(pair.post(path, question)?).await?;
        let kind = head.headers.get("content-type");
        ensure!(
            kind.is_some_and(|kind| kind == "text/event-stream"),
            "{path}: it is {kind:?}"
        );
        let text = String::from_utf8_lossy(&body);
        ensure!(
            text.contains("\"ping \"") && text.contains("\"你好\""),
            "{path}: words are missing: {text}"
        );
        ensure!(
            text.starts_with(start),
            "{path}: the start is missing: {text}"
        );
        ensure!(text.ends_with(end), "{path}: the end is missing: {text}");
    }
    Ok(())
}

//! Responses that break off, and what is no response.

use chatcore::TransportErrorKind::{self, Protocol, Reset, Truncated};
use futures_lite::StreamExt;

use crate::pair::{Pair, expect_bytes};
use crate::{Outcome, ensure};

/// Breaks in the body after `hello`: what came before is handed over, and the end is an error.
async fn breaks_after_hello(pair: &Pair, path: &str, kind: TransportErrorKind) -> Outcome {
    let failed = pair.fails(path, &[kind]).await?;
    ensure!(
        failed.in_body,
        "{path}: the head is lost: \"{}\"",
        failed.message
    );
    ensure!(
        failed.body == b"hello",
        "{path}: `hello` came, and {:?} is handed over",
        String::from_utf8_lossy(&failed.body)
    );
    Ok(())
}

/// Content-Length promises more.
pub(crate) async fn a_body_short_of_its_length_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/cut/5/text/hello%20world", Truncated).await?;
    breaks_after_hello(pair, "/cut/end/text/hello", Truncated).await
}

/// All the chunks but the last.
pub(crate) async fn a_body_without_its_last_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/end/text/hello", Truncated).await
}

/// An orderly end in the middle of a chunk.
pub(crate) async fn a_body_cut_inside_a_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/5/text/hello%20world", Truncated).await
}

/// A head, and the end.
pub(crate) async fn a_body_that_never_comes_is_truncated(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        pair.fails(&format!("/{framing}/cut/head/text/hello"), &[Truncated])
            .await?;
    }
    Ok(())
}

/// Reset before a byte of the answer.
pub(crate) async fn a_reset_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// Reset within the status line.
pub(crate) async fn a_reset_inside_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/mid-head/text/hello", &[Reset]).await?;
    Ok(())
}

/// Reset by the server when the client has read the head and `came` of the body: a reset takes
/// what was not read yet with it. `path` follows the gate that holds the server back.
async fn is_reset_after(pair: &Pair, path: &str, came: &str) -> Outcome {
    let gate = path.replace(['/', '%'], "-");
    let request = pair.get(&format!("/gate/{gate}{path}"))?;
    let response = pair.send(request).await;
    let response = response.map_err(|error| format!("{path}: the head is lost: {error}"))?;
    let mut body = response.into_body();
    if !came.is_empty() {
        pair.server.release(&gate, 1);
        expect_bytes(&mut body, came.as_bytes()).await?;
    }
    pair.server.release(&gate, 1);
    match body.next().await {
        Some(Err(error)) if error.kind() == Truncated => Ok(()),
        other => Err(format!(
            "{path} must fail as Truncated, and its body goes on with {other:?}"
        )),
    }
}

/// Reset between head and body.
pub(crate) async fn a_reset_after_the_head_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        is_reset_after(pair, &format!("/{framing}/reset/head/text/hello"), "").await?;
    }
    Ok(())
}

/// Reset in the middle of the body.
pub(crate) async fn a_reset_inside_the_body_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/{framing}/reset/5/text/hello%20world");
        is_reset_after(pair, &path, "hello").await?;
    }
    Ok(())
}

/// A reset is no end, also where an orderly end of the connection would be one.
pub(crate) async fn a_reset_does_not_end_a_body_without_a_length(pair: &Pair) -> Outcome {
    for (at, came) in [("head", ""), ("5", "hello")] {
        let path = format!("/close-delimited/reset/{at}/text/hello%20world");
        is_reset_after(pair, &path, came).await?;
    }
    Ok(())
}

/// An orderly end where an answer should be: the connection is lost.
pub(crate) async fn an_end_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/cut/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// An orderly end within the status line.
pub(crate) async fn an_end_inside_the_head_is_an_error(pair: &Pair) -> Outcome {
    pair.fails("/cut/mid-head/text/hello", &[Reset, Protocol])
        .await?;
    Ok(())
}

/// Not HTTP at all.
pub(crate) async fn garbage_is_no_http(pair: &Pair) -> Outcome {
    pair.fails("/garbage/text/hello", &[Protocol]).await?;
    Ok(())
}

/// A chunk size that is no number.
pub(crate) async fn a_garbled_chunk_is_no_http(pair: &Pair) -> Outcome {
    pair.fails("/chunked/garbage-chunk/text/hello", &[Protocol])
        .await?;
    Ok(())
}

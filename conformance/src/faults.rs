//! Responses that are cut off, and bytes that are no response.

use chatcore::TransportErrorKind::{self, Protocol, Reset, Truncated};
use futures_lite::StreamExt;

use crate::pair::{Pair, expect_bytes};
use crate::{Outcome, ensure};

/// The body breaks after `hello`: those bytes are passed on, and the end is an error.
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

/// The content-length promises more bytes.
pub(crate) async fn a_body_short_of_its_length_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/cut/5/text/hello%20world", Truncated).await?;
    breaks_after_hello(pair, "/cut/end/text/hello", Truncated).await
}

/// All chunks except the last.
pub(crate) async fn a_body_without_its_last_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/end/text/hello", Truncated).await
}

/// An orderly close in the middle of a chunk.
pub(crate) async fn a_body_cut_inside_a_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/5/text/hello%20world", Truncated).await
}

/// A head, followed by the close.
pub(crate) async fn a_body_that_never_comes_is_truncated(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        pair.fails(&format!("/{framing}/cut/head/text/hello"), &[Truncated])
            .await?;
    }
    Ok(())
}

/// A reset before the first byte of the answer.
pub(crate) async fn a_reset_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// A reset within the status line.
pub(crate) async fn a_reset_inside_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/mid-head/text/hello", &[Reset]).await?;
    Ok(())
}

/// The server resets the connection after the client has read the head and `came` of the body,
/// because a reset discards unread bytes. `path` follows the gate that holds the server back.
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

/// A reset between head and body.
pub(crate) async fn a_reset_after_the_head_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        is_reset_after(pair, &format!("/{framing}/reset/head/text/hello"), "").await?;
    }
    Ok(())
}

/// A reset in the middle of the body.
pub(crate) async fn a_reset_inside_the_body_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/{framing}/reset/5/text/hello%20world");
        is_reset_after(pair, &path, "hello").await?;
    }
    Ok(())
}

/// A reset never ends a body, even where an orderly close would.
pub(crate) async fn a_reset_does_not_end_a_body_without_a_length(pair: &Pair) -> Outcome {
    for (at, came) in [("head", ""), ("5", "hello")] {
        let path = format!("/close-delimited/reset/{at}/text/hello%20world");
        is_reset_after(pair, &path, came).await?;
    }
    Ok(())
}

/// An orderly close before any answer counts as a lost connection.
pub(crate) async fn an_end_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/cut/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// An orderly close within the status line.
pub(crate) async fn an_end_inside_the_head_is_an_error(pair: &Pair) -> Outcome {
    pair.fails("/cut/mid-head/text/hello", &[Reset, Protocol])
        .await?;
    Ok(())
}

/// Bytes that are not HTTP.
pub(crate) async fn garbage_is_no_http(pair: &Pair) -> Outcome {
    pair.fails("/garbage/text/hello", &[Protocol]).await?;
    Ok(())
}

/// A chunk size that is not a number, and one that is no number of 64 bits.
pub(crate) async fn a_garbled_chunk_is_no_http(pair: &Pair) -> Outcome {
    for chunk in ["garbage-chunk", "overflow-chunk"] {
        let path = format!("/chunked/{chunk}/text/hello");
        pair.fails(&path, &[Protocol]).await?;
    }
    Ok(())
}

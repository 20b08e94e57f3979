//! Responses that break off, and what is no response.

use chatcore::TransportErrorKind::{self, Protocol, Reset, Truncated};

use super::Outcome;
use super::pair::{Failed, Pair};
use crate::ensure;

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
pub async fn a_body_short_of_its_length_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/cut/5/text/hello%20world", Truncated).await?;
    breaks_after_hello(pair, "/cut/end/text/hello", Truncated).await
}

/// All the chunks but the last.
pub async fn a_body_without_its_last_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/end/text/hello", Truncated).await
}

/// An orderly end in the middle of a chunk.
pub async fn a_body_cut_inside_a_chunk_is_truncated(pair: &Pair) -> Outcome {
    breaks_after_hello(pair, "/chunked/cut/5/text/hello%20world", Truncated).await
}

/// A head, and the end.
pub async fn a_body_that_never_comes_is_truncated(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        pair.fails(&format!("/{framing}/cut/head/text/hello"), &[Truncated])
            .await?;
    }
    Ok(())
}

/// Reset before a byte of the answer.
pub async fn a_reset_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// Reset within the status line.
pub async fn a_reset_inside_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/reset/mid-head/text/hello", &[Reset]).await?;
    Ok(())
}

/// Truncated where the head had come. A reset may take with it what had come and was not read yet:
/// then there was none.
async fn is_cut_off(pair: &Pair, path: &str) -> Result<Failed, String> {
    let failed = pair.fails(path, &[Reset, Truncated]).await?;
    let expected = if failed.in_body { Truncated } else { Reset };
    ensure!(
        failed.kind == expected,
        "{path} must fail as {expected:?}, and fails as {:?}: \"{}\"",
        failed.kind,
        failed.message
    );
    Ok(failed)
}

/// Reset between head and body.
pub async fn a_reset_after_the_head_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/{framing}/reset/head/text/hello");
        is_cut_off(pair, &path).await?;
    }
    Ok(())
}

/// Reset in the middle of the body.
pub async fn a_reset_inside_the_body_is_an_error(pair: &Pair) -> Outcome {
    for framing in ["length", "chunked"] {
        let path = format!("/{framing}/reset/5/text/hello%20world");
        let failed = is_cut_off(pair, &path).await?;
        ensure!(
            b"hello".starts_with(&failed.body),
            "{path}: {:?} is handed over, and was never sent",
            String::from_utf8_lossy(&failed.body)
        );
    }
    Ok(())
}

/// A reset is no end, also where an orderly end of the connection would be one.
pub async fn a_reset_does_not_end_a_body_without_a_length(pair: &Pair) -> Outcome {
    for at in ["head", "5"] {
        let path = format!("/close-delimited/reset/{at}/text/hello%20world");
        is_cut_off(pair, &path).await?;
    }
    Ok(())
}

/// An orderly end where an answer should be: the connection is lost.
pub async fn an_end_before_the_head_is_a_reset(pair: &Pair) -> Outcome {
    pair.fails("/cut/start/text/hello", &[Reset]).await?;
    Ok(())
}

/// An orderly end within the status line.
pub async fn an_end_inside_the_head_is_an_error(pair: &Pair) -> Outcome {
    pair.fails("/cut/mid-head/text/hello", &[Reset, Protocol])
        .await?;
    Ok(())
}

/// Not HTTP at all.
pub async fn garbage_is_no_http(pair: &Pair) -> Outcome {
    pair.fails("/garbage/text/hello", &[Protocol]).await?;
    Ok(())
}

/// A chunk size that is no number.
pub async fn a_garbled_chunk_is_no_http(pair: &Pair) -> Outcome {
    pair.fails("/chunked/garbage-chunk/text/hello", &[Protocol])
        .await?;
    Ok(())
}

//! Cases over the whole client: retries.

use std::time::Duration;

use chatcore::{ErrorKind, WhenFull};
use futures_lite::future;

use crate::chat::{openai, read, text_of};
use crate::pair::Pair;
use crate::{Outcome, ensure};

/// A temporary failure is retried until there is an answer, whole and streamed.
pub(crate) async fn what_passes_is_retried(pair: &Pair) -> Outcome {
    for (n, fault) in [
        "status/503/retry-after-ms/5",
        "status/429/retry-after-ms/5",
        "status/500/retry-after-ms/5",
        "error-event/0",
        "no-terminal/words/0",
        "reset/head",
    ]
    .iter()
    .enumerate()
    {
        let key = format!("passes-{n}");
        let client = openai(pair, &format!("/key/{key}/flaky/2/{fault}"))?;
        let mut stream = client.chat_async("hello").max_attempts(3).stream();
        let (events, error) = read(&mut stream).await;
        ensure!(error.is_none(), "{fault}: {error:?}");
        ensure!(text_of(&events) == "echo: hello", "{fault}: {events:?}");
        let answer = stream.into_response().await.map_err(|e| e.to_string())?;
        let sent = pair.server.counts(&key).requests;
        ensure!(
            (answer.attempts, sent) == (3, 3),
            "{fault}: {} attempts, and {sent} were sent",
            answer.attempts
        );
        ensure!(client.status().retried == 2, "{:?}", client.status());
        ensure!(client.status().succeeded == 1, "{:?}", client.status());
    }
    Ok(())
}

/// A permanent failure is not retried, and an error has the number of attempts.
pub(crate) async fn what_does_not_pass_is_not(pair: &Pair) -> Outcome {
    for (n, (fault, kind, attempts)) in [
        ("status/400", ErrorKind::BadRequest, 1),
        ("status/401", ErrorKind::Auth, 1),
        ("status/404", ErrorKind::NotFound, 1),
        (
            "status/429/error-code/insufficient_quota",
            ErrorKind::QuotaExceeded,
            1,
        ),
        ("status/429/retry-after/61", ErrorKind::RateLimited, 1),
        ("page", ErrorKind::Protocol, 1),
        ("status/503/retry-after-ms/5", ErrorKind::Overloaded, 3),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("stays-{n}");
        let client = openai(pair, &format!("/key/{key}/{fault}"))?;
        let error = client.chat_async("hello").max_attempts(3).await.err();
        let Some(error) = error else {
            return Err(format!("{fault}: answered"));
        };
        ensure!(error.kind() == kind, "{fault}: {error:?}");
        let sent = pair.server.counts(&key).requests;
        ensure!(
            (u64::from(error.attempts()), sent) == (attempts, attempts),
            "{fault}: {} attempts, and {sent} were sent",
            error.attempts()
        );
        ensure!(
            error.causes().len() as u64 == attempts - 1,
            "{fault}: {} causes",
            error.causes().len()
        );
    }
    Ok(())
}

/// After content was passed on, the call is not retried.
pub(crate) async fn a_stream_is_retried_only_before_its_first_content(pair: &Pair) -> Outcome {
    let client = openai(pair, "/key/begun/error-event/2")?;
    let (events, error) = read(&mut client.chat_async("a b c d").max_attempts(3).stream()).await;
    ensure!(error.is_some(), "no error after {events:?}");
    ensure!(!text_of(&events).is_empty(), "no content came");
    let sent = pair.server.counts("begun").requests;
    ensure!(sent == 1, "it was sent {sent} times");
    Ok(())
}

/// A call in backoff holds no permit, and sends nothing more when it is dropped.
pub(crate) async fn dropping_a_backoff_sends_nothing_more(pair: &Pair) -> Outcome {
    let client = openai(pair, "/key/backs-off/status/503/retry-after/20")?;
    let mut call = Box::pin(
        client
            .chat_async("hello")
            .max_attempts(3)
            .when_full(WhenFull::Wait)
            .into_future(),
    );
    // Polls the call until it has failed once and waits.
    loop {
        ensure!(
            future::poll_once(&mut call).await.is_none(),
            "it did not wait"
        );
        let status = client.status();
        if status.retried == 1 && status.active == 0 {
            break;
        }
        pair.executor.sleep(Duration::from_millis(1)).await;
    }
    drop(call);
    let status = client.status();
    ensure!((status.cancelled, status.active) == (1, 0), "{status:?}");
    let sent = pair.server.counts("backs-off").requests;
    ensure!(sent == 1, "it was sent {sent} times");
    Ok(())
}

//! Cases over the whole client: failures and how they are reported.

use std::time::{Duration, Instant};

use chatcore::{Caps, Error, ErrorKind, LlmClient, Phase, Timeouts};
use futures_lite::FutureExt;

use crate::cancelling::{closed_after, in_time};
use crate::chat::{PROMPT, client, client_with, openai, patient, providers, read, text_of};
use crate::pair::Pair;
use crate::{Outcome, ensure};

/// Whole answers and streams must fail in the same way.
async fn fails(
    client: &LlmClient,
    what: &str,
    kind: ErrorKind,
    check: impl Fn(&Error) -> bool,
) -> Outcome {
    let whole = client.chat_async(PROMPT).await.err();
    let (_, streamed) = read(&mut client.chat_async(PROMPT).stream()).await;
    for (way, error) in [("whole", whole), ("streamed", streamed)] {
        let Some(error) = error else {
            return Err(format!(
                "{what}, {way}: must fail as {kind:?}, and is answered"
            ));
        };
        ensure!(
            error.kind() == kind && check(&error),
            "{what}, {way}: must fail as {kind:?}, and fails as {error:?}"
        );
    }
    Ok(())
}

/// Each status has its error kind, with the provider's message, the request id and the retry hint.
pub(crate) async fn error_statuses_are_typed(pair: &Pair) -> Outcome {
    for (behaviour, kind) in [
        ("/status/400", ErrorKind::BadRequest),
        ("/status/401", ErrorKind::Auth),
        ("/status/403", ErrorKind::Auth),
        ("/status/404", ErrorKind::NotFound),
        ("/status/413", ErrorKind::BadRequest),
        ("/status/429", ErrorKind::RateLimited),
        ("/status/500", ErrorKind::Server),
        ("/status/503", ErrorKind::Overloaded),
    ] {
        for provider in providers(pair, &format!("{behaviour}/retry-after/7")) {
            let status: u16 = behaviour[8..].parse().unwrap_or_default();
            let what = format!("{behaviour}, {}", provider.name());
            fails(&client(pair, provider)?, &what, kind, |error| {
                error.status().is_some_and(|code| code.as_u16() == status)
                    && error.request_id().is_some()
                    && error.body().is_some()
                    && error.retry_after() == Some(Duration::from_secs(7))
            })
            .await?;
        }
    }
    Ok(())
}

/// An error inside a stream that began normally, before and after the first content.
pub(crate) async fn errors_in_a_stream_are_typed(pair: &Pair) -> Outcome {
    for after in [0, 2] {
        for provider in providers(pair, &format!("/error-event/{after}")) {
            let what = format!("after {after} words, {}", provider.name());
            let mut stream = client(pair, provider)?.chat_async("one two three").stream();
            let (events, error) = read(&mut stream).await;
            let Some(error) = error else {
                return Err(format!("{what}: no error after {events:?}"));
            };
            ensure!(error.is_in_stream(), "{what}: {error:?}");
            ensure!(
                matches!(error.kind(), ErrorKind::Server | ErrorKind::Overloaded),
                "{what}: {error:?}"
            );
            let partial = error.partial().map(|partial| partial.text().into_owned());
            ensure!(
                partial.unwrap_or_default() == text_of(&events),
                "{what}: the partial answer of {error:?} is not what was handed over"
            );
            ensure!(
                text_of(&events).is_empty() == (after == 0),
                "{what}: {events:?}"
            );
            ensure!(
                stream.next().await.is_none(),
                "{what}: goes on after its error"
            );
        }
    }
    Ok(())
}

/// An answer that is cut off is an error, which holds the part that arrived.
pub(crate) async fn broken_answers_are_errors(pair: &Pair) -> Outcome {
    for (behaviour, kinds) in [
        ("/no-terminal", &[ErrorKind::Truncated][..]),
        ("/cut/400", &[ErrorKind::Truncated]),
        ("/cut/end/no-terminal", &[ErrorKind::Truncated]),
        ("/reset/400", &[ErrorKind::Connection, ErrorKind::Truncated]),
        ("/reset/start", &[ErrorKind::Connection]),
        (
            "/reset/head",
            &[ErrorKind::Connection, ErrorKind::Truncated],
        ),
        ("/garbage", &[ErrorKind::Protocol]),
        (
            "/garbage-event/2",
            &[ErrorKind::Protocol, ErrorKind::Truncated],
        ),
        ("/page", &[ErrorKind::Protocol]),
        ("/empty", &[ErrorKind::Protocol, ErrorKind::Truncated]),
        ("/status/204", &[ErrorKind::Protocol]),
    ] {
        for provider in providers(pair, behaviour) {
            let what = format!("{behaviour}, {}", provider.name());
            let mut stream = client(pair, provider)?
                .chat_async("one two three four five six seven eight")
                .stream();
            let (events, error) = read(&mut stream).await;
            let Some(error) = error else {
                return Err(format!("{what}: no error after {events:?}"));
            };
            ensure!(
                kinds.contains(&error.kind()),
                "{what}: must fail as {kinds:?}, and fails as {error:?}"
            );
            let partial = error.partial().map(|partial| partial.text().into_owned());
            ensure!(
                partial.unwrap_or_default() == text_of(&events),
                "{what}: the partial answer is not what was handed over: {error:?}"
            );
        }
    }
    Ok(())
}

/// A redirect is an error, and its target never gets the key.
pub(crate) async fn redirects_are_errors(pair: &Pair) -> Outcome {
    let client = openai(pair, "/redirect/307/elsewhere")?;
    fails(&client, "redirect", ErrorKind::Protocol, |error| {
        error.status().is_some_and(|status| status.as_u16() == 307)
    })
    .await?;
    let followed = pair.server.counts("elsewhere").requests;
    ensure!(followed == 0, "the redirect was followed {followed} times");
    Ok(())
}

/// An event or a body above its cap is refused.
pub(crate) async fn caps_hold(pair: &Pair) -> Outcome {
    let mut caps = Caps::default();
    caps.event = 64 << 10;
    caps.body = 256 << 10;
    for provider in providers(pair, "/pad/1m") {
        let what = provider.name().to_owned();
        let client = client_with(pair, provider, patient(), caps)?;
        fails(&client, &what, ErrorKind::ResponseTooLarge, |_| true).await?;
    }
    Ok(())
}

/// Each time limit fires, and the error names it.
pub(crate) async fn time_limits_fire(pair: &Pair) -> Outcome {
    let short = Some(Duration::from_millis(60));
    let set = |change: fn(&mut Timeouts, Option<Duration>)| {
        let mut limits = patient();
        change(&mut limits, short);
        limits
    };
    for (behaviour, limits, phase) in [
        ("/silent", set(|l, s| l.overall = s), Phase::Overall),
        ("/silent", set(|l, s| l.headers = s), Phase::Headers),
        ("/silent", set(|l, s| l.byte_idle = s), Phase::ByteIdle),
        ("/stall/0", set(|l, s| l.byte_idle = s), Phase::ByteIdle),
        (
            "/stall/0",
            set(|l, s| l.first_content = s),
            Phase::FirstContent,
        ),
        (
            "/stall/3",
            set(|l, s| l.content_idle = s),
            Phase::ContentIdle,
        ),
        (
            "/keepalives/forever/5ms",
            set(|l, s| l.overall = s),
            Phase::Overall,
        ),
        (
            "/keepalives/forever/5ms",
            set(|l, s| l.attempt = s),
            Phase::Attempt,
        ),
        ("/stall/3", set(|l, s| l.total = s), Phase::Overall),
    ] {
        let [provider, ..] = providers(pair, behaviour);
        let client = client_with(pair, provider, limits, Caps::default())?;
        let (_, error) = read(&mut client.chat_async(PROMPT).stream()).await;
        let Some(error) = error else {
            return Err(format!("{behaviour}: {phase:?} did not fire"));
        };
        ensure!(
            error.kind() == ErrorKind::Timeout && error.phase() == Some(phase),
            "{behaviour}: must time out as {phase:?}, and fails as {error:?}"
        );
    }
    Ok(())
}

/// Dropping a call before its answer closes its connection and frees its permit.
pub(crate) async fn dropping_a_call_closes(pair: &Pair) -> Outcome {
    let mut took = Vec::new();
    for n in 0..3 {
        let key = format!("call-{n}");
        let client = openai(pair, &format!("/key/{key}/silent"))?;
        let call = async {
            let answer = client.chat_async(PROMPT).await;
            Err(format!("answered before it was dropped: {answer:?}"))
        };
        let seen = async { pair.server.request(&key).await.map(drop) };
        seen.or(call).await?;
        let dropped = Instant::now();
        took.push(closed_after(pair, &key, dropped).await?);
        let status = client.status();
        ensure!((status.active, status.cancelled) == (0, 1), "{status:?}");
    }
    in_time("a call", &took)
}

/// Dropping a stream in the middle closes its connection and frees its permit.
pub(crate) async fn dropping_a_stream_closes(pair: &Pair) -> Outcome {
    let mut took = Vec::new();
    for n in 0..3 {
        let key = format!("stream-{n}");
        let client = openai(pair, &format!("/key/{key}/stall/3"))?;
        let mut stream = client.chat_async(PROMPT).stream();
        let first = stream.next_text().await;
        ensure!(matches!(first, Some(Ok(_))), "no content: {first:?}");
        ensure!(client.status().active == 1, "{:?}", client.status());
        let dropped = Instant::now();
        drop(stream);
        ensure!(client.status().active == 0, "{:?}", client.status());
        took.push(closed_after(pair, &key, dropped).await?);
    }
    in_time("a stream", &took)
}
